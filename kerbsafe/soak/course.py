"""What the trucks of a storm measure, and when and how often they send it. Pure but for the dice's seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.columns import CameraEvents, Fixes, Phase, Side, Target
from fleet.units import MICROSECONDS
from fleet.wire.topics import Kind, format_topic
from fleet.wire.v1 import encode_arrays, encode_camera, encode_fixes
from kerbsafe.bench.traffic import COMPANY, Traffic
from kerbsafe.soak import units

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from kerbsafe.soak.units import Measured

#: Of a truck's fixes: sent twice, and sent late by some seconds, so that they overtake one another.
TWICE, DISORDERED = 0.03, 0.05
TWICE_WITHIN_S, DISORDERED_WITHIN_S = 20.0, 3.0
#: Of the trucks: in a tunnel once; late for ever, longer than the horizon of live judgement.
IN_TUNNEL, ALWAYS_LATE = 0.2, 0.05
ALWAYS_LATE_S = 150.0
#: Of the trucks: change company in the middle of the course, as the registry says beforehand.
MOVES, NEW_COMPANY = 0.1, "bench-new"
#: Bytes that mean nothing, beside that many messages that do.
GARBAGE = 0.002
#: The hour-old drive of an uploading truck, rounds, and fixes of one message.
UPLOAD_ROUNDS, UPLOAD_ELEMENTS = 300, 100
UPLOADED_AGE_S = 5400
#: Fixes of one message of the unit that sends a thousand a second.
DENSE_ELEMENTS = 200
#: Chance of a fix that a camera sees somebody on the right within its second: often, so that turns have one.
SEES = 0.15
#: Chance of a fix to begin speeding: often, for alerts are what is compared.
SPEEDS = 0.002
#: What is dated further ahead than this is refused.
FUTURE_US = 86_400 * MICROSECONDS


class Sending(NamedTuple):
    """A message and when it is sent, microseconds since 1970."""

    at_us: int
    #: Index of the truck.
    truck: int
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Course:
    """All that is sent. `fixes` are each there once; `vehicle_id` is the truck's index."""

    fixes: Fixes
    #: When each is sent first.
    fixes_at_us: NDArray[np.int64]
    #: What blind-spot cameras see, each there once; likewise.
    camera: CameraEvents
    sendings: list[Sending]
    codes: list[str]
    garbage: int
    #: Fixes dated so far ahead that they are refused.
    refused: int
    #: Trucks that belong to the new company from `moves_us` on.
    moving: list[str]
    moves_us: int

    @property
    def observations(self) -> int:
        """How many there are to store."""
        return len(self.fixes) + len(self.camera)


class Topics:
    """The topics of trucks: those that move name the new company for what they measure afterwards."""

    def __init__(self, codes: Sequence[str], moving: NDArray[np.bool_], moves_us: int) -> None:
        self._codes, self._moving, self._moves_us = codes, moving.tolist(), moves_us

    def of(self, kind: Kind) -> Callable[[int, int], str]:
        """Return what names the topic of a truck for what it measured at a time."""
        old, new = ([format_topic(c, code, kind) for code in self._codes] for c in (COMPANY, NEW_COMPANY))
        return lambda truck, time_us: (new if self._moving[truck] and time_us >= self._moves_us else old)[
            truck
        ]


def codes(trucks: int, uploading: int) -> list[str]:
    """Return the codes of all: those on the road, those that upload, and the one that sends too much."""
    return [f"B{number:06d}" for number in range(trucks + uploading + 1)]


