"""Which keys get in, by the clock."""

from resync_tui.screens.gate import BURST, STANDS, Gate


def arrives(gate: Gate, at: float, *, behind: bool = False) -> bool:
    """Whether a key that comes then gets in."""
    return gate.arrives(at, behind=behind)


def test_an_open_gate_lets_everything_in() -> None:
    gate = Gate()
    assert arrives(gate, 1.0)
    assert arrives(gate, 1.0)
    assert not gate.dropped


def test_key_before_the_paint_is_dropped_and_one_after_it_is_not() -> None:
    gate = Gate()
    gate.close()
    assert not arrives(gate, 1.0)
    gate.paint(2.0)
    assert not arrives(gate, 1.9)
    assert arrives(gate, 2.1)
    assert gate.dropped == 2


def test_the_rest_of_a_burst_is_as_old_as_its_first_key() -> None:
    gate = Gate()
    gate.close()
    gate.paint(1.001)
    assert not arrives(gate, 1.0)
    assert not arrives(gate, 1.0 + 0.9 * BURST)
    assert not arrives(gate, 1.0 + 1.8 * BURST)
    assert arrives(gate, 1.1)


def test_a_paint_that_the_terminal_has_not_taken_is_none() -> None:
    gate = Gate()
    gate.close()
    gate.paint(1.0)
    assert not arrives(gate, 2.0, behind=True)
    assert arrives(gate, 3.0)
    assert arrives(gate, 4.0, behind=True)


def test_a_later_paint_of_the_same_screen_keeps_nobody_out() -> None:
    gate = Gate()
    gate.close()
    gate.paint(1.0)
    gate.paint(5.0)
    assert arrives(gate, 2.0)


def test_it_is_told_once_while_it_stands_there() -> None:
    gate = Gate()
    gate.close()
    for at, new in ((1.0, True), (1.1, False), (1.0 + STANDS, True)):
        assert not arrives(gate, at)
        assert gate.news() is new
