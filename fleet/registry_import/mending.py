"""Invalid polygons mended, and how much that changed: for files that nobody can draw again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from fleet.geo import M_PER_UDEG
from fleet.registry_import.problem import CellError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ring = NDArray[np.float64]

_M_PER_DEGREE = M_PER_UDEG * 1e6


@dataclass(frozen=True, slots=True)
class Repair:
    """What was wrong with one geometry, and its area as drawn and as mended."""

    fault: str
    area_before_m2: float
    area_after_m2: float

    def __str__(self) -> str:
        return f"{self.fault}; mended, area {self.area_before_m2:,.0f} m² -> {self.area_after_m2:,.0f} m²"


def mend(shape: shapely.MultiPolygon, fault: str, decimals: int) -> tuple[list[list[Ring]], Repair]:
    """Return the rings of a valid shape that covers what the given one was drawn round, and the repair.

    Loops become parts, what overlaps becomes one, and what has no area is left out (GEOS, method
    "structure"). The area before is that of the rings as drawn, in which loops count against each other.

    Raises
    ------
    CellError
        If nothing is left.
    """
    valid = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    valid = shapely.set_precision(valid, 10.0**-decimals)
    parts = [part for part in shapely.get_parts(valid, return_index=False) if part.geom_type == "Polygon"]
    parts = [part for part in parts if not part.is_empty]
    if not parts:
        raise CellError(f"is not valid: {fault}; nothing is left of it when mended")
    rings = [
        [shapely.get_coordinates(ring).round(decimals) for ring in (part.exterior, *part.interiors)]
        for part in parts
    ]
    return rings, Repair(fault, area_m2(shape), area_m2(shapely.MultiPolygon(parts)))


def area_m2(shape: shapely.MultiPolygon) -> float:
    """Return the area of a shape in degrees, on a plane through its middle."""
    _west, south, _east, north = shape.bounds
    scale = np.cos(np.deg2rad((south + north) / 2)) * _M_PER_DEGREE**2
    return float(shapely.area(shape) * scale)
