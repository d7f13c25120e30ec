"""What is wrong with units on board in a storm, done to what sound ones measure. Pure.

It is stored and judged as it is told: the rules bear it, and say the same in whatever order it comes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.units import MICROSECONDS
from kerbsafe.bench.traffic import CENTRE_LAT, CENTRE_LON, HALF_DEG, METRES_PER_DEGREE, Traffic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.columns import Fixes

    Bools = NDArray[np.bool_]

#: Of the trucks: whose receiver is somewhere else for some fixes; whose speed is that of some seconds before;
#: whose speed is too high or too low throughout; whose clock steps away and back.
JUMPS, LAGS, SCALED, CLOCK_STEPS = 0.1, 0.05, 0.05, 0.1
JUMP_FIXES, JUMP_M = (2, 12), (100.0, 3000.0)
LAG_FIXES = 3
SCALES = (0.8, 1.25)
#: Clocks step by these, three weeks among them. The half seconds keep a truck's own times apart.
STEPS_S = (90.5, 3600.5, -1200.5, -0.5, -21 * 86_400.5)
#: Of the trucks: whose clock is once so far ahead that what it dates is refused.
CLOCK_REFUSED, REFUSED_S = 0.02, 14 * 86_400.5
#: Nothing is sent from so many seconds before a truck leaves the operating area to so many after it.
SILENT_BEFORE_S, SILENT_AFTER_S = 3.0, (5.0, 240.0)
#: One unit sends so many a second, for so long.
DENSE_HZ, DENSE_S = 1000, 10


class Measured(NamedTuple):
    """Fixes as units tell them, and the moments at which they were measured, microseconds since 1970."""

    fixes: Fixes
    at_us: NDArray[np.int64]

    def take(self, rows: Bools) -> Measured:
        """Return some of them."""
        return Measured(self.fixes.take(rows), self.at_us[rows])


def spoil(live: Traffic, rng: np.random.Generator, permitted: float) -> Measured:
    """Return what units tell of some traffic; `permitted` is the share of the city they may drive in."""
    sound = live.fixes()
    told = _jumping(_misjudging(sound, live, rng), live, rng)
    told = _with_clock_steps(told, live, rng)
    return Measured(told, sound.time_us).take(~_silent_exits(sound, live, rng, permitted))


def _runs(live: Traffic, rng: np.random.Generator, share: float, rounds: tuple[int, int]) -> Bools:
    """Mark the rows of one stretch each of a share of the trucks, of so many rounds."""
    from_round = rng.integers(0, live.rounds, live.vehicles)
    until_round = from_round + rng.integers(rounds[0], rounds[1] + 1, live.vehicles)
    until_round = np.where(rng.random(live.vehicles) < share, until_round, from_round)
    truck, at_round = np.tile(live.order, live.rounds), np.repeat(np.arange(live.rounds), live.vehicles)
    marked: Bools = (at_round >= from_round[truck]) & (at_round < until_round[truck])
    return marked


def _jumping(fixes: Fixes, live: Traffic, rng: np.random.Generator) -> Fixes:
    """Let receivers be somewhere else for some fixes, each by the same way all the time."""
    away = _runs(live, rng, JUMPS, JUMP_FIXES)
    step_udeg = rng.uniform(*JUMP_M, live.vehicles) / METRES_PER_DEGREE * 1e6
    angle = rng.uniform(0, 2 * np.pi, live.vehicles)
    moved = {
        name: getattr(fixes, name)
        + np.where(away, np.rint(step_udeg * part(angle))[fixes.vehicle_id], 0).astype(np.int32)
        for name, part in (("lat_udeg", np.cos), ("lon_udeg", np.sin))
    }
    return replace(fixes, **moved)


def _misjudging(fixes: Fixes, live: Traffic, rng: np.random.Generator) -> Fixes:
    """Let some units tell the speed of some seconds before, and others a wrong one throughout."""
    lot = rng.random(live.vehicles)[fixes.vehicle_id]
    speed = fixes.speed_dkmh
    before = np.concatenate([speed[: LAG_FIXES * live.vehicles], speed])[: len(speed)]
    scaled = np.rint(speed * rng.choice(SCALES, live.vehicles)[fixes.vehicle_id]).astype(speed.dtype)
    return replace(
        fixes, speed_dkmh=np.where(lot < LAGS, before, np.where(lot < LAGS + SCALED, scaled, speed))
    )


def _with_clock_steps(fixes: Fixes, live: Traffic, rng: np.random.Generator) -> Fixes:
    """Let the clocks of some trucks be wrong for a part of the course."""
    step_s = rng.choice(STEPS_S, live.vehicles)[fixes.vehicle_id]
    wrong = _runs(live, rng, CLOCK_STEPS, (3, 15))
    refused = _runs(live, rng, CLOCK_REFUSED, (3, 15)) & ~wrong
    shift_s = np.where(wrong, step_s, np.where(refused, REFUSED_S, 0.0))
    return replace(fixes, time_us=fixes.time_us + np.rint(shift_s * MICROSECONDS).astype(np.int64))


def _silent_exits(fixes: Fixes, live: Traffic, rng: np.random.Generator, permitted: float) -> Bools:
    """Mark what is not sent since a truck is about to leave the operating area, or has just left it."""
    off = np.maximum(np.abs(fixes.lat_udeg * 1e-6 - CENTRE_LAT), np.abs(fixes.lon_udeg * 1e-6 - CENTRE_LON))
    outside = (off > permitted * HALF_DEG).reshape(live.rounds, live.vehicles)
    leaves = np.zeros_like(outside)
    leaves[1:] = outside[1:] & ~outside[:-1]
    after_s = rng.uniform(*SILENT_AFTER_S, live.vehicles)
    silent = np.zeros_like(outside)
    for at_round, column in np.argwhere(leaves).tolist():
        silent[max(0, round(at_round - SILENT_BEFORE_S)) : round(at_round + after_s[column]) + 1, column] = (
            True
        )
    flat: Bools = silent.ravel()
    return flat


def dense(first: int, start_us: int, seed: int) -> Fixes:
    """Return what one unit measures that sends `DENSE_HZ` fixes a second; `vehicle_id` is 0."""
    ends = Traffic(1, DENSE_S + 1, start_us, seed=seed, first=first).fixes()
    which, share = np.divmod(np.arange(DENSE_S * DENSE_HZ), DENSE_HZ)
    between = {
        name: np.rint(
            getattr(ends, name)[which]
            + (getattr(ends, name)[which + 1].astype(float) - getattr(ends, name)[which]) * share / DENSE_HZ
        ).astype(getattr(ends, name).dtype)
        for name in ("lat_udeg", "lon_udeg")
    }
    time_us = ends.time_us[which] + share * (MICROSECONDS // DENSE_HZ)
    return replace(ends.take(which), time_us=time_us, **between)
