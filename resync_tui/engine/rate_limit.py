"""Keep a resync to a number of records a second, so that it stays a good guest."""

import anyio


class RateLimiter:
    """Lets records through at a steady rate; 0 means no limit."""

    def __init__(self, records_per_second: int) -> None:
        self.rate = records_per_second
        self._free_at = 0.0

    def chunk(self, wanted: int) -> int:
        """Return how many records to take at once, so that a limited run still shows progress four times a second."""
        return min(wanted, max(1, self.rate // 4)) if self.rate else wanted

    async def spend(self, records: int) -> None:
        """Wait until the rate allows for `records` more."""
        if not self.rate or not records:
            return
        start = max(anyio.current_time(), self._free_at)
        self._free_at = start + records / self.rate
        await anyio.sleep_until(self._free_at)
