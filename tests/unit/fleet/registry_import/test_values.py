"""One cell: what is understood, and what is refused with which remedy."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.kinds import FenceKind, VehicleKind
from fleet.registry_import import values
from fleet.registry_import.layout import LAYOUTS
from fleet.registry_import.problem import CellError

if TYPE_CHECKING:
    from collections.abc import Callable
import contextlib


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("parse", "raw", "value"),
    [
        (values.text, "  嘉兴一建 ", "嘉兴一建"),
        (values.text, 13800000000.0, "13800000000"),
        (values.text, 12.5, "12.5"),
        (values.code, "JX-2_b", "JX-2_b"),
        (values.code, "ＪＸ－Ｍ－０００２", "JX-M-0002"),
        (values.code, '="0001"', "0001"),
        (values.code, 1001, "1001"),
        (values.phone, 13857312345.0, "13857312345"),
        (values.phone, " 137 5733 4567", "13757334567"),
        (values.phone, "0573-8234 5678", "0573-82345678"),
        (values.person, "张　三", "张三"),
        (values.person, "John Smith", "John Smith"),
        (values.plate, " 浙f·1 2345", "浙F12345"),
        (values.plate, "浙Ｆ１２３４５", "浙F12345"),
        (values.plate, "浙FD45678", "浙FD45678"),
        (values.plate, "浙F12345D", "浙F12345D"),
        (values.plate, "浙F1234挂", "浙F1234挂"),
        (values.vehicle_kind, "砼车", VehicleKind.MIXER),
        (values.vehicle_kind, "mixer truck", VehicleKind.MIXER),
        (values.vehicle_kind, "散装罐车", VehicleKind.BULK_CEMENT),
        (values.vehicle_kind, "干混砂浆运输车", VehicleKind.MORTAR),
        (values.code, 1001.0, "1001"),
        (values.limit_kmh, "60", 60),
        (values.limit_kmh, "６０", 60),
        (values.limit_kmh, 60.0, 60),
        (values.limit_kmh, "60km/h", 60),
        (values.limit_kmh, "60 公里/小时", 60),
        (values.limit_kmh, 1, 1),
        (values.limit_kmh, 200, 200),
        (values.dwell_s, "5400", 5400),
        (values.vehicle_kind, "mixer", VehicleKind.MIXER),
        (values.vehicle_kind, "Bulk cement", VehicleKind.BULK_CEMENT),
        (values.vehicle_kind, "silo-carrier", VehicleKind.SILO_CARRIER),
        (values.vehicle_kind, "混凝土搅拌车", VehicleKind.MIXER),
        (values.vehicle_kind, "泵车", VehicleKind.PUMP),
        (values.fence_kind, "speed_zone", FenceKind.SPEED_ZONE),
        (values.fence_kind, "禁行区", FenceKind.FORBIDDEN),
        (values.datum, "GCJ02", "gcj02"),
        (values.yes_no, True, True),
        (values.yes_no, "否", False),
        (values.yes_no, 1, True),
        (values.day, "2026-01-31", date(2026, 1, 31)),
        (values.day, "2026/1/31", date(2026, 1, 31)),
        (values.day, "2026年1月31日", date(2026, 1, 31)),
        (values.day, "2026年3月5日", date(2026, 3, 5)),
        (values.day, "2026.3.5", date(2026, 3, 5)),
        (values.day, "2026 年 3 月 5 日", date(2026, 3, 5)),
        (values.day, "２０２６－０３－０５", date(2026, 3, 5)),
        (values.day, "20260305", date(2026, 3, 5)),
        (values.day, "2026-03-05 00:00:00", date(2026, 3, 5)),
        # day 46387 of Excel, as a number and as the text of a CSV
        (values.day, 46387, date(2026, 12, 31)),
        (values.day, 46387.0, date(2026, 12, 31)),
        (values.day, "46387", date(2026, 12, 31)),
        (values.day, date(2026, 1, 31), date(2026, 1, 31)),
        (values.day, datetime.fromisoformat("2026-01-31T08:00"), date(2026, 1, 31)),
        # a day begins at its midnight in Shanghai and ends at the next
        (values.beginning, "2026-01-31", utc("2026-01-30T16:00")),
        (values.end, "2026-01-31", utc("2026-01-31T16:00")),
        (values.end, date(2026, 1, 31), utc("2026-01-31T16:00")),
        (values.beginning, "2026-01-31 08:00", utc("2026-01-31T00:00")),
        (values.end, "2026/1/31 8:00", utc("2026-01-31T00:00")),
        (values.end, "2026-01-31T08:00:30Z", utc("2026-01-31T08:00:30")),
        (values.beginning, "2026-01-31T08:00+09:00", utc("2026-01-30T23:00")),
        (values.beginning, "2026-01-31T08:00:30.000Z", utc("2026-01-31T08:00:30")),
        (values.beginning, datetime.fromisoformat("2026-01-31T08:00"), utc("2026-01-31T00:00")),
    ],
)
def test_reads(parse: Callable[[object], Any], raw: Any, value: Any) -> None:
    assert parse(raw) == value


@pytest.mark.parametrize(
    ("parse", "raw", "message"),
    [
        (values.beginning, "2026-01-31T08:00:00.5+08:00", "must be a whole second, like 2026-01-31T08:00:00"),
        (values.end, "2026-01-31 08:00:30,25", "must be a whole second"),
        (values.text, True, "must be text"),
        (values.text, ["a"], "must be text"),
        (values.text, "a\nb", "control characters"),
        (values.text, "a\x00b", "control characters"),
        (values.text, "a\ud800b", "control characters"),
        (values.text, "a" * 201, "at most 200"),
        pytest.param(values.text, 10**5000, "at most 200", id="a number of 5001 digits"),
        (values.text, "浙F\u202e12345", "number 3 is U+202E"),
        (values.text, "张\u200b三", "number 2 is U+200B"),
        (values.text, "张\u3164", "number 2 is U+3164"),
        (values.text, "\x9b31m", "number 1 is U+009B"),
        (values.text, "a\u2028b", "number 2 is U+2028"),
        (values.text, "张\ufffd", "damaged on the way"),
        (values.text, "#N/A", "an error of the spreadsheet"),
        (values.phone, "1.38573E+10", "lost digits in Excel"),
        (values.person, "张三、李四", "names two people"),
        (values.plate, "F12345", "does not begin with the character of a province"),
        (values.plate, "浙F1234", "has 6 characters"),
        (values.plate, "浙F200010", "is not possible"),
        (values.plate, "浙FO2345", "has the letter I or O"),
        (values.plate, "无牌", "a plate is like 浙F12345 (7 characters)"),
        (values.vehicle_kind, "重型特殊结构货车", "must be one of mixer"),
        (values.code, "浙F12345", "characters A-Z"),
        (values.code, "a/b", "characters A-Z"),
        (values.code, "a+", "characters A-Z"),
        (values.code, "a" * 65, "characters A-Z"),
        (values.code, 12.5, "characters A-Z"),
        (values.limit_kmh, 0, "from 1 to 200"),
        (values.limit_kmh, 201, "from 1 to 200"),
        (values.limit_kmh, "-60", "from 1 to 200"),
        (values.limit_kmh, "60.5", "whole number of km/h"),
        (values.limit_kmh, "fast", "whole number of km/h"),
        (values.limit_kmh, "nan", "whole number of km/h"),
        (values.limit_kmh, "inf", "whole number of km/h"),
        (values.limit_kmh, True, "must be text"),
        (values.dwell_s, 0, "from 1 to 2592000"),
        (
            values.vehicle_kind,
            "lorry",
            "must be one of mixer, bulk_cement, mortar, silo_carrier, pump, other",
        ),
        (values.fence_kind, "", "must be one of site, forbidden"),
        (values.datum, "mars", "must be one of wgs84, gcj02, bd09"),
        (values.yes_no, "perhaps", "true or false"),
        (values.day, "31.01.2026", "like 2026-01-31"),
        (values.day, "2026-02-30", "like 2026-01-31"),
        (values.day, "1999-12-31", "from 2000 to 2099"),
        (values.day, date(2100, 1, 1), "from 2000 to 2099"),
        (values.day, 36525, "like 2026-01-31"),
        (values.day, 73051, "like 2026-01-31"),
        (values.day, 46000.5, "like 2026-01-31"),
        (values.day, time(8), "must be text"),
        (values.end, "soon", "like 2026-01-31"),
        (values.end, "2026-01-31 25:00", "like 2026-01-31 08:00"),
        (values.end, "2026-01-31T08:00+99:00", "like 2026-01-31 08:00"),
        (values.end, datetime.fromisoformat("1899-12-31T08:00"), "from 2000 to 2099"),
        (values.schedule, "always", "windows like"),
    ],
)
def test_refuses(parse: Callable[[object], Any], raw: Any, message: str) -> None:
    with pytest.raises(CellError) as refused:
        parse(raw)
    assert message in str(refused.value)


cells = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text("0123456789-/T :+Z", max_size=25)
    | st.dates()
    | st.datetimes()
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(), st.integers(), max_size=2)
)


@given(cells)
def test_any_cell_is_read_or_refused(raw: Any) -> None:
    for layout in LAYOUTS.values():
        for column in layout.columns:
            with contextlib.suppress(CellError):
                column.parse(raw)
