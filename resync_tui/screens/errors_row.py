"""The rows of the errors page: failures first, excluded records apart from them; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resync_tui import formatting
from resync_tui.outcome import Kind
from resync_tui.previous_run import Which, which
from resync_tui.results import ErrorGroup, ErrorRecord, FindingRecord
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BOLD, FAINT, PLAIN, WARN, WIDE, Line, left, plain


@dataclass(frozen=True, slots=True)
class GroupRow:
    """The row of one reason of one object, or the heading above such rows."""

    key: str
    heading: str = ""
    group: ErrorGroup | None = None
    change: str = ""
    """Change since the previous run; empty without one."""
    sample: str = ""
    """First keys."""


def group_rows(
    groups: Sequence[ErrorGroup],
    before: Mapping[str, Mapping[Which, int]],
    samples: Mapping[Which, Sequence[ErrorRecord]],
) -> list[GroupRow]:
    """Return the rows; `before` holds the previous run's number of records per reason, by object."""
    rows: list[GroupRow] = []
    failures = [each for each in groups if each.is_failure]
    excluded = [each for each in groups if each.kind is Kind.EXCLUDED]
    follows = [each for each in groups if each.behind_exclusion]
    for title, part in (
        ("Failures: mend them in the district, then retry", failures),
        ("Excluded: by rule these may not sync", excluded),
        ("Follows from exclusions: nothing to mend", follows),
    ):
        if part:
            count = formatting.plural(sum(each.count for each in part), "record")
            rows.append(GroupRow(title, f"{title} ({count})"))
            rows += [_row(each, before.get(each.object), samples.get(which(each), ())) for each in part]
    return rows


def _row(group: ErrorGroup, before: Mapping[Which, int] | None, samples: Sequence[ErrorRecord]) -> GroupRow:
    change = ""
    if before is not None:
        was = before.get(which(group), 0)
        change = "=" if group.count == was else f"{group.count - was:+,}"
    return GroupRow("/".join(which(group)), "", group, change, "; ".join(key_text(each) for each in samples))


def key_text(record: ErrorRecord | FindingRecord) -> str:
    """Format a record's key: personID 12, endYear 2026."""
    return "  ".join(f"{column} {'NULL' if value is None else value}" for column, value in record.key.items())


def name_cells(width: int, rows: Sequence[GroupRow]) -> int:
    """Return the width of the objects' names, capped so that reasons keep half of a narrow terminal."""
    widest = max([12, *(len(row.group.object) for row in rows if row.group)])
    return min(widest, 22 if width < WIDE else 30)


def titles(name: int) -> Line:
    """Return the titles of the columns."""
    return plain(f"{'Records':>8} {'Change':>6} {left('Object', name)} {'Kind':<9}Reason", BOLD)


def draw_group(row: GroupRow, width: int, name: int, glyphs: Glyphs) -> Line:
    """Return the line of a reason; with keys if they fit."""
    group = row.group
    if group is None:
        return plain(left(row.heading, width, glyphs.cut), BOLD)
    room = max(10, width - name - 26)
    reason = left(group.reason, room, glyphs.cut)
    if row.sample and room - len(group.reason) > 20:
        reason = f"{group.reason}  {left(row.sample, room - len(group.reason) - 2, glyphs.cut)}"
    return (
        (f"{group.count:>8,} ", BOLD),
        (f"{row.change:>6} ", WARN if row.change.startswith("+") else FAINT),
        (f"{left(group.object, name, glyphs.cut)} ", PLAIN),
        (f"{group.kind:<9}", WARN),
        (reason, PLAIN),
    )
