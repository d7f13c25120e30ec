"""Invalid polygons mended, and how much that changed: for files that nobody can draw again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from fleet.geo import M_PER_UDEG
from fleet.language import Words
from fleet.registry_import.problem import CellError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ring = NDArray[np.float64]

#: More of them take more than seconds to mend.
_MAX_CROSSINGS = 50_000
_SAMPLE = 500
#: An edge meets itself and those before and behind it.
_NEIGHBOURS = 3
_M_PER_DEGREE = M_PER_UDEG * 1e6


@dataclass(frozen=True, slots=True)
class Repair:
    """What was wrong with one geometry, and its area as drawn and as mended."""

    fault: str
    area_before_m2: float
    area_after_m2: float

    @property
    def words(self) -> Words:
        """What was wrong, and how the area changed."""
        before, after = f"{self.area_before_m2:,.0f} m²", f"{self.area_after_m2:,.0f} m²"
        return Words(
            f"{self.fault}; mended, area {before} -> {after}",
            f"{self.fault}；已修补，面积 {before} → {after}",
        )

    def __str__(self) -> str:
        return self.words.en


def mend(shape: shapely.MultiPolygon, fault: str, decimals: int) -> tuple[list[list[Ring]], Repair]:
    """Return the rings of a valid shape that covers what the given one was drawn round, and the repair.

    Loops become parts, what overlaps becomes one, and what has no area is left out (GEOS, method
    "structure"). The area before is that of the rings as drawn, in which loops count against each other.

    Raises
    ------
    CellError
        If nothing is left.
    """
    if _crossings(shape) > _MAX_CROSSINGS:
        raise CellError(_TANGLED.fill(fault=fault))
    valid = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    valid = shapely.set_precision(valid, 10.0**-decimals)
    parts = [part for part in shapely.get_parts(valid, return_index=False) if part.geom_type == "Polygon"]
    parts = [part for part in parts if not part.is_empty]
    if not parts:
        raise CellError(
            Words(
                f"is not valid: {fault}; nothing is left of it when mended",
                f"图形无效：{fault}；修补后什么也不剩",
            )
        )
    rings = [
        [shapely.get_coordinates(ring).round(decimals) for ring in (part.exterior, *part.interiors)]
        for part in parts
    ]
    return rings, Repair(fault, area_m2(shape), area_m2(shapely.MultiPolygon(parts)))


_TANGLED = Words(
    "is not valid: {fault}, and crosses itself too often to be mended; draw it again",
    "图形无效：{fault}，自交过多，无法修补；请重画",
)


def _crossings(shape: shapely.MultiPolygon) -> float:
    """Return about how often the edges of a shape meet, by a sample: what mending takes grows with it."""
    edges = np.concatenate(
        [_edges(ring) for part in shape.geoms for ring in (part.exterior, *part.interiors)]
    )
    lines = shapely.linestrings(edges)
    sample = lines[:: max(1, len(lines) // _SAMPLE)]
    met = shapely.STRtree(lines).query(sample, predicate="intersects").shape[1]
    return float(met / len(sample) - _NEIGHBOURS) * len(lines) / 2


def _edges(ring: shapely.LinearRing) -> NDArray[np.float64]:
    places = shapely.get_coordinates(ring)
    return np.stack([places[:-1], places[1:]], axis=1)


def area_m2(shape: shapely.MultiPolygon) -> float:
    """Return the area of a shape in degrees, on a plane through its middle."""
    _west, south, _east, north = shape.bounds
    scale = np.cos(np.deg2rad((south + north) / 2)) * _M_PER_DEGREE**2
    return float(shapely.area(shape) * scale)
