"""Who may come in, and what becomes of what terminals say.

A terminal is who its telephone says, if the registry knows that number and it shows the code that it was
given. Of two with one telephone the newer stays: the older connection is usually one that nobody has told
that it is dead.

Nothing is acknowledged before the broker has it: a report's answer (0x8001) is sent when every message that
it became has been acknowledged by the broker.
"""

from __future__ import annotations

import asyncio
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
from fleet.wire.jt808.framing import Frame
from fleet.wire.jt808.header import V2011, V2013, Header, build_header
from fleet.wire.jt808.orders import ANSWERS
from fleet.wire.jt808.position import build_position
from ingest.gateway.clocks import ZONE_US, ClockOfTerminal
from ingest.gateway.commands import Commands
from ingest.gateway.publications import Publication
from ingest.gateway.refusals import Refusal
from ingest.gateway.seldom import Seldom
from ingest.gateway.terminals import Terminal, authentication_code
from ingest.gateway.translation import Origin, Outcome, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.wire.jt808 import Decoded, Position
    from fleet.wire.jt808.events import Event
    from fleet.wire.jt808.orders import Order
    from ingest.gateway.connection import Connection
    from ingest.gateway.metrics import Metrics
    from ingest.gateway.publisher import Publisher
    from ingest.gateway.terminals import Terminals
    from ingest.gateway.translation import Health

MAX_CONNECTIONS = 20_000
#: Reports of all terminals are read together, so long after the first.
GATHER_S = 0.02
_POSITION_ANSWER, _CONTROL_ANSWER, _BATCH = 0x0201, 0x0500, 0x0704
_WITH_POSITIONS = {_POSITION_ANSWER, _CONTROL_ANSWER, _BATCH}
#: Type of a batch: kept while there was no connection.
_KEPT = 1
_NO_SUCH_TERMINAL = 4
_REPORT = 0x0200
_REFUSALS = {
    "another telephone than that of the connection": Refusal.ANOTHER_TELEPHONE,
    "encrypted": Refusal.ENCRYPTED,
    "not authenticated": Refusal.NOT_AUTHENTICATED,
    "unsupported": Refusal.UNSUPPORTED,
    "incorrect": Refusal.INCORRECT,
}
_log = structlog.get_logger("gateway")


@dataclass(slots=True)
class Guest:
    """A terminal that has come in."""

    terminal: Terminal
    clock: ClockOfTerminal
    #: What it said of itself last, as far as the broker has it.
    health: Health | None = None


