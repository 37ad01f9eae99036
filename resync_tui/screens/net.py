"""The fault net of all screens: a fault of one becomes a line and an entry of the log, and the others go on."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message
from textual.message_pump import MessagePump
from textual.worker import WorkerFailed

from resync_tui.errors import ResyncError
from resync_tui.logs import crashed

PATIENCE = 5
"""Faults without a key in between after which the screens end: a fault that repeats by itself would never stop."""
IN_ALL = 100
"""Faults in total after which they end in any case, so that the log stays small."""
NAMED = 5
"""Newest batches that are named, as a line holds no more."""


class Netted(MessagePump):
    """A message pump that goes on with its next message after a fault; Textual by itself would end the whole app."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:  # noqa: BLE001
            self.app._handle_exception(error)


@dataclass(slots=True)
class Net:
    """The counts of caught faults, and the limit after which the screens end."""

    caught: int = 0
    since_key: int = 0
    """Faults since the last key."""

    def catch(self, error: Exception) -> ResyncError:
        """Log the place of a fault, and return the error to report, without any value or message of the exception."""
        self.caught += 1
        self.since_key += 1
        cause = error.error if isinstance(error, WorkerFailed) else error
        return crashed(cause if isinstance(cause, Exception) else error)

    @property
    def is_torn(self) -> bool:
        """Whether the screens cannot go on."""
        return self.since_key >= PATIENCE or self.caught >= IN_ALL


def with_sent(error: ResyncError, batches: Sequence[int]) -> ResyncError:
    """Return an error that also names the batches sent by this session, as these go on."""
    if not batches:
        return error
    more = f" and {len(batches) - NAMED} before" if len(batches) > NAMED else ""
    named = ", ".join(f"#{each}" for each in batches[-NAMED:]) + more
    return ResyncError(error.what, f"Sent before, and goes on: {named}. {error.do}")
