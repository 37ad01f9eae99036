"""Rate limit in records per second, which bounds the load of a resync on the databases."""

import anyio


class RateLimiter:
    """Limits records to a steady rate; 0: no limit."""

    def __init__(self, records_per_second: int) -> None:
        self.rate = records_per_second
        self._free_at = 0.0

    def chunk(self, wanted: int) -> int:
        """Return the chunk size: under a limit, small enough for progress four times a second."""
        return min(wanted, max(1, self.rate // 4)) if self.rate else wanted

    async def spend(self, records: int) -> None:
        """Wait until the rate limit allows `records` more."""
        if not self.rate or not records:
            return
        start = max(anyio.current_time(), self._free_at)
        self._free_at = start + records / self.rate
        await anyio.sleep_until(self._free_at)
