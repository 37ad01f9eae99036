"""Keys that come in one packet, as on a slow line."""

from tests.support.screens.pseudo_terminal import terminal


def test_text_typed_into_a_filter_is_not_taken_for_screen_keys() -> None:
    with terminal("tests.support.screens.on_a_pty") as shown:
        shown.reads_until(b"Quit")
        shown.press("/enroll")
        shown.reads_until(b"Filter: enroll")
        shown.settles()
        shown.press("\r")
        shown.reads_until(b"Enrollment needs ")
        shown.settles()
        shown.press("H")
        shown.reads_until(b"Nothing has been sent yet.")
        shown.press("/wq")
        shown.reads_until(b"Filter: wq")
        shown.settles()
        shown.press("\r")
        shown.reads_until(b"Nothing has been sent yet.")
        assert shown.process.poll() is None
