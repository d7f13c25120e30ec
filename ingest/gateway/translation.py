"""What terminals said to the messages of wire v1, many reports at once; the clocks it is given learn."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.units import MICROSECONDS
from fleet.wire.jt808.columns import NO_TIME, read_reports
from fleet.wire.jt808.safety import BLIND_AREA, SAFETY_ITEMS
from fleet.wire.topics import Kind, format_topic
from fleet.wire.v1.encoding import encode_camera, encode_fixes, encode_health
from ingest.gateway.observations import CARRIED_ALARMS, fixes, health, sightings
from ingest.gateway.refusals import NotCarried, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fleet.wire.jt808.columns import Reports
    from fleet.wire.jt808.framing import Frame
    from ingest.gateway.clocks import ClockOfTerminal
    from ingest.gateway.terminals import Terminal

#: What is older goes on the topic that does not stand in front of live fixes.
HISTORY_AFTER_US = 300 * MICROSECONDS


class Health(NamedTuple):
    """What a unit says of itself, without the time."""

    camera: int
    power: int
    gnss: int


class Origin(NamedTuple):
    """Of whom a message is, and what is known of that terminal."""

    terminal: Terminal
    clock: ClockOfTerminal
    #: What the broker has of its health; it is told again only when it changes.
    health: Health | None
    is_kept: bool
    is_2011: bool


class Message(NamedTuple):
    """A message of wire v1."""

    topic: str
    payload: bytes


@dataclass(slots=True)
class Outcome:
    """What became of one message of a terminal."""

    messages: list[Message] = field(default_factory=list)
    refused: Refusal | None = None
    #: Reports of it that cannot be used. One bad report does not take the others of its batch with it.
    unusable: int = 0
    #: What the messages say of its health, if they do.
    health: Health | None = None
    not_carried: Counter[NotCarried] = field(default_factory=Counter)


def translate(frames: Sequence[Sequence[Frame]], origins: Sequence[Origin], now_us: int) -> list[Outcome]:
    """Return what becomes of messages of terminals, each with the frames of its reports."""
    message = np.repeat(np.arange(len(frames)), [len(some) for some in frames])
    reports = read_reports([frame for some in frames for frame in some])
    outcomes = [Outcome() for _ in frames]
    for frame in reports.others.tolist():
        outcomes[message[frame]].unusable += 1
    of = message[reports.frame]
    offset_us = _offsets(reports, of, origins, outcomes, now_us)
    for outcome, some in zip(outcomes, frames, strict=True):
        if outcome.unusable == len(some):
            outcome.refused = Refusal.INCORRECT
    has_time = reports.time_us != NO_TIME
    taken = has_time & np.array([outcomes[one].refused is None for one in of.tolist()], np.bool_)
    payloads = _payloads(reports, of, origins, offset_us, taken, outcomes, now_us)
    for origin, outcome, by_topic in zip(origins, outcomes, payloads, strict=True):
        for topic, texts in by_topic.items():
            outcome.messages.append(Message(topic, _joined(texts, origin.terminal.model.datum, topic)))
    return outcomes


def _offsets(
    reports: Reports,
    of: NDArray[np.intp],
    origins: Sequence[Origin],
    outcomes: Sequence[Outcome],
    now_us: int,
) -> NDArray[np.int64]:
    """Return what to add to the time of each report; one without a time cannot be used."""
    offset_us = np.zeros(len(reports), np.int64)
    for row, (one, time_us) in enumerate(zip(of.tolist(), reports.time_us.tolist(), strict=True)):
        if time_us == NO_TIME:
            outcomes[one].unusable += 1
            continue
        clock = origins[one].clock
        found = clock.of_kept(now_us) if origins[one].is_kept else clock.judge(time_us, now_us)
        if found is None:
            outcomes[one].refused = Refusal.CLOCK_UNKNOWN
        else:
            offset_us[row] = found
    return offset_us


def _payloads(
    reports: Reports,
    of: NDArray[np.intp],
    origins: Sequence[Origin],
    offset_us: NDArray[np.int64],
    taken: NDArray[np.bool_],
    outcomes: Sequence[Outcome],
    now_us: int,
) -> list[Mapping[str, list[bytes]]]:
    """Return the payloads of each message by topic."""
    found: list[dict[str, list[bytes]]] = [defaultdict(list) for _ in outcomes]
    is_2011 = np.array([origins[one].is_2011 for one in of.tolist()], np.bool_)
    is_kept = np.array([origins[one].is_kept for one in of.tolist()], np.bool_)
    fix = fixes(reports, offset_us, is_2011=is_2011)
    is_old = is_kept | (now_us - fix.time_us > HISTORY_AFTER_US)
    for row, payload in zip(np.flatnonzero(taken).tolist(), encode_fixes(fix.take(taken)), strict=True):
        kind = Kind.HISTORY if is_old[row] else Kind.FIX
        found[of[row]][_topic(origins[of[row]], kind)].append(payload)

    rows, camera = sightings(reports, offset_us, [origins[one].terminal.model for one in of.tolist()])
    for row, payload in zip(rows.tolist(), encode_camera(camera), strict=True):
        if taken[row]:
            found[of[row]][_topic(origins[of[row]], Kind.CAMERA)].append(payload)

    said = health(reports, offset_us)
    news = []
    for row in np.flatnonzero(taken & ~is_old).tolist():
        one = of[row]
        state = Health(int(said.camera[row]), int(said.power[row]), int(said.gnss[row]))
        if state != (outcomes[one].health or origins[one].health):
            outcomes[one].health = state
            news.append(row)
    for row, payload in zip(news, encode_health(said.take(np.array(news, np.intp))), strict=True):
        found[of[row]][_topic(origins[of[row]], Kind.HEALTH)].append(payload)
    _count(reports, of, taken, rows, outcomes)
    return list(found)


def _count(
    reports: Reports,
    of: NDArray[np.intp],
    taken: NDArray[np.bool_],
    sighted: NDArray[np.intp],
    outcomes: Sequence[Outcome],
) -> None:
    """Count what wire v1 has no place for: it is told by nobody else."""
    for row in np.flatnonzero(taken & ((reports.alarm & ~np.uint32(CARRIED_ALARMS)) != 0)).tolist():
        outcomes[of[row]].not_carried[NotCarried.ALARM] += 1
    seen = Counter(sighted.tolist())
    items = reports.items
    at = np.flatnonzero(np.isin(items.id, list(SAFETY_ITEMS)) & taken[items.row])
    for item, row in zip(items.id[at].tolist(), items.row[at].tolist(), strict=True):
        if item != BLIND_AREA:
            outcomes[of[row]].not_carried[NotCarried.SAFETY_ITEM] += 1
        elif seen[row] > 0:
            seen[row] -= 1
        else:
            outcomes[of[row]].not_carried[NotCarried.BLIND_AREA_WITHOUT_SIDE] += 1


def _topic(origin: Origin, kind: Kind) -> str:
    return format_topic(origin.terminal.company, origin.terminal.vehicle, kind)


def _joined(payloads: Sequence[bytes], datum: str, topic: str) -> bytes:
    """Return one payload: an array where there are several."""
    if datum != "wgs84" and not topic.endswith(Kind.HEALTH):
        payloads = [_with(datum, one) for one in payloads]
    return payloads[0] if len(payloads) == 1 else b"[" + b",".join(payloads) + b"]"


def _with(datum: str, payload: bytes) -> bytes:
    """Return a payload that says in which datum its position is; it is converted where all are."""
    return payload[:-1] + b',"datum":"' + datum.encode() + b'"}'
