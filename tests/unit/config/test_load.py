"""resync.toml: where it is found, what its placeholders become, and what a bad one is told."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from resync_tui.config.load import catalog_of_year, load_catalog, load_settings, variables
from resync_tui.config.settings import Settings
from resync_tui.errors import ConfigError, UsageError

GOOD = """
[control]
url = "sqlite:///control.db"
[state]
name = "NV"
url = "postgresql://resync@db/state"
[[district]]
id = "01"
name = "Abbott"
url = "sqlite:///abbott.db"
previous = ["calendar"]
[years]
current = 2026
"""

OWN = 'name = "Own"\n{}\n[[object]]\nname = "Calendar"\ntables = ["Calendar"]\n'

CAMPUS = """
[[district]]
id = "02"
name = "Campus"
url = "{}"
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], Settings]:
    def from_text(text: str) -> Settings:
        (tmp_path / "resync.toml").write_text(text)
        return load_settings(tmp_path / "resync.toml")

    return from_text


def test_everything_left_out_has_its_documented_value(load: Callable[[str], Settings]) -> None:
    settings = load(GOOD)
    assert settings.edition == "state"
    assert (settings.engine.concurrency, settings.engine.districts) == (2, 4)
    assert (settings.engine.max_records_per_second, settings.engine.errors_kept) == (0, 10_000)
    assert settings.subscription.objects is None
    assert settings.district[0].next == ()
    assert settings.district[0].policies == settings.state.policies == "refused"


def test_the_sample_of_the_documentation_is_accepted(load: Callable[[str], Settings]) -> None:
    sample = Path(__file__).parents[3].joinpath("docs", "configuration.md").read_text()
    text = sample.partition("```toml\n")[2].partition("```")[0].replace('file = "objects.toml"', "")
    assert load(text).schedule[0].name == "weekly"


def test_relative_paths_are_relative_to_the_file(tmp_path: Path, load: Callable[[str], Settings]) -> None:
    (tmp_path / "districts").mkdir()
    (tmp_path / "districts" / "campus.toml").write_text(CAMPUS.format("sqlite:///campus.db"))
    (tmp_path / "own.toml").write_text(OWN.format('tenant_column = "district"'))
    settings = load('include = ["districts/*.toml"]\n' + GOOD + '[catalog]\nfile = "own.toml"\n')
    assert settings.control_url() == f"sqlite:///{tmp_path}/control.db"
    assert settings.district_url("02") == f"sqlite:///{tmp_path}/districts/campus.db"
    assert load_catalog(settings).name == "Own"


def test_without_a_tenant_column_a_state_takes_one_district(tmp_path: Path, load: Callable[[str], Settings]) -> None:
    one = GOOD + '[catalog]\nfile = "own.toml"\n'
    both = 'include = ["campus.toml"]\n' + one
    (tmp_path / "campus.toml").write_text(CAMPUS.format("sqlite:///campus.db"))
    assert len(load(both).district) == 2  # what the catalog lacks is told by whoever needs it
    (tmp_path / "own.toml").write_text(OWN.format('tenant_column = "district"'))
    followed = load(both)
    assert load_catalog(followed).tenant_column == "district"
    (tmp_path / "own.toml").write_text(OWN.format(""))
    assert load_catalog(load(one)).tenant_column is None
    for read in (lambda: load(both), lambda: load_catalog(followed)):
        with pytest.raises(ConfigError, match="takes one district, but 2 stand there") as refused:
            read()
        assert "own.toml" in refused.value.do


