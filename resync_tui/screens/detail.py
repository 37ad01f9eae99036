"""All that is known of one DIS object: what it depends on, and its last resync by kind of outcome."""

from collections.abc import Sequence

from resync_tui import formatting
from resync_tui.results import LastResync
from resync_tui.screens.sheet import Sheet
from resync_tui.session import Session
from resync_tui.widgets.glyphs import Glyphs
from resync_tui.widgets.line import BOLD, DOT, PLAIN, WARN, Line, plain, wrapped

WIDTH = 70
KINDS = ("inserted", "updated", "unchanged", "excluded", "rejected", "blocked", "extra")


def detail_sheet(session: Session, name: str, known: LastResync | None, extra: Sequence[str], glyphs: Glyphs) -> Sheet:
    """Return the detail of an object; `extra` are keys of records that only the state has."""
    catalog = session.catalog
    dis_object = catalog[name]
    lines = [
        *_listed("Parents", catalog.parents(name)),
        *_listed("Children", catalog.children(name)),
        *_listed("Tables", dis_object.tables),
        *_fact("Needs", f"{formatting.plural(len(catalog.ancestors([name])), 'object')} in all"),
        *_fact("Needed by", f"{formatting.plural(len(catalog.descendants(name)), 'object')} in all"),
        *_fact("School year", "its records belong to a school year" if dis_object.school_year else "not tied to one"),
    ]
    if dis_object.state_owned:
        lines += _listed(f"{session.receiver.capitalize()}'s own", dis_object.state_owned)
        lines.append(plain("  set once by the district, then never compared nor overwritten"))
    if dis_object.hint:
        lines += [plain(""), *_warning(dis_object.hint)]
    lines += [plain(""), *_last_resync(known, glyphs)]
    if extra:
        lines += [plain(""), plain(f"Extra records, which only the {session.receiver} has (X: all of them):", BOLD)]
        lines += [plain(f"  {key}") for key in extra]
    return Sheet(name, lines)


def _last_resync(known: LastResync | None, glyphs: Glyphs) -> list[Line]:
    if known is None:
        return [plain("Never resynced from here.")]
    result = known.result
    title: Line = (
        (f"Resync #{known.batch}  {formatting.when(result.started)}  ", BOLD),
        (glyphs.dot(result.color), DOT[result.color]),
        (f" {result.status} {formatting.outcome(result)}", PLAIN),
    )
    lines: list[Line] = [title]
    lines += _fact("Processed", f"{result.counts.processed:,}")
    lines += [fact for kind in KINDS for fact in _fact(f"  {kind}", f"{getattr(result.counts, kind):,}")]
    lines += _fact("Errors", f"{result.counts.errors:,}  (excluded + rejected + blocked)")
    return lines + (_warning(result.message) if result.message else [])


def _fact(name: str, text: str) -> list[Line]:
    return [((f"{name:<13}", PLAIN), (text, BOLD))]


def _listed(name: str, names: tuple[str, ...]) -> list[Line]:
    rows = wrapped([plain(each, BOLD) for each in names or ("none",)], WIDTH - 13)
    return [((f"{name if not number else '':<13}", PLAIN), *row) for number, row in enumerate(rows)]


def _warning(text: str) -> list[Line]:
    return wrapped([plain(word, WARN) for word in text.split()], WIDTH, gap=1)
