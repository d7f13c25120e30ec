"""One drive from a site to another: where it is held up, what goes wrong on it, and its exact motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleet.units import KMH_PER_MPS
from simulators import dangers as danger
from simulators import truck
from simulators.path import BEND_DEG

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulators.city import City
    from simulators.course import Course
    from simulators.dangers import Dangers, Speeding
    from simulators.truck import Driver, Kind, Motion

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

CELL_M = 2.0
YARD_KMH = 8.0
#: Corner speed holds from this far before the arc to this far beyond it.
BEFORE_CORNER_M, AFTER_CORNER_M = 11.0, 15.0
LEFT_CORNER_FACTOR = 1.3
RED_SHARE = 0.35
#: Where trucks stand before a junction, and how long at a red light and at a must-stop junction.
STOP_LINE_M = 8.0
RED_S = (6.0, 45.0)
MUST_STOP_S = (3.5, 6.0)
#: Stops closer to one another, or to the ends of the drive, are one.
STOPS_APART_CELLS = 5
#: A truck is slow from this far before a school's zone to this far beyond it.
ZONE_MARGIN_M = 40.0
#: The speed liked changes every so often, in a slow wave.
SWAY_STEP_M, SWAY_LENGTH_M = 90.0, 630.0


@dataclass(frozen=True, slots=True)
class Turn:
    """A right turn, as planned: at a junction, or at a site's mouth, where nothing is done badly."""

    piece: int
    must_stop: bool = False
    fast_mps: float | None = None
    #: At a must-stop junction: no stop is made; the truck rolls through, or creeps if `slowly`.
    rolling: bool = False
    slowly: bool = False

    def corner_mps(self) -> float | None:
        """Return the speed of the corner if it is driven badly."""
        if self.fast_mps is not None:
            return self.fast_mps
        if self.rolling:
            return (danger.SLOWLY_KMH if self.slowly else danger.ROLLING_KMH) / KMH_PER_MPS
        return None


@dataclass(frozen=True, slots=True)
class Draft:
    """A drive before its motion is solved. Cells (n,) are of equal length."""

    course: Course
    kind: Kind
    driver: Driver
    loaded: bool
    cell_m: float
    #: The limit that binds the truck, km/h, and the speed that it would like, m/s.
    limit_kmh: Floats
    cap_mps: Floats
    #: Knots to stand at and for how long; the last is the end of the drive.
    stop_knot: Ints
    stop_s: Floats
    turns: tuple[Turn, ...]
    speeding: tuple[Speeding, ...]


def draft(
    city: City,
    course: Course,
    kind: Kind,
    driver: Driver,
    plan: Dangers,
    rng: np.random.Generator,
    *,
    loaded: bool,
    dwell_s: float,
) -> Draft:
    """Plan one drive: right turns, stops, the speed wanted everywhere, and perhaps a danger or two."""
    turns = _turns(city, course, plan, rng)
    cells = int(np.ceil(course.path.length_m / CELL_M))
    cell_m = course.path.length_m / cells
    middle = truck.cell_middles(cells, cell_m)
    stop_knot, stop_s = _stops(city, course, turns, cell_m, rng)
    limit = _limits(course, kind, middle)
    cruise = limit / KMH_PER_MPS * _habit(course, driver, middle, rng)
    hold = _holds(course, driver, turns, middle)
    held = np.isfinite(hold)
    held[np.clip(stop_knot, 0, cells - 1)] = True
    wanted = int(rng.poisson(plan.speeding))
    speeding = danger.plan_speeding(course, limit, held, cell_m, rng, wanted)
    return Draft(
        course,
        kind,
        driver,
        loaded,
        cell_m,
        limit,
        np.minimum(cruise, hold),
        np.append(stop_knot, cells),
        np.append(stop_s, dwell_s),
        turns,
        speeding,
    )


def solve(plan: Draft) -> Motion:
    """Return the motion of a drive, its planned speeding included."""
    cap = plan.cap_mps
    middle = truck.cell_middles(len(cap), plan.cell_m)
    for fast in plan.speeding:
        cap = np.where((middle >= fast.from_m) & (middle <= fast.to_m), fast.speed_mps, cap)
    kind = plan.kind
    free = kind.accelerate_loaded_mps2 if plan.loaded else kind.accelerate_empty_mps2
    brisk = plan.driver.briskness
    return truck.drive(
        plan.cell_m,
        cap,
        plan.stop_knot,
        plan.stop_s,
        accelerate=free * brisk,
        brake=kind.brake_mps2 * brisk,
    )


