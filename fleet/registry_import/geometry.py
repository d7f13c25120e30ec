"""One GeoJSON geometry to a fence's: in WGS 84 and valid, or refused with the place of the fault."""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np
import shapely
from numpy.typing import NDArray

from fleet.datum import to_wgs84
from fleet.language import Words
from fleet.printable import quoted
from fleet.registry_import.mending import Repair, area_m2, mend
from fleet.registry_import.problem import CellError, shown

#: Decimals kept of degrees: a centimetre.
_DECIMALS = 7
_MIN_POSITIONS = 4
_WIDEST_DEG = 10.0
_POLE, _POLE_TO_POLE = 90, 180
_MAX_POSITIONS = 100_000
#: The rectangle round China, longitude first.
_CHINA = np.array([[73.0, 3.0], [136.0, 54.0]])
_NORTH_OF_CHINA = 54.0

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
        raise CellError(Words("is empty", "为空"))
    closed: list[str] | None = None if repairs is None else []
    rings = [[_ring(ring, closed) for ring in _list(polygon, _NOT_RINGS)] for polygon in polygons]
    if not all(rings):
        raise CellError(Words("has a polygon without a ring", "有多边形没有环"))
    _check_extent(rings)
    shape = shapely.MultiPolygon([(polygon[0], polygon[1:]) for polygon in rings])
    fault = _fault(shape)
    if fault is not None:
        if repairs is None:
            raise CellError(_INVALID.fill(fault=fault))
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
            raise CellError(_NO_POLYGON.fill(other=quoted(shown(other))))
        case _:
            raise CellError(
                Words("must be a GeoJSON Polygon or MultiPolygon", "应为 GeoJSON 的 Polygon 或 MultiPolygon")
            )


_NOT_RINGS = Words("a polygon is a list of rings", "多边形应为环的列表")
_INVALID = Words(
    "is not valid: {fault}; mend it there, or import with `--repair`",
    "图形无效：{fault}；请在该处修正，或用 `--repair` 导入",
)
_NO_POLYGON = Words(
    "must be a Polygon or MultiPolygon with coordinates, not {other}",
    "应为带 coordinates 的 Polygon 或 MultiPolygon，而不是 {other}",
)


def _list(value: object, otherwise: Words) -> list[Any]:
    if not isinstance(value, list):
        raise CellError(otherwise)
    return value


def _ring(raw: object, closed: list[str] | None) -> Ring:
    """Return a ring as an array (positions, 2) of degrees; with a list, close it and say so there."""
    positions = [
        _position(position)
        for position in _list(raw, Words("a ring is a list of positions", "环应为位置的列表"))
    ]
    if len(positions) > _MAX_POSITIONS:
        raise CellError(_TOO_FINE.fill(positions=len(positions)))
    if closed is not None and len(positions) >= _MIN_POSITIONS - 1 and positions[0] != positions[-1]:
        closed.append(f"the ring that begins at {list(positions[0])} was not closed")
        positions.append(positions[0])
    if len(positions) < _MIN_POSITIONS or positions[0] != positions[-1]:
        begin = Words("", "")
        if positions:
            begin = Words(f" (it begins at {list(positions[0])})", f"（起点 {list(positions[0])}）")
        raise CellError(_NOT_CLOSED.fill(begin=begin))
    return np.array(positions, float)


def _position(raw: object) -> tuple[float, float]:
    match raw:
        case [lon, lat, *_] if _is_number(lon) and _is_number(lat):
            if abs(lon) <= _POLE_TO_POLE and abs(lat) <= _POLE:
                return float(lon), float(lat)
            swapped = abs(lon) <= _POLE and abs(lat) <= _POLE_TO_POLE
            raise CellError(
                _OFF_THE_GLOBE.fill(position=shown([lon, lat])).then(_ORDER if swapped else _METRES)
            )
        case [str() as lon, str() as lat, *_]:
            raise CellError(_TEXT.fill(position=quoted(shown([lon, lat]))))
        case _:
            raise CellError(_NO_POSITION)


_OFF_THE_GLOBE = Words("has a position off the globe, {position}", "有位置不在地球上：{position}")
_ORDER = Words("; positions are [longitude, latitude]", "；应为 [经度, 纬度]")
_METRES = Words(
    "; are these metres of a projection? Export it in longitude and latitude of WGS 84 (EPSG:4326)",
    "；是否为投影坐标（米）？请按 WGS 84 经纬度（EPSG:4326）重新导出",
)
_TEXT = Words(
    "has coordinates in quotation marks, {position}; write them as numbers",
    "坐标带引号，是文本：{position}；请写成数字",
)
_NO_POSITION = Words(
    "a position is a list of two numbers, [longitude, latitude]", "位置应为两个数：[经度, 纬度]"
)
_TOO_FINE = Words(
    f"has {{positions}} positions, more than {_MAX_POSITIONS}; simplify it",
    f"有 {{positions}} 个位置，超过 {_MAX_POSITIONS} 个；请简化",
)
_NOT_CLOSED = Words(
    "has a ring that is not closed: the last position repeats the first, and there are at least 4{begin}",
    "有环未闭合：末尾位置应与首个相同，且至少 4 个{begin}",
)
_LATITUDE_FIRST = Words(
    "lies near a pole, at {position}, and in China if latitude stands first; positions are "
    "[longitude, latitude]",
    "位于极地 {position}，若纬度在前则在国内；应为 [经度, 纬度]",
)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_extent(rings: list[list[Ring]]) -> None:
    """Refuse what is as wide as a country, goes round the antimeridian, or has too many positions."""
    places = np.concatenate([ring for polygon in rings for ring in polygon])
    if len(places) > _MAX_POSITIONS:
        raise CellError(_TOO_FINE.fill(positions=len(places)))
    low, high = places.min(axis=0), places.max(axis=0)
    if (high - low).max() > _WIDEST_DEG:
        raise CellError(_TOO_LARGE.fill(low=low.tolist(), high=high.tolist()))
    if low[1] > _NORTH_OF_CHINA and _is_in_china(low[::-1]) and _is_in_china(high[::-1]):
        raise CellError(_LATITUDE_FIRST.fill(position=low.tolist()))


_TOO_LARGE = Words(
    f"reaches from {{low}} to {{high}}, more than {_WIDEST_DEG:g} degrees: "
    "no fence is so large; cut it at the antimeridian if it crosses that",
    f"从 {{low}} 到 {{high}}，超过 {_WIDEST_DEG:g} 度：围栏没有这么大；若跨越 180° 经线请切开",
)


def _is_in_china(place: Ring) -> bool:
    """Say whether a position, longitude first, is in the rectangle round China."""
    return bool(np.all((place >= _CHINA[0]) & (place <= _CHINA[1])))


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
