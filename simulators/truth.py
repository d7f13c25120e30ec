"""What truly happened on a drive: rows of the truth, measured on the exact motion.

A row is a dict that becomes one line of NDJSON: `kind`, `vehicle`, `driver`, `started_us`, `ended_us`
(microseconds since 1970, UTC), `peak` and `limit` where they mean something, `where` {lat, lon}, and
`care`: false where a detector may or may not see it, so that it counts neither for nor against.
`docs/simulators.md` lists the kinds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.units import KMH_PER_MPS, MICROSECONDS
from simulators.dangers import NOTICEABLE_KMH, SHORTEST_SPEEDING_S
from simulators.truck import G_MPS2

if TYPE_CHECKING:
    from simulators.dangers import Speeding
    from simulators.leg import Draft, Turn
    from simulators.projection import Projection
    from simulators.truck import Motion

    Row = dict[str, Any]

STEP_S = 0.1
#: Half as fast again as allowed: the gravest class of the traffic law.
CRITICAL_SHARE = 1.5
#: A truck that was too fast is back at the limit within this way.
BACK_WITHIN_M = 300.0
#: A stop counts from this far before the arc; below the first speed a truck stands, below the second it
#: creeps.
APPROACH_M = 30.0
STOPPED_KMH, SLOW_KMH = 2.0, 10.0
#: Changes of direction that everybody would call a turn; streets that were drawn have no others.
CLEARLY_TURN_DEG = 55.0, 145.0
#: Turns are driven clearly within or clearly above this; between the two nobody can say.
TURN_LIMIT_KMH = 20
CLEARLY_SLOW_KMH, CLEARLY_FAST_KMH = 16.0, 23.0
#: Lateral acceleration at which a loaded and an empty truck come near to rolling over.
ROLLOVER_LOADED_G, ROLLOVER_EMPTY_G = 0.25, 0.35
ROLLOVER_DOUBT_G = 0.05


def speeding(
    plan: Draft, motion: Motion, fast: Speeding, started_us: int, projection: Projection
) -> Row | None:
    """Return the row of planned speeding, or None if the motion did not make it unmistakable.

    It begins when the speed passes the limit by 5 km/h and ends when it is back at the limit.
    """
    from_s = motion.when_at(fast.from_m)
    to_s = motion.when_at(min(fast.to_m + BACK_WITHIN_M, plan.course.path.length_m))
    time = np.arange(from_s, to_s, STEP_S)
    _, speed, _ = motion.at(time)
    excess = speed * KMH_PER_MPS - fast.limit_kmh
    above = np.flatnonzero(excess > NOTICEABLE_KMH)
    if len(above) == 0 or (above[-1] - above[0]) * STEP_S < SHORTEST_SPEEDING_S:
        return None
    lawful = np.flatnonzero(excess[above[-1] :] <= 0)
    if len(lawful) == 0:
        return None
    first, end = above[0], above[-1] + lawful[0]
    peak_kmh = float(speed.max() * KMH_PER_MPS)
    source = "class" if fast.limit_kmh == plan.kind.limit_kmh else "street"
    return {
        "kind": "speeding",
        **_span(started_us, time[first], time[end]),
        "peak": round(peak_kmh, 1),
        "limit": fast.limit_kmh,
        "limit_source": source,
        "critical": peak_kmh >= CRITICAL_SHARE * fast.limit_kmh,
        "where": where(plan, motion, float(time[first]), projection),
    }


def right_turn(plan: Draft, motion: Motion, turn: Turn, started_us: int, projection: Projection) -> Row:
    """Return the row of a right turn: the arc's beginning and end, speeds on it, how it was approached."""
    path = plan.course.path
    arc_m, end_m = path.start_m[turn.piece], path.start_m[turn.piece + 1]
    enter_s, exit_s = motion.when_at(arc_m), motion.when_at(end_m)
    _, on_arc, _ = motion.at(np.arange(enter_s, exit_s + STEP_S, STEP_S))
    coming_s = np.arange(motion.when_at(max(arc_m - APPROACH_M, 0.0)), enter_s + STEP_S, STEP_S)
    _, coming, _ = motion.at(coming_s)
    radius = 1 / abs(path.curvature_per_m[turn.piece])
    change_deg = float(np.rad2deg(path.turned_rad()[turn.piece]))
    return {
        "kind": "right_turn",
        **_span(started_us, enter_s, exit_s),
        "care": CLEARLY_TURN_DEG[0] <= change_deg <= CLEARLY_TURN_DEG[1],
        "course_change_deg": round(change_deg, 1),
        "radius_m": round(float(radius), 1),
        "max_speed_kmh": round(float(on_arc.max() * KMH_PER_MPS), 1),
        "min_speed_kmh": round(float(on_arc.min() * KMH_PER_MPS), 1),
        "lateral_g": round(float(on_arc.max() ** 2 / radius / G_MPS2), 3),
        "approach_kmh": round(float(coming.min() * KMH_PER_MPS), 1),
        "stop": stop_class(float(coming.min() * KMH_PER_MPS)) if turn.must_stop else None,
        "loaded": plan.loaded,
        "node": int(plan.course.node[turn.piece]),
        "where": where(plan, motion, (enter_s + exit_s) / 2, projection),
    }


def stop_class(slowest_kmh: float) -> str:
    """Return how a must-stop junction was approached."""
    if slowest_kmh <= STOPPED_KMH:
        return "stopped"
    return "slow" if slowest_kmh <= SLOW_KMH else "not_stopped"


def of_turn(turn: Row) -> list[Row]:
    """Return the rows of what was wrong with a right turn; with `care` false where it is a close call."""
    same = {key: turn[key] for key in ("started_us", "ended_us", "where")}
    rows: list[Row] = []
    fastest, lateral = turn["max_speed_kmh"], turn["lateral_g"]
    if fastest > CLEARLY_SLOW_KMH:
        care = fastest >= CLEARLY_FAST_KMH
        rows.append({"kind": "turn_too_fast", **same, "peak": fastest, "limit": TURN_LIMIT_KMH, "care": care})
    if turn["stop"] == "not_stopped":
        rows.append({"kind": "no_stop", **same, "peak": turn["approach_kmh"], "limit": 0})
    margin = ROLLOVER_LOADED_G if turn["loaded"] else ROLLOVER_EMPTY_G
    if lateral > margin - ROLLOVER_DOUBT_G:
        care = lateral > margin + ROLLOVER_DOUBT_G
        rows.append({"kind": "rollover_margin", **same, "peak": lateral, "limit": margin, "care": care})
    return rows


def where(plan: Draft, motion: Motion, seconds: float, projection: Projection) -> dict[str, float]:
    """Return the position at a time of the drive, degrees."""
    distance, _, _ = motion.at(np.array([seconds]))
    x, y, _ = plan.course.path.at(distance)
    lat, lon = projection.to_degrees(x, y)
    return {"lat": round(float(lat[0]), 6), "lon": round(float(lon[0]), 6)}


def _span(started_us: int, from_s: float, to_s: float) -> dict[str, int]:
    begin, end = (started_us + round(float(s) * MICROSECONDS) for s in (from_s, to_s))
    return {"started_us": begin, "ended_us": end}
