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

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Of a truck's fixes: sent twice, and sent late by some seconds, so that they overtake one another.
TWICE, DISORDERED = 0.03, 0.05
TWICE_WITHIN_S, DISORDERED_WITHIN_S = 20.0, 3.0
#: Of the trucks: in a tunnel once; late for ever, longer than the horizon of live judgement; with a clock
#: that steps away and back.
IN_TUNNEL, ALWAYS_LATE, CLOCK_STEPS = 0.2, 0.05, 0.1
ALWAYS_LATE_S = 150.0
#: Clocks step by these. The half seconds keep a truck's own times apart.
STEPS_S = (90.5, 3600.5, -1200.5, -0.5)
#: Bytes that mean nothing, beside that many messages that do.
GARBAGE = 0.002
#: The hour-old drive of an uploading truck, rounds, and fixes of one message.
UPLOAD_ROUNDS, UPLOAD_ELEMENTS = 300, 100
UPLOADED_AGE_S = 5400
#: Chance of a fix that a camera sees somebody on the right within its second: often, so that turns have one.
SEES = 0.05
#: Chance of a fix to begin speeding: often, for alerts are what is compared.
SPEEDS = 0.002


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
    #: What blind-spot cameras see, each there once; likewise.
    camera: CameraEvents
    sendings: list[Sending]
    codes: list[str]
    garbage: int

    @property
    def observations(self) -> int:
        """How many there are to store."""
        return len(self.fixes) + len(self.camera)


def make(*, trucks: int, uploading: int, rounds: int, start_us: int, seed: int) -> Course:
    """Return a course of `rounds` seconds in which `uploading` trucks also send old drives."""
    live = Traffic(trucks, rounds, start_us, seed=seed, speeds=SPEEDS)
    old = Traffic(
        uploading,
        UPLOAD_ROUNDS,
        start_us - UPLOADED_AGE_S * MICROSECONDS,
        seed=seed + 1,
        first=trucks,
        speeds=SPEEDS,
    )
    rng = np.random.default_rng((seed, 4))
    driven = _with_clock_steps(live.fixes(), live, rng)
    garbage = _garbage(live, rng)
    camera = _seen(live, rng)
    sendings = [
        *_live_sendings(driven, live, rng),
        *_uploads(old, live, rng),
        *_camera_sendings(camera, live),
        *garbage,
    ]
    end_us = start_us + rounds * MICROSECONDS
    uploaded = old.fixes()
    uploaded = replace(uploaded, vehicle_id=uploaded.vehicle_id + np.int32(trucks))
    return Course(
        Fixes.concat([driven, uploaded]),
        camera,
        sorted(one._replace(at_us=min(one.at_us, end_us)) for one in sendings),
        [*live.codes, *old.codes],
        len(garbage),
    )


def _with_clock_steps(fixes: Fixes, live: Traffic, rng: np.random.Generator) -> Fixes:
    """Let the clocks of some trucks be wrong for a part of the course."""
    step_s = np.where(rng.random(live.vehicles) < CLOCK_STEPS, rng.choice(STEPS_S, live.vehicles), 0.0)
    from_round = rng.integers(0, live.rounds, live.vehicles)
    until_round = from_round + rng.integers(3, 15, live.vehicles)
    at_round = np.repeat(np.arange(live.rounds), live.vehicles)
    truck = fixes.vehicle_id
    wrong = (at_round >= from_round[truck]) & (at_round < until_round[truck])
    shift_us = np.rint(np.where(wrong, step_s[truck], 0.0) * MICROSECONDS).astype(np.int64)
    return replace(fixes, time_us=fixes.time_us + shift_us)


def _live_sendings(fixes: Fixes, live: Traffic, rng: np.random.Generator) -> list[Sending]:
    """Send each fix at its moment, or later, some twice."""
    at_us = np.sort(live.fixes().time_us) + _delay_us(fixes, live, rng)
    topics = [format_topic(COMPANY, code, Kind.FIX) for code in live.codes]
    late_topics = [format_topic(COMPANY, code, Kind.HISTORY) for code in live.codes]
    delayed = at_us - live.fixes().time_us > ALWAYS_LATE_S / 2 * MICROSECONDS
    again_us = at_us + np.rint(rng.random(len(fixes)) * TWICE_WITHIN_S * MICROSECONDS).astype(np.int64)
    again = rng.random(len(fixes)) < TWICE
    sendings = []
    rows = zip(
        at_us.tolist(),
        fixes.vehicle_id.tolist(),
        encode_fixes(fixes),
        delayed.tolist(),
        again.tolist(),
        again_us.tolist(),
        strict=True,
    )
    for moment_us, truck, payload, is_late, is_again, moment_again_us in rows:
        topic = (late_topics if is_late else topics)[truck]
        sendings.append(Sending(moment_us, truck, topic, payload))
        if is_again:
            sendings.append(Sending(moment_again_us, truck, topic, payload))
    return sendings


def _delay_us(fixes: Fixes, live: Traffic, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return how late each fix is sent: disorder, tunnels, and trucks that are always late."""
    truck = fixes.vehicle_id
    at_s = np.repeat(np.arange(live.rounds, dtype=float), live.vehicles)
    delay_s = np.where(rng.random(len(fixes)) < DISORDERED, rng.random(len(fixes)) * DISORDERED_WITHIN_S, 0.0)
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
        target=Target.CYCLE,
        phase=Phase.SINGLE,
    )


def _camera_sendings(camera: CameraEvents, live: Traffic) -> list[Sending]:
    """Send what cameras see at its moment."""
    topics = [format_topic(COMPANY, code, Kind.CAMERA) for code in live.codes]
    rows = zip(camera.time_us.tolist(), camera.vehicle_id.tolist(), encode_camera(camera), strict=True)
    return [Sending(moment_us, truck, topics[truck], payload) for moment_us, truck, payload in rows]


def _uploads(old: Traffic, live: Traffic, rng: np.random.Generator) -> list[Sending]:
    """Send the old drives in pieces, each truck's in the order of time, at moments all over the course."""
    fixes = old.fixes()
    sendings = []
    for truck, code in enumerate(old.codes):
        pieces = encode_arrays(fixes.take(fixes.vehicle_id == truck), elements=UPLOAD_ELEMENTS)
        at_s = rng.uniform(0, live.rounds * 0.9) + np.arange(len(pieces)) * 0.5
        at_us = live.start_us + np.rint(at_s * MICROSECONDS).astype(np.int64)
        topic = format_topic(COMPANY, code, Kind.HISTORY)
        sendings += [
            Sending(moment_us, live.vehicles + truck, topic, piece)
            for moment_us, piece in zip(at_us.tolist(), pieces, strict=True)
        ]
    return sendings


def _garbage(live: Traffic, rng: np.random.Generator) -> list[Sending]:
    """Send bytes that are no fix."""
    count = 1 + round(len(live) * GARBAGE)
    at_us = live.start_us + rng.integers(0, live.rounds * MICROSECONDS, count)
    trucks = rng.integers(0, live.vehicles, count).tolist()
    topics = [format_topic(COMPANY, code, Kind.FIX) for code in live.codes]
    return [
        Sending(moment_us, truck, topics[truck], b"\xff" + rng.bytes(int(rng.integers(1, 60))))
        for moment_us, truck in zip(at_us.tolist(), trucks, strict=True)
    ]
