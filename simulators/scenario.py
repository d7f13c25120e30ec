"""Named scenarios: a city, its trucks, what goes wrong, how it is observed and how that is corrupted.

>>> plan = build("demo", seed=1, trucks=20, duration_s=60, start_us=0)
>>> len(plan.registry["vehicles"])
20
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.units import MICROSECONDS
from simulators import city, crew, dangers, faults, messages, observation, shift
from simulators.dangers import Dangers
from simulators.errors import SimulatorError
from simulators.faults import FaultPlan, Faults, Sends
from simulators.intervals import Intervals
from simulators.observation import Observer, Sensors
from simulators.sampling import States
from simulators.streams import stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.columns import Fixes
    from simulators.city import City
    from simulators.messages import Message
    from simulators.shift import Window
    from simulators.truth import Row

#: Messages are made for this much time at once.
WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """What makes one scenario different from another."""

    about: str
    dangers: Dangers = dangers.NONE
    sensors: Sensors = observation.USUAL
    faults: FaultPlan = faults.NONE
    interval_s: float = 1.0
    lively: bool = False
    #: One truck that is speeding loses its connection meanwhile, and sends it all afterwards.
    tunnel: bool = False


RECIPES = {
    "calm": Recipe("lawful driving, sound units: nothing may be found"),
    "rush": Recipe(
        "many dangers, sound units",
        Dangers(speeding=0.6, fast_turn=0.25, no_stop=0.4, conflict=0.2, forbidden=0.05, beyond=0.03),
    ),
    "storm": Recipe(
        "many dangers and all faults at once",
        Dangers(speeding=0.6, fast_turn=0.25, no_stop=0.4, conflict=0.2, forbidden=0.05, beyond=0.03),
        Sensors(clock_offset_s=0.4, clock_drift_ppm=3.0),
        FaultPlan(
            loss=0.01,
            duplicate=0.02,
            delay=0.01,
            disorder=0.02,
            zero=0.002,
            jump=0.001,
            corrupt=0.002,
            outage_per_hour=0.5,
            backfill_share=0.8,
            frozen_per_hour=0.1,
            clock_step_per_hour=0.05,
            wrong_datum_share=0.02,
        ),
    ),
    "tunnel": Recipe(
        "dangers, and connections that break and are back-filled",
        Dangers(speeding=0.6),
        faults=FaultPlan(outage_per_hour=3.0, backfill_share=1.0),
    ),
    "demo": Recipe("a lively minute for `kerbsafe demo`", Dangers(speeding=0.5), lively=True, tunnel=True),
}


@dataclass(frozen=True)
class Plan:
    """A scenario made concrete: who, where, what truly happens, and the messages of it.

    Everything follows from the fields; asking twice gives the same bytes.
    """

    name: str
    recipe: Recipe
    window: Window
    city: City
    companies: list[crew.Company]
    trucks: list[crew.Truck]

    @property
    def registry(self) -> dict[str, Any]:
        """Companies, vehicles and drivers, as `kerbsafe registry import` reads them."""
        return crew.registry(self.companies, self.trucks)

    @property
    def fences(self) -> dict[str, Any]:
        """All fences as a GeoJSON FeatureCollection, WGS 84."""
        return self.city.fences()

    @cached_property
    def truth(self) -> list[Row]:
        """What truly happens in the window, in order of time; the same whatever the faults."""
        rows = [row for truck in self.trucks for drive in self._drives(truck) for row in drive.truth]
        return sorted(rows, key=lambda row: (row["started_us"], row["vehicle"], row["kind"]))

    @cached_property
    def outages(self) -> Intervals:
        """Outages that the scenario plans: one hides the first planned speeding whole, if `tunnel`."""
        rows = []
        numbers = {t.code: t.number for t in self.trucks}
        fast = [row for row in self.truth if row["kind"] == "speeding" and row["care"]]
        if self.recipe.tunnel and fast:
            hidden = min(fast, key=lambda row: int(row["ended_us"]))
            margin = round(TUNNEL_MARGIN_S * MICROSECONDS)
            span = (hidden["started_us"] - margin, hidden["ended_us"] + margin)
            rows.append((numbers[hidden["vehicle"]], *span))
        return Intervals.of(rows)

    def states(self) -> Iterator[States]:
        """Yield the true states of all trucks, window by window."""
        tracks = [messages.Track(self._drives(truck)) for truck in self.trucks]
        interval_us = round(self.recipe.interval_s * MICROSECONDS)
        for from_us, until_us in self._windows():
            yield States.concat([s for t in tracks for s in t.states(from_us, until_us, interval_us)])

    def columns(self) -> Iterator[Fixes]:
        """Yield what sound units measure, window by window, for benches of the engine."""
        observer = self._observer()
        for states in self.states():
            yield observer.observe(states)

    def messages(self) -> Iterator[list[Message]]:
        """Yield the messages in the order in which they are sent, in batches."""
        observer, spoiler = self._observer(), self.faults()
        pending: list[Sends] = []
        for number, (states, (_, until_us)) in enumerate(zip(self.states(), self._windows(), strict=True)):
            sends = Sends.concat([*pending, spoiler.apply(observer.observe(states), states.time_us)])
            due = sends.at_us < until_us
            pending = [sends.take(~due)]
            yield messages.encode(sends.take(due), self.trucks, stream(self.window.seed, "broken", number))
        rest = Sends.concat(pending)
        if len(rest):
            yield messages.encode(rest, self.trucks, stream(self.window.seed, "broken", len(self._windows())))

    def faults(self) -> Faults:
        """Return the faults of this plan, blank."""
        span = (self.window.from_us, self.window.until_us)
        return Faults(self.window.seed, self.recipe.faults, len(self.trucks), span, self.outages)

    def _drives(self, truck: crew.Truck) -> Iterator[shift.Drive]:
        return shift.drives(self.city, truck, self.recipe.dangers, self.window)

    def _observer(self) -> Observer:
        return Observer(self.window.seed, self.recipe.sensors, self.city.projection, len(self.trucks))

    def _windows(self) -> list[tuple[int, int]]:
        step = round(WINDOW_S * MICROSECONDS)
        begin, end = self.window.from_us, self.window.until_us
        return [(at, min(at + step, end)) for at in range(begin, end, step)]


TUNNEL_MARGIN_S = 3.0
TRUCKS_PER_PLANT = 25
SITES_PER_PLANT = 4
MOST_PLANTS, MOST_SITES = 16, 80


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
        The same four give the same bytes.
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
    if trucks < 1 or duration_s <= 0:
        raise SimulatorError(f"a scenario needs trucks and time, not {trucks} trucks for {duration_s} s")
    plants = int(np.clip(trucks // TRUCKS_PER_PLANT, 2, MOST_PLANTS))
    place = city.make(seed, plants, min(plants * SITES_PER_PLANT + 4, MOST_SITES), lines)
    firms = crew.companies(max(plants // 2, 1))
    recipe = replace(RECIPES[name], **changes)
    until_us = start_us + round(duration_s * MICROSECONDS)
    window = shift.Window(seed, start_us, until_us, recipe.lively)
    return Plan(name, recipe, window, place, firms, crew.trucks(seed, trucks, plants, firms))
