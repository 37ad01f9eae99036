"""The errors page: refused records by object and reason, failures apart from excluded records; keys one level below."""

from collections.abc import Hashable, Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from resync_tui import formatting
from resync_tui.analysis.causes import Filter
from resync_tui.control.protocol import Store
from resync_tui.errors import ResyncError
from resync_tui.outcome import Kind
from resync_tui.previous_run import Which, counts_before, runs_before, which
from resync_tui.results import Batch, ErrorGroup, ErrorRecord, LastResync
from resync_tui.screens.errors_row import GroupRow, draw_group, group_rows, name_cells, titles
from resync_tui.screens.filtering import FilteringPage
from resync_tui.screens.keys import SEARCHED, KeysPage, csv_of
from resync_tui.screens.page import FILTER, NAME, open_page
from resync_tui.screens.sending import SendingPage, to_retry
from resync_tui.screens.session import Session
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BOLD, PLAIN, TITLE, WARN, Line, Part, plain
from resync_tui.screens.widgets.rows import Rows

SAMPLE_KEYS = 3
SAMPLED = 60
"""Reasons with sample keys read."""

KINDS = {
    "excluded": "excluded: by its own rule such a record may not sync.",
    "rejected": "rejected: the {} cannot take the record as it is. Mend it in the district.",
    "blocked": "blocked: its parent record is not in the {}. Mend that, then resync both.",
}
FOLLOWS = "blocked: a rule excludes what it needs. There is nothing to mend."


