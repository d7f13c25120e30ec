"""Months, windows, and the days on which the stages of a month's figures are due."""

from __future__ import annotations

from datetime import date

import pytest

from analytics.report.periods import (
    Stage,
    Window,
    due_day,
    report_before,
    rolling_year,
    shift,
    stage_on,
    year_to_date,
)

AUGUST = date(2020, 8, 1)


@pytest.mark.parametrize(
    ("stage", "day"),
    [
        (Stage.FLASH, date(2020, 9, 5)),
        (Stage.FIRST, date(2020, 10, 10)),
        (Stage.SECOND, date(2020, 11, 30)),
        (Stage.FINAL, date(2021, 4, 30)),
    ],
)
def test_stages_of_august_are_due_as_the_plan_of_publication_says(stage: Stage, day: date) -> None:
    assert due_day(AUGUST, stage) == day


@pytest.mark.parametrize(
    ("day", "stage"),
    [
        ("2020-08-31", None),
        ("2020-09-04", None),
        ("2020-09-05", Stage.FLASH),
        ("2020-10-09", Stage.FLASH),
        ("2020-10-10", Stage.FIRST),
        ("2020-11-30", Stage.SECOND),
        ("2021-04-30", Stage.FINAL),
        ("2021-05-01", Stage.CORRECTION),
    ],
)
def test_the_day_decides_the_stage(day: str, stage: Stage | None) -> None:
    assert stage_on(AUGUST, date.fromisoformat(day)) is stage


def test_of_december_the_final_report_comes_a_month_after_the_second_revision() -> None:
    december = date(2020, 12, 1)
    assert due_day(december, Stage.SECOND) == date(2021, 3, 31)
    assert stage_on(december, date(2021, 4, 30)) is Stage.FINAL


@pytest.mark.parametrize(
    ("stage", "day"),
    [
        (Stage.FLASH, date(2020, 8, 5)),  # July's flash figures
        (Stage.FIRST, date(2020, 9, 5)),
        (Stage.SECOND, date(2020, 10, 10)),
        (Stage.FINAL, date(2020, 11, 30)),
        (Stage.CORRECTION, date(2021, 4, 30)),
    ],
)
def test_a_report_is_compared_with_the_one_before(stage: Stage, day: date) -> None:
    assert report_before(AUGUST, stage) == day


def test_windows_are_named_as_people_write_them() -> None:
    windows = [
        Window(AUGUST, AUGUST),
        year_to_date(AUGUST),
        rolling_year(AUGUST),
        Window(date(2019, 1, 1), date(2019, 12, 1)),
    ]
    assert [window.name.zh for window in windows] == [
        "2020年8月",
        "2020年1—8月",
        "2019年9月—2020年8月",
        "2019年",
    ]
    assert [len(window.months) for window in windows] == [1, 8, 12, 12]


def test_months_are_counted_over_the_turn_of_the_year() -> None:
    assert shift(date(2020, 1, 1), -1) == date(2019, 12, 1)
    assert shift(date(2019, 12, 1), 1) == date(2020, 1, 1)