@dataclass(slots=True)
class Unstored:
    """A message of a terminal that is on its way to the broker."""

    connection: Connection
    guest: Guest
    message: Reported | Decoded
    frames: Sequence[Frame]
    is_kept: bool
    since_s: float
    left: int = 0
    refused: bool = False


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
    _incoming: list[Unstored] = field(default_factory=list)
    _seldom: Seldom = field(default_factory=Seldom)
    commands: Commands = field(init=False)
    _held: bool = False
    _stopping: bool = False

    def __post_init__(self) -> None:
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
                self._queue(connection, event, [event.frame], is_kept=False)
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
            self._queue_positions(connection, message)
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
            self._queue_positions(connection, message)

    def _queue_positions(self, connection: Connection, message: Decoded) -> None:
        frames = [_alone(message, position) for position in message.positions]
        self._queue(connection, message, frames, is_kept=message.body.get("type") == _KEPT)

    def _queue(
        self, connection: Connection, message: Reported | Decoded, frames: Sequence[Frame], *, is_kept: bool
    ) -> None:
        guest = self._guests.get(connection)
        if guest is None:
            return  # nothing is taken of whom we have not let in; the session refuses it before
        loop = asyncio.get_running_loop()
        if not self._incoming:
            loop.call_later(GATHER_S, self._flush)
        connection.unstored += 1
        self._incoming.append(Unstored(connection, guest, message, frames, is_kept, loop.time()))

    def _flush(self) -> None:
        """Publish what has come since the last time."""
        incoming, self._incoming = self._incoming, []
        origins = [
            Origin(
                one.guest.terminal, one.guest.clock, one.guest.health, one.is_kept, _is_2011(one.connection)
            )
            for one in incoming
        ]
        clocks = [one.clock.offset_us for one in origins]
        outcomes = _outcomes([one.frames for one in incoming], origins)
        for one, was_us, outcome in zip(incoming, clocks, outcomes, strict=True):
            self.metrics.reports.labels("kept" if one.is_kept else "live").inc(len(one.frames))
            for what, count in outcome.not_carried.items():
                self.metrics.not_carried.labels(what).inc(count)
            if one.guest.clock.offset_us != was_us and one.guest.clock.offset_us == ZONE_US:
                _log.warning(
                    "the terminal's clock shows UTC, not Beijing time; 8 h are added from now on",
                    phone=one.guest.terminal.phone,
                )
            if outcome.refused is None:
                self.metrics.refused.labels(Refusal.INCORRECT).inc(outcome.unusable)
            else:
                self._leave(one, outcome.refused)
                continue
            one.left = len(outcome.messages)
            for topic, payload in outcome.messages:
                self.publisher.put(Publication(topic, payload, _Done(self, one, outcome.health)))
        self.publisher.flush()
        self.adjust()

    def _leave(self, one: Unstored, reason: Refusal) -> None:
        """Publish nothing of it; say so to the terminal, unless it is to send it again."""
        self.metrics.refused.labels(reason).inc()
        self._answered(one)
        if reason is Refusal.INCORRECT:
            for event in one.connection.session.stored(one.message, Result.INCORRECT):
                one.connection.apply(event)

    def settled(self, one: Unstored, health: Health | None, why_not: str | None) -> None:
        """Take note that the broker has one of the messages of a report, or why it has not."""
        one.left -= 1
        if why_not is not None:
            one.refused = True
            self.metrics.refused.labels(Refusal.NOT_KEPT).inc()
            if self._seldom.may_tell(("broker", why_not)):
                _log.error("not kept by the broker: did ingest ever run, may we write?", reason=why_not)
        if one.left:
            return
        self._answered(one)
        if one.refused:
            return
        if health is not None:
            one.guest.health = health
        self.metrics.acknowledged.inc()
        self.metrics.ack_seconds.observe(asyncio.get_running_loop().time() - one.since_s)
        if one.connection.is_open:
            for event in one.connection.session.stored(one.message):
                one.connection.apply(event)

    def _answered(self, one: Unstored) -> None:
        one.connection.unstored -= 1
        one.connection.adjust_reading()

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


@dataclass(frozen=True, slots=True)
class _Done:
    """Tells the desk what became of one message."""

    desk: GatewayDesk
    one: Unstored
    health: Health | None

    def __call__(self, why_not: str | None) -> None:
        self.desk.settled(self.one, self.health, why_not)


def _outcomes(frames: Sequence[Sequence[Frame]], origins: Sequence[Origin]) -> list[Outcome]:
    """Translate all at once; if that fails, each alone, so that one report cannot hold up the others."""
    try:
        return translate(frames, origins, WALL.now_us())
    except Exception:  # noqa: BLE001 - whatever it is, the others go on
        _log.exception("translation failed", messages=len(frames))
    if len(frames) == 1:
        return [Outcome(refused=Refusal.FAILED)]
    return [
        outcome
        for some, origin in zip(frames, origins, strict=True)
        for outcome in _outcomes([some], [origin])
    ]


def _is_2011(connection: Connection) -> bool:
    sender = connection.session.sender
    return sender is not None and sender.version == V2011


def _alone(message: Decoded, position: Position) -> Frame:
    """Return the frame that a report of a batch would have come in alone, so that all are read one way."""
    body = build_position(position)
    header = Header(_REPORT, V2013, b"\x00" * 6, message.header.serial if message.header else 0)
    return Frame(b"", build_header(header, len(body)) + body, True)
