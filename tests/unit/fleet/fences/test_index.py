"""The index of fences: the same answers as the polygons give one by one."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from fleet.fences.index import FenceIndex
from fleet.fences.versions import FENCE_KINDS, Fences, FenceVersion
from fleet.kinds import FenceKind
from fleet.schedule import parse_schedule
from tests.unit.fleet.fences.shapes import UDEG, fence, parts, places, rectangle

FORBIDDEN = (FenceKind.FORBIDDEN,)


def index_of(*versions: FenceVersion) -> FenceIndex:
    return FenceIndex(Fences(versions), FENCE_KINDS, crossable=FORBIDDEN)


def inside(index: FenceIndex, place: tuple[float, float], time_us: int = 0) -> list[str]:
    """Return the codes of the fences that hold a place in metres."""
    lat, lon = places(place)
    found = index.inside(lat, lon, np.full(1, time_us))
    assert set(found.row.tolist()) <= {0}
    return [index.fences.codes[version] for version in found.version.tolist()]


@pytest.mark.parametrize(
    ("place", "codes"),
    [
        ((500, 500), ["F1"]),
        ((2500, 500), []),
        # a boundary and a corner belong to the fence
        ((0, 500), ["F1"]),
        ((1000, 1000), ["F1"]),
        ((1000.2, 1000), []),
        # the hole is outside, its boundary inside
        ((250, 250), []),
        ((200, 250), ["F1"]),
        ((201, 250), []),
        # of two parts and the gap between
        ((3100, 100), ["F2"]),
        ((3500, 100), []),
        ((4100, 100), ["F2"]),
        # one upon the other
        ((700, 700), ["F1", "F3"]),
        # far away, in every direction
        ((-9e6, 0), []),
        ((9e5, 9e5), []),
        ((0, -9e6), []),
    ],
)
def test_memberships(place: tuple[float, float], codes: list[str]) -> None:
    index = index_of(
        fence(1, rectangle(0, 0, 1000, 1000, (200, 200, 300, 300))),
        fence(2, parts((3000, 0, 3200, 200), (4000, 0, 4200, 200))),
        fence(3, rectangle(600, 600, 800, 800), FenceKind.SITE),
    )
    assert inside(index, place) == codes


def test_only_versions_in_force_count() -> None:
    """The place of a fence moves with its version; a retired fence is nowhere."""
    index = index_of(
        fence(1, rectangle(0, 0, 100, 100), since_us=10),
        fence(1, rectangle(1000, 0, 1100, 100), since_us=20),
        fence(1, rectangle(1000, 0, 1100, 100), since_us=30, retired=True),
    )
    lat, lon = places(*[(50, 50), (1050, 50)] * 4)
    times = np.repeat([9, 10, 20, 30], 2)
    found = index.inside(lat, lon, times)
    assert list(zip(found.row.tolist(), found.version.tolist(), strict=True)) == [(2, 0), (5, 1)]


def test_a_fence_counts_only_in_its_hours() -> None:
    index = index_of(fence(1, rectangle(0, 0, 1000, 1000), schedule=parse_schedule("daily 08:00-09:00")))
    hour_us = 3_600_000_000  # 1970 began at 08:00 civil time
    assert inside(index, (500, 500), hour_us - 1) == ["F1"]
    assert inside(index, (500, 500), hour_us) == []


def test_a_signature_tells_sets_of_fences_apart() -> None:
    index = index_of(
        fence(1, rectangle(0, 0, 1000, 1000)),
        fence(2, rectangle(300, 300, 2000, 700)),
        fence(3, rectangle(5000, 0, 6000, 1000), schedule=parse_schedule("daily 08:00-09:00")),
    )
    one, two, three = index.fences.signature
    lat, lon = places((500, 100), (500, 500), (500, 300), (500, 299), (-900, 0), (-1, 0), (5500, 500))
    signatures = index.signatures(lat, lon, np.zeros(7, np.int64), index.cells(lat, lon))
    assert signatures.tolist() == [one, one + two, one + two, one, 0, 0, three]
    late_us = np.full(7, 4_000_000_000)  # 09:06
    assert index.signatures(lat, lon, late_us, index.cells(lat, lon))[-1] == 0


@pytest.mark.parametrize(
    ("start", "end", "met"),
    [
        ((-100, 500), (1100, 500), [(1000, 0.083, 0.917)]),
        ((1100, 500), (-100, 500), [(1000, 0.083, 0.917)]),
        ((500, -100), (500, 1300), [(1000, 0.071, 0.786)]),
        ((-100, 500), (500, 500), []),  # ends inside: no crossing but an entry
        ((500, 500), (1100, 500), []),
        ((-100, -100), (1100, -100), []),
        ((-100, 100), (100, -100), [(0, 0.5, 0.5)]),  # touches the corner at (0, 0)
        ((-50, 100), (150, -100), [(71, 0.25, 0.5)]),  # cuts the corner
        ((-100, 500), (0, 500), []),  # ends on the boundary: inside
    ],
)
def test_crossings(
    start: tuple[float, float], end: tuple[float, float], met: list[tuple[float, float, float]]
) -> None:
    index = index_of(
        fence(1, rectangle(0, 0, 1000, 1000)), fence(2, rectangle(0, 0, 1000, 1000), FenceKind.SITE)
    )
    found = index.crossings(places(start), places(end), np.zeros(1, np.int64))
    assert [index.fences.codes[version] for version in found.version.tolist()] == ["F1"] * len(met)
    figures = zip(found.inside_m.tolist(), found.first.tolist(), found.last.tolist(), strict=True)
    assert [(round(m, -1 if m > 100 else 0), round(a, 3), round(b, 3)) for m, a, b in figures] == met


def test_a_way_meets_only_fences_in_force() -> None:
    index = index_of(fence(1, rectangle(0, 0, 100, 100), since_us=10))
    ways = places((-50, 50), (-50, 50)), places((150, 50), (150, 50)), np.array([9, 10])
    assert index.crossings(*ways).row.tolist() == [1]


def test_a_way_round_the_corner_of_a_hole_meets_the_fence() -> None:
    """From outside, through a fence with a hole: both parts count."""
    index = index_of(fence(1, rectangle(0, 0, 300, 300, (100, 100, 200, 200))))
    found = index.crossings(places((-100, 150)), places((400, 150)), np.zeros(1, np.int64))
    assert round(float(found.inside_m[0])) == 200
    assert (round(float(found.first[0]), 2), round(float(found.last[0]), 2)) == (0.2, 0.8)


@pytest.mark.parametrize("lat_udeg", [0, 30_000_000, -60_000_000])
def test_distances_are_metres_at_every_latitude(lat_udeg: int) -> None:
    """Within 1 % of the great circle, north and east of a square of 11 km."""
    width_deg, south = 0.1, lat_udeg * 1e-6
    corners = [(120.0, south), (120.1, south), (120.1, south + width_deg), (120.0, south + width_deg)]
    index = index_of(
        fence(1, {"type": "Polygon", "coordinates": [[list(corner) for corner in [*corners, corners[0]]]]})
    )
    east_udeg = round(20 / (0.11119493 * np.cos(np.deg2rad(south + width_deg / 2))))
    lat = np.array([lat_udeg + 50_000, lat_udeg - 180, lat_udeg + 50_000], np.int32)
    lon = np.array([120_100_000 + east_udeg, 120_050_000, 120_050_000], np.int32)
    version = np.zeros(3, np.int32)
    assert index.is_beyond(version, lat, lon, np.full(3, 19.8)).tolist() == [True, True, False]
    assert index.is_beyond(version, lat, lon, np.full(3, 20.2)).tolist() == [False, False, False]


@st.composite
def stars(draw: st.DrawFn) -> dict[str, object]:
    """Return polygons of all shapes within 3 km, some tiny, many not convex."""
    middle = np.array([draw(st.integers(-3000, 3000)), draw(st.integers(-3000, 3000))])
    reach = draw(st.lists(st.integers(1, 1500), min_size=3, max_size=12))
    angle = np.linspace(0, 2 * np.pi, len(reach), endpoint=False)
    corners = np.rint(
        (middle + np.column_stack([np.cos(angle), np.sin(angle)]) * np.array(reach)[:, None]) * UDEG
    )
    ring = [[(120_000_000 + x) * 1e-6, y * 1e-6] for x, y in corners.tolist()]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


@given(st.lists(stars(), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_the_index_answers_as_the_polygons_do(shapes: list[dict[str, object]], seed: int) -> None:
    """For points anywhere, and for points on corners and edges; and a way said to be clear meets nothing."""
    fences = Fences([fence(number, shape) for number, shape in enumerate(shapes, 1)])
    index = FenceIndex(fences, FENCE_KINDS, crossable=FENCE_KINDS)
    dice = np.random.default_rng(seed)
    on_edges = shapely.get_coordinates(fences.polygons).astype(np.int32)
    lon = np.concatenate([dice.integers(119_950_000, 120_050_000, 100), on_edges[:, 0]]).astype(np.int32)
    lat = np.concatenate([dice.integers(-50_000, 50_000, 100), on_edges[:, 1]]).astype(np.int32)
    found = index.inside(lat, lon, np.zeros(len(lat), np.int64))
    expected = [
        (row, version)
        for row in range(len(lat))
        for version, polygon in enumerate(fences.polygons)
        if shapely.intersects_xy(polygon, lon[row], lat[row])
    ]
    assert list(zip(found.row.tolist(), found.version.tolist(), strict=True)) == expected

    far = (
        lat + dice.integers(-3000, 3000, len(lat)).astype(np.int32),
        lon + dice.integers(-3000, 3000, len(lat)).astype(np.int32),
    )
    clear = index.clear_of_boundaries(index.cells(lat, lon), far[0] - lat, far[1] - lon)
    ways = shapely.linestrings(np.stack([np.column_stack([lon, lat]), np.column_stack(far[::-1])], axis=1))
    boundaries = shapely.boundary(fences.polygons)
    assert not shapely.intersects(ways[clear, None], boundaries).any()


def test_fences_of_two_far_cities_keep_small_cells() -> None:
    """What lies between is folded away: Köln does not make the cells of Jiaxing coarse."""
    index = index_of(
        fence(1, {"type": "Polygon", "coordinates": [[[6.8, 50.9], [7.0, 50.9], [7.0, 51.0], [6.8, 50.9]]]}),
        fence(
            2,
            {
                "type": "Polygon",
                "coordinates": [[[120.7, 30.6], [121.0, 30.6], [121.0, 30.8], [120.7, 30.6]]],
            },
        ),
    )
    lat, lon = (
        np.array([50_910_000, 30_610_000, 40_000_000], np.int32),
        np.array([6_990_000, 120_990_000, 60_000_000], np.int32),
    )
    signatures = index.signatures(lat, lon, np.zeros(3, np.int64), index.cells(lat, lon))
    assert signatures.tolist() == [*index.fences.signature.tolist(), 0]


def test_an_index_without_fences_finds_nothing() -> None:
    index = index_of()
    lat, lon = places((0, 0))
    time_us = np.zeros(1, np.int64)
    cells = index.cells(lat, lon)
    assert len(index) == 0
    assert len(index.inside(lat, lon, time_us).row) == 0
    assert index.signatures(lat, lon, time_us, cells).tolist() == [0]
    assert index.clear_of_boundaries(cells, lat, lat).tolist() == [True]
