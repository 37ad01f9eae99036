"""Which keys get in: for a question none that came before it was seen, for the screen below none that came with it."""

from dataclasses import dataclass
from math import inf

from textual.message import Message

BURST = 0.002
"""Seconds, and no person presses two keys so close together: a paste does, or a line that had stalled."""

STANDS = 5.0
"""Seconds that it is said for."""
SAID = "Dropped: keys that came before this was on the screen."


class KeyDropped(Message):
    """A key went nowhere, as the question that it was for had its answer."""


@dataclass(slots=True)
class Gate:
    """Opens once what is in front has been painted; by the clock of the key events, which is when they arrived."""

    dropped: int = 0
    """Keys that it did not let in."""
    _painted: float | None = -inf
    """When what is in front was painted; None: not yet."""
    _seen: bool = True
    """Whether the terminal has taken that paint."""
    _last: float = -inf
    _begun: float = -inf
    """When the burst that the last key belongs to began."""
    _told: float = -inf

    @property
    def closed(self) -> bool:
        """Whether what is in front has not been painted yet."""
        return self._painted is None

    def close(self) -> None:
        """Let no key in until what is in front now has been painted."""
        self._painted, self._seen = None, False

    def open(self) -> None:
        """Let every key in: what is in front asks nothing, and nothing was asked before it."""
        self._painted, self._seen = -inf, True

    def paint(self, at: float) -> None:
        """What is in front is being painted; what counts is the first time."""
        if self._painted is None:
            self._painted = at

    def arrives(self, at: float, *, behind: bool) -> bool:
        """Let a key in, or drop it; `behind`: the terminal has not taken what was last written to it."""
        if at - self._last > BURST:
            self._begun = at
        self._last = at
        return self.admits(self._begun, behind=behind)

    def admits(self, at: float, *, behind: bool) -> bool:
        """Whether what is in front now was seen before then; where not, the key is counted as dropped."""
        self._seen = self._seen or (self._painted is not None and not behind)
        admitted = self._seen and self._painted is not None and at >= self._painted
        self.dropped += not admitted
        return admitted

    def news(self) -> bool:
        """Whether to tell that a key was dropped: not while that still stands there."""
        if self._last - self._told < STANDS:
            return False
        self._told = self._last
        return True
