"""What becomes of the facts that stand when others are said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.facts.fact import MonthFact, Source
from analytics.facts.measures import Measure
from analytics.facts.restating import FactError, Key, Restatement, Said, require_sound, restate

MARCH, NOW = date(2026, 3, 1), datetime(2026, 4, 1, tzinfo=UTC)
KEY = Key(MARCH, "city", Measure.KM)


def said(value: float, **other: Any) -> Said:
    return Said(**{"scope": "city", "month": MARCH, "measure": Measure.KM, "value": value} | MEASURED | other)


MEASURED: dict[str, Any] = {"coverage": 0.9, "source": Source.MEASURED}


def stood(value: float, source: Source = Source.MEASURED, since: datetime = NOW) -> dict[Key, MonthFact]:
    return {KEY: MonthFact("city", MARCH, Measure.KM, value, 0.9, source, since)}


def test_a_new_figure_is_added() -> None:
    assert restate([said(5)], {}, NOW) == Restatement([said(5)], [], 0, NOW)


def test_the_same_figure_again_changes_nothing() -> None:
    assert restate([said(5)], stood(5), NOW) == Restatement([], [], 1, NOW)


def test_another_figure_closes_what_stood_and_is_known_later_whatever_the_clock_says() -> None:
    found = restate([said(6)], stood(5, since=NOW + timedelta(seconds=9)), NOW)
    assert (found.added, found.closed) == ([said(6)], [KEY])
    assert found.known_from == NOW + timedelta(seconds=9, microseconds=1)


def test_what_is_not_known_any_more_is_closed() -> None:
    assert restate([], stood(5), NOW, gone=[KEY]).closed == [KEY]
    assert restate([], {}, NOW, gone=[KEY]).closed == []


def test_what_is_measured_replaces_an_example_and_never_the_other_way_round() -> None:
    assert restate([said(6)], stood(5, Source.SIMULATED), NOW).closed == [KEY]
    with pytest.raises(FactError, match="city 2026-03 km: is measured"):
        restate([said(6, source=Source.SIMULATED)], stood(5), NOW)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (said(-1), "no count"),
        (said(float("nan")), "no count"),
        (said(1, month=date(2026, 3, 2)), "no month"),
        (said(1, source=Source.DECLARED), "is measured, nobody declares it"),
    ],
)
def test_a_figure_that_is_none_is_refused(wrong: Said, told: str) -> None:
    with pytest.raises(FactError, match=told):
        require_sound([wrong])


def test_two_values_of_one_figure_are_refused() -> None:
    with pytest.raises(FactError, match="two values"):
        restate([said(1), said(2)], {}, NOW)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_any_run_of_figures_leaves_one_that_stands_and_every_one_before_readable(values: list[int]) -> None:
    versions: list[tuple[datetime, datetime | None, float]] = []
    for value in values:
        standing = stood(versions[-1][2], since=versions[-1][0]) if versions else {}
        done = restate([said(value)], standing, NOW)
        if done.closed:
            versions[-1] = (versions[-1][0], done.known_from, versions[-1][2])
        versions += [(done.known_from, None, one.value) for one in done.added]
    assert [until for _, until, _ in versions[:-1]] == [since for since, _, _ in versions[1:]]
    assert versions[-1][1:] == (None, values[-1])