def _turns(city: City, course: Course, plan: Dangers, rng: np.random.Generator) -> tuple[Turn, ...]:
    """Decide for every right turn of the course whether and how it is driven badly."""
    turns = []
    for piece in course.right_turns().tolist():
        draw = rng.random(3)
        must_stop = bool(city.streets.must_stop[course.node[piece]])
        possible = danger.fast_turn_mps(course.path.curvature_per_m[piece])
        fast = possible if draw[0] < plan.fast_turn else None
        rolling = must_stop and (fast is not None or bool(draw[1] < plan.no_stop))
        slowly = fast is None and bool(draw[2] < danger.SLOWLY_SHARE)
        turns.append(Turn(piece, must_stop, fast, rolling, slowly))
    return tuple(turns)


def _stops(
    city: City, course: Course, turns: tuple[Turn, ...], cell_m: float, rng: np.random.Generator
) -> tuple[Ints, Floats]:
    """Return the knots at which the truck stands on its way, and the seconds it stands there."""
    arc = np.flatnonzero(course.node >= 0)
    node = course.node[arc]
    chance = rng.random(len(arc))
    red_s, law_s = rng.uniform(*RED_S, len(arc)), rng.uniform(*MUST_STOP_S, len(arc))
    lawful = {t.piece for t in turns if t.must_stop and not t.rolling}
    driven_badly = {t.piece for t in turns if t.rolling or t.fast_mps is not None}
    by_law = np.isin(arc, list(lawful))
    red = city.streets.signals[node] & (chance < RED_SHARE) & ~np.isin(arc, list(driven_badly))
    stands = by_law | red
    knot = np.round((course.path.start_m[arc] - STOP_LINE_M) / cell_m).astype(np.int64)[stands]
    seconds = np.where(by_law, law_s, red_s)[stands]
    last = int(np.ceil(course.path.length_m / cell_m)) - STOPS_APART_CELLS
    apart = np.diff(knot, prepend=0) >= STOPS_APART_CELLS
    kept = apart & (knot <= last)
    return knot[kept], seconds[kept]


def _limits(course: Course, kind: Kind, middle_m: Floats) -> Floats:
    """Return the limit that binds the truck in each cell, km/h: class, street and school zone."""
    posted = course.posted_kmh[course.path.piece(middle_m)]
    limit = np.minimum(posted, kind.limit_kmh).astype(np.float64)
    for (begin, end), kmh in zip(course.zone_m, course.zone_kmh, strict=True):
        zone = (middle_m >= begin - ZONE_MARGIN_M) & (middle_m <= end + ZONE_MARGIN_M)
        limit[zone] = np.minimum(limit[zone], kmh)
    return limit


def _habit(course: Course, driver: Driver, middle_m: Floats, rng: np.random.Generator) -> Floats:
    """Return the share of the limit that the driver likes to go, swaying along the way; below 0.94."""
    phase = rng.uniform(0, 2 * np.pi)
    sway = 0.5 + 0.5 * np.sin(2 * np.pi / SWAY_LENGTH_M * (middle_m // SWAY_STEP_M * SWAY_STEP_M) + phase)
    busy = rng.uniform(0.9, 1.0, len(course.edge))[course.path.piece(middle_m)]
    return np.asarray((driver.habit - driver.sway * sway) * busy)


def _holds(course: Course, driver: Driver, turns: tuple[Turn, ...], middle_m: Floats) -> Floats:
    """Return the speed that corners, bends and yards allow in each cell, m/s; infinite elsewhere."""
    path = course.path
    piece = path.piece(middle_m)
    hold = np.where(course.yard[piece], YARD_KMH / KMH_PER_MPS, np.inf)
    turned = path.turned_rad()
    corner_mps = driver.corner_kmh / KMH_PER_MPS
    badly = {t.piece: t.corner_mps() for t in turns}
    for arc in np.flatnonzero(np.abs(turned) > np.deg2rad(BEND_DEG)).tolist():
        speed = badly.get(arc) or corner_mps * (LEFT_CORNER_FACTOR if turned[arc] < 0 else 1.0)
        first, last = np.searchsorted(
            middle_m, [path.start_m[arc] - BEFORE_CORNER_M, path.start_m[arc + 1] + AFTER_CORNER_M]
        )
        hold[first:last] = np.minimum(hold[first:last], speed)
    return np.minimum(hold, _bend_mps(course, driver, piece))


def _bend_mps(course: Course, driver: Driver, piece: Ints) -> Floats:
    """Return the speed that lateral acceleration allows in bends, also in the cells beside them."""
    curvature = np.abs(course.path.curvature_per_m)
    bend = np.abs(course.path.turned_rad()) <= np.deg2rad(BEND_DEG)
    free = np.where(bend & (curvature > 0), curvature, 0.0)[piece]
    widest = np.maximum(free, np.maximum(np.roll(free, 1), np.roll(free, -1)))
    allowed = np.sqrt(driver.bend_g * truck.G_MPS2 / np.maximum(widest, 1e-9))
    return np.where(widest > 0, allowed, np.inf)
