"""Row-level security at a district, as its login meets it: doctor, run, verify and remove-extra."""

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.support.databases import execute, login
from tests.support.place import Place

HIDING = """
ALTER TABLE "Person" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "by_site" ON "Person" FOR SELECT TO {role} USING ("personID" % 10 <> 0);
CREATE POLICY "of_others" ON "Person" FOR SELECT TO {owner} USING (true);
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};
"""


@dataclass(frozen=True)
class Hiding:
    """A district whose login does not see all persons, though the state has them."""

    place: Place
    role: str
    district: str
    state: str

    def problems(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self.place.run("doctor", "--json").stdout)["problems"]
        return found


@pytest.fixture
def hiding(place: Place, database: Callable[[str], str]) -> Iterator[Hiding]:
    district, state, role = database("postgresql"), database("postgresql"), f"guest_{secrets.token_hex(4)}"
    for (table,) in place.sql("abbott", "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"):
        execute(district, str(table).replace("DEFAULT 0", "DEFAULT false"))
    execute(
        district,
        """INSERT INTO "District" VALUES ('01', 'x')""",
        """INSERT INTO "School" VALUES (1, '01', 'A')""",
        'INSERT INTO "Person" SELECT n, 1 FROM generate_series(1, 100) n',
        f"CREATE ROLE {role} LOGIN PASSWORD 'geheim'",
    )
    control = database("postgresql")
    execute(control, f"REVOKE CONNECT ON DATABASE {urlsplit(control).path[1:]} FROM PUBLIC")
    place.change("sqlite:///control.db", control)
    place.change("sqlite:///abbott.db", district)
    place.change("sqlite:///state.db", state)
    text = (place.folder / "resync.toml").read_text()
    (place.folder / "resync.toml").write_text(text.partition('[[district]]\nid = "02"')[0])
    assert place.run("state", "init", "-d", "01").returncode == 0
    assert place.run("run", "-d", "01", "--all", "--yes").returncode == 0
    place.end_agents()
    execute(district, HIDING.format(role=role, owner=urlsplit(district).username))
    place.change(district, login(district, role))
    yield Hiding(place, role, district, state)
    execute(district, f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


def test_records_a_district_hides_are_neither_missing_nor_extra(hiding: Hiding) -> None:
    place = hiding.place
    hides = f"Row-level security (policy by_site) hides records of Person from login {hiding.role} at "
    ((what, do),) = [tuple(each.values()) for each in hiding.problems()]
    assert what == f"{hides}district 01"
    assert do.startswith("Give that login BYPASSRLS")
    done = place.run("run", "-d", "01", "--all", "--yes")
    assert done.returncode == 3
    assert f"Person: {hides}district Abbott (01)" in done.stderr
    for command in (("verify",), ("remove-extra", "--yes")):
        done = place.run(*command, "-d", "01", "--all")
        assert done.returncode == 3
        assert f"{hides}district Abbott (01)" in done.stderr
        assert "extra" not in done.stdout
    place.end_agents()

    place.change('name = "Abbott"', 'name = "Abbott"\npolicies = "trusted"')
    assert hiding.problems() == []
    for command in (("run", "--yes"), ("verify",), ("remove-extra", "--yes")):
        done = place.run(*command, "-d", "01", "--all")
        assert done.returncode == 0, done.stderr
    place.end_agents()

    place.change('\npolicies = "trusted"', "")
    place.change(login(hiding.district, hiding.role), hiding.district)
    assert hiding.problems() == []
    assert place.run("verify", "-d", "01", "--all").returncode == 0


def test_what_the_state_hides_and_a_hidden_identity_are_named(hiding: Hiding) -> None:
    execute(
        hiding.state,
        'ALTER TABLE "School" ENABLE ROW LEVEL SECURITY',
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {hiding.role}",
    )
    execute(hiding.district, 'ALTER TABLE "District" ENABLE ROW LEVEL SECURITY')
    try:
        hiding.place.change(hiding.state, login(hiding.state, hiding.role))
        told = [each["what"] for each in hiding.problems() if "security" in each["what"]]
        assert f"Row-level security (no policy) hides records of School from login {hiding.role} at the state" in told
        assert any(each.startswith("Row-level security hides records of District in district 01 (") for each in told)
        assert any("(policy by_site) hides records of Person" in each for each in told)
    finally:
        execute(hiding.state, f"DROP OWNED BY {hiding.role} CASCADE")
