"""The one interface between the hot path and whatever carries the messages to it.

On one machine the transport is MQTT (`ingest.mqtt.mqtt_log`): a batch is acknowledged to the broker after its
transaction has been committed. In a cell of several machines it is a log with positions: the position
is recorded inside the transaction, and nothing is acknowledged. The hot path does the same for both:

    async for batch in log.batches():
        async with connection.transaction():
            ...
            await log.record(batch, connection)
        log.release(batch)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import asyncpg

    from fleet.wire.batch import Message
    from fleet.wire.reasons import Reason

#: Where a batch came from: the stream of the moment, or the back-fill that devices send after an outage.
#: What is sent in large messages is back-fill, whichever topic it comes by.
Source = Literal["live", "history"]


class Refused(NamedTuple):
    """A message that was not kept: it is too large, or too much of its sender was waiting already."""

    topic: str
    #: How the payload begins.
    payload: bytes
    #: How many observations it held, as far as can be told without decoding it.
    observations: int
    packet_id: int | None
    reason: Reason


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Messages that are decoded, judged and committed together, in the order in which they came.

    A batch without messages is a chance to tick (see `Log.batches`).
    """

    messages: Sequence[Message]
    #: When the batch was taken up, microseconds since 1970 on the clock that the log was given. It never
    #: decreases from batch to batch unless that clock does, so that stored batches replay in order.
    received_us: int
    source: Source
    #: Size on the wire, headers and topics included.
    bytes: int
    #: What the log needs to release the batch. Nobody else looks into it.
    ticket: object = None
    #: Messages that are not among the others: to be counted, and released with them.
    refused: Sequence[Refused] = ()


class Log(Protocol):
    """A transport that delivers every message at least once and forgets it only when told to."""

    def batches(self, *, idle_s: float | None = None) -> AsyncIterator[Batch]:
        """Yield batches for ever: whatever has come while the caller was busy, up to a limit.

        So a lone message makes a batch of its own within milliseconds, and batches grow under load.
        The caller may ask for the next batch before it has released the previous one (judging one
        while another is being committed); what is not released is bounded in messages and in bytes, and
        beyond that the log stops reading, which slows the broker.

        Parameters
        ----------
        idle_s
            Yield an empty batch after this many seconds without a message, so that rules about silence
            are judged while nothing comes. None: never.

        Raises
        ------
        fleet.errors.KerbsafeError
            When the transport is lost for good: refused credentials, or another process that reads in
            our name. A transport that is merely away is waited for.
        """

    async def record(self, batch: Batch, connection: asyncpg.Connection) -> None:
        """Write, inside the batch's transaction, what the log needs in order to know that it was stored."""

    def release(self, batch: Batch) -> None:
        """Let the transport forget the batch. To be called after COMMIT, of each source in order."""

    @property
    def urgent(self) -> bool:
        """Whether live messages wait to be taken: what can wait is put off for them."""

    @property
    def connected(self) -> bool:
        """Whether live messages can arrive now."""

    @property
    def caught_up_since_us(self) -> int | None:
        """Since when live messages have been arriving without a backlog; None while they are not.

        Rules about silence stand still until this is as long ago as their hold: an outage of ours, or
        a queue that we still work off, is not a silent fleet.
        """
