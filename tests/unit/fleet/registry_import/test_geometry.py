"""Fences as people draw them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import shape

from fleet.registry_import.geometry import read_geometry
from fleet.registry_import.problem import CellError

if TYPE_CHECKING:
    from fleet.registry_import.mending import Repair

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
        ({"type": "Point", "coordinates": [1, 2]}, "not 'Point'"),
        ({"type": "Polygon"}, "with coordinates, not 'Polygon'"),
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


@pytest.mark.parametrize(
    ("given", "mended", "faults", "grows"),
    [
        (polygon(SQUARE), polygon(SQUARE), [], None),
        (
            polygon(SQUARE[:-1]),
            polygon(SQUARE),
            ["the ring that begins at [120.0, 30.0] was not closed"],
            1.0,
        ),
        ({"type": "MultiPolygon", "coordinates": [[SQUARE], [SQUARE]]}, None, ["self-intersection"], 0.5),
        (polygon(BOWTIE), None, ["self-intersection at [120.05, 30.05]"], None),
        (polygon(SQUARE, [[lon + 0.05, lat] for lon, lat in HOLE]), None, ["self-intersection"], None),
    ],
)
def test_what_is_mended_is_told(
    given: Any, mended: dict[str, Any] | None, faults: list[str], grows: float | None
) -> None:
    """`grows`: the area after as a share of the area before; two parts one on the other become one."""
    repairs: list[Repair] = []
    found = read_geometry(given, "wgs84", repairs)
    assert shape(found).is_valid
    assert mended is None or found == mended
    assert len(repairs) == len(faults)
    for repair, fault in zip(repairs, faults, strict=True):
        assert fault in repair.fault
        if grows is not None:
            assert repair.area_after_m2 / repair.area_before_m2 == pytest.approx(grows)


@pytest.mark.parametrize(
    "given", [polygon([[120.0, 30.0]] * 4), polygon([[120.0, 30.0], [120.1, 30.0], [120.2, 30.0]] * 2)]
)
def test_of_what_has_no_area_nothing_is_left(given: Any) -> None:
    with pytest.raises(CellError, match=r"nothing is left|not closed"):
        read_geometry(given, "wgs84", [])


places = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda p: [120 + p[0] / 100, 30 + p[1] / 100])


@given(st.lists(st.lists(st.lists(places, min_size=2, max_size=9), min_size=1, max_size=3), max_size=3))
def test_anything_drawn_is_mended_into_something_valid_or_refused(parts: Any) -> None:
    repairs: list[Repair] = []
    try:
        found = read_geometry({"type": "MultiPolygon", "coordinates": parts}, "wgs84", repairs)
    except CellError:
        return
    assert shape(found).is_valid
    assert shape(found).area > 0
