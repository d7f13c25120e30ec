"""What truly happened on a drive: rows of the truth, measured on the exact motion.

A row is a dict that becomes one line of NDJSON: `kind`, `vehicle`, `driver`, `started_us`, `ended_us`
(microseconds since 1970, UTC), `peak` and `limit` where they mean something, `where` {lat, lon}, and
`care`: false where a detector may or may not see it, so that it counts neither for nor against.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.units import KMH_PER_MPS, MICROSECONDS
from simulators.dangers import NOTICEABLE_KMH, SHORTEST_SPEEDING_S
from simulators.truck import G_MPS2

if TYPE_CHECKING:
    from simulators.leg import Draft, Turn
    from simulators.projection import Projection
    from simulators.truck import Motion

    Row = dict[str, Any]

#: A stop counts from this far before the arc; below this speed, for this long, a truck has stopped.
APPROACH_M = 30.0
STEP_S = 0.1
STOPPED_KMH, SLOW_KMH = 2.0, 10.0


def speeding(plan: Draft, motion: Motion, started_us: int, projection: Projection) -> Row | None:
    """Return the row of the planned speeding, or None if the motion did not make it unmistakable.

    It begins when the speed passes the limit by 5 km/h and ends when it is back at the limit.
    """
    if plan.speeding is None:
        return None
    fast = plan.speeding
    from_s = motion.when_at(fast.from_m)
    to_s = motion.when_at(min(fast.to_m + 300.0, plan.course.path.length_m))
    time = np.arange(from_s, to_s, STEP_S)
    _, speed = motion.at(time)
    excess = speed * KMH_PER_MPS - fast.limit_kmh
    above = np.flatnonzero(excess > NOTICEABLE_KMH)
    if len(above) == 0 or (above[-1] - above[0]) * STEP_S < SHORTEST_SPEEDING_S:
        return None
    lawful = np.flatnonzero(excess[above[-1] :] <= 0)
    if len(lawful) == 0:
        return None
    first, end = above[0], above[-1] + lawful[0]
    source = "class" if fast.limit_kmh == plan.kind.limit_kmh else "street"
    return {
        "kind": "speeding",
        "started_us": _at(started_us, time[first]),
        "ended_us": _at(started_us, time[end]),
        "peak": round(float(speed.max() * KMH_PER_MPS), 1),
        "limit": fast.limit_kmh,
        "limit_source": source,
        "where": _where(plan, motion, float(time[first]), projection),
    }


def right_turn(plan: Draft, motion: Motion, turn: Turn, started_us: int, projection: Projection) -> Row:
    """Return the row of a right turn: the arc's beginning and end, speeds on it, how it was approached."""
    path = plan.course.path
    arc_m, end_m = path.start_m[turn.piece], path.start_m[turn.piece + 1]
    enter_s, exit_s = motion.when_at(arc_m), motion.when_at(end_m)
    _, on_arc = motion.at(np.arange(enter_s, exit_s + STEP_S, STEP_S))
    approach = np.arange(motion.when_at(max(arc_m - APPROACH_M, 0.0)), enter_s, STEP_S)
    _, coming = motion.at(approach)
    radius = 1 / abs(path.curvature_per_m[turn.piece])
    return {
        "kind": "right_turn",
        "started_us": _at(started_us, enter_s),
        "ended_us": _at(started_us, exit_s),
        "course_change_deg": round(float(np.rad2deg(path.turned_rad()[turn.piece])), 1),
        "radius_m": round(float(radius), 1),
        "max_speed_kmh": round(float(on_arc.max() * KMH_PER_MPS), 1),
        "min_speed_kmh": round(float(on_arc.min() * KMH_PER_MPS), 1),
        "lateral_g": round(float(on_arc.max() ** 2 / radius / G_MPS2), 3),
        "approach_kmh": round(float(coming.min() * KMH_PER_MPS), 1) if len(coming) else None,
        "must_stop": turn.must_stop,
        "node": int(plan.course.node[turn.piece]),
        "where": _where(plan, motion, (enter_s + exit_s) / 2, projection),
    }


def _at(started_us: int, seconds: float) -> int:
    return started_us + round(float(seconds) * MICROSECONDS)


def _where(plan: Draft, motion: Motion, seconds: float, projection: Projection) -> dict[str, float]:
    distance, _ = motion.at(np.array([seconds]))
    x, y, _ = plan.course.path.at(distance)
    lat, lon = projection.to_degrees(x, y)
    return {"lat": round(float(lat[0]), 6), "lon": round(float(lon[0]), 6)}
