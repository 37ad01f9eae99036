"""Worlds one by one: build, send, compare, and judge."""

import re
import secrets
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from resync_tui.outcome import Purpose
from tests.support.databases import create_database, execute
from tests.support.soundness import build
from tests.support.soundness.invent import sound_world
from tests.support.soundness.model import Row, Rows, World
from tests.support.soundness.product import Product, Report
from tests.support.soundness.slips import RIGHT, SLIPS
from tests.support.soundness.truth import Fault, Sent, faults, key_of, others

KINDS = ("green", "told", "refused", "caught")
"""What becomes of a world; `caught` is the product's fault."""
_FALLBACK = "a statement was refused|The program failed by"
"""What is said of an error of which no list says what it means."""
_RIGHTLY = "excluded Held back$|it moved to .* send that year$"
"""Refusals that are right where nothing is wrong."""
NewDatabase = Callable[[str], str]


@dataclass
class Verdict:
    """What became of a world."""

    world: World
    faults: list[Fault] = field(default_factory=list)
    """What was wrong and not told; in a world in which nothing is wrong also what was refused."""
    refused: list[str] = field(default_factory=list)
    """What the product refused, and what doctor found wrong."""
    told: list[str] = field(default_factory=list)
    """What the product said of objects that completed."""

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return "caught" if self.faults else "refused" if self.refused else "told" if self.told else "green"

    def __str__(self) -> str:
        world = self.world
        faults = list(dict.fromkeys(map(str, self.faults)))
        return "\n    ".join([f"{world.source} to {world.target}, {world.title}", *faults])


def make_world(
    seed: int, change: str | None = None, pair: tuple[str, str] | None = None, *, brief: bool = False
) -> World:
    """Return the world of a seed: with something odd, or with a slip; `change` says which one."""
    random = Random(seed)
    wrong = random.random() < 0.7 if change is None else change in SLIPS
    changes = SLIPS if wrong else RIGHT
    while True:
        world = sound_world(random, pair, brief=brief)
        name = change or random.choice([*changes, *([] if wrong else ["right: nothing odd"])])
        if name == "right: nothing odd" or changes[name](random, world):
            (world.slips if wrong else world.odd).append(name)
            return world


def judge(world: World, folder: Path, new_database: NewDatabase) -> Verdict:
    """Let the product work on a world, and return what is wrong."""
    verdict = Verdict(world)
    product = Product(folder, world, new_database)
    for tenant, url in product.districts.items():
        product.script(
            url, build.district_tables(world) + build.district_records(world, tenant, world.phases[0][tenant])
        )
    if world.made:
        product.script(product.state, build.state_tables(world))
    elif refused := product.state_init():
        verdict.refused.append(refused)
        _judge_refusals(verdict)
        return verdict
    product.script(product.state, build.state_records(world) + ";\n".join([*world.state_sql, ""]))
    for number, (rows, years) in enumerate(zip(world.phases, world.to_send, strict=True)):
        if number:
            drop = _drop(world)
            for tenant, url in product.districts.items():
                product.script(url, drop + build.district_records(world, tenant, rows[tenant]))
            product.script(product.state, ";\n".join([*world.between, ""]))
        for tenant in world.tenants:
            _read_back(world, rows[tenant], product.of_district(tenant))
        _judge_phase(verdict, product, number, years)
    told = "\n".join([*verdict.refused, *verdict.told]).casefold()
    verdict.faults += [Fault("not told", "", word) for word in world.must_tell if word.casefold() not in told]
    _judge_refusals(verdict)
    return verdict


def _drop(world: World) -> str:
    """Let the districts lose the column that they are to lose; return the statement."""
    if world.dropped is None:
        return ""
    table, column = world.dropped
    world.tables[table].column(column).in_district = False
    return f"ALTER TABLE {build.quoted(table)} DROP COLUMN {build.quoted(column)};\n"


def _read_back(world: World, rows: Rows, stored: Mapping[str, list[Row]]) -> None:
    """Set the records' values to what their database has made of them: SQLite's types have a mind of their own."""
    for table in world.tables.values():
        by_key = {key_of(table, row): row for row in stored[table.name]}
        for record in rows[table.name]:
            record.values.update(by_key[key_of(table, record.values)])


