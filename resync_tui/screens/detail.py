"""An object's detail: its last runs, what it depends on, and its tables."""

from collections.abc import Collection, Sequence

from resync_tui import formatting
from resync_tui.catalog import Catalog
from resync_tui.results import LastResync
from resync_tui.screens.session import Session
from resync_tui.screens.sheets import fact
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BOLD, DOT, FAINT, PLAIN, WARN, Line, plain, wrapped

WIDTH = 70
KINDS = ("inserted", "updated", "unchanged", "excluded", "rejected", "blocked", "extra")


def detail_lines(
    session: Session, name: str, runs: Sequence[LastResync] | None, extra: Sequence[str], glyphs: Glyphs
) -> list[Line]:
    """Return the detail of an object with its last runs, None before they are read.

    `extra` are keys that only the state has.
    """
    catalog = session.catalog
    dis_object = catalog[name]
    lines = _warning(dis_object.hint) if dis_object.hint else []
    if not runs:
        lines.append(plain("Its last resync is still being read." if runs is None else "Never resynced from here."))
    for run in runs or ():
        lines += [*_run(run, glyphs), plain("")]
    lines += [
        *_listed("Tables", dis_object.tables),
        *fact("School year", "its records belong to a school year" if dis_object.school_year else "not tied to one"),
    ]
    if dis_object.state_owned:
        lines += _listed(f"{session.receiver.capitalize()}'s own", dis_object.state_owned)
        lines.append(plain("  set once by the district, then never compared nor overwritten"))
    if extra:
        lines += [plain(""), plain(f"Extra records, which only the {session.receiver} has (X: all of them):", BOLD)]
        lines += [plain(f"  {key}") for key in extra]
    return [*lines, plain(""), *hierarchy_lines(catalog, name)]


def hierarchy_lines(catalog: Catalog, name: str) -> list[Line]:
    """Return all parents of an object in dependency order and all its children alphabetically; direct ones starred."""
    above, below = catalog.ancestors([name]), catalog.descendants(name)
    parents = [each for each in catalog.parents_first if each in above]
    lines = [
        *_starred("Parents", parents, catalog.parents(name), "no parent dependencies"),
        *_starred("Children", sorted(below, key=str.casefold), catalog.children(name), "no dependent objects"),
    ]
    if above or below:
        lines.append(plain(f"{'':<13}* immediate; all others by these"))
    return lines + [plain(part, FAINT) for part in formatting.folded(catalog[name].note, WIDTH) if part]


def _starred(title: str, names: Sequence[str], direct: Collection[str], none: str) -> list[Line]:
    words = [plain(f"{each}*", BOLD) if each in direct else plain(each) for each in names]
    return _in_columns(title, words or [plain(none)])


def _run(run: LastResync, glyphs: Glyphs) -> list[Line]:
    result = run.result
    title: Line = (
        (f"Batch #{run.batch}  {formatting.to_the_second(result.started)}  ", BOLD),
        (glyphs.dot(result.color), DOT[result.color]),
        (f" {result.status} {formatting.outcome(result)}", PLAIN),
    )
    lines: list[Line] = [title]
    lines += fact("Processed", f"{result.counts.processed:,}")
    lines += [line for kind in KINDS for line in fact(f"  {kind}", f"{getattr(result.counts, kind):,}")]
    lines += fact("Errors", f"{result.counts.errors:,}  (excluded + rejected + blocked)")
    return lines + (_warning(result.message) if result.message else [])


def _listed(name: str, names: tuple[str, ...]) -> list[Line]:
    return _in_columns(name, [plain(each, BOLD) for each in names or ("none",)])


def _in_columns(name: str, words: Sequence[Line]) -> list[Line]:
    rows = wrapped(words, WIDTH - 13)
    return [((f"{name if not number else '':<13}", PLAIN), *row) for number, row in enumerate(rows)]


def _warning(text: str) -> list[Line]:
    return wrapped([plain(word, WARN) for word in text.split()], WIDTH, gap=1)
