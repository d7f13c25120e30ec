"""Counts for the statistics, and accidents that may be one."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.ledger.accident import Facts, Range
from analytics.ledger.counting import By, Period, count, run_document
from analytics.ledger.duplicates import compare, find_duplicates
from analytics.ledger.scopes import Scope
from analytics.statistics.runs import read_case
from tests.unit.analytics.ledger.cases import (
    EQUAL,
    LIGHT,
    MINOR,
    PENDING,
    SERIOUS,
    accident,
    at,
    died,
    hurt,
    mixer,
)
from tests.unit.analytics.statistics import cases as statistics_cases

YEAR = Period(date(2016, 1, 1), date(2016, 12, 31))
NOW = at("2016-12-31 12:00")
BOTH = (mixer(responsibility=EQUAL), mixer("TX-M-002", "TX", responsibility=MINOR))
LEDGER = [
    accident("2016-03-12 08:30", county="海盐县", casualties=hurt(LIGHT, SERIOUS), vehicles=BOTH),
    accident("2016-03-20", county="平湖市", casualties=(died("2016-03-21"), died("2016-04-02"))),
    accident("2016-05-01", county="海盐县", casualties=hurt(LIGHT), vehicles=(mixer(responsibility=MINOR),)),
    accident("2016-12-20", casualties_known=False),
    accident("2016-12-21", county="平湖市"),  # nobody hurt
    accident("2015-12-31", casualties=hurt(LIGHT)),
]


def test_the_city_counts_an_accident_once() -> None:
    found = count(LEDGER, Scope.A1, YEAR, NOW)[""]
    assert found.accidents == Range(3, 4)
    assert (found.fatal_7d, found.fatal_30d) == (Range(1, 1), Range(1, 1))
    assert (found.deaths_7d, found.deaths_30d) == (Range(1, 1), Range(2, 2))
    assert (found.serious, found.light) == (Range(2, 2), Range(2, 2))
    assert (found.most_deaths_7d, found.most_deaths_30d) == (1, 2)
    assert (found.pending, found.without_casualties, found.open_30d) == (2, 1, 1)


def test_pending_responsibility_is_a_low_and_a_high_count() -> None:
    assert count(LEDGER, Scope.A2, YEAR, NOW)[""].accidents == Range(1, 3)
    assert count(LEDGER, Scope.A3, YEAR, NOW)[""].accidents == Range(1, 2)


def test_who_died_in_an_accident_that_is_undecided_is_in_the_high_count_alone() -> None:
    """Whose fault it was is not found yet: of A2 it may be none."""
    undecided = accident("2016-03-20", casualties=(died("2016-03-21"), *hurt(SERIOUS, LIGHT)))
    found = count([undecided], Scope.A2, YEAR, NOW)[""]
    assert (found.accidents, found.fatal_7d, found.deaths_7d) == (Range(0, 1), Range(0, 1), Range(0, 1))
    assert (found.serious, found.light) == (Range(0, 1), Range(0, 1))


@pytest.mark.parametrize(
    ("as_of", "open_30d"), [("2016-04-11 23:59", 1), ("2016-04-12 00:01", 0)], ids=["day 30", "day 31"]
)
def test_until_the_end_of_day_30_somebody_may_die_of_it(as_of: str, open_30d: int) -> None:
    struck = accident("2016-03-12 08:30", casualties=hurt(SERIOUS))
    assert count([struck], Scope.A1, YEAR, at(as_of))[""].open_30d == open_30d
    later = accident("2016-03-12 08:30", casualties=(died("2016-04-11 23:59"),))
    assert count([later], Scope.A1, YEAR, NOW)[""].deaths_30d == Range(1, 1)


def test_a_company_counts_each_of_its_accidents() -> None:
    found = count(LEDGER, Scope.A1, YEAR, NOW, By.COMPANY)
    assert {company: counts.accidents for company, counts in found.items()} == {
        "HD": Range(3, 4),
        "TX": Range(1, 1),
    }


def test_a_company_answers_for_its_own_vehicles() -> None:
    found = count(LEDGER[:1], Scope.A2, YEAR, NOW, By.COMPANY)  # equal: HD, minor: TX
    assert {company: counts.accidents for company, counts in found.items()} == {"HD": Range(1, 1)}


def test_counties_and_months_add_up_to_the_city() -> None:
    assert {
        county: counts.accidents for county, counts in count(LEDGER, Scope.A1, YEAR, NOW, By.COUNTY).items()
    } == {
        "": Range(0, 1),  # nobody has said where
        "平湖市": Range(1, 1),
        "海盐县": Range(2, 2),
    }
    assert list(count(LEDGER, Scope.A1, YEAR, NOW, By.MONTH)) == ["2016-03", "2016-05", "2016-12"]


def test_nothing_is_zero_and_not_absent() -> None:
    assert count([], Scope.A1, YEAR, NOW)[""].accidents == Range(0, 0)


facts = st.builds(
    lambda occurred, county, people, complete, shares: accident(
        occurred,
        county=county,
        casualties=people,
        casualties_known=complete,
        vehicles=tuple(mixer(f"V-{n}", f"C-{n}", responsibility=share) for n, share in enumerate(shares)),
    ),
    st.dates(date(2015, 12, 25), date(2016, 12, 31)).map(date.isoformat),
    st.sampled_from(["", "海盐县", "平湖市"]),
    st.lists(st.sampled_from([*hurt(LIGHT, SERIOUS), died("2017-02-01"), *hurt("dead")]), max_size=3).map(
        tuple
    ),  # type: ignore[arg-type]
    st.booleans(),
    st.lists(st.sampled_from([EQUAL, MINOR, PENDING, None]), max_size=2),
)


@given(st.lists(facts, max_size=12), st.sampled_from(list(Scope)), st.sampled_from([By.COUNTY, By.MONTH]))
def test_groups_add_up_to_the_city(ledger: list, scope: Scope, by: By) -> None:
    city = count(ledger, scope, YEAR, NOW)[""]
    groups = count(ledger, scope, YEAR, NOW, by).values()
    for name in ("accidents", "fatal_7d", "deaths_7d", "deaths_30d", "serious", "light"):
        total = [sum(getattr(group, name)[end] for group in groups) for end in (0, 1)]
        assert total == list(getattr(city, name))
        assert total[0] <= total[1]


@given(st.lists(facts, max_size=12))
def test_scopes_are_parts_of_one_another(ledger: list) -> None:
    found = {scope: count(ledger, scope, YEAR, NOW)[""] for scope in Scope}
    for scope in (Scope.A2, Scope.A3):
        assert all(found[scope].accidents[end] <= found[Scope.A1].accidents[end] for end in (0, 1))
    a1 = found[Scope.A1]
    assert a1.deaths_7d.low <= a1.deaths_30d.low
    assert a1.fatal_7d.low == found[Scope.A3].accidents.low


@given(st.lists(facts, max_size=12), st.sampled_from(["low", "high"]))
def test_the_statistics_read_what_is_counted(ledger: list, bound: str) -> None:
    after = at("2017-05-01")
    counts = count(ledger, Scope.A1, YEAR, after)[""]
    same = {name: statistics_cases.BASELINE[name] for name in ("scope", "denominator")}
    run = run_document(
        counts,
        YEAR,
        after,
        window_days=statistics_cases.BASELINE["death_window_days"],
        bound=bound,  # type: ignore[arg-type]
        exposure=16e6,
        **same,
    )
    (read,) = read_case(statistics_cases.file(run)).runs
    end = 0 if bound == "low" else 1
    assert (read.accidents, read.deaths) == (counts.accidents[end], counts.deaths_7d[end])


HERE = {"county": "海盐县", "place": "东西大道百步大桥路口"}


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        # firm and police, the same truck on the same day
        (accident("2016-03-12 08:30", police_no="33", **HERE), accident("2016-03-12", **HERE), 0.9),
        # two firms that met: no vehicle in common
        (
            accident("2016-03-12 08:30", **HERE, casualties=hurt(LIGHT)),
            accident("2016-03-12 08:50", **HERE, casualties=hurt(LIGHT), vehicles=(mixer("TX-M-002", "TX"),)),
            0.65,
        ),
        # the same number of the police
        (accident("2016-03-12", police_no="33"), accident("2016-05-12", police_no="33"), 1.0),
        # the police took them for two
        (accident("2016-03-12", police_no="33", **HERE), accident("2016-03-12", police_no="34", **HERE), 0.5),
        # another truck somewhere on that day
        (accident("2016-03-12"), accident("2016-03-12", vehicles=(mixer("TX-M-002", "TX"),)), 0.2),
        (accident("2016-03-12"), accident("2016-03-13"), 0.5),
    ],
)
def test_duplicates_are_scored(one: Facts, other: Facts, score: float) -> None:
    assert compare("A", one, "B", other).score == score
    offered = find_duplicates({"A": one, "B": other})
    assert [(pair.one, pair.other) for pair in offered] == ([("A", "B")] if score >= 0.6 else [])
