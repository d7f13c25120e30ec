"""Right turns and their cameras by vehicle: who was armed, what was seen, which camera is too quiet. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.rules.camera import quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: No rate on a smaller base.
MIN_TURNS = 10
PER = 1000


class Watched(NamedTuple):
    """Right turns; equal lengths."""

    vehicle_id: NDArray[np.int32]
    lat_udeg: NDArray[np.int32]
    lon_udeg: NDArray[np.int32]
    evaluable: NDArray[np.bool_]
    armed: NDArray[np.bool_]
    #: How many the camera saw.
    conflicts: NDArray[np.int64]


class Camera(NamedTuple):
    """The right turns of one vehicle, or of several together."""

    vehicle_id: int | None
    turns: int
    evaluable: int
    armed: int
    #: Turns that count for the rate: armed, evaluable; and those of them with a conflict.
    base: int
    conflicts: int
    too_quiet: bool

    @property
    def per_1000(self) -> float | None:
        """Conflicts per 1,000 armed evaluable right turns; None on a base that says nothing."""
        return round(PER * self.conflicts / self.base, 1) if self.base >= MIN_TURNS else None


def by_vehicle(turns: Watched, *, share: float, expected: float) -> list[Camera]:
    """Return a row a vehicle, by id; `share` and `expected` as `quiet.cameras` takes them."""
    base = turns.armed & turns.evaluable
    place = quiet.places(turns.lat_udeg[base], turns.lon_udeg[base])
    found = quiet.cameras(
        turns.vehicle_id[base], place, turns.conflicts[base], share=share, expected=expected
    )
    too_quiet = set(found.vehicle_id[found.too_quiet].tolist())
    rows = []
    for vehicle_id in np.unique(turns.vehicle_id).tolist():
        own = turns.vehicle_id == vehicle_id
        rows.append(
            Camera(
                vehicle_id,
                turns=int(own.sum()),
                evaluable=int((own & turns.evaluable).sum()),
                armed=int((own & turns.armed).sum()),
                base=int((own & base).sum()),
                conflicts=int((turns.conflicts[own & base] > 0).sum()),
                too_quiet=vehicle_id in too_quiet,
            )
        )
    return rows


def together(cameras: Sequence[Camera]) -> Camera:
    """Return all vehicles as one; those whose cameras are too quiet have no part in the rate."""
    heard = [camera for camera in cameras if not camera.too_quiet]
    return Camera(
        None,
        turns=sum(camera.turns for camera in cameras),
        evaluable=sum(camera.evaluable for camera in cameras),
        armed=sum(camera.armed for camera in cameras),
        base=sum(camera.base for camera in heard),
        conflicts=sum(camera.conflicts for camera in heard),
        too_quiet=len(heard) < len(cameras),
    )
