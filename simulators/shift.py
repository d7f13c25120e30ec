"""A truck's working day: plant, building site, wash, plant; each drive with the standing at its end.

Drives are made one after another from the truck's own random streams, so that any truck can be
simulated alone and the same drive is made twice exactly alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from fleet.units import MICROSECONDS
from simulators import course, leg, truth
from simulators.streams import stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from simulators.city import City
    from simulators.course import Course
    from simulators.crew import Truck
    from simulators.dangers import Dangers
    from simulators.leg import Draft
    from simulators.truck import Motion
    from simulators.truth import Row

LOADING_S = (480.0, 900.0)
POURING_S = (900.0, 2400.0)
WASHING_S = (240.0, 480.0)
WASH_SHARE = 0.4
FIRST_DRIVE_OUT_SHARE = 0.5
#: In a lively window, how soon planned speeding begins, and how far under way a truck may be.
LIVELY_LEAD_S = (6.0, 16.0)
LIVELY_SHARE = 0.8
#: A planned danger this close to the beginning or the end of what is observed is not planned.
MARGIN_BEGIN_US, MARGIN_END_US = 4 * MICROSECONDS, 14 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class Window:
    """What is simulated: [from_us, until_us), from one seed."""

    seed: int
    from_us: int
    until_us: int
    #: Every truck is on the road when the window opens, and speeding planned for its first drive begins
    #: within seconds: for demonstrations of a minute.
    lively: bool = False


@dataclass(frozen=True, slots=True)
class Drive:
    """One drive of one truck, exact."""

    truck: Truck
    started_us: int
    course: Course
    motion: Motion
    loaded: bool
    odometer_m: float
    truth: tuple[Row, ...]

    @property
    def ended_us(self) -> int:
        """When the standing after the drive is over and the next drive begins."""
        return self.started_us + round(self.motion.duration_s * MICROSECONDS)


def drives(city: City, truck: Truck, plan: Dangers, window: Window) -> Iterator[Drive]:
    """Yield the truck's drives that touch the window, in order."""
    rng = stream(window.seed, "shift", truck.number)
    home = city.sites_of("plant")[truck.plant % len(city.sites_of("plant"))]
    place = home if rng.random() < FIRST_DRIVE_OUT_SHARE else int(rng.choice(city.sites_of("site")))
    odometer_m, at_us = truck.odometer_m, None
    for number in count():
        goal, dwell_s = _next_stop(city, place, home, rng)
        draft = _draft(city, truck, plan, (place, goal), (window.seed, number), dwell_s)
        motion = leg.solve(draft)
        if at_us is None:
            at_us = window.from_us - _under_way_us(draft, motion, rng, lively=window.lively)
        drive = _drive(city, truck, draft, motion, window, at_us, odometer_m)
        yield drive
        place, at_us = goal, drive.ended_us
        odometer_m += drive.course.path.length_m
        if at_us >= window.until_us:
            return


def _next_stop(city: City, place: int, home: int, rng: np.random.Generator) -> tuple[int, float]:
    """Return where the truck goes next, and how long it stands there, seconds."""
    kind = city.sites[place].kind
    if kind == "plant":
        return int(rng.choice(city.sites_of("site"))), float(rng.uniform(*POURING_S))
    if kind == "site" and rng.random() < WASH_SHARE:
        return int(rng.choice(city.sites_of("wash"))), float(rng.uniform(*WASHING_S))
    return home, float(rng.uniform(*LOADING_S))


def _draft(
    city: City,
    truck: Truck,
    plan: Dangers,
    ends: tuple[int, int],
    drive_key: tuple[int, int],
    dwell_s: float,
) -> Draft:
    seed, number = drive_key
    origin, goal = city.sites[ends[0]], city.sites[ends[1]]
    laid = course.between(city, origin, goal, city.lawful.way(origin.edge, goal.edge))
    rng = stream(seed, "drive", truck.number, number)
    loaded = goal.kind == "site"
    return leg.draft(city, laid, truck.kind, truck.driver, plan, rng, loaded=loaded, dwell_s=dwell_s)


def _under_way_us(draft: Draft, motion: Motion, rng: np.random.Generator, *, lively: bool) -> int:
    """Return how long the first drive has been going on when the window opens."""
    standing_s = float(draft.stop_s[-1])
    share, lead_s = rng.random(), rng.uniform(*LIVELY_LEAD_S)
    seconds = share * motion.duration_s
    if lively:
        seconds = share * LIVELY_SHARE * (motion.duration_s - standing_s)
        if draft.speeding is not None:
            seconds = max(motion.when_at(draft.speeding.from_m) - lead_s, 0.0)
    return round(seconds * MICROSECONDS)


def _drive(
    city: City, truck: Truck, draft: Draft, motion: Motion, window: Window, at_us: int, odometer_m: float
) -> Drive:
    """Return the drive with its truth; speeding that cannot be seen whole is taken back."""
    fast = truth.speeding(draft, motion, at_us, city.projection)
    if draft.speeding is not None and (fast is None or not _inside(fast, window)):
        draft, fast = replace(draft, speeding=None), None
        motion = leg.solve(draft)
    rows = [truth.right_turn(draft, motion, turn, at_us, city.projection) for turn in draft.turns]
    if fast is not None:
        rows.append(fast)
    who = {"vehicle": truck.code, "driver": truck.driver.code}
    marked = tuple({**row, **who, "care": _inside(row, window)} for row in rows if _touches(row, window))
    return Drive(truck, at_us, draft.course, motion, draft.loaded, odometer_m, marked)


def _inside(row: Row, window: Window) -> bool:
    begins = row["started_us"] >= window.from_us + MARGIN_BEGIN_US
    return bool(begins and row["ended_us"] <= window.until_us - MARGIN_END_US)


def _touches(row: Row, window: Window) -> bool:
    return bool(row["ended_us"] > window.from_us and row["started_us"] < window.until_us)
