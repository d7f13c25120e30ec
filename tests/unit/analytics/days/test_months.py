"""What a month amounts to, and how much of what ought to have been seen was."""

from __future__ import annotations

from datetime import date

from analytics.days.judged import Judged
from analytics.days.months import Sums, county_facts, facts, next_month
from analytics.exposure.vehicle_day import Seen, Way
from analytics.facts.fact import Source
from analytics.facts.measures import Measure

MARCH = date(2026, 3, 1)
#: Ten vehicle-days of which eight were heard; 90 % of the time under way and 75 % of the way was seen well.
MONTH = Sums(
    days=10,
    online=8,
    driven=7,
    drifting=1,
    seen=Seen(fixes=1000, fixes_valid=990, silent_us=0, unseen_us=100, unseen_mm=20_000_000),
    way=Way(distance_mm=180_000_000, fine_mm=150_000_000, driven_us=900, trips=12),
    judged=Judged(
        right_turns=40, evaluable=30, looked=15, armed=10, conflicts=2, alerts=3, alerts_resolved=1
    ),
)


def told(of: Sums = MONTH) -> dict[Measure, tuple[float, float | None]]:
    said = facts("city", MARCH, of)
    assert {(one.scope, one.month, one.source) for one in said} == {("city", MARCH, Source.MEASURED)}
    return {one.measure: (one.value, one.coverage) for one in said}


def test_sums_in_the_units_of_the_measures() -> None:
    found = told()
    assert found[Measure.KM] == (180.0, 0.72)
    assert found[Measure.KM_UNSEEN] == (20.0, 0.72)
    assert found[Measure.KM_FINE] == (150.0, 0.72)
    assert found[Measure.DRIVING_S] == (0.0009, 0.72)
    assert found[Measure.VEHICLE_DAYS_ONLINE] == (8, 1.0)
    assert found[Measure.ALERTS_RESOLVED] == (1, 1.0)


def test_coverage_is_of_days_heard_and_of_what_was_seen_on_them() -> None:
    """0.8 of the days; on them 0.9 of the time under way, 0.75 of the way; cameras at half of the turns."""
    found = told()
    assert found[Measure.RIGHT_TURNS] == (40, 0.72)
    assert found[Measure.RIGHT_TURNS_EVALUABLE] == (30, 0.6)
    assert found[Measure.RIGHT_TURNS_ARMED] == (10, 0.3)
    assert found[Measure.CONFLICTS] == (2, 0.3)
    assert found[Measure.VEHICLE_DAYS_DRIVEN] == (7, 0.8)


def test_of_a_vehicle_that_was_never_heard_nothing_is_zero() -> None:
    found = told(Sums(days=31))
    assert found[Measure.VEHICLE_DAYS] == (31, 1.0)
    assert found[Measure.VEHICLE_DAYS_ONLINE] == (0, 1.0)
    assert not found.keys() & {Measure.KM, Measure.TRIPS, Measure.RIGHT_TURNS, Measure.CONFLICTS}


def test_one_that_was_heard_and_stood_drove_nothing() -> None:
    assert told(Sums(days=31, online=31))[Measure.KM] == (0.0, 1.0)


def test_where_nobody_looked_at_cameras_conflicts_are_not_recorded() -> None:
    found = told(Sums(days=1, online=1, judged=Judged(right_turns=5, evaluable=5)))
    assert Measure.RIGHT_TURNS_EVALUABLE in found
    assert not found.keys() & {Measure.RIGHT_TURNS_ARMED, Measure.CONFLICTS}


def test_a_county_was_seen_as_well_as_the_city() -> None:
    way, judged = (
        Way(distance_mm=60_000_000, fine_mm=30_000_000),
        Judged(right_turns=4, evaluable=2, looked=2),
    )
    found = {
        one.measure: (one.value, one.coverage)
        for one in county_facts("county:haiyan", MARCH, way, judged, MONTH)
    }
    assert found[Measure.KM] == (60.0, 0.72)
    assert found[Measure.RIGHT_TURNS_EVALUABLE] == (2, 0.36)
    assert Measure.VEHICLE_DAYS not in found
    assert county_facts("county:haiyan", MARCH, way, judged, Sums(days=3)) == []


def test_months_follow_one_another() -> None:
    assert [next_month(day) for day in (date(2026, 1, 31), date(2026, 12, 5))] == [
        date(2026, 2, 1),
        date(2027, 1, 1),
    ]
