"""Reports of terminals on their way to the broker: gathered, translated, published, then answered.

Nothing is acknowledged before the broker has it: a report's answer (0x8001) is sent when every message that
it became has been acknowledged by the broker.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from fleet.clock import WALL
from fleet.wire.jt808.events import Result
from fleet.wire.jt808.framing import Frame
from fleet.wire.jt808.header import V2011, V2013, Header, build_header
from fleet.wire.jt808.position import build_position
from ingest.gateway.clocks import ZONE_US
from ingest.gateway.publications import Publication
from ingest.gateway.refusals import Refusal
from ingest.gateway.translation import Origin, Outcome, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fleet.wire.jt808 import Decoded, Position
    from fleet.wire.jt808.events import Reported
    from ingest.gateway.clocks import ClockOfTerminal
    from ingest.gateway.connection import Connection
    from ingest.gateway.metrics import Metrics
    from ingest.gateway.publisher import Publisher
    from ingest.gateway.seldom import Seldom
    from ingest.gateway.terminals import Terminal
    from ingest.gateway.translation import Health

#: Reports of all terminals are read together, so long after the first.
GATHER_S = 0.005
_REPORT = 0x0200
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
    since_s: float = 0.0
    left: int = 0
    refused: bool = False


@dataclass(slots=True)
class Reports:
    """What terminals have reported and the broker does not have yet."""

    publisher: Publisher
    metrics: Metrics
    seldom: Seldom
    #: Called when more or less waits for the broker than before.
    adjust: Callable[[], None]
    _incoming: list[Unstored] = field(default_factory=list)

    def take(self, one: Unstored) -> None:
        """Take a message; it is published with what comes in the next moment."""
        loop = asyncio.get_running_loop()
        if not self._incoming:
            loop.call_later(GATHER_S, self._flush)
        one.connection.unstored += 1
        one.since_s = loop.time()
        self._incoming.append(one)

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
        found = outcomes_of([one.frames for one in incoming], origins)
        for one, was_us, outcome in zip(incoming, clocks, found, strict=True):
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
            if self.seldom.may_tell(("broker", why_not)):
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


@dataclass(frozen=True, slots=True)
class _Done:
    """Takes note of what became of one message."""

    reports: Reports
    one: Unstored
    health: Health | None

    def __call__(self, why_not: str | None) -> None:
        self.reports.settled(self.one, self.health, why_not)


def outcomes_of(frames: Sequence[Sequence[Frame]], origins: Sequence[Origin]) -> list[Outcome]:
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
        for outcome in outcomes_of([some], [origin])
    ]


def _is_2011(connection: Connection) -> bool:
    sender = connection.session.sender
    return sender is not None and sender.version == V2011


def frame_of(message: Decoded, position: Position) -> Frame:
    """Return the frame that a report of a batch would have come in alone, so that all are read one way."""
    body = build_position(position)
    header = Header(_REPORT, V2013, b"\x00" * 6, message.header.serial if message.header else 0)
    return Frame(b"", build_header(header, len(body)) + body, True)
