"""MQTT sessions over asyncio: one connection (`Link`), and the session that survives it (`Subscription`)."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import structlog

from ingest.mqtt.gaps import Up
from ingest.mqtt.inbox import Chunk, Inbox, Limits
from ingest.mqtt.mqtt_session import Session, SessionOptions, State
from ingest.mqtt.refusals import MqttError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Sequence

_log = structlog.get_logger()

CONNECT_TIMEOUT_S = 10.0
TICK_S = 1.0
#: While small pieces come in quick succession, reading rests for this long, so that one read brings many
#: messages: a broker writes them one by one, and reading them so costs three times what all the rest does.
GATHER_S = 0.001
_SMALL_BYTES = 16_384
FIRST_RETRY_S = 0.1
#: Short, because until we are back a broker that has forgotten our sessions acknowledges messages to nobody.
LAST_RETRY_S = 2.0
#: A connection that lasted this long was a good one: the next retry is quick again.
STEADY_S = 30.0
_CLOSE_TIMEOUT_S = 2.0
_draw = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker listens."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Link(asyncio.Protocol):
    """One connection: moves bytes between a transport, a `Session` and an `Inbox`."""

    def __init__(self, session: Session, inbox: Inbox, changed: Callable[[], None]) -> None:
        self.session = session
        self.inbox = inbox
        #: Whether we refuse to read because too much is unreleased.
        self.paused = False
        self._resting = False
        self._reading = True
        self._read_s = 0.0
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[None] = self._loop.create_future()

    @property
    def is_ready(self) -> bool:
        """Whether messages can arrive."""
        return self.session.state is State.READY

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the session (called by asyncio)."""
        self._transport = cast("asyncio.Transport", transport)
        self.session.start(self._loop.time())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take in what came (called by asyncio)."""
        session, now_s = self.session, self._loop.time()
        before, state, salvaged = session.consumed_bytes, session.state, session.salvaged
        messages = session.receive(data, now_s)
        if messages:
            self.inbox.counters.salvaged += session.salvaged - salvaged
            size = session.consumed_bytes - before
            self.inbox.put(Chunk(messages, size, now_s, self, largest_bytes=session.largest_bytes))
        self._flush()
        if len(data) < _SMALL_BYTES and now_s - self._read_s < GATHER_S:
            self._resting = True
            self._loop.call_later(GATHER_S, self._end_rest)
        self._read_s = now_s
        self.adjust_reading()
        if messages or session.state is not state:
            self._changed()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone (called by asyncio)."""
        self._transport = None
        self.session.abandon(f"the connection was closed{f': {exc}' if exc else ''}")
        if not self.lost.done():
            self.lost.set_result(None)
        self._changed()

    def acknowledge(self, packet_ids: Sequence[int]) -> int:
        """Acknowledge messages that came by this connection, if it still stands."""
        if self._transport is None or self.session.state is State.CLOSED:
            return 0
        self.session.acknowledge(packet_ids, self._loop.time())
        self._flush()
        return len(packet_ids)

    def tick(self) -> None:
        """Let the session look at the clock."""
        owing = self.paused or self.inbox.unreleased_messages > 0
        self.session.tick(self._loop.time(), answerable=not owing)
        self._flush()

    def adjust_reading(self) -> None:
        """Stop reading while too much is unreleased: TCP then slows the broker."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        full = self.inbox.is_full and self.is_ready
        if full and not self.paused:
            self.inbox.counters.pauses += 1
        self.paused = full
        reading = not (full or self._resting)
        if reading == self._reading:
            return
        self._reading = reading
        if reading:
            transport.resume_reading()
        else:
            transport.pause_reading()

    def _end_rest(self) -> None:
        self._resting = False
        self.adjust_reading()

    async def close(self) -> None:
        """Say goodbye and wait for the end of the connection."""
        self.session.close()
        self._flush()
        await asyncio.wait({self.lost}, timeout=_CLOSE_TIMEOUT_S)
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        """Send what the session has to say, and hang up if it has ended."""
        if self._transport is None:
            return
        output = self.session.take_output()
        if output:
            self._transport.write(output)
        if self.session.state is State.CLOSED:
            self._hang_up(self._transport)

    def _hang_up(self, transport: asyncio.Transport) -> None:
        """Close after the last bytes are out, but do not wait for a peer that takes none."""
        if not transport.is_closing():
            transport.close()
            self._loop.call_later(_CLOSE_TIMEOUT_S, transport.abort)


class Subscription:
    """A session that outlives its connections: connects again for as long as it is run."""

    def __init__(
        self,
        address: Address,
        options: SessionOptions,
        limits: Limits,
        *,
        now_us: Callable[[], int],
        changed: Callable[[], None],
        forgotten: Callable[[], None] = lambda: None,
    ) -> None:
        self.address = address
        self.options = options
        self.inbox = Inbox(limits)
        #: Since when messages can arrive, on the clock `now_us`; None while they cannot.
        self.connected_since_us: int | None = None
        #: Set while messages can arrive.
        self.up = asyncio.Event()
        #: Each time that they could again; whoever keeps account of it takes it away.
        self.ups: list[Up] = []
        self._now_us = now_us
        self._changed = changed
        #: Called when the broker did not know the session, so that what it had kept for us is gone.
        self._forgotten = forgotten
        self._link: Link | None = None
        self._down_because: str | None = None

    async def run(self) -> None:
        """Stay connected until cancelled.

        Raises
        ------
        MqttError
            If the broker refuses us for good, or another process took over our session.
        """
        loop = asyncio.get_running_loop()
        delays = retry_delays()
        while True:
            began_s = loop.time()
            reason = await self._connect_and_stay()
            if loop.time() - began_s >= STEADY_S:
                delays = retry_delays()
            self._report_down(reason)
            await asyncio.sleep(next(delays))

    def resume_if_room(self) -> None:
        """Read on if enough has been released."""
        if self._link is not None and self._link.paused:
            self._link.adjust_reading()

    async def _connect_and_stay(self) -> str:
        """Connect once and stay until the connection ends; return why it ended."""
        link = self._link = Link(Session(self.options), self.inbox, self._take_change)
        address = self.address
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await asyncio.get_running_loop().create_connection(
                    lambda: link, address.host, address.port, ssl=address.tls
                )
        except OSError as error:  # TimeoutError among them
            return str(error) or "no answer"
        try:
            while not link.lost.done():
                await asyncio.wait({link.lost}, timeout=TICK_S)
                link.tick()
        finally:
            await link.close()
        if isinstance(link.session.failure, MqttError):
            raise link.session.failure
        return str(link.session.failure)

    def _take_change(self) -> None:
        """Note whether the session is up; messages came, or its state changed."""
        up = self._link is not None and self._link.is_ready
        if up and self.connected_since_us is None:
            self._report_up()
        elif not up:
            self.connected_since_us = None
            self.up.clear()
        self._changed()

    def _report_up(self) -> None:
        self.connected_since_us = self._now_us()
        self.up.set()
        self._down_because = None
        counters, known = self.inbox.counters, self._link is not None and self._link.session.session_present
        counters.connects += 1
        self.ups.append(Up(self.options.client_id, self.connected_since_us, known))
        if not known:
            self._forgotten()
        if not known and counters.connects > 1:
            counters.sessions_forgotten += 1
            _log.warning("mqtt_session_forgotten", broker=str(self.address), client=self.options.client_id)
        _log.info("mqtt_up", broker=str(self.address), client=self.options.client_id, resumed=known)

    def _report_down(self, reason: str) -> None:
        """Log a lost connection once, however often it is tried again for the same reason."""
        self.inbox.counters.failures += 1
        if reason != self._down_because:
            _log.warning("mqtt_down", broker=str(self.address), client=self.options.client_id, reason=reason)
        self._down_because = reason


def retry_delays() -> Iterator[float]:
    """Yield how long to wait before each retry, in seconds: doubling up to a bound, and each drawn by lot.

    The lot keeps many processes from knocking at the same moment after a broker's restart.
    """
    longest = FIRST_RETRY_S
    while True:
        yield _draw.uniform(longest / 2, longest)
        longest = min(2 * longest, LAST_RETRY_S)
