"""What the live engine remembers: struct of arrays, a slot a vehicle, packed to and from checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from alerts import motion
from alerts.reporting import Reporting
from alerts.rules import fatigue, path_memory, qualification, right_turn, speeding, stays
from alerts.sightings import Sightings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

#: To be counted up when a memory means something else and its layout is the same.
MEANING = 10
#: Memories of one row a vehicle, in the order in which they are packed.
_MEMORIES = {
    "motion": motion.STATE,
    "speeding": speeding.STATE,
    "fatigue": fatigue.STATE,
    "crew": qualification.STATE,
    "turns": right_turn.STATE,
    "rings": path_memory.RING,
    "fence_heads": stays.HEAD,
}
_FIXED_BYTES = sum(layout.itemsize for layout in _MEMORIES.values())

_NO_SLOT = -1


def version_of(layouts: Iterable[np.dtype[np.void]], meaning: int = MEANING) -> int:
    """Return a number that is another one whenever a field has another name, type or place."""
    return crc32(repr((meaning, [layout.fields for layout in layouts])).encode()) & 0x7FFF_FFFF


#: A checkpoint of another version is not loaded: the segment is folded again instead.
ENGINE_VERSION = version_of([*_MEMORIES.values(), stays.STAY])


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


class EngineState:
    """Memory of all vehicles: struct arrays by slot, as `motion`, `speeding` or `turns`.

    The row at `slot` of each belongs to `vehicle_id[slot]`.
    """

    def __init__(self) -> None:
        self.vehicle_id = np.empty(0, np.int32)
        self.motion = motion.blank(0)
        self.speeding = speeding.blank(0)
        self.fatigue = fatigue.blank(0)
        self.crew = qualification.blank(0)
        self.turns = right_turn.blank(0)
        self.rings = path_memory.blank_rings(0)
        self.fence_heads = stays.blank_heads(0)
        self.fence_stays = stays.blank_stays(0)
        #: Of cameras, and of when units report: not in checkpoints, but read back from the store.
        self.sightings = Sightings()
        self.reporting = Reporting()
        self.faults = Faults()
        self._slot_of = np.full(1, _NO_SLOT, np.int32)  # by vehicle id: ids are small and dense

    def __len__(self) -> int:
        return len(self.vehicle_id)

    def slots(self, vehicle_id: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the slot of each vehicle, giving new vehicles a blank one."""
        if len(vehicle_id) and (highest := int(vehicle_id.max())) >= len(self._slot_of):
            grown = np.full(max(2 * len(self._slot_of), highest + 1), _NO_SLOT, np.int32)
            grown[: len(self._slot_of)] = self._slot_of
            self._slot_of = grown
        slots = self._slot_of[vehicle_id]
        if (slots == _NO_SLOT).any():
            self._add(np.unique(vehicle_id[slots == _NO_SLOT]))
            slots = self._slot_of[vehicle_id]
        return np.asarray(slots)

    def _add(self, vehicle_id: NDArray[np.int32]) -> None:
        self._slot_of[vehicle_id] = np.arange(len(self), len(self) + len(vehicle_id))
        count = len(vehicle_id)
        self.vehicle_id = np.concatenate([self.vehicle_id, vehicle_id])
        self.motion = _grown(self.motion, motion.blank(count))
        self.speeding = _grown(self.speeding, speeding.blank(count))
        self.fatigue = _grown(self.fatigue, fatigue.blank(count))
        self.crew = _grown(self.crew, qualification.blank(count))
        self.turns = _grown(self.turns, right_turn.blank(count))
        self.rings = _grown(self.rings, path_memory.blank_rings(count))
        self.fence_heads = _grown(self.fence_heads, stays.blank_heads(count))
        self.fence_stays = _grown(self.fence_stays, stays.blank_stays(count))

    def watermark_us(self, vehicle_id: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the newest fix judged of each vehicle, microseconds since 1970; -1 where there is none."""
        slots = self.slots(vehicle_id)  # first: it may make the memory grow
        return np.asarray(self.motion["watermark_us"][slots])

    def pack(self, slot: int) -> bytes:
        """Return one vehicle's memory as bytes; `unpack` of the same `ENGINE_VERSION` reads them.

        Most vehicles are in few fences: free stays are left out.
        """
        stay = self.fence_stays[slot]
        rows = [getattr(self, name)[slot] for name in _MEMORIES]
        return b"".join(row.tobytes() for row in (*rows, stay[stay["phase"] != stays.FREE]))

    @staticmethod
    def fits(packed: bytes) -> bool:
        """Say whether bytes are as long as `pack` may make them: what is cut short is not loaded."""
        stayed, rest = divmod(len(packed) - _FIXED_BYTES, stays.STAY.itemsize)
        return 0 <= stayed <= stays.SLOTS and not rest

    def unpack(self, vehicle_id: NDArray[np.int32], packed: list[bytes]) -> None:
        """Take back what `pack` gave, one element of `packed` a vehicle."""
        if not packed:
            return
        slots = self.slots(vehicle_id)
        start = 0
        for memory in (getattr(self, name) for name in _MEMORIES):
            end = start + memory.dtype.itemsize
            memory[slots] = np.frombuffer(b"".join(row[start:end] for row in packed), memory.dtype)
            start = end
        # All zero is a free stay. Who has none, now and before, is left alone: untouched zeros are free.
        width = self.fence_stays.shape[1] * self.fence_stays.dtype.itemsize
        had = (self.fence_stays["phase"][slots] != stays.FREE).any(axis=1)
        some = np.flatnonzero(had | np.array([len(memory) > start for memory in packed]))
        rows = b"".join(packed[row][start:].ljust(width, b"\0") for row in some)
        self.fence_stays[slots[some]] = np.frombuffer(rows, stays.STAY).reshape(len(some), stays.SLOTS)


def _grown(memory: NDArray[np.void], blank: NDArray[np.void]) -> NDArray[np.void]:
    """Return memories with blank ones behind them; where there were none, these: a restart copies nothing."""
    return np.concatenate([memory, blank]) if len(memory) else blank
