"""Files as some editors save them, with a byte order mark, are read as if it were not there."""

from pathlib import Path

from resync_tui.cli.selection import listed_districts
from resync_tui.config.load import load_catalog, load_settings

MARK = "\ufeff"
CONFIG = """
include = ["more/*.toml"]
[control]
url = "sqlite:///control.db"
[state]
name = "NV"
url = "postgresql://resync:${file:password}@db/state"
[years]
current = 2026
[catalog]
file = "objects.toml"
"""
DISTRICT = '[[district]]\nid = "01"\nname = "Abbott"\nurl = "sqlite:///abbott.db"\n'
CATALOG = 'name = "Own"\ntenant_column = "t"\n[[object]]\nname = "Calendar"\ntables = ["Calendar"]\n'


def test_a_byte_order_mark_is_no_part_of_any_file(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name, text in (
        ("resync.toml", CONFIG),
        ("more/abbott.toml", DISTRICT),
        ("objects.toml", CATALOG),
        ("password", "geheim\n"),
        ("list", "01\r\n"),
    ):
        (tmp_path / name).write_text(MARK + text, "utf-8", newline="")
    settings = load_settings(tmp_path / "resync.toml")
    assert [each.id for each in settings.district] == ["01"]
    assert [each.name for each in load_catalog(settings).objects] == ["Calendar"]
    assert settings.state_url() == "postgresql://resync:geheim@db/state"
    assert listed_districts(tmp_path / "list") == ["01"]
