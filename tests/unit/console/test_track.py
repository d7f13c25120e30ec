"""A stored track as people read it: degrees, km/h, null for what is not known."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from console import track
from console.models.vehicles import Track
from fleet.columns import Fixes, FixFlag

DAY_US = 1_763_740_800_000_000

FIXES = Fixes.build(
    vehicle_id=[7, 7, 7],
    time_us=[DAY_US, DAY_US + 1_000_000, DAY_US + 2_500_000],
    lat_udeg=[30_750_001, 0, -500],
    lon_udeg=[120_760_002, 0, 179_999_999],
    speed_dkmh=[423, -1, 0],
    course_deg=[359, -1, 0],
    limit_kmh=[-1, 60, -1],
    odometer_hm=[1_234_567, -1, 0],
    flags=[0, int(FixFlag.NO_POSITION), 0],
)


def test_columns_in_the_units_of_people() -> None:
    part = track.Part(stored=70_000, thinned=True)
    assert json.loads(track.encode("mx00001", DAY_US, DAY_US + 86_400_000_000, FIXES, part)) == {
        "vehicle": "mx00001",
        "from": "2025-11-21T16:00:00Z",
        "until": "2025-11-22T16:00:00Z",
        "stored": 70_000,
        "thinned": True,
        "next": None,
        "time_ms": [1_763_740_800_000, 1_763_740_801_000, 1_763_740_802_500],
        "lat": [30.750001, None, -0.0005],
        "lon": [120.760002, None, 179.999999],
        "speed_kmh": [42.3, None, 0.0],
        "course_deg": [359, None, 0],
        "limit_kmh": [None, 60, None],
        "odometer_km": [123456.7, None, 0.0],
    }


def test_an_empty_track_has_empty_columns() -> None:
    found = json.loads(track.encode("mx00001", DAY_US, DAY_US, Fixes.empty(), track.Part()))
    columns = {name for name, column in found.items() if column == []}
    assert columns == {"time_ms", "lat", "lon", "speed_kmh", "course_deg", "limit_kmh", "odometer_km"}


def test_it_has_the_columns_that_the_document_names() -> None:
    found = json.loads(track.encode("mx00001", DAY_US, DAY_US, Fixes.empty(), track.Part()))
    assert list(found) == list(Track.__struct_encode_fields__)


def drive(seconds: list[int], speed_dkmh: list[int]) -> Fixes:
    return Fixes.build(
        vehicle_id=7, time_us=[DAY_US + second * 1_000_000 for second in seconds], speed_dkmh=speed_dkmh
    )


def seconds(fixes: Fixes) -> list[int]:
    return ((fixes.time_us - DAY_US) // 1_000_000).tolist()


def test_of_so_many_the_first_and_the_fastest_stay() -> None:
    #                               | of four           | of four            | the rest
    fixes = drive([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [5, 7, 900, 8, 9, -1, 3, 4, -1, -1])
    assert seconds(track.thinned(fixes, 4)) == [0, 2, 4, 8, 9]


def test_both_sides_of_a_gap_stay() -> None:
    fixes = drive([0, 1, 2, 200, 201, 202, 203, 204], [9, 1, 1, 1, 1, 1, 1, 1])
    assert seconds(track.thinned(fixes, 8)) == [0, 2, 200, 204]


@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(-1, 1500)), min_size=1, max_size=300),
    st.integers(1, 50),
)
def test_what_is_thinned_has_the_ends_the_gaps_and_the_top_speed(
    steps: list[tuple[int, int]], of: int
) -> None:
    fixes = drive(np.cumsum([step for step, _ in steps]).tolist(), [speed for _, speed in steps])
    kept = track.thinned(fixes, of)

    def gaps(one: Fixes) -> set[tuple[int, int]]:
        times = seconds(one)
        return {(a, b) for a, b in pairwise(times) if b - a > 120}

    assert set(seconds(kept)) <= set(seconds(fixes))
    assert (seconds(kept)[0], seconds(kept)[-1]) == (seconds(fixes)[0], seconds(fixes)[-1])
    assert kept.speed_dkmh.max() == fixes.speed_dkmh.max()
    assert gaps(fixes) <= gaps(kept)


@given(st.integers(track.MAX_POINTS + 1, 10**8))
def test_what_is_thinned_is_no_more_than_is_shown(stored: int) -> None:
    of = track.stride(stored)
    assert of >= 2
    assert 2 * -(-stored // of) <= track.MAX_POINTS - 2_400
