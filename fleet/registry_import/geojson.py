"""GeoJSON to a table of fences: a collection or one feature; what is not GeoJSON in degrees is refused."""

from __future__ import annotations

import re
from typing import Any

from fleet.language import Words
from fleet.printable import quoted
from fleet.registry_import.column import Kind
from fleet.registry_import.problem import refuse, shown
from fleet.registry_import.table import Table, make_objects

_GEOMETRIES = frozenset(
    ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection")
)
#: Names of WGS 84 in degrees, and of CGCS2000, which differs from it by less than a fix does.
_DEGREES = re.compile(
    r"(urn:ogc:def:crs:)?(OGC:[\d.]*:?CRS84|EPSG:[\d.]*:?(4326|4979|4490))|WGS[ _]?84", re.IGNORECASE
)
_REMEDY = Words(
    "export it in longitude and latitude of WGS 84 (EPSG:4326) and import that",
    "请按 WGS 84 经纬度（EPSG:4326）重新导出后再导入",
)


def is_geojson(document: dict[str, Any]) -> bool:
    """Say whether a JSON object means to be GeoJSON, or another format of maps."""
    return isinstance(document.get("type"), str) or _is_esri(document)


def read_geojson(document: dict[str, Any]) -> Table:
    """Return the table of fences of a GeoJSON object; a row's number is that of its feature, from 1.

    The member `datum` of the object is that of every feature that does not name its own.
    """
    kind = document.get("type")
    if kind == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list):
            raise refuse(
                Words(
                    "a FeatureCollection has a list `features`", "FeatureCollection 应当有列表成员 `features`"
                ),
                table=Kind.FENCES,
            )
    elif kind == "Feature":
        features = [document]
    elif kind in _GEOMETRIES:
        raise refuse(_BARE.fill(type=kind), table=Kind.FENCES)
    else:
        raise refuse(_not_geojson(document))
    _check_crs(document)
    shared = {"datum": document["datum"]} if "datum" in document else {}
    return make_objects(Kind.FENCES, Kind.FENCES, [_cells(feature, shared) for feature in features])


_BARE = Words(
    "this is a bare {type}, without a code and a kind; wrap it in a FeatureCollection: "
    '{{"type": "FeatureCollection", "features": [{{"type": "Feature", "properties": {{"code": "F-1", '
    '"kind": "site"}}, "geometry": ...}}]}}',
    "这只是 {type}，没有代码和类型；请放入 FeatureCollection："
    '{{"type": "FeatureCollection", "features": [{{"type": "Feature", "properties": {{"code": "F-1", '
    '"kind": "site"}}, "geometry": ...}}]}}',
)


def _cells(feature: Any, shared: dict[str, Any]) -> Any:
    if not (isinstance(feature, dict) and isinstance(feature.get("properties") or {}, dict)):
        return feature
    geometry = feature.get("geometry")
    for part in (feature, geometry):
        if isinstance(part, dict):
            _check_crs(part)
    return {**shared, **(feature.get("properties") or {}), "geometry": geometry}


def _not_geojson(document: dict[str, Any]) -> Words:
    if _is_esri(document) or document["type"] == "Topology":
        name = "Esri JSON" if _is_esri(document) else "TopoJSON"
        return Words(f"this is {name}; export it as GeoJSON", f"这是 {name}；请另存为 GeoJSON")
    return Words(
        "`type` {type} is not of GeoJSON; give a FeatureCollection, a Feature, a Polygon or a MultiPolygon",
        "`type` {type} 不是 GeoJSON；请提供 FeatureCollection、Feature、Polygon 或 MultiPolygon",
    ).fill(type=quoted(shown(document["type"])))


def _is_esri(document: dict[str, Any]) -> bool:
    return "geometryType" in document and "features" in document


def _check_crs(document: dict[str, Any]) -> None:
    """Refuse an object whose `crs` (GeoJSON of 2008) is not that of GPS: its numbers would be elsewhere."""
    crs = document.get("crs")
    match crs:
        case None:
            return
        case {"type": "name", "properties": {"name": str() as name}}:
            if _DEGREES.fullmatch(name.strip().replace("::", ":")):
                return
            said = name
        case _:
            said = crs
    words = Words(
        "its `crs` says {crs}, not WGS 84; {remedy}", "文件的 `crs` 是 {crs}，不是 WGS 84；{remedy}"
    )
    raise refuse(words.fill(crs=quoted(shown(said)), remedy=_REMEDY), table=Kind.FENCES)
