"""The hot path's transport on one machine: two MQTT 5 sessions with one broker, acknowledged when told to.

The live session carries what happens now, the history session what devices send after an outage. They
have client ids, Receive Maxima and limits of their own, so that a day's back-fill never stands in front
of a live fix. Layers, from the wire up: `mqtt_session` (protocol, no I/O), `mqtt_inbox` (what is held),
`mqtt_link` (asyncio and reconnecting), and this one (batches out of both).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from fleet.wire.topics import HISTORY_FILTERS, LIVE_FILTERS
from ingest.mqtt.inbox import Limits
from ingest.mqtt.mqtt_link import Address, Subscription
from ingest.mqtt.mqtt_session import DAY_S, MIB, SessionOptions
from ingest.pipeline.log import Batch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from types import TracebackType

    import asyncpg

    from ingest.mqtt.gaps import Up
    from ingest.mqtt.inbox import Counters, Inbox, Ticket
    from ingest.pipeline.log import Source

    #: What the next batch is cut from: what happens now, large messages among it, or back-fill.
    Lane = Literal["live", "large", "history"]


@dataclass(frozen=True, slots=True)
class MqttOptions:
    """Where the broker is and how much may be under way."""

    address: Address
    #: Names what the broker keeps for us; the sessions are `<client_id>-live` and `<client_id>-history`.
    #: The dot keeps them apart from those of devices, whose client id is their login: a code has none.
    client_id: str = "kerbsafe.ingest"
    username: str | None = None
    password: bytes | None = field(default=None, repr=False)
    session_expiry_s: int = 14 * DAY_S
    keep_alive_s: int = 30
    max_packet_bytes: int = 16 * MIB
    #: Live messages, and bytes of them, that may be received and not yet committed.
    receive_max: int = 32_000
    max_unacked_bytes: int = 64 * MIB
    batch_messages: int = 10_000
    batch_bytes: int = 8 * MIB
    #: How long a batch waits for company when there was none before it.
    linger_s: float = 0.002
    #: The same for back-fill: little, because a live fix may have to wait for one such batch.
    history_receive_max: int = 100
    history_max_unacked_bytes: int = 8 * MIB
    history_batch_bytes: int = 256 * 1024
    #: How often back-fill gets a turn while live messages trickle. They go first whenever they pile up.
    history_every_s: float = 0.05

    def live_session(self) -> SessionOptions:
        """Return what the live session asks of the broker."""
        return self._session("live", LIVE_FILTERS, self.receive_max)

    def history_session(self) -> SessionOptions:
        """Return what the history session asks of the broker."""
        return self._session("history", HISTORY_FILTERS, self.history_receive_max)

    def live_limits(self) -> Limits:
        """Return what the live session may hold."""
        return Limits(self.max_unacked_bytes, self.receive_max, self.batch_messages, self.batch_bytes)

    def history_limits(self) -> Limits:
        """Return what the history session may hold."""
        return Limits(
            self.history_max_unacked_bytes,
            self.history_receive_max,
            self.history_receive_max,
            self.history_batch_bytes,
            large_bytes_of_topic=None,
        )

    def _session(self, name: Source, filters: tuple[str, ...], receive_max: int) -> SessionOptions:
        return SessionOptions(
            client_id=f"{self.client_id}-{name}",
            filters=filters,
            username=self.username,
            password=self.password,
            keep_alive_s=self.keep_alive_s,
            session_expiry_s=self.session_expiry_s,
            receive_max=receive_max,
            max_packet_bytes=self.max_packet_bytes,
        )


class _Cut(NamedTuple):
    """A batch, and the session to acknowledge it to."""

    subscription: Subscription
    ticket: Ticket


class MqttLog:
    """The transport `ingest.pipeline.log.Log` on MQTT. Used as `async with MqttLog(...) as log`.

    Parameters
    ----------
    options
        Broker and limits.
    now_us
        The clock that batches are stamped with, microseconds since 1970.
    acknowledged
        Told, for each batch that was released, its source and how many seconds its first message waited
        for the acknowledgement.
    """

    def __init__(
        self,
        options: MqttOptions,
        *,
        now_us: Callable[[], int],
        acknowledged: Callable[[Source, float], None] = lambda _source, _seconds: None,
    ) -> None:
        self.options = options
        self._now_us = now_us
        self._acknowledged = acknowledged
        self._wake = asyncio.Event()
        #: Set when the broker did not know a session of ours; whoever accounts for that clears it.
        self.forgotten = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._behind_us = 0
        self._patient_turn_s = 0.0
        self._patient_lane: Lane = "history"
        self._live = self._subscribe(options.live_session(), options.live_limits())
        self._history = self._subscribe(options.history_session(), options.history_limits())

    def _subscribe(self, session: SessionOptions, limits: Limits) -> Subscription:
        return Subscription(
            self.options.address,
            session,
            limits,
            now_us=self._now_us,
            changed=self._wake.set,
            forgotten=self.forgotten.set,
        )

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(subscription.run(), name=subscription.options.client_id)
            for subscription in (self._live, self._history)
        ]
        for task in self._tasks:
            task.add_done_callback(lambda _: self._wake.set())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the broker in order; it keeps what is not acknowledged."""
        self.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wait_connected(self) -> None:
        """Return when both sessions are up; raise what `batches` would raise."""
        for subscription in (self._live, self._history):
            up = asyncio.create_task(subscription.up.wait())
            await asyncio.wait({up, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            up.cancel()
            self._raise_failure()

    def stop(self) -> None:
        """Let `batches` end after the present batch. What was yielded can still be released."""
        self._stopping = True
        self._wake.set()

    # -- the interface `ingest.pipeline.log.Log` ----------------------------------------------------------

    async def batches(self, *, idle_s: float | None = None) -> AsyncIterator[Batch]:
        """Yield batches (see `Log.batches`): live ones first, what can wait when live is idle.

        Idle means that nothing is pending, or so little that one more commit takes all of it. What can wait
        is history, and what live units send in large messages.
        """
        loop = asyncio.get_running_loop()
        yielded_s = loop.time()
        while not self._stopping:
            self._raise_failure()
            self._wake.clear()
            now_s = loop.time()
            lane = self._choose(now_s)
            if lane is None:
                rest_s = None if idle_s is None else yielded_s + idle_s - now_s
                if await self._woken(rest_s):
                    continue
                lane = "live"
            elif (wait_s := self._company_in_s(lane, now_s)) > 0:
                await asyncio.sleep(wait_s)
                continue
            yield self._cut(lane, now_s)
            yielded_s = loop.time()

    async def record(self, batch: Batch, connection: asyncpg.Connection) -> None:
        """Do nothing: the broker knows what we have not acknowledged."""

    def release(self, batch: Batch) -> None:
        """Acknowledge the batch in one write, on the connection that delivered it.

        If that connection is gone the acknowledgements are dropped: the broker sends the messages again,
        and the store knows them already.
        """
        if isinstance(batch.ticket, _Cut):
            subscription, ticket = batch.ticket
            subscription.inbox.release(ticket)
            subscription.resume_if_room()
            if ticket.arrived_s is not None:
                waited_s = asyncio.get_running_loop().time() - ticket.arrived_s
                self._acknowledged(batch.source, waited_s)

    @property
    def urgent(self) -> bool:
        """Whether live messages wait to be taken."""
        return self._live.inbox.has_pending

    @property
    def connected(self) -> bool:
        """Whether live messages can arrive now."""
        return self._live.connected_since_us is not None

    @property
    def caught_up_since_us(self) -> int | None:
        """Since when live messages have been arriving without a backlog; None while they are not."""
        since_us = self._live.connected_since_us
        if since_us is None or self._live.inbox.is_behind:
            return None
        return max(since_us, self._behind_us)

    # -- what the metrics and the readiness probe want to know -------------------------------------

    @property
    def counters(self) -> Mapping[Source, Counters]:
        """What happened on each session since the process began."""
        return {"live": self._live.inbox.counters, "history": self._history.inbox.counters}

    @property
    def unreleased(self) -> Mapping[Source, tuple[int, int]]:
        """Messages and bytes that each session holds, pending or handed out."""
        inboxes: Mapping[Source, Inbox] = {"live": self._live.inbox, "history": self._history.inbox}
        return {name: (box.unreleased_messages, box.unreleased_bytes) for name, box in inboxes.items()}

    def take_ups(self) -> list[Up]:
        """Return, and forget, how often each session came up since this was asked last."""
        taken: list[Up] = []
        for subscription in (self._live, self._history):
            taken += subscription.ups
            subscription.ups.clear()
        return taken

    @property
    def sessions_up(self) -> Mapping[str, bool]:
        """Whether messages can arrive on each session, by its client id."""
        return {s.options.client_id: s.up.is_set() for s in (self._live, self._history)}

    # -- inside ------------------------------------------------------------------------------------

    def _raise_failure(self) -> None:
        """Raise what ended a session for good."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def _choose(self, now_s: float) -> Lane | None:
        """Return whose turn it is; None if nothing is pending."""
        live, waiting = self._live.inbox, self._patient()
        if waiting is None:
            return "live" if live.has_pending else None
        rested = now_s - self._patient_turn_s >= self.options.history_every_s
        if not live.has_pending or (rested and not live.is_behind):
            return waiting
        return "live"

    def _patient(self) -> Lane | None:
        """Return which of the lanes that can wait is next, in turn if both have something."""
        large, history = self._live.inbox.pending_large > 0, self._history.inbox.has_pending
        if large and history:
            return "large" if self._patient_lane == "history" else "history"
        return "large" if large else "history" if history else None

    def _company_in_s(self, lane: Lane, now_s: float) -> float:
        """Return how long a young live batch should wait for more messages."""
        inbox = self._live.inbox
        if lane != "live" or inbox.oldest_s is None or inbox.is_capped:
            return 0.0
        return inbox.oldest_s + self.options.linger_s - now_s

    async def _woken(self, rest_s: float | None) -> bool:
        """Wait until something happens; False if nothing did."""
        try:
            async with asyncio.timeout(rest_s):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True

    def _cut(self, lane: Lane, now_s: float) -> Batch:
        subscription, received_us = self._history if lane == "history" else self._live, self._now_us()
        inbox = subscription.inbox
        if lane != "live":
            self._patient_turn_s, self._patient_lane = now_s, lane
        elif inbox.is_capped or inbox.unreleased_messages >= self.options.receive_max:
            self._behind_us = received_us  # more is waiting here or at the broker
        ticket = inbox.cut_large() if lane == "large" else inbox.cut()
        source: Source = "live" if lane == "live" else "history"
        cut = _Cut(subscription, ticket)
        return Batch(ticket.messages, received_us, source, ticket.bytes, cut, ticket.refused)
