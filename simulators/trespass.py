"""Where a drive truly enters forbidden areas or leaves the operating area, measured on its path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from fleet.units import MICROSECONDS
from simulators import truth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulators.areas import Area
    from simulators.city import City
    from simulators.leg import Draft
    from simulators.truck import Motion
    from simulators.truth import Row

    Bools = NDArray[np.bool_]

STEP_M = 2.0
#: A stay is unmistakable if it reaches this deep and lasts this long.
DEEP_M, LONG_S = 60.0, 20.0
DEPTH_EVERY = 10


def rows(city: City, plan: Draft, motion: Motion, started_us: int, passes: frozenset[str]) -> list[Row]:
    """Return a row for each stay in a forbidden area and each stay out of the operating area.

    Parameters
    ----------
    passes
        Codes of the forbidden areas that this truck may enter; such stays are of kind `with_pass`.
    """
    distance = np.arange(0.0, plan.course.path.length_m, STEP_M)
    x, y, _ = plan.course.path.at(distance)
    made: list[Row] = []
    for area in city.areas:
        if area.kind not in {"forbidden", "permitted"}:
            continue
        polygon = area.polygon()
        shapely.prepare(polygon)
        inside = shapely.contains_xy(polygon, x, y)
        wrong = inside if area.kind == "forbidden" else ~inside
        for first, last in _runs(wrong):
            some = slice(first, last + 1, DEPTH_EVERY)
            deep = float(shapely.distance(polygon.boundary, shapely.points(x[some], y[some])).max())
            kind = "with_pass" if area.code in passes else area.kind
            row = _stay(plan, motion, (distance[first], distance[last]), started_us, city, area)
            care = deep >= DEEP_M and row["ended_us"] - row["started_us"] >= LONG_S * MICROSECONDS
            made.append({**row, "kind": kind, "depth_m": round(deep, 1), "care": bool(care)})
    return made


def _stay(
    plan: Draft, motion: Motion, span_m: tuple[float, float], started_us: int, city: City, area: Area
) -> Row:
    enter_s, leave_s = motion.when_at(span_m[0]), motion.when_at(span_m[1])
    return {
        "kind": area.kind,
        "started_us": started_us + round(enter_s * MICROSECONDS),
        "ended_us": started_us + round(leave_s * MICROSECONDS),
        "fence": area.code,
        "where": truth.where(plan, motion, enter_s, city.projection),
    }


def _runs(mask: Bools) -> list[tuple[int, int]]:
    """Return the first and last index of every run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[0::2], edges[1::2], strict=True)]
