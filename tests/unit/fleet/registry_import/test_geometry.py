"""Fences as people draw them."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.registry_import.geometry import read_geometry
from fleet.registry_import.problem import CellError

SQUARE = [[120.0, 30.0], [120.1, 30.0], [120.1, 30.1], [120.0, 30.1], [120.0, 30.0]]
HOLE = [[120.02, 30.02], [120.08, 30.02], [120.08, 30.08], [120.02, 30.02]]
BESIDE = [[[lon + 1, lat] for lon, lat in SQUARE]]
BOWTIE = [[120.0, 30.0], [120.1, 30.1], [120.1, 30.0], [120.0, 30.1], [120.0, 30.0]]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (polygon(SQUARE), polygon(SQUARE)),
        (polygon(SQUARE, HOLE), polygon(SQUARE, HOLE)),
        (polygon([[*place, 12.5] for place in SQUARE]), polygon(SQUARE)),
        (
            polygon([[round(lon), round(lat)] for lon, lat in [[1, 1], [2, 1], [2, 2], [1, 1]]]),
            polygon([[1.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 1.0]]),
        ),
        (
            {"type": "MultiPolygon", "coordinates": [[SQUARE], BESIDE]},
            {"type": "MultiPolygon", "coordinates": [[SQUARE], BESIDE]},
        ),
        (polygon([[lon + 1e-9, lat] for lon, lat in SQUARE]), polygon(SQUARE)),
    ],
)
def test_keeps_polygons_with_holes_and_parts(given: Any, kept: Any) -> None:
    assert read_geometry(given, "wgs84") == kept


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "must be a GeoJSON Polygon or MultiPolygon"),
        ("POLYGON((0 0))", "must be a GeoJSON Polygon or MultiPolygon"),
        ({"type": "Point", "coordinates": [1, 2]}, "not Point"),
        ({"type": "Polygon"}, "with coordinates, not Polygon"),
        (polygon(), "without a ring"),
        ({"type": "MultiPolygon", "coordinates": []}, "is empty"),
        ({"type": "MultiPolygon", "coordinates": [[]]}, "without a ring"),
        ({"type": "MultiPolygon", "coordinates": [7]}, "a polygon is a list of rings"),
        (polygon(7), "a ring is a list of positions"),
        (polygon([]), "not closed"),
        (polygon(SQUARE[:-1]), "not closed"),
        (polygon(SQUARE[:2] + SQUARE[:1]), "it begins at [120.0, 30.0]"),
        (polygon([[120.0, 30.0]] * 4), "at [120, 30]"),
        (polygon(BOWTIE), "self-intersection at [120.05, 30.05]; mend it there"),
        (polygon(SQUARE, [[lon + 0.05, lat] for lon, lat in HOLE]), "is not valid"),
        ({"type": "MultiPolygon", "coordinates": [[SQUARE], [SQUARE]]}, "is not valid"),
        (polygon([["a", 1]] * 4), "a position is a list of two numbers"),
        (polygon([[True, 1]] * 4), "a position is a list of two numbers"),
        (polygon([[120.0]] * 4), "a position is a list of two numbers"),
        (polygon([[30.0, 120.0]] * 4), "off the globe, [30.0, 120.0]; positions are [longitude, latitude]"),
        (polygon([[200.0, 30.0]] * 4), "off the globe, [200.0, 30.0]"),
        (polygon([[float("nan"), 30.0]] * 4), "off the globe"),
        (polygon([[float("inf"), 30.0]] * 4), "off the globe"),
        (polygon([[-179.9, 0.0], [179.9, 0.0], [179.9, 1.0], [-179.9, 0.0]]), "cut it at the antimeridian"),
    ],
)
def test_refuses_with_the_place_of_the_fault(given: Any, message: str) -> None:
    with pytest.raises(CellError) as refused:
        read_geometry(given, "wgs84")
    assert message in str(refused.value)
