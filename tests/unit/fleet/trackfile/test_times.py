"""Times as files write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.schedule import CIVIL_ZONE
from fleet.trackfile.times import in_zone, number, read_time
from fleet.units import to_us

EIGHT = to_us(datetime(2024, 3, 5, 8, 0, 1, tzinfo=UTC))
MIDNIGHT = EIGHT - 8 * 3_600_000_000


@pytest.mark.parametrize(
    ("text", "time_us", "is_civil"),
    [
        ("2024-03-05T08:00:01Z", EIGHT, False),
        ("2024-03-05 08:00:01z", EIGHT, False),
        ("2024-03-05T08:00:01.5+08:00", MIDNIGHT + 500_000, False),
        ("2024-03-05 08:00:01 +0800", MIDNIGHT, False),
        ("2024-03-05 08:00:01 UTC", EIGHT, False),
        ("2024-03-05T05:30:01-02:30", EIGHT, False),
        ("2024-03-05 08:00:01", EIGHT, True),
        ("2024/3/5 8:00:01", EIGHT, True),
        ("2024.3.5 8:00:01,250", EIGHT + 250_000, True),
        ("5.3.2024 8:00:01", EIGHT, True),
        ("2024年3月5日 8:00:01", EIGHT, True),
        ("2024年3月5日8时0分1秒", EIGHT, True),
        ("2024-03-05 08：00：01", EIGHT, True),
        ("20240305080001", EIGHT, True),
        ("20240305T080001Z", EIGHT, False),
        ("240305080001", EIGHT, True),
        ("2024-03-05T08:00:01.1234567Z", EIGHT + 123_456, False),
        ("2024-03-05T07:59:60Z", EIGHT - 1_000_000, False),
    ],
)
def test_a_date_is_read(text: str, time_us: int, is_civil: bool) -> None:
    read = read_time(text)
    assert read is not None
    assert (read.time_us, read.unit, read.is_civil) == (time_us, None, is_civil)


@pytest.mark.parametrize(
    "text",
    [
        "", "noon", "2024-13-05 08:00:01", "2024-02-30 08:00:01", "2024-03-05 24:00:00",
        "2024-03-05 08:61:01", "3/5/2024 8:00:01", "2024-03-05", "08:00:01", "-5", "nan", "inf", "1e21",
        "1_709_625_601",
        "1969-12-31T23:59:59Z", "10000-01-01T00:00:00Z", "2024-03-05 08:00:01 CST",
    ],
)  # fmt: skip
def test_what_says_no_moment_is_none(text: str) -> None:
    assert read_time(text) is None


@pytest.mark.parametrize(
    ("text", "time_us", "unit"),
    [
        ("0", 0, "s"),
        ("1709625601.5", EIGHT + 500_000, "s"),
        ("1709625601500", EIGHT + 500_000, "ms"),
        ("1709625601500000", EIGHT + 500_000, "us"),
        ("1709625601500000000", EIGHT + 500_000, "ns"),
        ("1.709625601e9", EIGHT, "s"),
    ],
)
def test_the_size_of_a_number_says_its_unit(text: str, time_us: int, unit: str) -> None:
    read = read_time(text)
    assert read is not None
    assert (read.time_us, read.unit) == (time_us, unit)


@given(st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)))  # noqa: DTZ001 - civil times
def test_a_civil_time_is_the_moment_in_its_zone(civil: datetime) -> None:
    read = read_time(civil.isoformat(sep=" ", timespec="microseconds"))
    assert read is not None
    assert read.is_civil
    for zone in (CIVIL_ZONE, UTC, ZoneInfo("Europe/Berlin")):
        assert in_zone(read.time_us, zone) == to_us(civil.replace(tzinfo=zone))


@given(st.text())
def test_any_text_is_a_time_or_none(text: str) -> None:
    read = read_time(text)
    assert read is None or read.time_us >= 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [(".5", 0.5), ("-.5", -0.5), ("+5.", 5), ("1e3", 1000), ("30,75", None), ("1_0", None), ("NaN", None)],
)
def test_numbers(text: str, expected: float | None) -> None:
    assert number(text) == expected
    assert number("30,75", decimal_comma=True) == 30.75
    assert number("1,234.5", decimal_comma=True) is None
