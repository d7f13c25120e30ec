"""Way and time by hour, county, fence class and load: the parts are the whole, wherever it is cut."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.exposure.cells import CLASSES, MEASURES, Cells, cells, labels, summed
from fleet.columns import Fixes, FixFlag
from fleet.fences.index import FenceIndex
from fleet.fences.versions import Fences
from fleet.kinds import FenceKind
from fleet.units import MICROSECONDS
from tests.unit.analytics.exposure.drives import (
    EAST_M,
    LAT_UDEG,
    LON_UDEG,
    START_US,
    fixes,
    measured,
    straight,
)
from tests.unit.fleet.fences.shapes import fence

if TYPE_CHECKING:
    from fleet.fences.versions import FenceVersion

ALWAYS_US = (-(2**62), 2**62)


def of(drive: Fixes, fences: FenceIndex | None = None, between_us: tuple[int, int] = ALWAYS_US) -> Cells:
    record, steps = measured(drive)
    at = labels(record, fences)
    return cells(steps, at, fine_s=3.0, from_us=between_us[0], until_us=between_us[1])


def strip(from_m: float, to_m: float) -> dict[str, Any]:
    """Return a box across the way, from so many metres east to so many."""
    west, east = (1e-6 * (LON_UDEG + metres / EAST_M) for metres in (from_m, to_m))
    south, north = 1e-6 * (LAT_UDEG - 1000), 1e-6 * (LAT_UDEG + 1000)
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


def index(*versions: FenceVersion) -> FenceIndex:
    return FenceIndex(Fences(versions), (*CLASSES, FenceKind.DISTRICT))


def sums(found: Cells, *names: str) -> dict[tuple[int, ...], float]:
    """Return kilometres by some columns, to a tenth."""
    by = summed(found, names)
    keys = zip(*(getattr(by, name).tolist() for name in names), strict=True)
    return {key: round(mm / 1e6, 1) for key, mm in zip(keys, by.distance_mm.tolist(), strict=True)}


def test_kilometres_by_the_hour_of_the_week() -> None:
    """From Saturday 9:59:10 on for 100 s: half of it before ten. Monday midnight is hour 0 of the week."""
    drive = straight(1000, from_s=-50)
    by = summed(of(drive), ("hour_us",))
    assert by.hour_of_week.tolist() == [5 * 24 + 9, 5 * 24 + 10]
    assert (by.distance_mm / 1e6).round(2).tolist() == [0.5, 0.5]
    assert by.driven_us.tolist() == [50_000_000, 50_000_000]


def test_kilometres_by_county_and_fence_class() -> None:
    """Kilometres 0 to 0.4 in one county and 0.4 to 1 in the other; a site to 0.1, a zone from 0.3 to 0.6."""
    fences = index(
        fence(11, strip(-50, 395), FenceKind.DISTRICT),
        fence(12, strip(395, 1100), FenceKind.DISTRICT),
        fence(13, strip(-50, 95), FenceKind.SITE),
        fence(14, strip(295, 595), FenceKind.SPEED_ZONE, limit_kmh=30),
    )
    found = of(straight(1000), fences)
    assert sums(found, "county") == {(11,): 0.4, (12,): 0.6}
    site, zone = 1 << CLASSES.index(FenceKind.SITE), 1 << CLASSES.index(FenceKind.SPEED_ZONE)
    assert sums(found, "classes") == {(0,): 0.6, (site,): 0.1, (zone,): 0.3}
    assert sums(found, "county", "classes") == {
        (11, 0): 0.2,
        (11, site): 0.1,
        (11, zone): 0.1,
        (12, 0): 0.4,
        (12, zone): 0.2,
    }


def test_what_nobody_says_is_unknown() -> None:
    found = of(straight(1000))
    assert (found.county.tolist(), found.classes.tolist(), found.loaded.tolist()) == ([-1], [-1], [-1])


def test_kilometres_loaded_and_empty() -> None:
    at_s = np.arange(101.0)
    said = np.select([at_s < 30, at_s < 70], [FixFlag.LOAD_KNOWN | FixFlag.LOADED, FixFlag.LOAD_KNOWN], 0)
    assert sums(of(fixes(at_s, at_s * 10, flags=said)), "loaded") == {(-1,): 0.3, (0,): 0.4, (1,): 0.3}


def test_a_gap_is_silent_and_nowhere() -> None:
    """Ten seconds before and after two hours, in which it came 30 km farther."""
    at_s = np.r_[0:61, 7260:7321].astype(float)
    found = of(
        fixes(at_s, at_s * 10 - np.where(at_s > 100, 42_000, 0)),
        index(fence(11, strip(-50, 99999), FenceKind.DISTRICT)),
    )
    by = {name: int(getattr(found, name).sum()) for name in MEASURES}
    assert by["silent_us"] == by["unseen_us"] == 7200 * MICROSECONDS
    assert by["unseen_mm"] == pytest.approx(30e6, rel=1e-4)
    assert sums(found, "county") == {(-1,): 0.0, (11,): 1.2}
    # By hour as by time: of the 7,200 s, 3,540 lie in the first.
    hourly = summed(found, ("hour_us",))
    assert (hourly.silent_us // MICROSECONDS).tolist() == [3540, 3600, 60]
    assert (hourly.unseen_mm / 1e6).round(2).tolist() == [14.75, 15.0, 0.25]


def test_only_short_intervals_are_fine() -> None:
    """A kilometre at 2 s and one at 5 s: at more than 3 s no turn can be judged."""
    at_s = np.r_[0:101:2, 105:201:5].astype(float)
    found = of(fixes(at_s, at_s * 10))
    assert [round(int(mm.sum()) / 1e6, 2) for mm in (found.fine_mm, found.distance_mm)] == [1.0, 2.0]


@pytest.mark.parametrize(("every_s", "fine"), [(3.0, True), (3.001, False)])
def test_three_seconds_are_fine_and_more_are_not(every_s: float, fine: bool) -> None:
    found = of(straight(1000, every_s=every_s))
    assert int(found.distance_mm.sum()) > 900_000
    assert int(found.fine_mm.sum()) == (int(found.distance_mm.sum()) if fine else 0)


def stop_and_go() -> Fixes:
    """Drive, stand, drive through a silence and round a corner, over the hour and two counties."""
    at_s = np.r_[0:200, 500:700, 1500:1600].astype(float)
    east = np.interp(at_s, [0, 150, 550, 700, 1500, 1600], [0, 1500, 1500, 3000, 9000, 9000])
    north = np.interp(at_s, [1500, 1600], [0, 900])
    return fixes(at_s - 600, east, north, vehicle_id=np.where(np.arange(len(at_s)) % 2, 3, 4))


@given(st.lists(st.integers(-700_000_000, 1_100_000_000), max_size=5))
@settings(max_examples=60, deadline=None)
def test_a_record_cut_at_any_instants_adds_up(instants_us: list[int]) -> None:
    record, steps = measured(stop_and_go())
    at = labels(
        record,
        index(
            fence(11, strip(-50, 777), FenceKind.DISTRICT), fence(12, strip(777, 8000), FenceKind.DISTRICT)
        ),
    )
    edges = [-(2**62), *(START_US + instant for instant in sorted(instants_us)), 2**62]
    parts = [cells(steps, at, fine_s=3.0, from_us=begin, until_us=end) for begin, end in pairwise(edges)]
    whole = cells(steps, at, fine_s=3.0, from_us=edges[0], until_us=edges[-1])
    together = summed(Cells.concat(parts))
    for name in Cells.dtypes():
        assert getattr(together, name).tolist() == getattr(whole, name).tolist(), name


def test_all_time_of_a_record_is_driven_or_stood_or_silent() -> None:
    _, steps = measured(stop_and_go())
    found = summed(of(stop_and_go()), ("vehicle_id",))
    spent_us = found.driven_us + found.stood_us + found.silent_us
    for vehicle_id, us in zip(found.vehicle_id.tolist(), spent_us.tolist(), strict=True):
        own = steps.vehicle_id == vehicle_id
        assert us == steps.to_us[own].max() - steps.from_us[own].min()
    assert found.distance_mm.sum() == steps.distance_mm.sum()
