"""What 700 tables cost, as ratios to another commit: `python -m tests.bench.many_tables --beside FOLDER`.

FOLDER is a checkout of the other commit with its own .venv. Each measurement is a process of its own: `doctor`,
`state init` and a fresh agent that carries out one batch of all objects, first into an empty state, then where nothing
differs. RESYNC_TUI_TEST_POSTGRES names a server, else a private one is started.
"""

import argparse
import os
import random
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from resync_tui.demo.private_postgres import PrivatePostgres

ROOT = Path(__file__).parents[2]
AGENT_STARTS = 5
"""Seconds in which an agent has started."""
LEVELS = 13
ROWS = 38_000
TYPES = (
    ("integer", "(n * {k})::integer % 100000"),
    ("bigint", "n::bigint * {k} * 1000003"),
    ("smallint", "(n * {k} % 30000)::smallint"),
    ("numeric(12,3)", "n * {k} / 7.0"),
    ("double precision", "n * {k} / 7.0"),
    ("real", "n * {k} / 8.0"),
    ("text", "'Wert ' || n * {k}"),
    ("varchar(40)", "'v' || n * {k}"),
    ("char(8)", "lpad((n * {k} % 100000)::text, 6, '0')"),
    ("boolean", "n % 2 = 0"),
    ("date", "date '2020-01-01' + (n * {k} % 2000)::integer"),
    ("timestamp", "timestamp '2020-01-01' + n * {k} * interval '1 minute'"),
    ("timestamptz", "timestamptz '2020-01-01 00:00Z' + n * {k} * interval '1 minute'"),
    ("uuid", "md5((n * {k})::text)::uuid"),
    ("jsonb", "jsonb_build_object('n', n * {k})"),
)
DOMAIN_SHARE = 0.03
"""Share of the columns that are of a domain."""
DOMAINS = "CREATE DOMAIN d_grade AS integer CHECK (VALUE BETWEEN 0 AND 100000); CREATE DOMAIN d_code AS varchar(40)"


class Table:
    """A table of the set: its DDL, its rows and its catalog entry."""

    def __init__(
        self, number: int, level: int, above: list["Table"], chance: random.Random, rows: int, domains: bool
    ) -> None:
        self.name, self.rows = f"t{number:03}_{chance.choice(_WORDS)}", rows
        self.parents = chance.sample(above, min(len(above), chance.randint(0 if level == 0 else 1, 5)))
        self.key = [f"{self.name}_k{place}" for place in range(1, chance.choice((1, 1, 1, 1, 1, 1, 2, 2, 3, 6)) + 1)]
        self._columns = [
            (f"{name}", "integer NOT NULL", "n" if not place else "n % 7") for place, name in enumerate(self.key)
        ]
        self._rest: list[str] = [f"PRIMARY KEY ({', '.join(self.key)})"]
        for parent in self.parents:
            names = [f"p_{each}" for each in parent.key]
            values = [
                f"1 + (n - 1) % {max(1, parent.rows)}",
                *(f"(1 + (n - 1) % {max(1, parent.rows)}) % 7" for _ in names[1:]),
            ]
            if not parent.rows:
                values = ["NULL" for _ in names]
            self._columns += [(name, "integer", value) for name, value in zip(names, values, strict=True)]
            self._rest.append(f"FOREIGN KEY ({', '.join(names)}) REFERENCES {parent.name} ({', '.join(parent.key)})")
        wanted = max(chance.randint(3, 25) - len(self._columns), 1)
        for place in range(wanted):
            kind, value = chance.choice(TYPES)
            if chance.random() < DOMAIN_SHARE and domains:
                kind, value = "d_grade", "(n * {k})::integer % 100000"
            self._columns.append((f"{self.name}_c{place}", kind, value.format(k=place + 1)))
        if chance.random() < 0.1:
            for place in range(2):
                self._columns.append((f"{self.name}_u{place}", "bigint", f"n * 10 + {place}"))
                self._rest.append(f"UNIQUE ({self.name}_u{place})")
        if chance.random() < 0.2:
            self._rest.append(f"CHECK ({self.key[0]} > 0)")

    @property
    def ddl(self) -> str:
        """Its CREATE TABLE."""
        parts = [*(f"{name} {kind}" for name, kind, _ in self._columns), *self._rest]
        return f"CREATE TABLE {self.name} ({', '.join(parts)})"

    @property
    def fill(self) -> str:
        """The INSERT of its rows."""
        values = ", ".join(value for *_, value in self._columns)
        return f"INSERT INTO {self.name} SELECT {values} FROM generate_series(1, {self.rows}) n"

    @property
    def entry(self) -> str:
        """Its object of the catalog."""
        parents = ", ".join(f'"O_{each.name}"' for each in self.parents)
        return f'[[object]]\nname = "O_{self.name}"\ntables = ["{self.name}"]\nparents = [{parents}]\n'


_WORDS = (
    "bus",
    "class",
    "fee",
    "grade",
    "group",
    "health",
    "lunch",
    "meeting",
    "note",
    "plan",
    "room",
    "score",
    "staff",
)


