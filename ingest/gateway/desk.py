"""Who may come in, and where what terminals say goes from here.

A terminal is who its telephone says, if the registry knows that number and it shows the code that it was
given. Of two with one telephone the newer stays: the older connection is usually one that nobody has told
that it is dead. What they report goes on to the broker (`reports`).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from fleet.clock import WALL
from fleet.wire.jt808.events import (
    Answered,
    Authentication,
    Received,
    Refused,
    Registration,
    Reported,
    Result,
    Unanswered,
)
from fleet.wire.jt808.orders import ANSWERS
from ingest.gateway.clocks import ZONE_US, ClockOfTerminal
from ingest.gateway.commands import Commands
from ingest.gateway.refusals import Refusal
from ingest.gateway.reports import Guest, Reports, Unstored, frame_of
from ingest.gateway.seldom import Seldom
from ingest.gateway.terminals import Terminal, authentication_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.wire.jt808 import Decoded
    from fleet.wire.jt808.events import Event
    from fleet.wire.jt808.framing import Frame
    from fleet.wire.jt808.orders import Order
    from ingest.gateway.connection import Connection
    from ingest.gateway.metrics import Metrics
    from ingest.gateway.publisher import Publisher
    from ingest.gateway.terminals import Terminals

MAX_CONNECTIONS = 20_000
_POSITION_ANSWER, _CONTROL_ANSWER, _BATCH = 0x0201, 0x0500, 0x0704
_WITH_POSITIONS = {_POSITION_ANSWER, _CONTROL_ANSWER, _BATCH}
#: Type of a batch: kept while there was no connection.
_KEPT = 1
_NO_SUCH_TERMINAL = 4
_REFUSALS = {
    "another telephone than that of the connection": Refusal.ANOTHER_TELEPHONE,
    "encrypted": Refusal.ENCRYPTED,
    "not authenticated": Refusal.NOT_AUTHENTICATED,
    "unsupported": Refusal.UNSUPPORTED,
    "incorrect": Refusal.INCORRECT,
}
_log = structlog.get_logger("gateway")


@dataclass(slots=True)
class GatewayDesk:
    """The desk of the gateway; see `connection.Desk`."""

    terminals: Terminals
    publisher: Publisher
    secret: bytes
    metrics: Metrics
    #: Which gateway this is, for those who hear of it at the broker.
    name: str = "gateway"
    connections: set[Connection] = field(default_factory=set)
    _guests: dict[Connection, Guest] = field(default_factory=dict)
    _newest: dict[str, Connection] = field(default_factory=dict)
    _clocks: dict[str, ClockOfTerminal] = field(default_factory=dict)
    _seldom: Seldom = field(default_factory=Seldom)
    _reports: Reports = field(init=False)
    commands: Commands = field(init=False)
    _held: bool = False
    _stopping: bool = False

    def __post_init__(self) -> None:
        self._reports = Reports(self.publisher, self.metrics, self._seldom, self.adjust)
        self.commands = Commands(self.name, self.terminals, self.publisher, self.metrics, self._newest.get)

    # -- the interface `connection.Desk`

    def opened(self, connection: Connection) -> bool:
        """Let it in while there is room."""
        if self._stopping or len(self.connections) >= MAX_CONNECTIONS:
            return False
        self.connections.add(connection)
        if self._held:
            connection.hold(held=True)
        return True

    def ended(self, connection: Connection, reason: str) -> None:
        """Forget it."""
        self.metrics.hung_up.inc(connection.was_hung_up_on)
        self.connections.discard(connection)
        guest = self._guests.pop(connection, None)
        if guest is not None and self._newest.get(guest.terminal.phone) is connection:
            del self._newest[guest.terminal.phone]
        if self._seldom.may_tell(("ended", connection.phone or connection.peer.rpartition(":")[0])):
            _log.info("terminal gone", phone=connection.phone, peer=connection.peer, reason=reason)

    def take(self, connection: Connection, event: Event) -> None:
        """Take what follows from what came."""
        match event:
            case Reported():
                self._take_reports(connection, event, [event.frame], is_kept=False)
            case Received(message):
                self._received(connection, message)
            case Registration(message):
                self._register(connection, message)
            case Authentication(message):
                self._authenticate(connection, message)
            case Answered(order, message):
                self._answer(connection, order, message)
            case Unanswered(order):
                self.commands.unanswered(connection, order)
            case Refused(_, reason):
                self.metrics.refused.labels(_REFUSALS.get(reason, Refusal.BAD_FRAME)).inc()

    def came(self, connection: Connection, data: bytes) -> None:
        """See bytes of the terminal."""

    def went(self, connection: Connection, data: bytes) -> None:
        """See bytes to the terminal."""

    # -- who comes in

    def _register(self, connection: Connection, message: Decoded) -> None:
        phone = connection.phone or ""
        if self.terminals.find(phone) is None:
            self._unknown(connection)
            answer = connection.session.registered(message, None, result=_NO_SUCH_TERMINAL)
        else:
            answer = connection.session.registered(message, authentication_code(self.secret, phone))
        for event in answer:
            connection.apply(event)

    def _authenticate(self, connection: Connection, message: Decoded) -> None:
        phone = connection.phone or ""
        terminal = self.terminals.find(phone)
        said = str(message.body.get("auth_code", "")).encode()
        right = hmac.compare_digest(said, authentication_code(self.secret, phone).encode())
        if terminal is None:
            self._unknown(connection)
        elif not right:
            self.metrics.refused.labels(Refusal.WRONG_CODE).inc()
            if self._seldom.may_tell(("code", phone)):
                _log.warning("wrong code: it must register again", phone=phone, peer=connection.peer)
        else:
            self._welcome(connection, terminal)
        accepted = terminal is not None and right
        for event in connection.session.authenticated(message, WALL.now_us() / 1e6, accepted=accepted):
            connection.apply(event)
        if terminal is not None and right:
            self.commands.came_in(terminal)

    def _unknown(self, connection: Connection) -> None:
        self.metrics.refused.labels(Refusal.UNKNOWN_TERMINAL).inc()
        if self._seldom.may_tell(("unknown", connection.phone)):
            _log.warning("no device has this login", phone=connection.phone, peer=connection.peer)

    def _welcome(self, connection: Connection, terminal: Terminal) -> None:
        older = self._newest.get(terminal.phone)
        if older is not None and older is not connection:
            self.metrics.replaced.inc()
            if self._seldom.may_tell(("replaced", terminal.phone)):
                _log.warning(
                    "two with one telephone: the newer stays",
                    phone=terminal.phone,
                    older=older.peer,
                    newer=connection.peer,
                )
            older.close("the same telephone has connected again")
        self._newest[terminal.phone] = connection
        if connection not in self._guests:
            self._guests[connection] = Guest(terminal, self._clock(terminal))

    def _clock(self, terminal: Terminal) -> ClockOfTerminal:
        clock = self._clocks.get(terminal.phone)
        if clock is None:
            clock = self._clocks[terminal.phone] = ClockOfTerminal(WALL.now_us())
            if terminal.model.clock == "utc":
                clock.offset_us = ZONE_US
        return clock

    def recheck(self) -> None:
        """Look at everybody again after the registry was read: who is not known any more must go."""
        for connection, guest in list(self._guests.items()):
            now = self.terminals.find(guest.terminal.phone)
            if now is None:
                connection.close("the registry does not know it any more")
                continue
            guest.terminal = now
            if now.model.clock == "utc" and guest.clock.offset_us is None:
                guest.clock.offset_us = ZONE_US
        self._clocks = {phone: one for phone, one in self._clocks.items() if self.terminals.find(phone)}

    # -- what they say

    def _received(self, connection: Connection, message: Decoded) -> None:
        number = message.header.message_id if message.header else 0
        if number in _WITH_POSITIONS and message.positions:
            self._take_positions(connection, message)
            return
        if number not in ANSWERS:
            self.metrics.refused.labels(Refusal.UNSUPPORTED).inc()
        for event in connection.session.stored(message, Result.UNSUPPORTED):
            connection.apply(event)

    def _answer(self, connection: Connection, order: Order, message: Decoded) -> None:
        """Tell what a terminal answers to a command; the position that it tells is one like others."""
        guest = self._guests.get(connection)
        offset_us = 0 if guest is None else guest.clock.offset_us or 0
        self.commands.answered(connection, order, message, offset_us)
        if message.positions:
            self._take_positions(connection, message)

    def _take_positions(self, connection: Connection, message: Decoded) -> None:
        frames = [frame_of(message, position) for position in message.positions]
        self._take_reports(connection, message, frames, is_kept=message.body.get("type") == _KEPT)

    def _take_reports(
        self, connection: Connection, message: Reported | Decoded, frames: Sequence[Frame], *, is_kept: bool
    ) -> None:
        guest = self._guests.get(connection)
        # Nothing is taken of whom we have not let in; the session refuses it before.
        if guest is not None:
            self._reports.take(Unstored(connection, guest, message, frames, is_kept))

    def adjust(self) -> None:
        """Read terminals, or do not, by how much waits for the broker."""
        if self.publisher.is_full != self._held:
            self._held = self.publisher.is_full
            for connection in self.connections:
                connection.hold(held=self._held)

    def stop(self) -> None:
        """Hang up on everybody, and let nobody in: what is under way shall come to an end."""
        self._stopping = True
        for connection in list(self.connections):
            connection.close("the gateway stops")

    # -- what is told of it

    def tick(self) -> None:
        """Let every connection look at the clock."""
        for connection in list(self.connections):
            connection.tick()
        self.commands.tick()
        self.metrics.connections.set(len(self.connections))
        self.metrics.terminals.set(len(self._newest))
        self.metrics.known.set(len(self.terminals))
        self.metrics.utc_clocks.set(sum(one.offset_us == ZONE_US for one in self._clocks.values()))
        self.metrics.waiting.set(len(self.publisher.publications))
        self.metrics.connected.set(self.publisher.connected)