class ErrorsPage(FilteringPage, SendingPage):
    """The reasons of one batch, or of one of its objects, with exact counts."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Keys of these records"),
        Binding("o", "kind", "Filter by kind"),
        Binding("r", "retry", "Retry just what failed"),
        Binding("w", "csv", "Write all keys into a CSV file"),
    ]
    FILTERED: ClassVar[str] = "an object, table, reason or key"
    WRITE_KEYS: ClassVar[frozenset[str]] = frozenset("r")
    MESSAGE_ROWS: ClassVar[int] = 3

    def __init__(
        self, session: Session, glyphs: Glyphs, batch: int, object: str | None = None, at: str | None = None
    ) -> None:
        """`object` limits the page to one object; `at` puts the cursor on an object's first reason."""
        super().__init__(session, glyphs)
        self.number = batch
        self._object = object
        self._at = at
        self._begins = True
        self._batch: Batch | None = None
        self._groups: list[ErrorGroup] | None = None
        self._last: Mapping[str, LastResync] = {}
        self._before: dict[str, dict[Which, int]] = {}
        self._samples: dict[Which, list[ErrorRecord]] = {}
        self._kind: Kind | None = None
        self._kept: Sequence[ErrorRecord] | None = None
        """Kept keys of the whole page, among which a filter searches; None: not read yet."""
        self._found: Sequence[ErrorRecord] = ()
        """Those of them that the filter's text is found in."""
        self._cells = 12
        self._list = Rows[GroupRow](lambda row, width: draw_group(row, width, self._cells, self.glyphs))

    @property
    def subject(self) -> Hashable:
        """The batch, and the object to which it is limited."""
        return self.number, self._object

    def bar_keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys of the key bar, with `r` where a retry sends something."""
        retry = [("r", "Retry failed")] if self._batch and to_retry(self._batch, self._object) else []
        return [
            *(("Enter", "Keys"), ("/", "Filter"), ("o", "Kind"), *retry, ("w", "CSV"), ("c", "Copy")),
            *(("Esc", "Back"), ("H", "History"), ("?", "Help")),
        ]

    def rows(self) -> Rows[GroupRow]:
        """Return the list of reasons."""
        return self._list

    async def load(self) -> None:
        """Read the reasons with their counts, those of the previous run, and the first keys of each."""
        store = await self.session.store()
        groups = await store.error_groups(self.number, self._object)
        await self._read_before(store)
        for each in groups[:SAMPLED]:
            kept = await store.errors(
                self.number, object=each.object, kind=each.kind, reason=each.reason, limit=SAMPLE_KEYS
            )
            self._samples[which(each)] = [record for record in kept if record.table == each.table]
        self._groups = groups

    async def _read_before(self, store: Store) -> None:
        self._batch = await store.batch(self.number)
        self._last = await runs_before(store, self._batch)
        runs = {name: run.batch for name, run in self._last.items()}
        before: dict[str, dict[Which, int]] = {name: {} for name in runs}
        for reason, count in (await counts_before(store, self.number, self._object, runs)).items():
            before[reason[0]][reason] = count
        self._before = before

    def draw(self) -> None:
        """Draw the reasons, failures first."""
        groups, width = self._wanted_groups(), self.size.width
        of = f" of {self._object}" if self._object else ""
        count = sum(group.count for group in groups)
        failed = sum(group.count for group in groups if group.is_failure)
        follows = sum(group.count for group in groups if group.behind_exclusion)
        kinds = f"{failed:,} failed, {count - failed - follows:,} excluded"
        more = f", {follows:,} follow" if follows else ""
        filters = "  ".join(filter(None, (self.wanted_name, self._kind or "")))
        heading = (
            *(Part(" Errors ", TITLE), Part(f"  Batch #{self.number}", BOLD), Part(of, BOLD, turn=2, least=NAME)),
            Part(f"  Filter: {filters}" if filters else "", WARN, turn=3, least=FILTER),
        )
        refused = Part(f"{formatting.plural(count, 'record')} refused: ", turn=1), Part(f"{kinds}{more} ")
        self.header(self.fitted(heading, self.known(*refused)))
        rows = group_rows(groups, self._before, self._samples)
        name = name_cells(width, rows)
        if name != self._cells:
            self._cells = name
            self._list.redraw()
        self.titles(titles(name))
        self._list.show(rows)
        if self._begins and rows:
            self._begins = False
            wanted = (row.key for row in rows if row.group and self._at in (None, row.group.object))
            self._list.go(next(wanted, rows[1].key))

    def _wanted_groups(self) -> list[ErrorGroup]:
        """Return the reasons that the filters admit: by their own words, or by a key of a record."""
        found = [each for each in self._found if self._kind in (None, each.kind)]
        return Filter(kind=self._kind, part=self.wanted_name).groups(self._groups or (), found)

    def _search(self) -> None:
        """Find the kept records of which the key has the text."""
        admits = Filter(part=self.wanted_name).admits
        self._found = [each for each in self._kept or () if self.wanted_name and admits(each)]

    def filtered(self) -> None:
        """Redraw; the first time read the keys among which the filter searches."""
        self._search()
        super().filtered()
        if self.wanted_name and self._kept is None:
            self._kept = ()
            self.app.run_worker(self._read_kept(), group="read")

    async def _read_kept(self) -> None:
        try:
            store = await self.session.store()
            self._kept = await self.session.shielded(store.errors(self.number, object=self._object, limit=SEARCHED))
        except ResyncError as error:
            self._kept = None
            self.show_error(error)
        self._search()
        self.refresh_all()

    @property
    def is_filtered(self) -> bool:
        """Whether a filter holds, or is being typed."""
        return super().is_filtered or self._kind is not None

    def clear_filter(self) -> None:
        """List all again."""
        self._kind = None
        super().clear_filter()
        self.refresh_all()

    def action_kind(self) -> None:
        """Filter by the next kind; after the last one show all."""
        kinds = (None, *Kind)
        self._kind = kinds[(kinds.index(self._kind) + 1) % len(kinds)]
        self.refresh_all()

    def note(self) -> list[Line]:
        """Return the meaning of the kind under the cursor, the whole reason, and the first keys."""
        if self._groups == []:
            return [plain("No record was refused.")]
        current = self._list.current
        if current is None:
            return [plain("No refused record is like that. Esc clears the filters.")] if self._groups else []
        if current.group is None:
            return [plain("Change: against the run before of the same object.")]
        group = current.group
        told = FOLLOWS if group.behind_exclusion else KINDS[group.kind].format(self.session.receiver)
        lines = formatting.folded(f"{group.table}: {group.reason}", self.size.width)[:2]
        sample = f"Keys: {current.sample}" if current.sample and len(lines) == 1 else ""
        return [*(plain(line) for line in lines), plain(told, WARN), plain(sample, PLAIN)]

    def on_rows_moved(self) -> None:
        """Redraw the note, which follows the cursor."""
        self.show_message()

    def action_open(self) -> None:
        """Show the keys of the records under the cursor."""
        if (current := self.under_cursor()) and (group := current.group):
            before = self._last[group.object].batch if group.object in self._last else None
            open_page(self.app, KeysPage(self.session, self.glyphs, self.number, group, before))

    async def action_retry(self) -> None:
        """Ask whether to send the failed objects again."""
        await self.ask_to_retry(self.number, self._object)

    async def action_csv(self) -> None:
        """Write the kept keys of every reason as CSV."""
        store = await self.session.store()
        records = await self.session.shielded(store.errors(self.number, object=self._object))
        await self.write_csv(f"resync-{self.number}-errors.csv", *csv_of(records))
