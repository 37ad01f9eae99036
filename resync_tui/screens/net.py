"""The net under all screens: what one of them raises becomes a line and an entry of the log, and the others go on."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message
from textual.message_pump import MessagePump
from textual.worker import WorkerFailed

from resync_tui.crash import crashed
from resync_tui.errors import ResyncError

PATIENCE = 5
"""Faults without a key in between after which the screens end: one that comes back by itself would never stop."""
IN_ALL = 100
"""Faults after which they end in any case, so that the log stays small."""
NAMED = 5
"""Batches that are named, the newest ones; a line is not longer."""


class Netted(MessagePump):
    """What goes on with its next message where one of them raised; Textual by itself would end it, and with it all."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:  # noqa: BLE001
            self.app._handle_exception(error)


@dataclass(slots=True)
class Net:
    """Counts what was caught, and says when that is too much."""

    caught: int = 0
    since_key: int = 0
    """Faults since somebody pressed a key."""

    def catch(self, error: Exception) -> ResyncError:
        """Write down where it happened, and return what to tell; no value and no message of an exception is in it."""
        self.caught += 1
        self.since_key += 1
        cause = error.error if isinstance(error, WorkerFailed) else error
        return crashed(cause if isinstance(cause, Exception) else error)

    @property
    def is_torn(self) -> bool:
        """Whether the screens cannot go on."""
        return self.since_key >= PATIENCE or self.caught >= IN_ALL


def with_sent(error: ResyncError, batches: Sequence[int]) -> ResyncError:
    """Return an error that also names what this session has sent: that goes on."""
    if not batches:
        return error
    more = f" and {len(batches) - NAMED} before" if len(batches) > NAMED else ""
    named = ", ".join(f"#{each}" for each in batches[-NAMED:]) + more
    return ResyncError(error.what, f"Sent before, and goes on: {named}. {error.do}")
