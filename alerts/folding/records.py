"""Memories as arrays of records: what the rules that are folded into them share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts.words.transitions import Ongoing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from alerts.folding.memory import Memory
    from alerts.words.transitions import Rule


def copied(records: NDArray[np.void]) -> NDArray[np.void]:
    """Return a copy of records of any shape: each as a whole, where `copy` goes field by field."""
    return records.view(f"V{records.itemsize}").copy().view(records.dtype)


def open_episodes(
    memory: Memory, name: str, rule: Rule, is_open: NDArray[np.bool_], since: str
) -> Iterator[Ongoing]:
    """Yield the episodes of a rule that are open in a memory of one record a vehicle, since its field."""
    slots = np.flatnonzero(is_open)
    started_us = memory[name][since][slots].tolist()
    for vehicle_id, started in zip(memory.vehicle_id[slots].tolist(), started_us, strict=True):
        yield Ongoing(vehicle_id, rule, started)
