"""A stored track as people read it: degrees, km/h, null for what is not known."""

from __future__ import annotations

import json

from console import models, track
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
    assert json.loads(track.encode("mx00001", DAY_US, DAY_US + 86_400_000_000, FIXES)) == {
        "vehicle": "mx00001",
        "from": "2025-11-21T16:00:00Z",
        "until": "2025-11-22T16:00:00Z",
        "time_ms": [1_763_740_800_000, 1_763_740_801_000, 1_763_740_802_500],
        "lat": [30.750001, None, -0.0005],
        "lon": [120.760002, None, 179.999999],
        "speed_kmh": [42.3, None, 0.0],
        "course_deg": [359, None, 0],
        "limit_kmh": [None, 60, None],
        "odometer_km": [123456.7, None, 0.0],
    }


def test_an_empty_track_has_empty_columns() -> None:
    found = json.loads(track.encode("mx00001", DAY_US, DAY_US, Fixes.empty()))
    columns = {name for name, column in found.items() if column == []}
    assert columns == {"time_ms", "lat", "lon", "speed_kmh", "course_deg", "limit_kmh", "odometer_km"}


def test_it_has_the_columns_that_the_document_names() -> None:
    found = json.loads(track.encode("mx00001", DAY_US, DAY_US, Fixes.empty()))
    assert list(found) == list(models.Track.__struct_encode_fields__)
