"""Synchronization Field Settings: whose the columns of each object are, and which rules keep its records back."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from resync_tui import formatting
from resync_tui.analysis.field_settings import LOCKED, FieldSetting, FieldUse, field_settings
from resync_tui.catalog import DisObject
from resync_tui.screens.filtering import FilteringPage
from resync_tui.screens.page import FILTER
from resync_tui.screens.session import Session
from resync_tui.screens.sheets import TextRow, text_rows
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BOLD, PLAIN, TITLE, WARN, Line, Part, left, plain
from resync_tui.screens.widgets.rows import Rows

TABLE, USE = 29, 12
"""Cells of a table's name and of a use."""


class FieldsPage(FilteringPage):
    """The settings of all objects of the school year, by object and table, as the catalog has them."""

    KEYS: ClassVar[Sequence[tuple[str, str]]] = (("/", "Filter"), ("c", "Copy"), ("Esc", "Back"), ("?", "Help"))
    FILTERED: ClassVar[str] = "an object, table, column or rule"
    WAITS: ClassVar[bool] = False

    def __init__(self, session: Session, glyphs: Glyphs) -> None:
        super().__init__(session, glyphs)
        self._list = Rows[TextRow](lambda row, _: row.line)

    def rows(self) -> Rows[TextRow]:
        """Return the list of objects, tables and their settings."""
        return self._list

    def draw(self) -> None:
        """Draw what matches the filter."""
        heading = Part(" Synchronization Field Settings ", TITLE)
        wanted = Part(f"  Filter: {self.wanted_name}" if self.wanted_name else "", WARN, turn=2, least=FILTER)
        year = Part(f"{formatting.school_year(self.session.year)} ", turn=1)
        self.header(self.fitted((heading, wanted), (year,)))
        self.titles(plain(f"{'  Table':<{TABLE + 2}} {'Fields':<{USE}} Which, or why", BOLD))
        self._list.show(text_rows([line for each in self.session.catalog.objects for line in self._object(each)]))

    def _object(self, dis_object: DisObject) -> list[Line]:
        tables = [
            (table, settings)
            for table, settings in field_settings(self.session.catalog, dis_object)
            if self._matches(dis_object.name, table, *(each.said for each in settings))
        ]
        lines = [line for table, settings in tables for line in self._table(table, settings)]
        return [plain(dis_object.name, BOLD), *lines] if lines else []

    def _matches(self, *texts: str) -> bool:
        return any(self.wanted_name.casefold() in each.casefold() for each in texts)

    def _table(self, table: str, settings: Sequence[FieldSetting]) -> Iterator[Line]:
        name = left(table, TABLE, self.glyphs.cut)
        for each in settings:
            use = f"{self.session.receiver}'s own" if each.use is FieldUse.OWNED else each.use
            style = PLAIN if each.use is FieldUse.SENT else BOLD
            for part in formatting.folded(each.said, max(FILTER, self._list.width - TABLE - USE - 4)):
                yield ((f"  {name:<{TABLE}} {use:<{USE}} ", PLAIN), (part, style))
                name = use = ""

    def note(self) -> list[Line]:
        """Return what is not known of fields."""
        return [plain(part) for part in formatting.folded(LOCKED, self.size.width)]