def make(
    *, trucks: int, uploading: int, rounds: int, start_us: int, seed: int, permitted: float = 1.0
) -> Course:
    """Return a course of `rounds` seconds in which `uploading` trucks also send old drives."""
    live = Traffic(trucks, rounds, start_us, seed=seed, speeds=SPEEDS)
    old_us = start_us - UPLOADED_AGE_S * MICROSECONDS
    old = Traffic(uploading, UPLOAD_ROUNDS, old_us, seed=seed + 1, first=trucks, speeds=SPEEDS)
    rng = np.random.default_rng((seed, 4))
    told = units.spoil(live, rng, permitted)
    is_refused = told.fixes.time_us - told.at_us > FUTURE_US
    moving = rng.random(trucks) < MOVES
    topics = Topics(live.codes, moving, start_us + rounds // 2 * MICROSECONDS)
    garbage = _garbage(live, ~moving, rng)
    camera = _seen(live, rng)
    road, road_at_us = _live_sendings(told, live, topics, rng)
    uploads = _uploads(old, live, rng)
    crowd = _crowd(live, trucks + uploading, seed)
    sendings = [*road, *uploads.sendings, *crowd.sendings, *_camera_sendings(camera, topics), *garbage]
    end_us = start_us + rounds * MICROSECONDS
    parts = [told.fixes.take(~is_refused), uploads.fixes, crowd.fixes]
    return Course(
        Fixes.concat(parts),
        np.minimum(np.concatenate([road_at_us[~is_refused], uploads.at_us, crowd.at_us]), end_us),
        camera,
        sorted(one._replace(at_us=min(one.at_us, end_us)) for one in sendings),
        codes(trucks, uploading),
        len(garbage),
        int(is_refused.sum()),
        [code for code, moves in zip(live.codes, moving.tolist(), strict=True) if moves],
        start_us + rounds // 2 * MICROSECONDS,
    )


def _live_sendings(
    told: Measured, live: Traffic, topics: Topics, rng: np.random.Generator
) -> tuple[list[Sending], NDArray[np.int64]]:
    """Send each fix at its moment, or later, some twice; return when each is sent first, too."""
    fixes = told.fixes
    delay_us = _delay_us(told, live, rng)
    at_us = told.at_us + delay_us
    on_time, afterwards = topics.of(Kind.FIX), topics.of(Kind.HISTORY)
    again_us = at_us + np.rint(rng.random(len(fixes)) * TWICE_WITHIN_S * MICROSECONDS).astype(np.int64)
    again = rng.random(len(fixes)) < TWICE
    sendings = []
    rows = zip(
        at_us.tolist(),
        fixes.vehicle_id.tolist(),
        fixes.time_us.tolist(),
        encode_fixes(fixes),
        (delay_us > ALWAYS_LATE_S / 2 * MICROSECONDS).tolist(),
        again.tolist(),
        again_us.tolist(),
        strict=True,
    )
    for moment_us, truck, time_us, payload, is_late, is_again, moment_again_us in rows:
        topic = (afterwards if is_late else on_time)(truck, time_us)
        sendings.append(Sending(moment_us, truck, topic, payload))
        if is_again:
            sendings.append(Sending(moment_again_us, truck, topic, payload))
    return sendings, at_us


def _delay_us(told: Measured, live: Traffic, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return how late each fix is sent: disorder, tunnels, and trucks that are always late."""
    truck, many = told.fixes.vehicle_id, len(told.fixes)
    at_s = ((told.at_us - live.start_us) // MICROSECONDS).astype(float)
    delay_s = np.where(rng.random(many) < DISORDERED, rng.random(many) * DISORDERED_WITHIN_S, 0.0)
    enters_s = rng.uniform(0, live.rounds, live.vehicles)
    leaves_s = enters_s + rng.uniform(5, 40, live.vehicles)
    goes_in = rng.random(live.vehicles) < IN_TUNNEL
    inside = goes_in[truck] & (at_s >= enters_s[truck]) & (at_s < leaves_s[truck])
    delay_s = np.where(inside, leaves_s[truck] - at_s, delay_s)
    late = rng.random(live.vehicles) < ALWAYS_LATE
    delay_s = np.where(late[truck], np.minimum(ALWAYS_LATE_S, live.rounds / 2), delay_s)
    return np.asarray(np.rint(delay_s * MICROSECONDS), np.int64)


def _seen(live: Traffic, rng: np.random.Generator) -> CameraEvents:
    """Let cameras see somebody now and then, by the right clock."""
    fixes = live.fixes()
    sees = np.flatnonzero(rng.random(len(fixes)) < SEES)
    time_us = fixes.time_us[sees] + rng.integers(0, MICROSECONDS, len(sees))
    names = np.empty(len(sees), object)
    names[:] = [f"e{number}" for number in range(len(sees))]
    return CameraEvents.build(
        vehicle_id=fixes.vehicle_id[sees],
        time_us=time_us,
        event_id=names,
        side=Side.RIGHT,
        target=rng.choice([Target.PEDESTRIAN, Target.CYCLE], len(sees)),
        phase=Phase.SINGLE,
    )


def _camera_sendings(camera: CameraEvents, topics: Topics) -> list[Sending]:
    """Send what cameras see at its moment."""
    topic = topics.of(Kind.CAMERA)
    rows = zip(camera.time_us.tolist(), camera.vehicle_id.tolist(), encode_camera(camera), strict=True)
    return [Sending(moment_us, truck, topic(truck, moment_us), payload) for moment_us, truck, payload in rows]


class Arrays(NamedTuple):
    """Fixes sent in arrays; when each is sent, and how."""

    fixes: Fixes
    at_us: NDArray[np.int64]
    sendings: list[Sending]


def _uploads(old: Traffic, live: Traffic, rng: np.random.Generator) -> Arrays:
    """Send the old drives in pieces, each truck's in the order of time, at moments all over the course."""
    fixes, parts = old.fixes(), []
    for truck, code in enumerate(old.codes):
        own = fixes.take(fixes.vehicle_id == truck)
        begin_us = live.start_us + round(rng.uniform(0, live.rounds * 0.9) * MICROSECONDS)
        topic = format_topic(COMPANY, code, Kind.HISTORY)
        parts.append(_in_arrays(own, live.vehicles + truck, topic, begin_us, 0.5, UPLOAD_ELEMENTS))
    return Arrays(
        Fixes.concat([part.fixes for part in parts]),
        np.concatenate([np.empty(0, np.int64), *(part.at_us for part in parts)]),
        [sending for part in parts for sending in part.sendings],
    )


def _crowd(live: Traffic, truck: int, seed: int) -> Arrays:
    """Let one unit send a thousand fixes a second, as far as the course reaches."""
    fixes = units.dense(truck, live.start_us, seed)
    fixes = fixes.take(fixes.time_us < live.start_us + live.rounds * MICROSECONDS)
    topic = format_topic(COMPANY, codes(truck, 0)[-1], Kind.FIX)
    every_s = DENSE_ELEMENTS / units.DENSE_HZ
    return _in_arrays(
        fixes, truck, topic, live.start_us + round(every_s * MICROSECONDS), every_s, DENSE_ELEMENTS
    )


def _in_arrays(fixes: Fixes, truck: int, topic: str, begin_us: int, every_s: float, elements: int) -> Arrays:
    """Send one truck's fixes in arrays, one behind the other."""
    pieces = encode_arrays(fixes, elements=elements)
    at_us = begin_us + np.rint(np.arange(len(pieces)) * every_s * MICROSECONDS).astype(np.int64)
    sendings = [Sending(at, truck, topic, piece) for at, piece in zip(at_us.tolist(), pieces, strict=True)]
    own = replace(fixes, vehicle_id=np.full(len(fixes), truck, np.int32))
    return Arrays(own, at_us[np.arange(len(fixes)) // elements], sendings)


def _garbage(live: Traffic, speaks: NDArray[np.bool_], rng: np.random.Generator) -> list[Sending]:
    """Send bytes that are no fix."""
    count = 1 + round(len(live) * GARBAGE)
    at_us = live.start_us + rng.integers(0, live.rounds * MICROSECONDS, count)
    trucks = rng.choice(np.flatnonzero(speaks), count).tolist()
    topics = [format_topic(COMPANY, code, Kind.FIX) for code in live.codes]
    return [
        Sending(moment_us, truck, topics[truck], b"\xff" + rng.bytes(int(rng.integers(1, 60))))
        for moment_us, truck in zip(at_us.tolist(), trucks, strict=True)
    ]
