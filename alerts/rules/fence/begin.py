"""Where stays begin: in the fences that a vehicle is in, and outside of those that it must not leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts.rules.fence import stays as memory
from alerts.rules.fence.fence_episodes import PERMITTED
from alerts.rules.fence.scene import put_limits
from alerts.rules.fence.stays import FREE, NEVER, Placed
from fleet.fences.nearest import NONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.rules.fence.scene import Scene

    Bools = NDArray[np.bool_]


def begin_inside(scene: Scene, stays: NDArray[np.void], unclaimed: Bools) -> None:
    """Begin stays in the fences that the vehicles are in and had none."""
    if not unclaimed.any():
        return
    row, version = scene.here.row[unclaimed], scene.here.version[unclaimed]
    fences = scene.watch.fences
    found = scene.heads["time_us"][row] == NEVER
    fresh = memory.begun(
        fences.fence_id[version],
        fences.valid_from_us[version],
        fences.kind[version],
        scene.samples.time_us[row],
        found,
    )
    fresh["found"] &= fresh["kind"] != PERMITTED
    put_limits(scene, Placed(row, row, fresh), np.ones(len(row), np.bool_), version)
    memory.add(stays, row, fresh)


def begin_outside(scene: Scene, stays: NDArray[np.void], found: Bools) -> None:
    """Have the vehicles that are found outside of every permitted fence leave the nearest.

    As if they had been inside just before: one stray fix is no departure here either.
    """
    permitted = scene.watch.permitted
    if not len(permitted) or not found.any():
        return
    known = ((stays["kind"] == PERMITTED) & (stays["phase"] != FREE)).any(axis=1)
    row = np.flatnonzero(found & ~known)
    samples, fences = scene.samples, scene.watch.fences
    version = permitted.find(samples.lat_udeg[row], samples.lon_udeg[row], samples.time_us[row])
    row, version = row[version != NONE], version[version != NONE]
    time_us = samples.time_us[row]
    fresh = memory.begun(
        fences.fence_id[version],
        fences.valid_from_us[version],
        fences.kind[version],
        time_us,
        np.ones(len(row), np.bool_),
    )
    beyond = scene.watch.stays.is_beyond(
        version, samples.lat_udeg[row], samples.lon_udeg[row], scene.margin_m(row)
    )
    fresh["outside_us"], fresh["beyond_us"] = time_us, np.where(beyond, time_us, NEVER)
    fresh["found"] = scene.heads["time_us"][row] == NEVER
    put_limits(scene, Placed(row, row, fresh), np.ones(len(row), np.bool_), version)
    memory.add(stays, row, fresh)
