"""Small fences on a plane of metres around a place on the equator, written as rectangles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.entities import Fence
from fleet.fences.versions import FenceVersion
from fleet.kinds import FenceKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Where metre (0, 0) lies, micro-degrees.
LAT_UDEG, LON_UDEG = 0, 120_000_000
#: Micro-degrees a metre (1.0007 m of them), whole so that tests can name exact places.
UDEG = 9


def ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    """Return a rectangle in metres as a closed GeoJSON ring."""
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return [[(LON_UDEG + x * UDEG) * 1e-6, (LAT_UDEG + y * UDEG) * 1e-6] for x, y in corners]


def rectangle(west: float, south: float, east: float, north: float, *holes: Any) -> dict[str, Any]:
    """Return a polygon: an outer rectangle, and rectangles cut out of it."""
    return {
        "type": "Polygon",
        "coordinates": [ring(west, south, east, north), *(ring(*hole) for hole in holes)],
    }


def parts(*rectangles: tuple[float, float, float, float]) -> dict[str, Any]:
    """Return a multi-polygon of rectangles."""
    return {"type": "MultiPolygon", "coordinates": [[ring(*sides)] for sides in rectangles]}


def fence(
    fence_id: int,
    geometry: dict[str, Any],
    kind: FenceKind = FenceKind.FORBIDDEN,
    *,
    since_us: int = 0,
    **facts: Any,
) -> FenceVersion:
    """Return a version of the fence `F<id>`."""
    return FenceVersion(fence_id, since_us, Fence(code=f"F{fence_id}", kind=kind, geometry=geometry, **facts))


def places(*metres: tuple[float, float]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return latitudes and longitudes in micro-degrees of places (x, y) in metres."""
    x, y = np.array(metres, float).reshape(-1, 2).T
    return (LAT_UDEG + np.rint(y * UDEG)).astype(np.int32), (LON_UDEG + np.rint(x * UDEG)).astype(np.int32)
