"""The memory of many vehicles: struct arrays by name, a slot a vehicle, packed to and from checkpoints.

What the arrays hold is the business of whoever gives their layouts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    Records = NDArray[np.void]

_NO_SLOT = -1


class Layout(NamedTuple):
    """What one array holds of a vehicle."""

    #: Of so many vehicles that have reported nothing: one row each, or rows of several records.
    blank: Callable[[int], Records]
    #: Of several records a vehicle: which of them say something. The others are all zero, and not packed.
    in_use: Callable[[Records], NDArray[np.bool_]] | None = None


def version_of(layouts: Iterable[np.dtype[np.void]], meaning: int) -> int:
    """Return a number that is another one whenever a field has another name, type or place."""
    return crc32(repr((meaning, [layout.fields for layout in layouts])).encode()) & 0x7FFF_FFFF


class Memory:
    """Struct arrays by name; the row at `slot` of each belongs to `vehicle_id[slot]`."""

    def __init__(self, layouts: Mapping[str, Layout]) -> None:
        """Remember nothing of anybody; at most one layout is of several records a vehicle."""
        self.vehicle_id = np.empty(0, np.int32)
        self._layouts = layouts
        self._of = {name: layout.blank(0) for name, layout in layouts.items()}
        self._single = [name for name, layout in layouts.items() if layout.in_use is None]
        self._several = next((name for name in layouts if name not in self._single), None)
        self._fixed_bytes = sum(self._of[name].dtype.itemsize for name in self._single)
        self._slot_of = np.full(1, _NO_SLOT, np.int32)  # by vehicle id: ids are small and dense

    def __len__(self) -> int:
        return len(self.vehicle_id)

    def __getitem__(self, name: str) -> Records:
        return self._of[name]

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
        self.vehicle_id = np.concatenate([self.vehicle_id, vehicle_id])
        for name, layout in self._layouts.items():
            self._of[name] = _grown(self._of[name], layout.blank(len(vehicle_id)))

    def pack(self, slot: int) -> bytes:
        """Return one vehicle's memory as bytes; `unpack` of the same layouts reads them."""
        packed = b"".join(self._of[name][slot].tobytes() for name in self._single)
        return packed + self._records_in_use(slot).tobytes()

    def _records_in_use(self, slot: int) -> Records:
        if self._several is None:
            return np.empty(0, np.void)
        records, in_use = self._of[self._several][slot], self._layouts[self._several].in_use
        return records if in_use is None else np.asarray(records[in_use(records)])

    def fits(self, packed: bytes) -> bool:
        """Say whether bytes are as long as `pack` may make them: what is cut short is not loaded."""
        if self._several is None:
            return len(packed) == self._fixed_bytes
        several = self._of[self._several]
        used, rest = divmod(len(packed) - self._fixed_bytes, several.dtype.itemsize)
        return 0 <= used <= several.shape[1] and not rest

    def unpack(self, vehicle_id: NDArray[np.int32], packed: list[bytes]) -> None:
        """Take back what `pack` gave, one element of `packed` a vehicle."""
        if not packed:
            return
        slots = self.slots(vehicle_id)
        start = 0
        for records in (self._of[name] for name in self._single):
            end = start + records.dtype.itemsize
            records[slots] = np.frombuffer(b"".join(row[start:end] for row in packed), records.dtype)
            start = end
        if self._several is not None:
            self._unpack_several(self._several, slots, [row[start:] for row in packed])

    def _unpack_several(self, name: str, slots: NDArray[np.int32], packed: list[bytes]) -> None:
        # Whose records are all unused, now and before, is left alone: untouched zeros are free.
        records, in_use = self._of[name], self._layouts[name].in_use
        had = np.zeros(len(slots), np.bool_) if in_use is None else in_use(records[slots]).any(axis=1)
        some = np.flatnonzero(had | np.array([len(row) > 0 for row in packed]))
        width = records.shape[1] * records.dtype.itemsize
        rows = b"".join(packed[row].ljust(width, b"\0") for row in some)
        records[slots[some]] = np.frombuffer(rows, records.dtype).reshape(len(some), records.shape[1])


def _grown(records: Records, blank: Records) -> Records:
    """Return records with blank ones behind them; where there were none, these: a restart copies nothing."""
    return np.concatenate([records, blank]) if len(records) else blank
