"""Extra records, which only the state has: their preview, and their removal as a request of its own, typed out."""

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from resync_tui import formatting
from resync_tui.outcome import Finding, Purpose
from resync_tui.results import Batch, FindingRecord
from resync_tui.screens.confirm import TypedQuestion
from resync_tui.screens.errors_row import key_text
from resync_tui.screens.marks import Marks
from resync_tui.screens.page import READING
from resync_tui.screens.sending import SendingPage
from resync_tui.screens.session import Session
from resync_tui.screens.sheets import TextRow, text_rows
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BAD, BOLD, PLAIN, TITLE, WARN, Line, Part, plain
from resync_tui.screens.widgets.rows import Rows

KEYS_SHOWN = 200
"""Keys per object in the preview; counts are exact nevertheless."""


class ExtraPage(SendingPage):
    """The extra records of a comparison, by object with their keys; R asks to remove them."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("R", "remove", "Remove these extra records")]
    KEYS: ClassVar[Sequence[tuple[str, str]]] = (
        *(("R", "Remove extra records"), ("c", "Copy"), ("Esc", "Back"), ("?", "Help")),
    )
    WRITE_KEYS: ClassVar[frozenset[str]] = frozenset("R")

    def __init__(self, session: Session, glyphs: Glyphs, batch: int) -> None:
        """`batch` is the number of a comparison."""
        super().__init__(session, glyphs)
        self.number = batch
        self._batch: Batch | None = None
        self._records: dict[str, list[FindingRecord]] = {}
        self._list = Rows[TextRow](lambda row, _: row.line)

    @property
    def subject(self) -> Hashable:
        """The comparison."""
        return self.number

    def rows(self) -> Rows[TextRow]:
        """Return the list of objects and keys."""
        return self._list

    async def load(self) -> None:
        """Read the comparison, and the kept keys of its extra records."""
        store = await self.session.store()
        batch = await store.batch(self.number)
        for each in batch.objects:
            if each.counts.extra:
                self._records[each.object] = await store.findings(
                    self.number, object=each.object, finding=Finding.EXTRA, limit=KEYS_SHOWN
                )
        self._batch = batch

    @property
    def counts(self) -> dict[str, int]:
        """Number of extra records by object; objects without any are left out."""
        objects = self._batch.objects if self._batch else ()
        return {each.object: each.counts.extra for each in objects if each.counts.extra}

    @property
    def _stays(self) -> dict[str, str]:
        """The reason why extra records of an object stay in the state, by object."""
        return {each.object: each.message for each in (self._batch.objects if self._batch else ()) if each.message}

    def draw(self) -> None:
        """Draw objects and keys."""
        heading = Part(" Extra records ", TITLE), Part(f"  by batch #{self.number}", BOLD)
        self.header(self.fitted(heading, self.place(self._batch)))
        self.titles(plain(f"Records that only the {self.session.receiver} has, by their keys", BOLD))
        lines: list[Line] = []
        for name, count in self.counts.items():
            kept = self._records.get(name, [])
            more = f", {len(kept):,} listed" if len(kept) < count else ""
            lines.append(plain(f"{name}: {formatting.plural(count, 'extra record')}{more}", BOLD))
            lines += [plain(f"  {each.table}  {key_text(each)}", PLAIN) for each in kept]
        lines += [plain(f"{name}: {why}", WARN) for name, why in self._stays.items()]
        self._list.show(text_rows(lines))

    def note(self) -> list[Line]:
        """Return what a removal means, or that nothing can be removed."""
        if self._batch is None:
            return []
        if not self.counts:
            return [plain("That comparison found no extra records.")]
        return [
            plain("Removing deletes them for this district and year only, children first.", WARN),
            plain(f"Compared {formatting.when(self._batch.started)}. Where more is extra by then, nothing is removed."),
        ]

    def action_remove(self) -> None:
        """Ask whether to remove them; the answer is typed out."""
        batch, counts = self._batch, self.counts
        if not self.may_act():
            return
        if batch is None:
            self.show_status(READING)
            return
        catalog = self.catalog_of(batch)
        if catalog is None:
            return
        names = frozenset(name for name in counts if name in catalog)
        if not names:
            self.show_status("There is nothing to remove.")
            return
        if not batch.status.ended:
            self.show_status("It is still comparing.")
            return
        plan = Marks(catalog, names, check_dependencies=False).plan(batch.year)
        total = sum(counts[name] for name in names)
        question = TypedQuestion(
            f"Remove {formatting.plural(total, 'extra record')} from the {self.session.receiver}?",
            self._lines(batch, counts),
            f"remove {total}",
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.send(plan, (batch.district,), Purpose.REMOVE_EXTRA, self.number)

        self.app.push_screen(question, answered)

    def _lines(self, batch: Batch, counts: dict[str, int]) -> list[Line]:
        share = self.session.settings.engine.extra_share
        return [
            plain(
                f"{self.session.district_name(batch.district)}, school year {formatting.school_year(batch.year)}", BOLD
            ),
            plain("They are deleted for good. Nothing is sent.", BAD),
            plain(
                "None at all is removed where an object is empty in the district, or would lose "
                f"more than {share:.0%} of its records."
            ),
            plain(""),
            *(plain(f"{count:>8,}  {name}") for name, count in counts.items()),
        ]