def _judge_phase(verdict: Verdict, product: Product, number: int, years: tuple[int, ...]) -> None:
    world = verdict.world
    problems = product.doctor()
    verdict.refused += [f"doctor: {problem}" for problem in problems if not world.advised]
    last = number == len(world.phases) - 1
    for year in years:
        before = product.held()
        reports = product.run(year, Purpose.RESYNC, *((Purpose.VERIFY,) if last else ()))
        after = product.held()
        found = list(others(world, before, after))
        for tenant, report in reports.items():
            rows = world.phases[number][world.true_tenant(tenant)]
            sent = Sent(world, world.true_tenant(tenant), year, rows, before, after, report)
            verdict.refused += _refusals(report)
            verdict.told += report.messages.values()
            found += [each for each in faults(sent) if not _told_by(report.messages.values(), world, each)]
            said = (*report.messages.values(), *report.reasons, report.refused)
            verdict.faults += [Fault("not in a list", "", each) for each in said if re.search(_FALLBACK, each)]
        verdict.faults += [each for each in found if not _told_by(problems, world, each)]
    if last and not world.slips:
        verdict.faults += _second_run(product, years)


def _second_run(product: Product, years: tuple[int, ...]) -> Iterator[Fault]:
    """Yield what a second run of the same years writes: where nothing is wrong it has nothing to do."""
    before = product.held()
    for year in years:
        product.run(year, Purpose.RESYNC)
    after = product.held()
    yield from (Fault("written again", table, "") for table in after if after[table] != before[table])


def _refusals(report: Report) -> Iterator[str]:
    if report.refused:
        yield report.refused
    for each, status in [*report.objects.items(), *report.compared.items()]:
        if status != "completed":
            yield f"{each} {status}: {report.messages.get(each, '')}"
    yield from (reason for reason in report.reasons if not re.search(_RIGHTLY, reason))


def _told_by(said: Iterable[str], world: World, fault: Fault) -> bool:
    """Whether doctor or an object's message names the table of a fault, or what the world's slip is about."""
    words = "|".join(re.escape(word) for word in [fault.table, *world.words] if word)
    told = re.compile(rf"(?<!\w)({words})(?!\w)", re.IGNORECASE)
    return bool(fault.table) and any(told.search(each) for each in said)


def _judge_refusals(verdict: Verdict) -> None:
    """In a world in which nothing is wrong nothing may be refused."""
    if not verdict.world.slips:
        verdict.faults += [Fault("refused", "", told) for told in dict.fromkeys(verdict.refused)]


# --- databases ---


class Databases:
    """Empty databases for one world after another; those of PostgreSQL are emptied and used again."""

    def __init__(self, admin: str) -> None:
        self._admin = admin
        self._all: list[str] = []
        self._free: list[str] = []

    def judge(self, world: World) -> Verdict:
        """Judge a world in a folder of its own."""
        self._free = list(self._all)
        with tempfile.TemporaryDirectory(prefix="resync-tui-world-") as folder:
            try:
                return judge(world, Path(folder), lambda kind: self._new(kind, Path(folder)))
            except Exception as error:  # noqa: BLE001 - a crash is what the search is for
                return Verdict(world, [Fault("crashed", "", "".join(traceback.format_exception(error)))])

    def _new(self, kind: str, folder: Path) -> str:
        if kind == "sqlite":
            file = folder / f"{secrets.token_hex(6)}.db"
            file.touch()
            return f"sqlite:///{file}"
        if not self._free:
            self._free.append(create_database(self._admin, f"world_{secrets.token_hex(6)}"))
            self._all += self._free
        url = self._free.pop()
        execute(url, "DROP SCHEMA IF EXISTS public, resync_stage CASCADE", "CREATE SCHEMA public")
        return url

    def drop(self) -> None:
        """Drop what is left on the server."""
        names = [url.rpartition("/")[2] for url in self._all]
        execute(self._admin, *(f"DROP DATABASE {name} WITH (FORCE)" for name in names))


@dataclass
class Tally:
    """How many worlds there were, and what became of them, by slip."""

    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Count a world."""
        self.kinds[verdict.world.title, verdict.kind] += 1

    @property
    def caught(self) -> bool:
        """Whether anything was wrong."""
        return any(kind == "caught" for _, kind in self.kinds)

    def __str__(self) -> str:
        lines = [f"{'worlds':40}" + "".join(f"{kind:>9}" for kind in KINDS)]
        lines += [
            f"{title:40}" + "".join(f"{self.kinds[title, kind]:9}" for kind in KINDS)
            for title in sorted({title for title, _ in self.kinds})
        ]
        sums = {kind: sum(count for (_, of), count in self.kinds.items() if of == kind) for kind in KINDS}
        lines.append(f"{sum(sums.values()):<40}" + "".join(f"{sums[kind]:9}" for kind in KINDS))
        return "\n".join(lines)
