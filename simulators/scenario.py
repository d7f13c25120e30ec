"""A named scenario made concrete: who, where, what truly happens, and the messages of it.

>>> plan = build("demo", seed=1, trucks=20, duration_s=60, start_us=0)
>>> len(plan.registry["vehicles"])
20
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleet.units import MICROSECONDS, to_datetime
from simulators import city, crew, sending, shift
from simulators.errors import SimulatorError
from simulators.intervals import Intervals
from simulators.recipes import RECIPES, Recipe
from simulators.sampling import States
from simulators.streams import stream
from simulators.track import Track
from simulators.world import Window, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.columns import Fixes
    from simulators.messages import Message
    from simulators.truth import Row

#: States are sampled for this much time at once; longer while all trucks are parked.
STEP_S, NIGHT_STEP_S = 60.0, 3600.0
#: After a shift, until every truck is back at its plant.
HOMEWARD_S = 5400.0
DAY_S = 86_400.0
#: A scenario of one go is no longer.
LONGEST_S = 31 * DAY_S
TUNNEL_MARGIN_S = 3.0
#: How long before and after it has left the operating area a unit is silent.
SILENT_BEFORE_S, SILENT_AFTER_S = (2.0, 20.0), (5.0, 60.0)
OFFLINE_S, COVERED_S = (900.0, 2700.0), (900.0, 7200.0)
TRUCKS_PER_PLANT, SITES_PER_PLANT = 25, 4
FEWEST_PLANTS, MAX_PLANTS, MAX_SITES = 2, 16, 80


class Step(NamedTuple):
    """What all trucks did in [from, until)."""

    from_us: int
    until_us: int
    states: States
    #: Truth that begins in the step.
    rows: list[Row]


@dataclass(frozen=True)
class Plan:
    """A concrete scenario. Everything follows from the fields; asking twice gives the same bytes."""

    name: str
    recipe: Recipe
    world: World
    companies: list[crew.Company]
    trucks: list[crew.Truck]

    @property
    def registry(self) -> dict[str, Any]:
        """Companies, vehicles, drivers and passes, as `kerbsafe registry import` reads them."""
        window = self.world.window
        days = to_datetime(window.from_us - 86_400 * MICROSECONDS), to_datetime(window.until_us)
        return crew.registry(self.companies, self.trucks, self.world.passes, days)

    @property
    def fences(self) -> dict[str, Any]:
        """All fences as a GeoJSON FeatureCollection, WGS 84."""
        return self.world.city.fences()

    @property
    def streets(self) -> dict[str, Any]:
        """The streets as GeoJSON LineStrings, WGS 84: something to draw under the trucks."""
        return self.world.city.street_lines()

    @cached_property
    def truth(self) -> list[Row]:
        """What truly happens in the window, in order of time; the same whatever the faults."""
        rows = [row for t in self.trucks for made in shift.drives(self.world, t) for row in made.truth]
        rows += _stretches("offline", self.world.offline, self.trucks, self.world.window)
        rows += _stretches("camera_covered", self.world.covered, self.trucks, self.world.window)
        return sorted(rows, key=lambda row: (row["started_us"], row["vehicle"], row["kind"]))

    @cached_property
    def planned_outages(self) -> Intervals:
        """With `tunnel`, one that hides the first speeding of the truth whole; otherwise none."""
        fast = [row for row in self.truth if row["kind"] == "speeding" and row["care"]]
        if not (self.recipe.tunnel and fast):
            return Intervals.of([])
        hidden = min(fast, key=lambda row: (row["ended_us"], row["vehicle"]))
        number = next(t.number for t in self.trucks if t.code == hidden["vehicle"])
        margin = round(TUNNEL_MARGIN_S * MICROSECONDS)
        return Intervals.of([(number, hidden["started_us"] - margin, hidden["ended_us"] + margin)])

    @cached_property
    def silent_exits(self) -> Intervals:
        """Of some ways out of the operating area, when the unit is silent: nobody sees it leave."""
        rng = stream(self.world.window.seed, "silent exits")
        number = {truck.code: truck.number for truck in self.trucks}
        rows = []
        for row in self.truth:
            before_s, after_s = rng.uniform(*SILENT_BEFORE_S), rng.uniform(*SILENT_AFTER_S)
            if row["kind"] == "permitted" and rng.random() < self.recipe.faults.silent_exit_share:
                from_us = row["started_us"] - round(before_s * MICROSECONDS)
                until_us = row["started_us"] + round(after_s * MICROSECONDS)
                rows.append((number[row["vehicle"]], from_us, until_us))
        return Intervals.of(rows)

    @cached_property
    def intervals_us(self) -> list[int]:
        """How often each truck's unit reports."""
        seconds, shares = zip(*self.recipe.intervals, strict=True)
        rng = stream(self.world.window.seed, "intervals")
        drawn = rng.choice(seconds, size=len(self.trucks), p=np.array(shares) / sum(shares))
        return [round(s * MICROSECONDS) for s in drawn.tolist()]

    def messages(self) -> Iterator[list[Message]]:
        """Yield the messages in the order in which they are sent, in batches."""
        return sending.messages(self)

    def columns(self) -> Iterator[Fixes]:
        """Yield what sound units measure, in time order for each truck: for benches of the engine."""
        return sending.columns(self)

    def steps(self) -> Iterator[Step]:
        """Yield what all trucks do, step by step; units that are offline are left out."""
        tracks = [
            Track(shift.drives(self.world, truck), interval)
            for truck, interval in zip(self.trucks, self.intervals_us, strict=True)
        ]
        for from_us, until_us in self._spans():
            parts = [part for track in tracks for part in track.states(from_us, until_us)]
            rows = [row for track in tracks for row in track.rows(until_us)]
            if parts:
                states = States.concat(parts)
                states = states.take(self.world.offline.which(states.truck, states.time_us) < 0)
                yield Step(from_us, until_us, states, rows)

    def _spans(self) -> Iterator[tuple[int, int]]:
        """Yield short steps while trucks work and long ones while they are parked."""
        window = self.world.window
        short, long = (round(s * MICROSECONDS) for s in (STEP_S, NIGHT_STEP_S))
        homeward = round(HOMEWARD_S * MICROSECONDS)
        at_us = window.from_us
        while at_us < window.until_us:
            busy = any(start - long <= at_us < end + homeward for start, end in window.shifts)
            until_us = min(at_us + (short if busy else long), window.until_us)
            yield at_us, until_us
            at_us = until_us


