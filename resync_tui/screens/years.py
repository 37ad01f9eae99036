"""The school year that is listed and sent (documents: "Previous or Next School Year")."""

from resync_tui import formatting
from resync_tui.screens.picker import Choice, Picker
from resync_tui.session import Session


def year_picker(session: Session) -> Picker:
    """Return the picker of the years that the listed district is configured for."""
    current = session.settings.years.current
    names = {current - 1: "previous", current: "current", current + 1: "next"}
    choices = [Choice(str(year), f"{formatting.school_year(year)} {names[year]}") for year in session.years]
    return Picker("School year", choices, str(session.year), several=False)
