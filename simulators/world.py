"""What a simulation is made of before anything moves: the window, the city, who plans what, who is silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.city import City
    from simulators.dangers import Dangers
    from simulators.intervals import Intervals
    from simulators.truth import Row

#: A planned danger this close to the beginning or the end of what is observed does not count.
MARGIN_BEGIN_US, MARGIN_END_US = 4 * MICROSECONDS, 14 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class Window:
    """What is simulated: [from_us, until_us), from one seed."""

    seed: int
    from_us: int
    until_us: int
    #: Working hours within it, ascending; between them trucks are parked at their plants.
    shifts: tuple[tuple[int, int], ...]
    #: Every truck is on the road when the window opens, and speeding planned for its first drive begins
    #: within seconds: for demonstrations of a minute.
    lively: bool = False

    def holds(self, row: Row) -> bool:
        """Say whether what a row tells of can be seen whole."""
        begins = row["started_us"] >= self.from_us + MARGIN_BEGIN_US
        return bool(begins and row["ended_us"] <= self.until_us - MARGIN_END_US)

    def touches(self, row: Row) -> bool:
        """Say whether any of it can be seen."""
        return bool(row["ended_us"] > self.from_us and row["started_us"] < self.until_us)


@dataclass(frozen=True, slots=True)
class World:
    """Everything that drives are made from."""

    window: Window
    city: City
    dangers: Dangers
    #: When units are silent although their trucks drive, and when cameras are covered.
    offline: Intervals
    covered: Intervals
    #: Codes of the forbidden areas that a truck, by number, has a pass for.
    passes: Mapping[int, frozenset[str]]