def test_secrets_are_read_when_needed_and_encoded_in_userinfo(
    tmp_path: Path, load: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text("p@ss/w:rd#1\n")
    settings = load(
        GOOD.replace("postgresql://resync@db/state", "postgresql://resync:${file:password}@${DB_HOST}:5433/${DB_NAME}")
    )
    with pytest.raises(ConfigError, match="DB_HOST, which is not set"):
        settings.state_url()
    monkeypatch.setenv("DB_HOST", "db.example.org")
    monkeypatch.setenv("DB_NAME", "state/1")
    parts = urlsplit(settings.state_url())
    assert unquote(parts.password or "") == "p@ss/w:rd#1"
    assert (parts.hostname, parts.port, parts.path) == ("db.example.org", 5433, "/state/1")


def test_a_whole_url_may_be_a_secret(load: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(GOOD.replace("postgresql://resync@db/state", "${STATE_URL}"))
    monkeypatch.setenv("STATE_URL", "postgresql://resync:secret@db/state")
    assert settings.state_url() == "postgresql://resync:secret@db/state"
    monkeypatch.setenv("STATE_URL", "oracle://resync:secret@db/state")
    with pytest.raises(ConfigError) as error:
        settings.state_url()
    assert "secret" not in error.value.what + error.value.do


def test_a_password_is_never_part_of_the_representation(load: Callable[[str], Settings]) -> None:
    assert "hunter2" not in repr(load(GOOD.replace("resync@db", "resync:hunter2@db")))


def test_the_file_is_looked_for_in_the_documented_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {name: tmp_path / name for name in ("option", "variable", "here", "user", "system")}
    for place in places.values():
        (place / "resync-tui").mkdir(parents=True)
        (place / "resync.toml").write_text(GOOD)
        (place / "resync-tui" / "resync.toml").write_text(GOOD)
    monkeypatch.chdir(places["here"])
    monkeypatch.setenv("RESYNC_TUI_CONFIG", str(places["variable"] / "resync.toml"))
    monkeypatch.setattr("resync_tui.config.load.user_config_path", lambda name: places["user"] / name)
    monkeypatch.setattr("resync_tui.config.load.site_config_path", lambda name: places["system"] / name)
    assert load_settings(places["option"] / "resync.toml").path.parent == places["option"]
    assert load_settings().path.parent == places["variable"]
    monkeypatch.delenv("RESYNC_TUI_CONFIG")
    assert load_settings().path.parent == places["here"]
    (places["here"] / "resync.toml").unlink()
    assert load_settings().path.parent == places["user"] / "resync-tui"
    (places["user"] / "resync-tui" / "resync.toml").unlink()
    assert load_settings().path.parent == places["system"] / "resync-tui"
    (places["system"] / "resync-tui" / "resync.toml").unlink()
    with pytest.raises(ConfigError, match=r"There is no resync\.toml here"):
        load_settings()


def test_another_year_needs_objects_that_are_configured_for_it(load: Callable[[str], Settings]) -> None:
    settings = load(GOOD)
    assert [each.name for each in catalog_of_year(settings, "01", 2025).objects] == ["Calendar"]
    for year in (2024, 2027):
        with pytest.raises(UsageError, match="is not configured for the school year"):
            catalog_of_year(settings, "01", year)


def test_an_unknown_district_is_named_with_the_nearest(load: Callable[[str], Settings]) -> None:
    with pytest.raises(UsageError, match=r"no district 1; the nearest is 01"):
        load(GOOD).district_url("1")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("current =", "curent =", r"unknown key years\.curent; the nearest is current"),
        ("[years]", "color = 1\n[years]", r"unknown key district\[1\]\.color"),
        ("\n[control]", 'path = "x"\n[control]', "unknown key path"),
        ("current = 2026", "", r"years\.current is missing"),
        ("current = 2026", "current = 26", r"years\.current"),
        ("current = 2026", "current = ", "not valid TOML"),
        ("postgresql://resync@db", "mysql://resync@db", "mysql:// is no database"),
        ("postgresql://resync@db", "postgersql://resync@db", "the nearest is postgresql"),
        ("postgresql://resync@db", "resync@db", "no scheme"),
        ("postgresql://resync@db", "postgresql://resync@db:port", "cannot be read"),
        ("sqlite:///abbott.db", "sqlite://abbott.db", "three slashes"),
        ("sqlite:///abbott.db", "sqlite:///:memory:", "three slashes"),
        ("resync@db", "${DB USER}@db", "is no placeholder"),
        ("resync@db", "${DB_USER@db", "does not end"),
        ("\n[control]", 'edition = "county"\n[control]', "edition"),
        ("\n[control]", 'include = ["none.toml"]\n[control]', "no such file"),
        ('previous = ["calendar"]', 'previous = ["Calender"]', "unknown DIS object Calender; the nearest is Calendar"),
        ("[years]", '[subscription]\nobjects = ["Skool"]\n[years]', "unknown DIS object Skool; the nearest is School"),
        ("[years]", '[engine]\nwindow = "22-05"\n[years]', "is no span of time"),
        ("[years]", '[engine]\nwindow = "22:00-25:00"\n[years]', "is no span of time"),
        ("[years]", "[engine]\nconcurrency = 0\n[years]", r"engine\.concurrency"),
        ("[years]", "[engine]\nmax_records_per_second = -1\n[years]", r"engine\.max_records_per_second"),
        ("[years]", "[years]\nopens = 2025-08-01\ncloses = 2025-07-01\n", "closes is not after opens"),
        ("[years]", '[[schedule]]\nname = "w"\ncron = "daily"\n[years]', "is not five fields"),
        (
            "[years]",
            '[[schedule]]\nname = "w"\ncron = "0 2 * * 0"\ntimezone = "America/Los_Angles"\n[years]',
            "the nearest is America/Los_Angeles",
        ),
        ("[years]", '[[schedule]]\nname = "w"\ncron = "0 2 * * 0"\nobjects = ["Bus"]\n[years]', "unknown DIS object"),
        ("[years]", '[[schedule]]\nname = "w"\ncron = "0 2 * * 0"\ndistricts = ["9"]\n[years]', "no district 9"),
        ('id = "01"', 'id = "01"\npolicies = "trust"', r"district\[1\]\.policies: input should be .*'trusted'"),
        ('name = "NV"', 'name = "NV"\npolicies = true', r"state\.policies: input should be"),
        ('id = "01"', "", r"district\[1\]\.id is missing"),
        ('id = "01"', 'id = ""', "has no id"),
        ('id = "01"', 'id = "state"', "district's id is state"),
        ("sqlite:///abbott.db", "postgresql://other@db:5432/state", "district 01 and the state have the same database"),
    ],
)
def test_what_cannot_be_right_is_named(load: Callable[[str], Settings], old: str, new: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as error:
        load_catalog(load(GOOD.replace(old, new, 1)))
    assert error.value.exit_code == 2
    for line in (error.value.what, error.value.do):
        assert line
        assert "\n" not in line


def test_a_district_may_not_stand_there_twice(load: Callable[[str], Settings]) -> None:
    with pytest.raises(ConfigError, match="district 01 stands there twice"):
        load(GOOD + CAMPUS.format("sqlite:///campus.db").replace("02", "01"))


def test_a_districts_own_console_has_one_district(load: Callable[[str], Settings]) -> None:
    with pytest.raises(ConfigError, match="one district's own console"):
        load('edition = "district"\n' + GOOD + CAMPUS.format("sqlite:///campus.db"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("sqlite:///abbott.db", "sqlite:///./x/../abbott.db"),
        ("sqlite:///abbott.db", "sqlite:///link.db"),
        ("postgresql://a:secret@DB.example.org/campus", "postgres://b@db.example.org:5432/campus"),
        ("postgresql://a@localhost/campus", "postgresql://a@127.0.0.1/campus"),
        ("postgresql://campus:${SECRET}@db", "postgresql://campus@db/campus"),
        ("postgresql://db/campus", "postgresql:///campus?host=db"),
        ("${SAME}", "postgresql://db/campus"),
    ],
)
def test_two_districts_may_not_share_a_source_however_spelled(
    tmp_path: Path, load: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "abbott.db")
    (tmp_path / "x").mkdir()
    monkeypatch.setenv("SAME", "postgresql://db/campus")
    with pytest.raises(ConfigError, match="district 02 and district 01 have the same database") as error:
        load(GOOD.replace("sqlite:///abbott.db", first) + CAMPUS.format(second))
    assert "secret" not in str(error.value)


def test_districts_on_one_server_are_not_taken_for_one(load: Callable[[str], Settings]) -> None:
    one = GOOD.replace("sqlite:///abbott.db", "postgresql://resync:${A}@db:5433/abbott")
    assert len(load(one + CAMPUS.format("postgresql://resync:${B}@db:5433/campus")).district) == 2
    assert len(load(one + CAMPUS.format("postgresql://resync:${B}@db:5434/abbott")).district) == 2


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_settings(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"name = '\xe9'")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_settings(tmp_path / "latin.toml")


def test_the_variables_that_a_configuration_names(
    tmp_path: Path, load: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_DISTRICT", "Abbott")
    (tmp_path / "more.toml").write_text(CAMPUS.format("postgresql://${OF_URL}:${file:secret}@db/campus"))
    text = (
        GOOD.replace('name = "Abbott"', 'name = "${OF_DISTRICT}"') + '[notify]\ncommand = ["post", "${OF_COMMAND}"]\n'
    )
    assert variables(load('include = ["more.toml"]\n' + text)) == {"OF_DISTRICT", "OF_URL", "OF_COMMAND"}