def tables(count: int, rows: int = ROWS, seed: int = 18, *, domains: bool = True) -> list[Table]:
    """Return so many tables on LEVELS levels, a third of them empty; the first says whose the district is."""
    chance = random.Random(seed)
    levels: list[list[Table]] = [[] for _ in range(LEVELS)]
    for number in range(count):
        level = number * LEVELS // count
        above = [each for lower in levels[max(0, level - 1) : level] for each in lower]
        filled = 0 if chance.random() < 1 / 3 else max(1, rows * 3 // 2 // count)
        each = Table(number, level, above, chance, filled, domains)
        levels[level].append(each)
    return [each for level in levels for each in level]


def write_site(folder: Path, made: list[Table], admin: str) -> tuple[str, str]:
    """Make the district's and an empty state's database and the configuration; return the names of both databases."""
    mark = secrets.token_hex(4)
    names = f"many_d_{mark}", f"many_s_{mark}", f"many_c_{mark}"
    for name in names:
        _psql(admin, f"CREATE DATABASE {name}")
    script = ["CREATE TABLE whose (number varchar(9) PRIMARY KEY); INSERT INTO whose VALUES ('01')", DOMAINS]
    script += [line for each in made for line in ((each.ddl, each.fill) if each.rows else (each.ddl,))]
    _psql(_url(admin, names[0]), ";\n".join(script))
    catalog = [
        'name = "Many"\ntenant_column = "district_number"\nidentity = "whose.number"\n',
        *(each.entry for each in made),
    ]
    (folder / "objects.toml").write_text("\n".join(catalog))
    urls = [_url(admin, name) for name in names]
    config = folder / "resync.toml"
    config.write_text(
        f'[control]\nurl = "{urls[2]}"\n[state]\nname = "NV"\nurl = "{urls[1]}"\n[years]\ncurrent = 2026\n'
        f'[catalog]\nfile = "objects.toml"\n[[district]]\nid = "01"\nname = "Many"\nurl = "{urls[0]}"\n'
    )
    config.chmod(0o600)
    return urls[0], urls[1]


class Checkout:
    """A checkout of the program, and what its commands cost in one site."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.program, self.folder = (root / ".venv/bin/python", "-m", "resync_tui"), folder

    def call(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> tuple[float, int]:
        """Run a command; return its seconds and the most memory that it took, in MB. Raises SystemExit if it fails."""
        begun = time.perf_counter()
        with (self.folder / "out").open("w") as out:
            process = subprocess.Popen([*self.program, *arguments], cwd=self.folder, stdout=out, stderr=out)
            _, status, used = os.wait4(process.pid, 0)
        if os.waitstatus_to_exitcode(status) not in codes:
            raise SystemExit(f"{arguments}: {(self.folder / 'out').read_text()[-2000:]}")
        return time.perf_counter() - begun, used.ru_maxrss // 1024

    def batches(self, count: int = 1) -> tuple[list[float], int]:
        """Return the seconds of so many batches of all objects, and the most memory of the fresh agent, in MB."""
        agent = subprocess.Popen(
            [*self.program, "agent", "--idle-seconds", "8"], cwd=self.folder, stderr=subprocess.DEVNULL
        )
        time.sleep(AGENT_STARTS)  # else `run` would start one of its own
        seconds = [self.call("run", "--all", "--yes")[0] for _ in range(count)]
        _, _, used = os.wait4(agent.pid, 0)
        return seconds, used.ru_maxrss // 1024


def measure(root: Path, folder: Path, admin: str, made: list[Table]) -> Iterator[tuple[str, float]]:
    """Yield what each step costs on a new site."""
    district, state = write_site(folder, made, admin)
    here = Checkout(root, folder)
    here.call("control", "upgrade", codes=(0, 1, 2))
    yield "state init", here.call("state", "init", "-d", "01")[0]
    yield "doctor", here.call("doctor", codes=(0, 1, 2, 3))[0]
    for what in ("first load", "nothing differs"):
        (seconds,), memory = here.batches()
        yield from ((what, seconds), (f"MB of {what}", memory))
    for url in (district, state):
        _psql(admin, f"DROP DATABASE {urlsplit(url).path[1:]} (FORCE)")


def main() -> None:
    """Print the medians, and their ratios to the other checkout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", type=Path, help="checkout of the commit to compare with")
    parser.add_argument("--tables", type=int, default=700)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-domains", action="store_true", help="for commits that refuse columns of a domain")
    told = parser.parse_args()
    made, roots = tables(told.tables, domains=not told.no_domains), [ROOT, *([told.beside] if told.beside else [])]
    found: dict[tuple[Path, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        server = PrivatePostgres(Path(folder) / "server")
        given = os.environ.get("RESYNC_TUI_TEST_POSTGRES")
        admin = given or server.start({"max_connections": "100", "autovacuum": "off"})
        try:
            for number in range(told.rounds):
                for place, root in enumerate(roots):
                    site = Path(folder) / f"{number}-{place}"
                    site.mkdir(mode=0o700)
                    for what, cost in measure(root, site, admin, made):
                        found.setdefault((root, what), []).append(cost)
                        print(f"{number} {root.name}: {what} {cost:.2f}", file=sys.stderr)
        finally:
            if not given:
                server.stop()
    for what in dict.fromkeys(what for _, what in found):
        ours, *theirs = (statistics.median(found[root, what]) for root in roots)
        print(f"{what:22} {ours:8.2f}" + "".join(f" {each:8.2f} {ours / each:6.2f}" for each in theirs))


def _psql(url: str, script: str) -> None:
    subprocess.run(
        ["psql", "-qX", "-v", "ON_ERROR_STOP=1", url], input=script, check=True, text=True, stdout=subprocess.DEVNULL
    )


def _url(admin: str, database: str) -> str:
    return urlunsplit(urlsplit(admin)._replace(path=f"/{database}"))


if __name__ == "__main__":
    main()
