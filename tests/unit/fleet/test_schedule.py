"""Weekly windows: what people write, and what the store keeps."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.schedule import (
    EVERY_DAY,
    Schedule,
    ScheduleError,
    Window,
    minute_of_week,
    minutes_of_week,
    parse_schedule,
    to_json,
)
from fleet.units import to_us

WORKDAYS = (1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("written", "windows"),
    [
        ("mon-fri 07:00-09:00", (Window(WORKDAYS, "07:00", "09:00"),)),
        ("daily 6:00-22:00", (Window(EVERY_DAY, "06:00", "22:00"),)),
        ("06:00-24:00", (Window(EVERY_DAY, "06:00", "24:00"),)),
        ("sat,sun 22:00-06:00", (Window((6, 7), "22:00", "06:00"),)),
        ("sat-mon 00:00-24:00", (Window((1, 6, 7), "00:00", "24:00"),)),
        ("MON  07:00 - 09:00", (Window((1,), "07:00", "09:00"),)),
        (
            "周一至周五 07:00-09:00；周六 8:00～12:00",
            (Window(WORKDAYS, "07:00", "09:00"), Window((6,), "08:00", "12:00")),
        ),
        ("每天 22:00至06:00", (Window(EVERY_DAY, "22:00", "06:00"),)),
        ("星期天 08:00-09:00;", (Window((7,), "08:00", "09:00"),)),
        ([{"days": [5, 1, 1], "from": "7:00", "to": "9:30"}], (Window((1, 5), "07:00", "09:30"),)),
    ],
)
def test_reads_text_and_json(written: Any, windows: Schedule) -> None:
    assert parse_schedule(written) == windows


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "at least one window"),
        ([], "at least one window"),
        ("never", "not a window of the week"),
        ("mon-fri", "not a window of the week"),
        ("mon 07:00", "not a window of the week"),
        ("moon 07:00-08:00", "days are mon to sun"),
        ("mon-tue-wed 07:00-08:00", "days are mon to sun"),
        ("mon 25:00-26:00", "00:00 to 24:00"),
        ("mon 24:30-25:00", "00:00 to 24:00"),
        ("mon 24:00-06:00", "not at 24:00"),
        (7, "text or a list"),
        ([7], "a window is an object"),
        ([{"days": [1], "from": "07:00"}], "a window is an object"),
        ([{"days": [1], "from": "07:00", "to": "08:00", "x": 1}], "a window is an object"),
        ([{"days": [0], "from": "07:00", "to": "08:00"}], "1 (Monday) to 7"),
        ([{"days": [True], "from": "07:00", "to": "08:00"}], "1 (Monday) to 7"),
        ([{"days": [], "from": "07:00", "to": "08:00"}], "1 (Monday) to 7"),
    ],
)
def test_refuses_with_the_remedy(written: Any, message: str) -> None:
    with pytest.raises(ScheduleError, match=message.replace("(", r"\(").replace(")", r"\)")):
        parse_schedule(written)


def test_the_stored_form_is_readable() -> None:
    assert to_json(parse_schedule("sat 22:00-06:00")) == [{"days": [6], "from": "22:00", "to": "06:00"}]
    assert to_json(None) is None


minutes = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
windows = st.builds(
    Window,
    st.sets(st.sampled_from(EVERY_DAY), min_size=1).map(lambda days: tuple(sorted(days))),
    minutes,
    minutes,
)


@given(st.lists(windows, min_size=1).map(lambda found: tuple(sorted(found))))
def test_what_is_stored_reads_as_the_same(schedule: Schedule) -> None:
    assert parse_schedule(to_json(schedule)) == schedule


@pytest.mark.parametrize(
    ("written", "civil", "held"),
    [
        # 2026-06-01 is a Monday
        ("mon-fri 07:00-09:00", "2026-06-01T06:59:59", False),
        ("mon-fri 07:00-09:00", "2026-06-01T07:00", True),
        ("mon-fri 07:00-09:00", "2026-06-05T08:59:59", True),
        ("mon-fri 07:00-09:00", "2026-06-05T09:00", False),
        ("mon-fri 07:00-09:00", "2026-06-06T08:00", False),
        # past midnight a window belongs to the day it starts on
        ("sat 22:00-06:00", "2026-06-06T05:00", False),
        ("sat 22:00-06:00", "2026-06-06T22:00", True),
        ("sat 22:00-06:00", "2026-06-07T05:59", True),
        ("sat 22:00-06:00", "2026-06-07T06:00", False),
        ("sun 22:00-06:00", "2026-06-08T05:59", True),  # and past the end of the week
        ("daily 00:00-24:00", "2026-06-03T23:59:59", True),
        ("wed 06:00-06:00", "2026-06-04T05:59", True),  # a whole day
        ("wed 06:00-06:00", "2026-06-04T06:00", False),
        ("mon 01:00-02:00; mon 03:00-04:00", "2026-06-01T02:30", False),
        ("mon 01:00-02:00; mon 03:00-04:00", "2026-06-01T03:30", True),
    ],
)
def test_a_window_holds_in_civil_time(written: str, civil: str, held: bool) -> None:
    minute = minute_of_week(to_us(datetime.fromisoformat(f"{civil}+08:00")))
    assert minutes_of_week(parse_schedule(written))[minute] == held


@given(st.text() | st.text("mon-fri 0123456789:;,", max_size=40))
def test_any_text_is_read_or_refused(written: Any) -> None:
    with contextlib.suppress(ScheduleError):
        parse_schedule(written)
