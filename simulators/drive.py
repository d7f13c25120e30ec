"""One drive of one truck with its truth: planned, solved, and freed of what would be ambiguous."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fleet.units import MICROSECONDS
from simulators import bystanders, leg, sites, trespass, truth
from simulators.areas import SITE_DWELL_S
from simulators.streams import stream

if TYPE_CHECKING:
    import numpy as np

    from simulators.course import Course
    from simulators.crew import Truck
    from simulators.intervals import Intervals
    from simulators.leg import Draft
    from simulators.truck import Motion
    from simulators.truth import Row
    from simulators.world import World


@dataclass(frozen=True, slots=True)
class Drive:
    """One drive and the standing after it, exact."""

    truck: Truck
    started_us: int
    course: Course
    motion: Motion
    loaded: bool
    odometer_m: float
    truth: tuple[Row, ...]
    #: From when on the ignition is off; None: it stays on until the next drive.
    parked_us: int | None = None

    @property
    def ended_us(self) -> int:
        """When the standing after the drive is over and the next drive begins."""
        return self.started_us + round(self.motion.duration_s * MICROSECONDS)


@dataclass(frozen=True, slots=True)
class Errand:
    """Which drive it is: the truck, the number among its drives, where it ends, when it began."""

    truck: Truck
    number: int
    site: str
    started_us: int
    odometer_m: float
    lawful: bool
    parked_after_s: float | None


def make(world: World, errand: Errand, draft: Draft, motion: Motion) -> Drive:
    """Return the drive with its truth; speeding that cannot be seen whole, or is not clear, is undone."""
    draft, motion, rows = _speeding(world, errand, draft, motion)
    rng = stream(world.window.seed, "bystanders", errand.truck.number, errand.number)
    rows += _turns(world, errand, draft, motion, rng)
    rows += bystanders.passing(
        draft, motion, errand.started_us, world.dangers.passing, world.city.projection, rng
    )
    if not errand.lawful:
        passes = world.passes.get(errand.truck.number, frozenset())
        rows += trespass.rows(world.city, draft, motion, errand.started_us, passes)
    rows += _long_dwell(world, errand, draft, motion)
    who = {"vehicle": errand.truck.code, "driver": errand.truck.driver.code}
    seen = tuple(_marked(world, errand, {**row, **who}) for row in rows if world.window.touches(row))
    arrived_s = motion.duration_s - float(draft.stop_s[-1])
    parked_s = None if errand.parked_after_s is None else arrived_s + errand.parked_after_s
    return Drive(
        errand.truck,
        errand.started_us,
        draft.course,
        motion,
        draft.loaded,
        errand.odometer_m,
        seen,
        None if parked_s is None else errand.started_us + round(parked_s * MICROSECONDS),
    )


def _speeding(world: World, errand: Errand, draft: Draft, motion: Motion) -> tuple[Draft, Motion, list[Row]]:
    while True:
        found = {
            fast: truth.speeding(draft, motion, fast, errand.started_us, world.city.projection)
            for fast in draft.speeding
        }
        good = tuple(fast for fast, row in found.items() if row is not None and _whole(world, row))
        if len(good) == len(draft.speeding):
            return draft, motion, [row for row in found.values() if row is not None]
        draft = replace(draft, speeding=good)
        motion = leg.solve(draft)


def _whole(world: World, row: Row) -> bool:
    """Say whether a row lies inside the window, or so far outside that nothing of it is seen."""
    return world.window.holds(row) or not world.window.touches(row)


def _turns(world: World, errand: Errand, draft: Draft, motion: Motion, rng: np.random.Generator) -> list[Row]:
    def place(time_us: int) -> dict[str, float]:
        return truth.where(draft, motion, (time_us - errand.started_us) / MICROSECONDS, world.city.projection)

    rows: list[Row] = []
    for turn in draft.turns:
        row = truth.right_turn(draft, motion, turn, errand.started_us, world.city.projection)
        wrongs = truth.of_turn(row)
        rows += [row, *wrongs, *bystanders.conflict(row, wrongs, world.dangers.conflict, place, rng)]
    for mouth in draft.course.mouths():
        # Partly in the site, which nothing that measures to a few metres can tell from the street.
        row = truth.right_turn(draft, motion, leg.Turn(mouth), errand.started_us, world.city.projection)
        rows.append({**row, "care": False})
    return rows


def _long_dwell(world: World, errand: Errand, draft: Draft, motion: Motion) -> list[Row]:
    """Return the row of a stay at a building site from when it is longer than concrete keeps.

    Whoever was there when the window opened may have been there for any time: nobody can say.
    """
    dwell_s = float(draft.stop_s[-1])
    if dwell_s <= SITE_DWELL_S or errand.parked_after_s is not None:
        return []
    ended = errand.started_us + round(motion.duration_s * MICROSECONDS)
    came_s = motion.when_at(draft.course.path.length_m - sites.STAND_M + sites.KERB_M)
    came = errand.started_us + round(came_s * MICROSECONDS)
    return [
        {
            "kind": "dwell",
            "started_us": came + SITE_DWELL_S * MICROSECONDS,
            "ended_us": ended,
            "care": came >= world.window.from_us,
            "peak": round(dwell_s),
            "limit": SITE_DWELL_S,
            "fence": f"site-{errand.site}",
            "where": truth.where(draft, motion, motion.duration_s, world.city.projection),
        }
    ]


def _marked(world: World, errand: Errand, row: Row) -> Row:
    """Return the row with `care`, and with what hides it if something does."""
    care = row.get("care", True) and world.window.holds(row)
    hidden = None
    if _meets(world.offline, errand, row):
        hidden = "offline"
    elif row["kind"] in {"conflict", "passing"} and _meets(world.covered, errand, row):
        hidden = "camera_covered"
    if hidden is None:
        return {**row, "care": care}
    return {**row, "care": False, "hidden_by": hidden}


def _meets(intervals: Intervals, errand: Errand, row: Row) -> bool:
    return intervals.meets(errand.truck.number, row["started_us"], row["ended_us"])
