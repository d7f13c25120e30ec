"""What the engine remembers, and the version of what a checkpoint holds of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts.engine.rule_table import RULES
from alerts.folding import motion
from alerts.folding.memory import Layout, Memory, version_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: To be counted up when a memory means something else and its layout is the same.
MEANING = 10
LAYOUTS = {"motion": Layout(motion.blank)} | {
    name: layout for rule in RULES.values() for name, layout in rule.memory.items()
}
#: A checkpoint of another version is not loaded: the segment is folded again instead.
ENGINE_VERSION = version_of([layout.blank(0).dtype for layout in LAYOUTS.values()], MEANING)


class Faults:
    """Rules that threw, how often, and with what: such a rule is unhealthy, and what it says incomplete."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.last: dict[str, str] = {}

    def add(self, rule: str, error: Exception) -> None:
        """Count a failure. The error's text may hold data of a vehicle: only its kind is kept."""
        self.counts[rule] = self.counts.get(rule, 0) + 1
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = "" if place is None else f" in {place.tb_frame.f_code.co_name}, line {place.tb_lineno}"
        self.last[rule] = f"{type(error).__name__}{where}"

    def count(self, rule: str) -> int:
        """Return how often a rule threw."""
        return self.counts.get(rule, 0)

    @property
    def rules(self) -> frozenset[str]:
        """The rules that threw."""
        return frozenset(self.counts)


class EngineState(Memory):
    """Memory of all vehicles: how they move, and what each rule remembers of them."""

    def __init__(self) -> None:
        super().__init__(LAYOUTS)
        self.faults = Faults()

    def watermark_us(self, vehicle_id: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the newest fix judged of each vehicle, microseconds since 1970; -1 where there is none."""
        slots = self.slots(vehicle_id)  # first: it may make the memory grow
        return np.asarray(self["motion"]["watermark_us"][slots])


#: Says whether a packed memory can be one of this version.
fits = Memory(LAYOUTS).fits
