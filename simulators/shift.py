"""A truck's working days: plant, building site, wash, plant; parked at its plant in between.

Drives are made one after another from the truck's own random streams, so that any truck can be
simulated alone and the same drive is made twice exactly alike.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from fleet.units import MICROSECONDS
from simulators import course, drive, leg
from simulators.drive import Errand
from simulators.streams import stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from simulators.city import City
    from simulators.crew import Truck
    from simulators.drive import Drive
    from simulators.leg import Draft
    from simulators.truck import Motion
    from simulators.world import World

LOADING_S = (480.0, 900.0)
POURING_S = (900.0, 2400.0)
WASHING_S = (240.0, 480.0)
#: Where concrete has set: clearly longer than a site's limit of 90 minutes.
LONG_DWELL_S = (6300.0, 9000.0)
WASH_SHARE = 0.4
FIRST_DRIVE_OUT_SHARE = 0.5
#: In a lively window, how soon planned speeding begins, and how far under way a truck may be.
LIVELY_LEAD_S = (6.0, 16.0)
LIVELY_SHARE = 0.8
#: No truck leaves its plant so late in a shift; parked, it turns the ignition off after a while, and is
#: back so long after the next shift has begun.
LAST_START_S = 2400.0
IGNITION_OFF_AFTER_S = 300.0
MORNING_S = (60.0, 1200.0)


class Goal(NamedTuple):
    """Where a drive ends, how long the truck stands there, and on which streets it goes there."""

    site: int
    dwell_s: float
    way: list[int]
    lawful: bool
    parked_after_s: float | None = None


def drives(world: World, truck: Truck) -> Iterator[Drive]:
    """Yield the truck's drives that touch the window, in order."""
    city, window = world.city, world.window
    rng = stream(window.seed, "shift", truck.number)
    home = city.sites_of("plant")[truck.plant % len(city.sites_of("plant"))]
    place = home if rng.random() < FIRST_DRIVE_OUT_SHARE else int(rng.choice(city.sites_of("site")))
    odometer_m, at_us = truck.odometer_m, None
    for number in count():
        goal = _goal(world, place, home, rng)
        start = _Start(truck, number, place, at_us, odometer_m)
        made = _drive(world, start, goal, rng, home)
        place, at_us = goal.site, made.ended_us
        odometer_m += made.course.path.length_m
        yield made
        if at_us >= window.until_us:
            return


class _Start(NamedTuple):
    """Where and when a drive begins; `at_us` is None for the first, which is under way already."""

    truck: Truck
    number: int
    place: int
    at_us: int | None
    odometer_m: float


def _drive(world: World, start: _Start, goal: Goal, rng: np.random.Generator, home: int) -> Drive:
    """Make one drive; apart from the generator, so that it keeps no draft of 100 KB alive."""
    draft = _draft(world, start.truck, start.place, goal, start.number)
    motion = leg.solve(draft)
    at_us = start.at_us
    if at_us is None:
        window = world.window
        at_us = window.from_us - _under_way_us(draft, motion, rng, lively=window.lively)
    night = _night(world, goal, home, at_us + round(motion.duration_s * MICROSECONDS), rng)
    if night is not None:
        draft, motion = _longer(draft, night)
    site = world.city.sites[goal.site].code
    parked = None if night is None else IGNITION_OFF_AFTER_S
    errand = Errand(start.truck, start.number, site, at_us, start.odometer_m, goal.lawful, parked)
    return drive.make(world, errand, draft, motion)


def _goal(world: World, place: int, home: int, rng: np.random.Generator) -> Goal:
    """Return where the truck goes next; every call draws the same number of random numbers."""
    city, plan = world.city, world.dangers
    chance = rng.random(4)
    anywhere = {kind: int(rng.choice(city.sites_of(kind))) for kind in ("site", "wash")}
    kind = city.sites[place].kind
    if kind == "plant":
        dwell = LONG_DWELL_S if chance[0] < plan.long_dwell else POURING_S
        site = anywhere["site"]
    elif kind == "site" and chance[1] < WASH_SHARE:
        dwell, site = WASHING_S, anywhere["wash"]
    else:
        dwell, site = LOADING_S, home
    dwell_s = float(rng.uniform(*dwell))
    through = _detour(city, plan.forbidden, plan.beyond, chance[2], chance[3])
    ends = city.sites[place].edge, city.sites[site].edge
    if through is None:
        return Goal(site, dwell_s, city.lawful.way(*ends), lawful=True)
    there, back = city.unlawful.way(ends[0], through), city.unlawful.way(through, ends[1])
    return Goal(site, dwell_s, there + back[1:], lawful=False)


def _detour(city: City, forbidden: float, beyond: float, chance: float, which: float) -> int | None:
    """Return a street that the truck must not use and passes through, or None."""
    inside = [edge for _, edge in city.forbidden_edges]
    if chance < forbidden and inside:
        return inside[int(which * len(inside))]
    if chance < forbidden + beyond and city.outside_edges:
        return city.outside_edges[int(which * len(city.outside_edges))]
    return None


def _draft(world: World, truck: Truck, place: int, goal: Goal, number: int) -> Draft:
    city = world.city
    laid = course.between(city, city.sites[place], city.sites[goal.site], goal.way)
    rng = stream(world.window.seed, "drive", truck.number, number)
    loaded = city.sites[goal.site].kind == "site"
    return leg.draft(
        city, laid, truck.kind, truck.driver, world.dangers, rng, loaded=loaded, dwell_s=goal.dwell_s
    )


def _under_way_us(draft: Draft, motion: Motion, rng: np.random.Generator, *, lively: bool) -> int:
    """Return how long the first drive has been going on when the window opens."""
    standing_s = float(draft.stop_s[-1])
    share, lead_s = rng.random(), rng.uniform(*LIVELY_LEAD_S)
    seconds = share * motion.duration_s
    if lively:
        seconds = share * LIVELY_SHARE * (motion.duration_s - standing_s)
        if draft.speeding:
            first = min(fast.from_m for fast in draft.speeding)
            seconds = max(motion.when_at(first) - lead_s, 0.0)
    return round(seconds * MICROSECONDS)


def _night(world: World, goal: Goal, home: int, leaves_us: int, rng: np.random.Generator) -> float | None:
    """Return how much longer the truck stands because its shift is over, seconds; None if it is not."""
    late_s = rng.uniform(*MORNING_S)
    if goal.site != home or len(world.window.shifts) == 1:
        return None
    begun = [end for start, end in world.window.shifts if start <= leaves_us]
    if begun and leaves_us <= begun[-1] - LAST_START_S * MICROSECONDS:
        return None
    later = [start for start, _ in world.window.shifts if start > leaves_us]
    morning_us = later[0] + round(late_s * MICROSECONDS) if later else world.window.until_us
    return max((morning_us - leaves_us) / MICROSECONDS, 0.0)


def _longer(draft: Draft, seconds: float) -> tuple[Draft, Motion]:
    """Return the drive with a longer standing at its end."""
    stop_s = draft.stop_s.copy()
    stop_s[-1] += seconds
    longer = replace(draft, stop_s=stop_s)
    return longer, leg.solve(longer)
