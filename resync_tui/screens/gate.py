"""The key gate: drops keys typed before a question was visible, and for the page below those typed with its answer."""

from dataclasses import dataclass
from math import inf

from textual.message import Message

BURST = 0.002
"""Seconds between keys of a burst: a paste or a stalled line, as no person types so fast."""

STANDS = 5.0
"""Seconds for which the message stands."""
SAID = "Dropped: keys that came before this was on the screen."


class KeyDropped(Message):
    """A key was dropped, as its question already had an answer."""


@dataclass(slots=True)
class Gate:
    """The gate, open once the screen in front has been painted; times are those of the key events, at their arrival."""

    dropped: int = 0
    """Number of dropped keys."""
    _painted: float | None = -inf
    """Time of the first paint of the screen in front; None: not yet."""
    _seen: bool = True
    """Whether the terminal has read that paint."""
    _last: float = -inf
    _begun: float = -inf
    """Start of the burst of the last key."""
    _told: float = -inf

    @property
    def closed(self) -> bool:
        """Whether the screen in front has not been painted yet."""
        return self._painted is None

    def close(self) -> None:
        """Drop all keys until the screen in front has been painted."""
        self._painted, self._seen = None, False

    def open(self) -> None:
        """Admit all keys: neither the screen in front nor the one before asks anything."""
        self._painted, self._seen = -inf, True

    def paint(self, at: float) -> None:
        """Record a paint of the screen in front; only the first one counts."""
        if self._painted is None:
            self._painted = at

    def arrives(self, at: float, *, behind: bool) -> bool:
        """Admit a key, or drop it; `behind`: the terminal has not read all that was written to it."""
        if at - self._last > BURST:
            self._begun = at
        self._last = at
        return self.admits(self._begun, behind=behind)

    def admits(self, at: float, *, behind: bool) -> bool:
        """Whether the screen in front was visible at that time; if not, the key counts as dropped."""
        self._seen = self._seen or (self._painted is not None and not behind)
        admitted = self._seen and self._painted is not None and at >= self._painted
        self.dropped += not admitted
        return admitted

    def news(self) -> bool:
        """Whether to report a dropped key: not while the last report stands."""
        if self._last - self._told < STANDS:
            return False
        self._told = self._last
        return True
