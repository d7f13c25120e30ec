"""One terminal's TCP connection: moves bytes between a socket and a `Session`, within bounds.

Whoever sends too fast is read more slowly, whoever has too much that is not stored yet is not read until it
is; whoever does not take our answers, sends what are no frames, or never says who it is, is hung up on. So
one connection costs the others nothing but its share.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Protocol, cast

from fleet.clock import WALL
from fleet.units import MICROSECONDS
from fleet.wire.jt808 import Policy, Session
from fleet.wire.jt808.events import Close, Send
from fleet.wire.jt808.session import State
from ingest.gateway.pace import Pace

if TYPE_CHECKING:
    from fleet.wire.jt808.events import Event
    from fleet.wire.jt808.models import Model

#: What is read at once: so long do others wait at most.
READ_BYTES = 4096
FRAMES_PER_S, FRAMES_AT_ONCE = 100.0, 500.0
#: Reports that may wait for the broker; a terminal waits for answers long before.
MAX_UNSTORED = 256
#: Answers that it has not taken.
MAX_UNSENT_BYTES = 64 * 1024
_FLAG = b"\x7e"


class Desk(Protocol):
    """Who decides what becomes of what a terminal says."""

    connections: set[Connection]

    def opened(self, connection: Connection) -> bool:
        """Take note of a new connection; False hangs up at once."""

    def take(self, connection: Connection, event: Event) -> None:
        """Take what follows from what came; `connection.apply` is for what is to be sent or closed."""

    def ended(self, connection: Connection, reason: str) -> None:
        """Take note that a connection is gone."""

    def came(self, connection: Connection, data: bytes) -> None:
        """See bytes of the terminal."""

    def went(self, connection: Connection, data: bytes) -> None:
        """See bytes to the terminal."""


class Connection(asyncio.BufferedProtocol):
    """One connection of what may be a terminal."""

    def __init__(self, desk: Desk, policy: Policy, *, model: Model | None = None) -> None:
        self.peer = "?"
        self.session = Session(_now_s(), policy=policy, model=model)
        #: Reports that were handed on and are not answered yet.
        self.unstored = 0
        self._desk = desk
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray(READ_BYTES)
        self._pace = Pace(FRAMES_PER_S, FRAMES_AT_ONCE)
        self._reading, self._resting, self._held = True, False, False
        self._reason = ""

    # -- called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=MAX_UNSENT_BYTES)
        # The system would hold megabytes more for each terminal that takes nothing.
        own_socket = self._transport.get_extra_info("socket")
        own_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MAX_UNSENT_BYTES)
        host, port = (self._transport.get_extra_info("peername") or ("?", 0))[:2]
        self.peer = f"{host}:{port}"
        self._pace.begin(self._loop.time())
        if not self._desk.opened(self):
            self.close("too many connections")

    def get_buffer(self, sizehint: int) -> bytearray:
        """Return where the next bytes go."""
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what came."""
        data = bytes(memoryview(self._buffer)[:nbytes])
        self._desk.came(self, data)
        for event in self.session.receive(data, _now_s()):
            self.apply(event)
        wait_s = self._pace.spend(data.count(_FLAG), self._loop.time())
        if wait_s > 0 and not self._resting:
            self._resting = True
            self._loop.call_later(wait_s, self._end_rest)
        self.adjust_reading()

    def pause_writing(self) -> None:
        """Hang up on a terminal that does not take our answers: they may not pile up."""
        self.close("it does not take our answers")

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that it is gone."""
        self._transport = None
        for event in self.session.end():
            self._desk.take(self, event)
        self._desk.ended(self, self._reason or (str(exc) if exc else "the terminal hung up"))

    # -- called by the desk

    @property
    def phone(self) -> str | None:
        """Who the terminal says it is."""
        sender = self.session.sender
        return None if sender is None else sender.phone_bcd.hex().lstrip("0") or "0"

    @property
    def was_hung_up_on(self) -> bool:
        """Whether we have ended it."""
        return bool(self._reason)

    @property
    def is_open(self) -> bool:
        """Whether it still stands."""
        return self._transport is not None and self.session.state is not State.CLOSED

    @property
    def takes_orders(self) -> bool:
        """Whether it stands and the terminal is authenticated."""
        return self._transport is not None and self.session.state is State.OPEN

    @property
    def quiet_s(self) -> float:
        """For how long nothing was heard of the terminal."""
        return _now_s() - self.session.heard_s

    def apply(self, event: Event) -> None:
        """Do what an event wants: send, hang up, or have the desk decide."""
        match event:
            case Send(data):
                if self._transport is not None and not self._transport.is_closing():
                    self._desk.went(self, data)
                    self._transport.write(data)
            case Close(reason):
                self.close(reason)
            case _:
                self._desk.take(self, event)

    def tick(self) -> None:
        """Let the session look at the clock. While we do not read for our own sake, silence is our doing."""
        if self._reading or self._resting:
            for event in self.session.tick(_now_s()):
                self.apply(event)

    def hold(self, *, held: bool) -> None:
        """Stop reading, or read again: too much waits for the broker."""
        self._held = held
        self.adjust_reading()

    def adjust_reading(self) -> None:
        """Read or do not, by what it has under way."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        reading = not (self._resting or self._held or self.unstored >= MAX_UNSTORED)
        if reading == self._reading:
            return
        self._reading = reading
        if reading:
            transport.resume_reading()
        else:
            transport.pause_reading()

    def close(self, reason: str) -> None:
        """Hang up."""
        self._reason = self._reason or reason
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
            # What it does not take is not waited for.
            self._loop.call_later(1.0, self._transport.abort)

    def _end_rest(self) -> None:
        self._resting = False
        self.adjust_reading()


def _now_s() -> float:
    return WALL.now_us() / MICROSECONDS
