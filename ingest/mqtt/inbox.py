"""What has been received and not yet been released: counted, bounded, and cut into batches.

Messages arrive in chunks, as many as one read of the socket completed (with asyncio at most 256 KiB
and one packet more). Batches are whole chunks, so that nothing is counted message by message; their
limits are therefore passed by less than a chunk.

Large messages wait apart, so that no live fix stands behind one, and of each topic only so many: beyond that
they are refused, for what one unit sends must not fill the room of all.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from fleet.wire.batch import KEPT_BYTES
from fleet.wire.reasons import Reason
from fleet.wire.v1 import MAX_PAYLOAD_BYTES
from ingest.pipeline.log import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest.mqtt.mqtt_session import Publish

#: Messages pile up where more than one part in this many of a full batch is pending.
_PILE = 8
#: A message of more than this, some 600 fixes, waits apart from the others.
LARGE_BYTES = 64 * 1024
#: How each observation of an array is told without decoding it: all have a time.
_EACH_HAS = b'"time"'


class Acknowledger(Protocol):
    """The connection that delivered a chunk."""

    def acknowledge(self, packet_ids: Sequence[int]) -> int:
        """Acknowledge messages; return how many acknowledgements left (0 once the connection is lost)."""


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Messages of one read, and the connection that they came by."""

    messages: list[Publish]
    bytes: int
    arrived_s: float
    link: Acknowledger
    #: Size of the largest of them.
    largest_bytes: int = 0
    #: Came with them, and was not kept.
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a session may hold, and how much of it goes into one batch."""

    #: At these many bytes on the wire, received and not released, reading pauses.
    unreleased_bytes: int
    #: The same in messages. It binds with QoS 0 only: Receive Maximum keeps QoS 1 below it.
    unreleased_messages: int
    batch_messages: int
    batch_bytes: int
    #: Of large messages of one topic, so many bytes may wait; one message always may. None: they wait among
    #: the others, as on a session where all of them can wait.
    large_bytes_of_topic: int | None = MAX_PAYLOAD_BYTES


class Ticket:
    """The chunks of one batch until it is released."""

    __slots__ = ("arrived_s", "bytes", "chunks", "messages", "refused")

    def __init__(self, chunks: list[Chunk]) -> None:
        self.chunks = chunks
        #: When the first of its messages arrived; None without messages.
        self.arrived_s = chunks[0].arrived_s if chunks else None
        self.messages: list[Publish] = (
            chunks[0].messages
            if len(chunks) == 1
            else list(chain.from_iterable([c.messages for c in chunks]))
        )
        self.bytes = sum(chunk.bytes for chunk in chunks)
        self.refused = [message for chunk in chunks for message in chunk.refused]


@dataclass(slots=True)
class Counters:
    """What happened on one session since the process began. Only ever counted up."""

    received_messages: int = 0
    received_bytes: int = 0
    #: Messages that the broker marked as sent before (DUP).
    redelivered: int = 0
    acknowledged: int = 0
    #: Messages released after their connection was lost: the broker will send them again.
    acknowledgements_dropped: int = 0
    #: Messages that the codec refused and that were taken in nevertheless.
    salvaged: int = 0
    connects: int = 0
    #: Connections that were lost or could not be made.
    failures: int = 0
    #: Connects at which the broker no longer knew our session, and what it had queued for it.
    sessions_forgotten: int = 0
    #: Times that reading stopped because too much was unreleased.
    pauses: int = 0
    #: Messages that were not kept: too large, or too much of their topic was waiting.
    refused: int = 0


class Inbox:
    """The unreleased messages of one session, over all its connections."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.counters = Counters()
        self.pending_messages = 0
        self.pending_bytes = 0
        self.unreleased_messages = 0
        self.unreleased_bytes = 0
        self._chunks: deque[Chunk] = deque()
        #: Chunks of one large message each.
        self._large: deque[Chunk] = deque()
        #: Bytes of them by topic, those handed out included.
        self._large_bytes: dict[str, int] = {}

    @property
    def is_full(self) -> bool:
        """Whether reading has to pause until something is released."""
        limits = self.limits
        return (
            self.unreleased_bytes >= limits.unreleased_bytes
            or self.unreleased_messages > limits.unreleased_messages
        )

    @property
    def is_capped(self) -> bool:
        """Whether the next batch will be cut by its limit, with more behind it perhaps."""
        return (
            self.pending_messages >= self.limits.batch_messages
            or self.pending_bytes >= self.limits.batch_bytes
        )

    @property
    def is_behind(self) -> bool:
        """Whether messages pile up: more than a good part of a batch is pending, or reading pauses."""
        limits = self.limits
        return (
            self.pending_messages * _PILE > limits.batch_messages
            or self.pending_bytes * _PILE > limits.batch_bytes
            or self.is_full
        )

    @property
    def has_pending(self) -> bool:
        """Whether anything waits that `cut` gives."""
        return bool(self._chunks)

    @property
    def pending_large(self) -> int:
        """How many large messages wait."""
        return len(self._large)

    @property
    def oldest_s(self) -> float | None:
        """When the first pending message arrived."""
        return self._chunks[0].arrived_s if self._chunks else None

    def put(self, chunk: Chunk) -> None:
        """Take in a chunk."""
        count = len(chunk.messages)
        self.counters.received_messages += count
        self.counters.received_bytes += chunk.bytes
        self.counters.redelivered += sum([message.duplicate for message in chunk.messages])
        apart_bytes = MAX_PAYLOAD_BYTES if self.limits.large_bytes_of_topic is None else LARGE_BYTES
        if chunk.largest_bytes > apart_bytes:
            chunk = self._without_large(chunk, apart_bytes)
        count = len(chunk.messages)
        self.pending_messages += count
        self.pending_bytes += chunk.bytes
        self.unreleased_messages += count
        self.unreleased_bytes += chunk.bytes
        if count or chunk.refused:
            self._chunks.append(chunk)

    def _without_large(self, chunk: Chunk, apart_bytes: int) -> Chunk:
        """Put the large messages of a chunk aside, or refuse them; return the chunk of the others."""
        small: list[Publish] = []
        refused: list[Refused] = []
        rest_bytes = chunk.bytes
        for message in chunk.messages:
            size = len(message.payload)
            if size <= apart_bytes:
                small.append(message)
                continue
            rest_bytes -= size
            waiting_bytes = self._large_bytes.get(message.topic, 0)
            if size > MAX_PAYLOAD_BYTES:
                refused.append(_refused(message, Reason.PAYLOAD_TOO_LARGE))
                continue
            if waiting_bytes and waiting_bytes + size > (self.limits.large_bytes_of_topic or 0):
                refused.append(_refused(message, Reason.TOO_MUCH_WAITING))
                continue
            self._large_bytes[message.topic] = waiting_bytes + size
            self._large.append(Chunk([message], size, chunk.arrived_s, chunk.link))
            self.unreleased_messages += 1
            self.unreleased_bytes += size
        self.counters.refused += len(refused)
        return replace(chunk, messages=small, bytes=rest_bytes, refused=tuple(refused))

    def cut(self) -> Ticket:
        """Take the next batch: the pending chunks in order, until a limit is reached; no large messages."""
        taken: list[Chunk] = []
        messages = size = 0
        while self._chunks and messages < self.limits.batch_messages and size < self.limits.batch_bytes:
            chunk = self._chunks.popleft()
            messages += len(chunk.messages)
            size += chunk.bytes
            taken.append(chunk)
        self.pending_messages -= messages
        self.pending_bytes -= size
        return Ticket(taken)

    def cut_large(self) -> Ticket:
        """Take the large message that has waited longest, alone."""
        return Ticket([self._large.popleft()] if self._large else [])

    def release(self, ticket: Ticket) -> None:
        """Acknowledge a batch on the connections that delivered it. A second time does nothing."""
        self.unreleased_messages -= sum(len(chunk.messages) for chunk in ticket.chunks)
        self.unreleased_bytes -= sum(chunk.bytes for chunk in ticket.chunks)
        if self._large_bytes:
            self._forget_large(ticket.chunks)
        for link, ids in _packet_ids(ticket.chunks):
            sent = link.acknowledge(ids)
            self.counters.acknowledged += sent
            self.counters.acknowledgements_dropped += len(ids) - sent
        ticket.chunks = []

    def _forget_large(self, chunks: Sequence[Chunk]) -> None:
        for message in (chunk.messages[0] for chunk in chunks if len(chunk.messages) == 1):
            size = len(message.payload)
            if size > LARGE_BYTES:
                self._large_bytes[message.topic] -= size
                if not self._large_bytes[message.topic]:
                    del self._large_bytes[message.topic]


def _refused(message: Publish, reason: Reason) -> Refused:
    """Return what is kept of a message; one that is too large counts as one observation."""
    payload = message.payload
    observations = 1 if reason is Reason.PAYLOAD_TOO_LARGE else max(1, payload.count(_EACH_HAS))
    return Refused(message.topic, payload[:KEPT_BYTES], observations, message.packet_id, reason)


def _packet_ids(chunks: Sequence[Chunk]) -> list[tuple[Acknowledger, list[int]]]:
    """Return the ids to acknowledge by connection, in the order of arrival. QoS 0 has none."""
    runs: list[tuple[Acknowledger, list[int]]] = []
    for chunk in chunks:
        if not runs or runs[-1][0] is not chunk.link:
            runs.append((chunk.link, []))
        for messages in (chunk.messages, chunk.refused):
            runs[-1][1].extend([m.packet_id for m in messages if m.packet_id is not None])
    return runs
