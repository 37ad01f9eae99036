"""Objects that a district is not configured for in a school year: named, with what to do, by every command."""

from pathlib import Path

import pytest

from resync_tui.cli.main import answer
from resync_tui.config.load import load_catalog, load_settings
from resync_tui.config.school_years import of_no_year
from tests.support.settings import ONE_DISTRICT

CONFIG = f"""{ONE_DISTRICT}
previous = ["Calendar", "School"]
[[district]]
id = "02"
name = "Campus"
url = "sqlite:///campus.db"
previous = ["school"]
next = ["Calendar"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "resync.toml").write_text(CONFIG)
    return tmp_path / "resync.toml"


@pytest.mark.parametrize("command", ["plan", "run", "verify", "remove-extra"])
def test_an_object_that_is_not_configured_for_the_year_is_named(
    command: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--config", str(config), command, "-d", "01", "--year", "2025"]
    assert answer([*asked, "CourseSection"]) == 2
    told = capsys.readouterr().err
    assert "District 01 is not configured for CourseSection in the school year 2024-25" in told
    assert f"Leave it out, or name it under previous or next in {config}." in told
    assert answer([*asked, "employment"]) == 2
    told = capsys.readouterr().err
    assert "not configured for Employment in" in told
    assert "Employment: not tied to a school year, so it goes with the current one alone." in told
    assert answer([*asked, "Behaviour"]) == 2
    assert "There is no DIS object Behaviour; the nearest is Behavior" in capsys.readouterr().err


def test_an_object_of_no_year_under_previous_or_next_is_told(config: Path) -> None:
    settings = load_settings(config)
    told = [(each.what, each.do) for each in of_no_year(settings, load_catalog(settings))]
    assert told == [
        (
            "previous of districts 01, 02 names School, which is not tied to a school year",
            "Take it out: it goes with the current year alone.",
        )
    ]


def test_a_plan_gives_the_hints_of_its_objects(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["--config", str(config), "plan", "AttDayAggregation"]) == 0
    *_, hint, rest = capsys.readouterr().out.splitlines()
    assert hint.startswith("AttDayAggregation: Run the district's Attendance Aggregation Refresh first")
    assert len(hint) <= 80
    assert rest.endswith("is missing otherwise.")
    assert answer(["--config", str(config), "plan", "Calendar"]) == 0
    assert "Refresh" not in capsys.readouterr().out
