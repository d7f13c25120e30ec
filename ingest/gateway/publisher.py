"""Publishing to the broker for as long as it is run: connects again, and loses nothing in between."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import structlog

from fleet.stopping import rest
from ingest.gateway.publications import Publication, Publications, PublisherOptions, Session, State
from ingest.mqtt.mqtt_link import CONNECT_TIMEOUT_S, STEADY_S, TICK_S, retry_delays
from ingest.mqtt.refusals import MqttError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.gateway.publications import Heard
    from ingest.mqtt.mqtt_link import Address

#: Messages that may wait for the broker; beyond that terminals are not read.
MAX_WAITING = 20_000
_log = structlog.get_logger("gateway")


class Publisher:
    """All messages of a gateway, on one connection, in the order in which they were put."""

    def __init__(self, address: Address, options: PublisherOptions) -> None:
        self.address = address
        self.options = options
        self.publications = Publications()
        #: Called when messages were acknowledged, or the connection came or went.
        self.changed: Callable[[], None] = lambda: None
        #: Called with each message of another that was heard.
        self.heard: Callable[[Heard], None] = lambda _: None
        self._link: _Link | None = None
        self._down_because: str | None = None

    @property
    def connected(self) -> bool:
        """Whether messages can go out."""
        return self._link is not None and self._link.session.state is State.READY

    @property
    def is_full(self) -> bool:
        """Whether too much waits for the broker."""
        return len(self.publications) >= MAX_WAITING

    def put(self, publication: Publication) -> None:
        """Queue a message; `flush` sends it."""
        self.publications.put(publication)

    def flush(self) -> None:
        """Send what may go."""
        if self._link is not None:
            self._link.launch()

    async def run(self, stopping: asyncio.Event) -> None:
        """Stay connected until asked to stop, and then until the broker has what was put before.

        Raises
        ------
        MqttError
            If the broker refuses us for good.
        """
        loop, delays = asyncio.get_running_loop(), retry_delays()
        while not stopping.is_set():
            began_s = loop.time()
            reason = await self._connect_and_stay(stopping)
            if reason is None:
                return
            if loop.time() - began_s >= STEADY_S:
                delays = retry_delays()
            if reason != self._down_because:
                _log.warning("mqtt_down", broker=str(self.address), reason=reason)
            self._down_because = reason
            await rest(stopping, next(delays))

    async def _connect_and_stay(self, stopping: asyncio.Event) -> str | None:
        """Connect once and stay until the connection ends; return why it ended, None if we have ended it."""
        link = self._link = _Link(
            Session(self.options, self.publications), self._take_change, self._take_heard
        )
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await asyncio.get_running_loop().create_connection(
                    lambda: link, self.address.host, self.address.port, ssl=self.address.tls
                )
        except OSError as error:  # TimeoutError among them
            return str(error) or "no answer"
        try:
            while not link.lost.done():
                await asyncio.wait({link.lost}, timeout=TICK_S)
                link.tick()
                if stopping.is_set() and not self.publications:
                    return None
        finally:
            link.close()
        failure = link.session.failure
        if isinstance(failure, MqttError):
            raise failure
        return str(failure)

    def _take_heard(self, message: Heard) -> None:
        self.heard(message)

    def _take_change(self) -> None:
        if self.connected and self._down_because is not None:
            _log.info("mqtt_up", broker=str(self.address))
            self._down_because = None
        self.changed()


class _Link(asyncio.Protocol):
    """One connection: moves bytes between a transport and a `Session`."""

    def __init__(self, session: Session, changed: Callable[[], None], heard: Callable[[Heard], None]) -> None:
        self.session = session
        self._changed = changed
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the session (called by asyncio)."""
        self._transport = cast("asyncio.Transport", transport)
        self._send(self.session.start(self._loop.time()))

    def data_received(self, data: bytes) -> None:
        """Take in what came (called by asyncio)."""
        self._send(self.session.receive(data, self._loop.time()))
        heard, self.session.heard = self.session.heard, []
        for message in heard:
            self._heard(message)
        self._changed()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone (called by asyncio)."""
        self._transport = None
        self.session.abandon(f"the connection was closed{f': {exc}' if exc else ''}")
        if not self.lost.done():
            self.lost.set_result(None)
        self._changed()

    def launch(self) -> None:
        """Send the messages that may go."""
        self._send(self.session.launch(self._loop.time()))

    def tick(self) -> None:
        """Let the session look at the clock."""
        self._send(self.session.tick(self._loop.time()))

    def close(self) -> None:
        """Hang up."""
        self.session.abandon("closed by this process")
        if self._transport is not None:
            self._transport.abort()

    def _send(self, data: bytes) -> None:
        if self._transport is None:
            return
        if data:
            self._transport.write(data)
        if self.session.state is State.CLOSED:
            self._transport.abort()