def build(
    name: str,
    seed: int,
    trucks: int,
    duration_s: float,
    start_us: int,
    *,
    lines: dict[str, Any] | None = None,
    **changes: Any,
) -> Plan:
    """Make a named scenario concrete.

    Parameters
    ----------
    name
        One of `RECIPES`.
    seed, trucks, duration_s, start_us
        The same four give the same bytes. A recipe of several days spreads `duration_s` over them.
    lines
        GeoJSON street lines (WGS 84) to drive on; without them the streets are drawn from the seed.
    changes
        Fields of the recipe to replace, for instance `faults=FaultPlan(loss=0.1)`.

    Raises
    ------
    SimulatorError
        If the name is not known or a number makes no sense.
    """
    if name not in RECIPES:
        raise SimulatorError(f"there is no scenario {name!r}; choose one of {', '.join(RECIPES)}")
    if trucks < 1 or not 0 < duration_s < math.inf or seed < 0:
        raise SimulatorError(
            f"a scenario needs trucks, time and a seed from 0 on,"
            f" not {trucks} trucks for {duration_s:g} s with seed {seed}"
        )
    recipe = replace(RECIPES[name], **changes)
    longest_s = LONGEST_S if recipe.days == 1 else recipe.days * (DAY_S - HOMEWARD_S)
    if duration_s > longest_s:
        raise SimulatorError(
            f"{name!r} lasts at most {longest_s / 3600:g} hours, not {duration_s / 3600:g}; ask for fewer"
        )
    plants = int(np.clip(trucks // TRUCKS_PER_PLANT, FEWEST_PLANTS, MAX_PLANTS))
    place = city.make(seed, plants, min(plants * SITES_PER_PLANT + 4, MAX_SITES), lines)
    firms = crew.companies(max(plants // 2, 1))
    window = _window(recipe, seed, start_us, duration_s)
    span = (window.from_us, window.until_us)
    world = World(
        window,
        place,
        recipe.dangers,
        Intervals.draw(stream(seed, "offline"), trucks, span, recipe.dangers.offline, OFFLINE_S),
        Intervals.draw(stream(seed, "covered"), trucks, span, recipe.dangers.covered, COVERED_S),
        _passes(recipe, seed, trucks, place),
    )
    return Plan(name, recipe, world, firms, crew.trucks(seed, trucks, plants, firms))


def _window(recipe: Recipe, seed: int, start_us: int, duration_s: float) -> Window:
    if recipe.days == 1:
        until_us = start_us + round(duration_s * MICROSECONDS)
        return Window(seed, start_us, until_us, ((start_us, until_us),), recipe.lively)
    hours_us = round(duration_s / recipe.days * MICROSECONDS)
    starts = [start_us + round(day * DAY_S * MICROSECONDS) for day in range(recipe.days)]
    until_us = starts[-1] + hours_us + round(HOMEWARD_S * MICROSECONDS)
    return Window(seed, start_us, until_us, tuple((s, s + hours_us) for s in starts), recipe.lively)


def _passes(recipe: Recipe, seed: int, trucks: int, place: city.City) -> dict[int, frozenset[str]]:
    """Return who may enter which forbidden area."""
    rng = stream(seed, "passes")
    codes = sorted({code for code, _ in place.forbidden_edges})
    holds, which = rng.random(trucks) < recipe.pass_share, rng.random(trucks)
    if not codes:
        return {}
    return {
        number: frozenset([codes[int(which[number] * len(codes))]])
        for number in np.flatnonzero(holds).tolist()
    }


def _stretches(kind: str, intervals: Intervals, trucks: list[crew.Truck], window: Window) -> Iterator[Row]:
    """Yield the rows of stretches of time that were drawn and not driven."""
    for number, start, end in zip(
        intervals.truck.tolist(), intervals.start_us.tolist(), intervals.end_us.tolist(), strict=True
    ):
        who = trucks[number]
        row: Row = {"kind": kind, "started_us": start, "ended_us": end, "vehicle": who.code}
        yield {**row, "driver": who.driver.code, "care": window.holds(row)}
