"""What the README tells a newcomer to press, pressed: from the demo to a finished partial resync and its errors."""

import re
from pathlib import Path

import pytest

from tests.support.forks import ROOT
from tests.support.screens.pseudo_terminal import terminal

NAMES = {"Enter": "\r", "Space": " ", "Esc": "\x1b"}


def pressed() -> list[str]:
    """Return the keys of the README's section, in order."""
    section = (ROOT / "README.md").read_text("utf-8").partition("## A first resync\n")[2].partition("\n## ")[0]
    return [each for each in re.findall(r"`([^`]+)`", section) if each != "[+]"]


@pytest.mark.usefixtures("agents_end")
def test_readmes_keys_lead_to_a_finished_resync_and_its_failures(tmp_path: Path) -> None:
    keys = pressed()
    assert keys == ["/", "enroll", "Enter", "Space", "s", "y", "e", "Enter", "Esc", "q"]
    shows = [
        *(b"", b"Filter: enroll", b"Enrollment needs ", b"+ 6 required", b"any other key goes back", b"COMPLETED"),
        *(b"Failures: mend them", b"Key of the record", b"Failures: mend them", b""),
    ]
    demo = ("resync_tui", "demo", "--dir", str(tmp_path / "demo"), "--students", "200")
    with terminal(*demo, XDG_STATE_HOME=str(tmp_path)) as shown:
        shown.reads_until(b"Quit")
        for key, text in zip(keys, shows, strict=True):
            shown.press(NAMES.get(key, key))
            shown.reads_until(text)
            shown.settles()
        assert shown.ends(reading=True) == 0
    assert "Building 2 districts in " in shown.text
    assert f"Its screens: resync-tui demo --dir {tmp_path}/demo" in shown.text
    for part in ("Enrollment", "rejected", "Excluded", "refused"):
        assert part in shown.text
