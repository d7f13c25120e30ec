"""One GeoJSON geometry to a fence's: in WGS 84 and valid, or refused with the place of the fault."""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np
import shapely
from numpy.typing import NDArray

from fleet.datum import to_wgs84
from fleet.registry_import.mending import Repair, area_m2, mend
from fleet.registry_import.problem import CellError, shown

#: Decimals kept of degrees: a centimetre.
_DECIMALS = 7
_LEAST_POSITIONS = 4
_WIDEST_DEG = 10.0
_POLE, _POLE_TO_POLE = 90, 180
_MOST_POSITIONS = 100_000

Ring = NDArray[np.float64]


def read_geometry(raw: object, datum: str, repairs: list[Repair] | None = None) -> dict[str, Any]:
    """Return a Polygon or MultiPolygon in WGS 84, degrees [longitude, latitude] to 7 decimals.

    With a list for `repairs`, rings that are not closed and shapes that are not valid are mended, and what
    was done is added to the list; without, they are refused.

    Raises
    ------
    CellError
        If it is no polygon, is not valid (with the place of the fault, in the file's own datum),
        or is far too large for a fence.
    """
    kind, coordinates = _parts(raw)
    polygons = coordinates if kind == "MultiPolygon" else [coordinates]
    if not polygons:
        raise CellError("is empty")
    closed: list[str] | None = None if repairs is None else []
    rings = [
        [_ring(ring, closed) for ring in _list(polygon, "a polygon is a list of rings")]
        for polygon in polygons
    ]
    if not all(rings):
        raise CellError("has a polygon without a ring")
    _check_extent(rings)
    shape = shapely.MultiPolygon([(polygon[0], polygon[1:]) for polygon in rings])
    fault = _fault(shape)
    if fault is not None:
        if repairs is None:
            raise CellError(f"is not valid: {fault}; mend it there, or import with `--repair`")
        rings, repair = mend(shape, fault, _DECIMALS)
        kind = "Polygon" if len(rings) == 1 else "MultiPolygon"
        repairs.append(repair)
    if repairs is not None:
        repairs += [Repair(text, area_m2(shape), area_m2(shape)) for text in closed or ()]
    converted = [[_converted(ring, datum) for ring in polygon] for polygon in rings]
    return {"type": kind, "coordinates": converted if kind == "MultiPolygon" else converted[0]}


def _parts(raw: object) -> tuple[str, list[Any]]:
    match raw:
        case {"type": ("Polygon" | "MultiPolygon") as kind, "coordinates": list() as coordinates}:
            return kind, coordinates
        case {"type": str() as other}:
            raise CellError(f"must be a Polygon or MultiPolygon with coordinates, not {other[:40]}")
        case _:
            raise CellError("must be a GeoJSON Polygon or MultiPolygon")


def _list(value: object, otherwise: str) -> list[Any]:
    if not isinstance(value, list):
        raise CellError(otherwise)
    return value


def _ring(raw: object, closed: list[str] | None) -> Ring:
    """Return a ring as an array (positions, 2) of degrees; with a list, close it and say so there."""
    positions = [_position(position) for position in _list(raw, "a ring is a list of positions")]
    if len(positions) > _MOST_POSITIONS:
        raise CellError(f"has a ring of more than {_MOST_POSITIONS} positions; simplify it")
    if closed is not None and len(positions) >= _LEAST_POSITIONS - 1 and positions[0] != positions[-1]:
        closed.append(f"the ring that begins at {list(positions[0])} was not closed")
        positions.append(positions[0])
    if len(positions) < _LEAST_POSITIONS or positions[0] != positions[-1]:
        raise CellError(
            "has a ring that is not closed: the last position repeats the first, and there are at least 4"
            + (f" (it begins at {list(positions[0])})" if positions else "")
        )
    return np.array(positions, float)


def _position(raw: object) -> tuple[float, float]:
    match raw:
        case [lon, lat, *_] if _is_number(lon) and _is_number(lat):
            if abs(lon) <= _POLE_TO_POLE and abs(lat) <= _POLE:
                return float(lon), float(lat)
            swapped = abs(lon) <= _POLE and abs(lat) <= _POLE_TO_POLE
            order = "; positions are [longitude, latitude]" if swapped else ""
            raise CellError(f"has a position off the globe, {shown([lon, lat])}{order}")
        case _:
            raise CellError("a position is a list of two numbers, [longitude, latitude]")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_extent(rings: list[list[Ring]]) -> None:
    """Refuse what is as wide as a country, goes round the antimeridian, or has too many positions."""
    places = np.concatenate([ring for polygon in rings for ring in polygon])
    if len(places) > _MOST_POSITIONS:
        raise CellError(f"has {len(places)} positions, more than {_MOST_POSITIONS}; simplify it")
    low, high = places.min(axis=0), places.max(axis=0)
    if (high - low).max() > _WIDEST_DEG:
        raise CellError(
            f"reaches from {low.tolist()} to {high.tolist()}, more than {_WIDEST_DEG:g} degrees: "
            "no fence is so large; cut it at the antimeridian if it crosses that"
        )


def _fault(shape: shapely.MultiPolygon) -> str | None:
    """Return what is not valid about a shape, and where; None if it is valid."""
    if shapely.is_valid(shape):
        return None
    # "Self-intersection[120.1 30.2]"
    fault, _, place = shapely.is_valid_reason(shape).partition("[")
    return f"{fault.lower()} at [{place.rstrip(']').replace(' ', ', ')}]"


def _converted(ring: Ring, datum: str) -> list[list[float]]:
    lat, lon = to_wgs84(ring[:, 1], ring[:, 0], datum)
    places: list[list[float]] = np.column_stack([lon, lat]).round(_DECIMALS).tolist()
    return places
