"""No number under three can be had from what is told, by whatever subtraction."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.ledger.accident import Casualty, Facts, Injury, Moment, Reporter, Vehicle
from analytics.publishing.disclosure import AtMost, Sum, interval, tellable
from analytics.publishing.extract import Cell, extract_files, make_extract, read_extract
from analytics.publishing.keys import PublishingError

AS_OF = datetime(2021, 4, 30, 16, tzinfo=UTC)


def table(rows: list[list[int]]) -> tuple[list[Sum], int]:
    """Every cell, every row and column, and the whole."""
    values = np.array(rows)
    places = np.arange(values.size).reshape(values.shape)
    groups = [(places, 0)]
    groups += [(each, 1) for each in (*places, *places.T)]
    groups += [(np.array([place]), 2) for place in places.ravel()]
    sums = [
        Sum(frozenset(each.ravel().tolist()), int(values.ravel()[each.ravel()].sum()), rank)
        for each, rank in groups
    ]
    return sums, values.size


@pytest.mark.parametrize(
    ("rows", "cells_told"),
    [
        # Nothing is small: all is told.
        ([[5, 4], [3, 9]], 4),
        # One small cell: another of its row, of its column, and the corner are left out as well.
        ([[5, 1], [3, 9]], 0),
        ([[5, 1, 8], [3, 9, 7], [6, 6, 6]], 5),
    ],
)
def test_small_tables(rows: list[list[int]], cells_told: int) -> None:
    sums, cells = table(rows)
    told = tellable(sums, cells)
    assert told[0], "the whole is told"
    assert sum(yes for yes, each in zip(told, sums, strict=True) if each.rank == 2) == cells_told


@settings(max_examples=15)
@given(
    rows=st.integers(2, 3).flatmap(
        lambda width: st.lists(
            st.lists(st.integers(0, 9), min_size=width, max_size=width), min_size=2, max_size=3
        )
    )
)
def test_no_small_number_can_be_recovered(rows: list[list[int]]) -> None:
    sums, cells = table(rows)
    told = tellable(sums, cells)
    for yes, each in zip(told, sums, strict=True):
        if yes:
            assert each.value >= 3
        elif each.value < 3:
            least, greatest = interval(each, sums, told, cells)
            assert least <= 1e-6
            assert greatest >= 2 - 1e-6


@settings(max_examples=10)
@given(rows=st.lists(st.lists(st.integers(0, 4), min_size=2, max_size=2), min_size=2, max_size=2))
def test_somebody_who_tries_every_table_learns_no_more(rows: list[list[int]]) -> None:
    """The same without linear programming: every table that agrees with what is told, counted out."""
    sums, cells = table(rows)
    told = tellable(sums, cells)
    every = np.indices((17,) * cells).reshape(cells, -1)
    agrees = [
        every[list(each.cells)].sum(0) == each.value for yes, each in zip(told, sums, strict=True) if yes
    ]
    possible = every[:, np.logical_and.reduce(agrees)] if agrees else every
    for yes, each in zip(told, sums, strict=True):
        if not yes and each.value < 3:
            assert {0, 1, 2} <= set(possible[list(each.cells)].sum(0).tolist())


def test_what_everybody_knows_is_reckoned_with() -> None:
    """Five accidents that hurt somebody each, four people injured: one at least is dead."""
    sums = [Sum(frozenset({0}), 5, 0), Sum(frozenset({1}), 1, 0), Sum(frozenset({2}), 4, 1)]
    assert tellable(sums, 3) == [True, False, True]
    hurts = [AtMost(frozenset({0}), frozenset({1, 2}))]
    assert tellable(sums, 3, hurts) == [True, False, False]


def test_what_was_told_before_cannot_be_taken_back() -> None:
    sums, cells = table([[5, 4], [3, 1]])
    row = next(at for at, each in enumerate(sums) if each.cells == {2, 3})
    cell = next(at for at, each in enumerate(sums) if each.cells == {2})
    with pytest.raises(PublishingError, match="a person must decide"):
        tellable(sums, cells, told_before=[row, cell])


# -- the extract of a year


def accident(day: str, county: str, *injuries: Injury) -> Facts:
    occurred = Moment(datetime.fromisoformat(f"{day}T08:00:00+08:00"), is_exact=True)
    people = tuple(
        Casualty(each, died=occurred if each is Injury.DEAD else None) for each in injuries or (Injury.LIGHT,)
    )
    return Facts(
        occurred,
        Reporter.POLICE,
        county=county,
        police_handled=True,
        casualties_known=True,
        casualties=people,
        vehicles=(Vehicle(is_fleet=True, vehicle="TRUCK-1", company="FIRM-1"),),
    )


ACCIDENTS = [
    *[accident(f"2020-01-{day:02d}", "海盐县") for day in range(1, 7)],
    *[accident(f"2020-05-{day:02d}", "海盐县", Injury.SERIOUS) for day in range(1, 5)],
    *[accident(f"2020-02-{day:02d}", "海宁市", Injury.DEAD) for day in range(1, 5)],
    accident("2020-08-01", "海宁市"),
    accident("2020-11-01", "平湖市"),
    accident("2019-11-01", "平湖市"),
]


def test_the_extract_of_a_year() -> None:
    made = make_extract(ACCIDENTS, 2020, AS_OF, counties=["桐乡市"])
    assert made.counties == ("平湖市", "桐乡市", "海宁市", "海盐县")
    assert made.told[Cell("accidents", "city", 0)] == 16
    assert made.told[Cell("deaths", "city", 0)] == 4
    assert made.told[Cell("accidents", "平湖市", 0)] is None
    assert made.told[Cell("accidents", "桐乡市", 0)] is None, "none is not told either: it is under three"
    assert all(value is None or value >= 3 for value in made.told.values())
    files = extract_files(made)
    assert read_extract(files["extract.json"]) == made.told
    rows = list(csv.reader(io.StringIO(files["extract.csv"].decode("utf-8-sig"))))
    assert rows[1][:3] == ["伤亡事故起数 accidents with people hurt", "全市 whole city", "16"]
    assert set(json.loads(files["manifest.json"])["files"]) == {"extract.json", "extract.csv"}
    assert not any(secret in data for data in files.values() for secret in (b"TRUCK-1", b"FIRM-1"))


def test_a_correction_says_what_was_told_otherwise() -> None:
    first = make_extract(ACCIDENTS, 2020, AS_OF)
    later = make_extract([*ACCIDENTS, accident("2020-01-20", "海盐县")], 2020, AS_OF, earlier=first.told)
    changed = {each.cell: (each.old, each.new) for each in later.corrections}
    assert changed[Cell("accidents", "city", 0)] == (16, 17)
    assert all(later.told[cell] is not None for cell, value in first.told.items() if value is not None)


def test_a_year_that_is_not_over_has_no_extract() -> None:
    with pytest.raises(PublishingError, match="2021 is not over"):
        make_extract(ACCIDENTS, 2021, AS_OF)
    with pytest.raises(PublishingError, match="nothing is recorded"):
        make_extract([], 2020, AS_OF)


def test_a_county_is_no_formula() -> None:
    files = extract_files(make_extract([accident("2020-01-01", "=1+1")], 2020, AS_OF))
    assert ",'=1+1," in files["extract.csv"].decode()
