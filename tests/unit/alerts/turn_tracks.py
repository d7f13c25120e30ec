"""Drives drawn as a driver would tell them: so many metres straight on, turn by so many degrees, and on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts.engine import engine
from alerts.episodes.episodes import collect
from alerts.episodes.turn_records import collect as collect_turns
from alerts.in_force.context import Context
from alerts.live import replay
from fleet.columns import Fixes
from fleet.units import MICROSECONDS
from tests.unit.alerts.tracks import BOOKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alerts.in_force.watch import Watch
    from alerts.words.transitions import Judgement

    Floats = NDArray[np.float64]

START_US = 1_700_000_000 * MICROSECONDS
UDEG_PER_M = 180e6 / (np.pi * 6_371_008.8)
_STEP_M = 0.25


class Way(NamedTuple):
    """A line, every `_STEP_M` of it: metres east and north, and the course there."""

    x_m: Floats
    y_m: Floats
    course_deg: Floats


def way(*legs: float, radius_m: float = 12.0) -> Way:
    """Draw metres, degrees, metres, ...: to the right is positive; corners are arcs."""
    turned = [np.zeros(1)]
    for place, leg in enumerate(legs):
        if place % 2 == 0:
            turned.append(np.zeros(round(leg / _STEP_M)))
        else:
            steps = max(1, round(radius_m * np.deg2rad(abs(leg)) / _STEP_M))
            turned.append(np.full(steps, leg / steps))
    course = np.cumsum(np.concatenate(turned))
    x_m, y_m = (np.cumsum(turn(np.deg2rad(course))) * _STEP_M for turn in (np.sin, np.cos))
    return Way(x_m, y_m, course % 360)


def driven(
    line: Way,
    speed_kmh: float = 20.0,
    *,
    every_s: float = 1.0,
    stops: Sequence[tuple[float, float]] = (),
    noise_m: float = 0.0,
    seed: int = 0,
    reports: bool = False,
    vehicle_id: int = 1,
    lat_deg: float = 0.0,
    lon_deg: float = 120.0,
    flags: int = 0,
) -> Fixes:
    """Drive along a line at one speed; `stops` are (metres along it, seconds)."""
    mps = speed_kmh / 3.6
    time_s, at_m = [0.0], [0.0]
    for where_m, stays_s in sorted(stops):
        arrives_s = time_s[-1] + (where_m - at_m[-1]) / mps
        time_s += [arrives_s, arrives_s + stays_s]
        at_m += [where_m, where_m]
    length_m = (len(line.x_m) - 1) * _STEP_M
    time_s.append(time_s[-1] + (length_m - at_m[-1]) / mps)
    at_m.append(length_m)
    seconds = np.arange(0.0, time_s[-1] + 1e-9, every_s)
    place = np.interp(seconds, time_s, at_m) / _STEP_M
    noise = np.random.default_rng(seed).normal(0.0, noise_m, (2, len(seconds)))
    index = np.arange(len(line.x_m))
    x_m, y_m = (np.interp(place, index, along) + off for along, off in zip(line[:2], noise, strict=True))
    moves = np.diff(place, append=place[-1]) > 0
    course = np.rint(line.course_deg[np.rint(place).astype(int)]) % 360
    half_turn = 180_000_000
    lon_udeg = np.rint(lon_deg * 1e6 + x_m * UDEG_PER_M / np.cos(np.deg2rad(lat_deg)))
    return Fixes.build(
        vehicle_id=vehicle_id,
        time_us=START_US + np.rint(seconds * MICROSECONDS).astype(np.int64),
        lat_udeg=np.rint(lat_deg * 1e6 + y_m * UDEG_PER_M),
        lon_udeg=(lon_udeg + half_turn) % (2 * half_turn) - half_turn,
        speed_dkmh=np.where(moves, round(speed_kmh * 10), 0) if reports else -1,
        course_deg=np.where(moves, course, -1) if reports else -1,
        flags=flags,
    )


def wandering(fixes: Fixes, size_m: float, seed: int) -> Fixes:
    """Let positions wander as among high buildings: a Gauss-Markov process of 40 s, fixes a second apart."""
    kept = np.exp(-1 / 40)
    rng = np.random.default_rng(seed)
    error, errors = rng.normal(size=2), []
    for fresh in rng.normal(size=(len(fixes), 2)) * np.sqrt(1 - kept**2):
        error = kept * error + fresh
        errors.append(error)
    north, east = np.rint(np.array(errors) * size_m * UDEG_PER_M).astype(np.int32).T
    return replace(fixes, lat_udeg=fixes.lat_udeg + north, lon_udeg=fixes.lon_udeg + east)


class Found(NamedTuple):
    """A right turn, in seconds of the drive."""

    entered_s: float
    exited_s: float
    turned_deg: float


def context(watch: Watch | None = None) -> Context:
    return Context(BOOKS, replay.UniformFacts(limit_kmh=80), watch)


def judged(fixes: Fixes, watch: Watch | None = None) -> Judgement:
    return replay.settled(fixes, context(watch))


def turns(fixes: Fixes) -> list[Found]:
    """The right turns of a drive."""
    found = collect_turns(judged(fixes).turns, context().rulebooks)
    return [Found(seconds(t.entered_us), seconds(t.exited_us), t.course_change_deg) for t in found]


def dangers(judgement: Judgement) -> set[str]:
    """Names of what was dangerous about the turns."""
    found = collect(judgement.transitions, context().rulebooks)
    return {episode.rule_name for episode in found if episode.rule in engine.JUDGED_BY["right_turn"]}


def figures(judgement: Judgement) -> list[tuple[Any, ...]]:
    """All that is said of the turns, but not when."""
    names = [name for name in judgement.turns.dtypes() if name != "at_us"]
    return list(zip(*(getattr(judgement.turns, name).tolist() for name in names), strict=True))


def seconds(time_us: int) -> float:
    return round((time_us - START_US) / MICROSECONDS, 2)
