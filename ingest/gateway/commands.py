"""Commands on their way to terminals: which copy of the gateway sends each, and what became of it.

Every copy hears every command. The one that has the terminal claims it: it publishes `sent`, and hears its
own claim and those of others in the order of the broker, which is one for all. Whose claim is heard first
sends. So no command goes out twice, and none again after a gateway died between claim and answer: nobody
knows then what became of it, and so it is told (`command_state` of the schema).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from fleet.clock import WALL
from fleet.units import MICROSECONDS
from fleet.wire.batch import Ack
from fleet.wire.jt808.faults import Jt808Error
from fleet.wire.topics import PREFIX, Address, Kind, format_topic, parse_topic
from fleet.wire.v1.commands import expires_us, read_ack, read_command
from fleet.wire.v1.encoding import encode_ack
from ingest.gateway.orders import Said, downlink, said
from ingest.gateway.publications import Publication

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleet.wire.jt808 import Decoded
    from fleet.wire.jt808.orders import Order
    from fleet.wire.v1.payloads import CommandOut
    from ingest.gateway.connection import Connection
    from ingest.gateway.metrics import Metrics
    from ingest.gateway.publications import Heard
    from ingest.gateway.publisher import Publisher
    from ingest.gateway.terminals import Terminal, Terminals

#: What a gateway hears at the broker.
HEARS = tuple(f"{PREFIX}/+/+/{kind}" for kind in (Kind.COMMAND, Kind.ACK))
#: Commands for terminals that are not here.
MAX_WAITING = 10_000
#: Quiet for so long, a connection may be dead and its terminal at another copy: that goes first.
QUIET_S, STAND_BACK_US = 10.0, MICROSECONDS
#: A claim that is not heard for so long is heard by nobody.
CLAIM_US = 5 * MICROSECONDS
#: What is over is remembered for so long beyond its end, against being told of it again.
_REMEMBER_US = 3600 * MICROSECONDS
_log = structlog.get_logger("gateway")


@dataclass(slots=True)
class Underway:
    """A command that is not over."""

    command: CommandOut
    #: Where its answers go.
    topic: str
    expires_us: int
    terminal: Terminal
    #: Not claimed before.
    from_us: int = 0
    #: When we claimed it, and for which connection.
    claimed_us: int = 0
    connection: Connection | None = None


@dataclass(slots=True)
class Commands:
    """All commands that one gateway has heard of."""

    #: Which gateway this is.
    name: str
    terminals: Terminals
    publisher: Publisher
    metrics: Metrics
    #: Where the terminal of a telephone is connected; None: not here.
    connection_of: Callable[[str], Connection | None]
    _waiting: dict[str, Underway] = field(default_factory=dict)
    _claimed: dict[str, Underway] = field(default_factory=dict)
    _ordered: dict[tuple[Connection, int], Underway] = field(default_factory=dict)
    #: Until when it is remembered that a command is somebody's, or over.
    _taken: dict[str, int] = field(default_factory=dict)
    _told_us: int = 0

    # -- what is heard at the broker

    def heard(self, message: Heard) -> None:
        """Take in a command, or what somebody says of one."""
        address = parse_topic(message.topic)
        if not isinstance(address, Address):
            return
        if address.kind is Kind.COMMAND:
            self._take(address, message.payload)
        elif address.kind is Kind.ACK:
            self._take_answer(message.payload)
        self.publisher.flush()

    def _take(self, address: Address, payload: bytes) -> None:
        of_vehicle = self.terminals.of(address.company, address.vehicle)
        if not of_vehicle:
            return  # for a unit that speaks MQTT itself
        command = read_command(payload)
        if command is None:
            _log.warning("a command that cannot be read", vehicle=address.vehicle)
            return
        known = (self._taken, self._waiting, self._claimed)
        until_us = expires_us(command)
        if any(command.id in some for some in known) or until_us <= WALL.now_us():
            return
        if len(self._waiting) >= MAX_WAITING:
            _log.warning("a command is not kept: too many wait", vehicle=address.vehicle)
            return
        topic = format_topic(address.company, address.vehicle, Kind.ACK)
        here = (one for one in of_vehicle if self.connection_of(one.phone) is not None)
        underway = Underway(command, topic, until_us, next(here, of_vehicle[0]))
        self._waiting[command.id] = underway
        self._claim(underway)

    def _take_answer(self, payload: bytes) -> None:
        answer = read_ack(payload)
        if answer is None or answer.id in self._taken:
            return
        claim, waiting = self._claimed.pop(answer.id, None), self._waiting.pop(answer.id, None)
        ours = claim or waiting
        until_us = WALL.now_us() if ours is None else ours.expires_us
        self._taken[answer.id] = until_us + _REMEMBER_US
        if claim is not None and answer.result == "sent" and answer.by == self.name:
            self._send(claim)

    # -- on the way to the terminal

    def came_in(self, terminal: Terminal) -> None:
        """Claim what has waited for a terminal."""
        for underway in list(self._waiting.values()):
            if underway.topic == format_topic(terminal.company, terminal.vehicle, Kind.ACK):
                underway.terminal = terminal
                self._claim(underway)
        self.publisher.flush()

    def _claim(self, underway: Underway) -> None:
        """Say that we send it, if the terminal is here."""
        connection, now_us = self.connection_of(underway.terminal.phone), WALL.now_us()
        if connection is None or not connection.takes_orders or now_us < underway.from_us:
            return
        if not underway.from_us and connection.quiet_s > QUIET_S:
            underway.from_us = now_us + STAND_BACK_US
            return
        underway.claimed_us, underway.connection = now_us, connection
        self._claimed[underway.command.id] = self._waiting.pop(underway.command.id)
        self._tell(underway, Said("sent"))

    def _send(self, underway: Underway) -> None:
        connection = underway.connection
        if connection is None or connection.session.sender is None or not connection.takes_orders:
            self._tell(underway, Said("failed", "the connection ended before it was sent"))
            return
        session = connection.session
        try:
            message = downlink(underway.command, connection.session.sender.version)
            number, events = session.order(
                message.message_id,
                message.values,
                WALL.now_us() / MICROSECONDS,
                underway.expires_us / MICROSECONDS,
            )
        except Jt808Error as error:
            self._tell(underway, Said("refused", str(error)))
            return
        self._ordered[connection, number] = underway
        for event in events:
            connection.apply(event)

    def answered(self, connection: Connection, order: Order, message: Decoded, offset_us: int) -> None:
        """Tell what a terminal answers."""
        underway = self._ordered.pop((connection, order.number), None)
        if underway is not None:
            self._tell(underway, said(message, underway.terminal.model.datum, offset_us))
            self.publisher.flush()

    def unanswered(self, connection: Connection, order: Order) -> None:
        """Tell that a terminal does not answer, or that its connection ended before."""
        underway = self._ordered.pop((connection, order.number), None)
        if underway is None:
            return
        if order.sent and connection.takes_orders:
            found = Said("timed_out", f"sent {order.sent} times and not answered")
        elif order.sent:
            found = Said("timed_out", "the connection ended before an answer came")
        elif WALL.now_us() >= underway.expires_us:
            found = Said("expired")
        else:
            found = Said("failed", "the connection ended before it was sent")
        self._tell(underway, found)
        self.publisher.flush()

    # -- beside

    def tick(self) -> None:
        """Forget what is over, claim what could not be claimed before, give up what nobody hears."""
        now_us = WALL.now_us()
        for underway in list(self._waiting.values()):
            if underway.expires_us <= now_us:
                del self._waiting[underway.command.id]  # nobody has said anything of it: it expires by itself
            else:
                self._claim(underway)
        for underway in list(self._claimed.values()):
            if now_us - underway.claimed_us > CLAIM_US and self.publisher.connected:
                del self._claimed[underway.command.id]
                self._taken[underway.command.id] = underway.expires_us + _REMEMBER_US
                why = "the gateway does not hear itself: run `kerbsafe device write-broker-files`"
                self._tell(underway, Said("failed", why))
        self._taken = {one: until_us for one, until_us in self._taken.items() if until_us > now_us}
        self.metrics.commands_waiting.set(len(self._waiting))
        self.publisher.flush()

    def _tell(self, underway: Underway, found: Said) -> None:
        """Publish what became of a command; each answer has a time of its own."""
        self._told_us = max(WALL.now_us(), self._told_us + 1)
        self.metrics.commands.labels(found.result).inc()
        ack = Ack(
            0, self._told_us, underway.command.id, found.result, found.detail[:200], found.values, self.name
        )
        self.publisher.put(Publication(underway.topic, encode_ack(ack), _Told(underway.command.id)))


@dataclass(frozen=True, slots=True)
class _Told:
    """Notes that the broker has not kept what became of a command."""

    command_id: str

    def __call__(self, why_not: str | None) -> None:
        if why_not is not None:
            _log.error(
                "what became of a command is not kept by the broker", id=self.command_id, reason=why_not
            )
