"""Two recorded series: British casualties by month, and lorry accidents before and after a measure."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.statistics import monitor, rates, target, trend
from analytics.statistics.inputs import observed

if TYPE_CHECKING:
    from pathlib import Path


def column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])


@pytest.fixture
def seatbelts(shared_data: Path) -> list[dict[str, str]]:
    with (shared_data / "data/stats/datasets__Seatbelts.csv").open() as lines:
        return list(csv.DictReader(lines))


@pytest.fixture
def trucks(shared_data: Path) -> list[dict[str, str]]:
    with (shared_data / "data/stats/vcd__Trucks.csv").open() as lines:
        return list(csv.DictReader(lines))


def test_the_seat_belt_law_of_1983(seatbelts: list[dict[str, str]]) -> None:
    """Killed drivers per km, the 23 months from February 1983 against the same months two years earlier."""
    killed, km, law = column(seatbelts, "DriversKilled"), column(seatbelts, "kms"), column(seatbelts, "law")
    after = law == 1
    before = np.roll(after, -24) & (law == 0)
    assert (after.sum(), before.sum()) == (23, 23)
    now, base = (observed(killed[m].sum(), km[m].sum()) for m in (after, before))
    found = rates.ratio_interval(now, base)
    assert found.upper is not None
    assert found.upper < 1
    assert target.probability_at_most(now, base, 1.0) > 0.999
    assert target.probability_at_most(now, base, 0.5) < 1e-6  # a clear fall, and far from a halving


def test_the_seat_belt_law_leaves_front_and_rear_apart(seatbelts: list[dict[str, str]]) -> None:
    """Front passengers fall, rear ones, not covered, do not: only a comparison group shows that."""
    after = column(seatbelts, "law") == 1
    before = np.roll(after, -24)
    ratio = {
        seat: rates.ratio_interval(
            observed(column(seatbelts, seat)[after].sum(), 1),
            observed(column(seatbelts, seat)[before].sum(), 1),
        )
        for seat in ("front", "rear")
    }
    front, rear = ratio["front"].upper, ratio["rear"].lower
    assert front is not None
    assert front < 0.85
    assert rear > 0.95


def test_months_of_drivers_killed_vary_more_than_poisson(seatbelts: list[dict[str, str]]) -> None:
    """Season and trend: monthly counts of the years before must not be treated as one Poisson series."""
    killed = column(seatbelts, "DriversKilled")[:48]
    found = trend.dispersion(killed)
    assert found.ratio > 2
    assert found.p_value < 1e-6


def test_a_cusum_for_a_rise_stays_silent_when_deaths_fall(seatbelts: list[dict[str, str]]) -> None:
    """Van drivers killed, 7.1 a month before the law and 5.2 after; in the other order it is a rise."""
    killed, law = column(seatbelts, "VanKilled").astype(int), column(seatbelts, "law")
    before, after = killed[law == 0][-36:], killed[law == 1]
    k = monitor.reference_value(float(before.mean()), 1.5 * float(before.mean()))
    _, risen = monitor.cusum_path(list(after), [k] * len(after), h=6)
    assert not risen.any()
    k_back = monitor.reference_value(float(after.mean()), 1.5 * float(after.mean()))
    backwards = list(np.concatenate([after, before]))
    path, seen = monitor.cusum_path(backwards, [k_back] * len(backwards), h=6)
    assert not seen[: len(after)].any()
    assert seen[len(after) : len(after) + 12].any()
    assert path[-1] > 6


def test_lorry_accidents_before_and_after(trucks: list[dict[str, str]]) -> None:
    """Andersen 1991, table 6.8: two years before and after; counts in the ten thousands are no burden."""
    totals = {
        period: sum(int(row["Freq"]) for row in trucks if row["period"] == period)
        for period in ("before", "after")
    }
    assert totals == {"before": 18_508, "after": 16_266}
    now, base = observed(totals["after"], 2), observed(totals["before"], 2)
    exact, midp = (rates.ratio_interval(now, base, method=m) for m in ("exact", "midp"))
    assert exact.ratio == pytest.approx(0.879, abs=5e-4)
    assert (exact.lower, exact.upper) == pytest.approx((0.860, 0.898), abs=1e-3)
    assert (midp.lower, midp.upper) == pytest.approx((exact.lower, exact.upper), rel=1e-3)
    assert target.probability_at_most(now, base, 0.5) == 0.0
