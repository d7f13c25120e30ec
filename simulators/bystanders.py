"""People beside trucks: in the blind zone of a right turn, or passing where it goes straight on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleet.units import MICROSECONDS
from simulators import truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.leg import Draft
    from simulators.projection import Projection
    from simulators.truck import Motion
    from simulators.truth import Row

TARGETS = ("pedestrian", "cycle")
#: Somebody enters the blind zone from this long before the arc on, and stays this long.
EARLY_S, STAY_S = 1.2, (1.0, 3.0)
#: Somebody who only passes is at least this far from any right turn.
FAR_FROM_TURN_M = 150.0
PASSING_TRIES = 8


def conflict(
    turn: Row,
    wrongs: list[Row],
    chance: float,
    place: Callable[[int], dict[str, float]],
    rng: np.random.Generator,
) -> list[Row]:
    """Return the row of somebody in the blind zone during a right turn, or none.

    `place` tells where the truck is at a time.
    """
    draw, early, stay, which = rng.random(), rng.random(), rng.uniform(*STAY_S), rng.integers(len(TARGETS))
    if draw >= chance:
        return []
    started = turn["started_us"] - round(EARLY_S * early * MICROSECONDS)
    ended = min(started + round(stay * MICROSECONDS), turn["ended_us"])
    worse = any(row["kind"] in {"turn_too_fast", "no_stop"} and row.get("care", True) for row in wrongs)
    return [
        {
            "kind": "conflict",
            "started_us": started,
            "ended_us": ended,
            "turn_started_us": turn["started_us"],
            "side": "right",
            "target": TARGETS[which],
            "critical": worse,
            "where": place(started),
        }
    ]


def passing(
    plan: Draft,
    motion: Motion,
    started_us: int,
    expected: float,
    projection: Projection,
    rng: np.random.Generator,
) -> list[Row]:
    """Return rows of people beside a truck far from its right turns: no danger, but a camera sees them."""
    many = int(rng.poisson(expected))
    places = rng.uniform(0, plan.course.path.length_m, (many, PASSING_TRIES))
    stays = rng.uniform(*STAY_S, many)
    which = rng.integers(len(TARGETS), size=many)
    starts = plan.course.path.start_m
    turned = plan.course.path.turned_rad()
    bends = np.flatnonzero(turned > np.deg2rad(20))
    rows: list[Row] = []
    for place, stay, target in zip(places, stays, which, strict=True):
        after, before = starts[bends + 1] + FAR_FROM_TURN_M, starts[bends] - FAR_FROM_TURN_M
        near = ((place[:, None] > before) & (place[:, None] < after)).any(axis=1)
        if near.all():
            continue
        seconds = motion.when_at(float(place[~near][0]))
        begin = started_us + round(seconds * MICROSECONDS)
        rows.append(
            {
                "kind": "passing",
                "started_us": begin,
                "ended_us": begin + round(float(stay) * MICROSECONDS),
                "side": "right",
                "target": TARGETS[int(target)],
                "where": truth.where(plan, motion, seconds, projection),
            }
        )
    return rows
