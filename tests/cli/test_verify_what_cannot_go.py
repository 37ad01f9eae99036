"""What a comparison says of records that no resync can send."""

from tests.support.place import Place


def test_records_that_cannot_be_sent_are_told_with_why(place: Place) -> None:
    place.sql("abbott", "INSERT INTO School SELECT schoolID + 100, number, name FROM School WHERE schoolID = 1")
    place.sql("state", "CREATE UNIQUE INDEX one_name ON School (districtNumber, name)")
    assert place.run("run", "-d", "01", "School", "--yes").returncode == 1
    for command in (("verify", "-d", "01", "School"), ("history", "--batch", "2")):
        text = place.run(*command).stdout
        assert "1 record cannot be sent (resync-tui errors 2):\n    1 of School: " in text
        assert "A resync does not help these: mend them, or the state, then compare again." in text
        assert "No resync is needed" not in text
