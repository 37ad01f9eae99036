"""What `doctor` has looked at, a line each."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from resync_tui.analysis.checks import Check, Mark
from resync_tui.cli.options import hint
from resync_tui.formatting import plural
from resync_tui.screens.widgets.glyphs import Glyphs


def doctor(checks: Sequence[Check], glyphs: Glyphs, districts: Mapping[str, str]) -> Iterator[str]:
    """Return the report of `doctor`; of `districts`, by id, what is well has one line, with these words."""
    well = Counter(each.district for each in checks if each.mark is Mark.OK)
    told = {each.district for each in checks if each.mark is Mark.PROBLEM}
    for check in checks:
        name = districts.get(check.district or "")
        if check.mark is not Mark.OK or name is None:
            yield f"{glyphs.mark(check.mark)} {check.what}"
            if check.do:
                yield f"    {hint(check.do)}"
        elif check.district not in told:
            told.add(check.district)
            looked = plural(well[check.district], "check")
            yield f"{glyphs.mark(Mark.OK)} District {check.district}, {name}: {looked}"
    found = sum(each.mark is Mark.PROBLEM for each in checks)
    yield plural(found, "problem") if found else "Nothing is wrong."
