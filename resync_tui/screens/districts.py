"""Select Districts: the ones that a request goes to, and the one whose results are listed."""

from resync_tui.screens.picker import Choice, Picker
from resync_tui.session import Session


def district_picker(session: Session) -> Picker:
    """Return the picker: several in a state edition, one in a district's."""
    choices = [Choice(each.id, session.district_name(each.id), each.id in session.picked) for each in session.districts]
    return Picker("Select Districts", choices, session.district, several=session.state_edition)
