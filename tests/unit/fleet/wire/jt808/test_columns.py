"""Reports in columns say what the exact reading of each frame says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleet.units import to_us
from fleet.wire.jt808 import Frame, decode
from fleet.wire.jt808.columns import NO_TIME, Reports, read_reports, times_us
from fleet.wire.jt808.values import moment_of
from tests.unit.fleet.wire.jt808.frames import BASE, HEARTBEAT, ODOMETER, RIGHT_REAR, cut, wire

if TYPE_CHECKING:
    from collections.abc import Sequence


def columns(*frames: str | bytes) -> Reports:
    return read_reports([frame for one in frames for frame in cut(one)])


def test_three_reports_and_a_heartbeat() -> None:
    read = columns(RIGHT_REAR, HEARTBEAT, wire(0x0200, BASE), wire(0x0200, BASE + ODOMETER, 2019))
    assert (read.frame.tolist(), read.others.tolist()) == ([0, 2, 3], [1])
    assert read.version.tolist() == [2013, 2013, 2019]
    assert read.serial.tolist() == [1, 0, 0]
    assert read.lat_udeg.tolist() == [31_234_567] * 3
    assert read.lon_udeg.tolist() == [121_456_789] * 3
    assert read.altitude_m.tolist() == [12] * 3
    assert read.speed_dkmh.tolist() == [253] * 3
    assert read.course_deg.tolist() == [88] * 3
    assert read.time_us.tolist() == [1_773_540_930_000_000] * 3  # 2026-03-15T02:15:30Z
    assert read.valid.tolist() == [True] * 3
    assert read.odometer_100m.tolist() == [123_456, -1, 123_456], "-1: not told"
    assert read.signals.tolist() == [4, -1, -1]
    assert read.satellites.tolist() == [14, -1, -1]
    assert read.items.id.tolist() == [0x01, 0x03, 0x25, 0x30, 0x31, 0x67, 0x01]
    assert read.items.row.tolist() == [0, 0, 0, 0, 0, 0, 2]
    assert read.value(3) == b"\x1c"


def test_what_is_left_to_the_exact_reading() -> None:
    encrypted = "7e020004000139123456780005337e"
    read = columns(encrypted, "7e000200000139123456780005007e", wire(0x0704, "0000"), wire(0x0200, "00" * 27))
    assert (len(read), read.others.tolist()) == (0, [0, 1, 2, 3])


def test_no_frames() -> None:
    assert (len(read_reports([])), len(columns(HEARTBEAT))) == (0, 0)


def test_an_item_that_lies_is_marked_and_left_out() -> None:
    read = columns(wire(0x0200, BASE + ODOMETER + "6729" + "00" * 3))
    assert (read.items_broken.tolist(), read.items.id.tolist()) == ([True], [1])


digits = st.one_of(
    st.binary(min_size=6, max_size=6),
    st.tuples(*[st.sampled_from(range(bound)) for bound in (100, 14, 33, 25, 61, 61)]).map(
        lambda parts: bytes.fromhex("".join(f"{part:02d}" for part in parts))
    ),
)


@given(st.lists(digits, min_size=1, max_size=20))
def test_times_are_those_of_the_calendar(times: list[bytes]) -> None:
    expected = [NO_TIME if (t := moment_of(one.hex())) is None else to_us(t) for one in times]
    assert times_us(np.frombuffer(b"".join(times), np.uint8).reshape(-1, 6)).tolist() == expected


bodies = st.builds(
    lambda base, items: base + b"".join(bytes([item, len(value)]) + value for item, value in items),
    st.one_of(st.binary(min_size=28, max_size=28), st.just(bytes.fromhex(BASE))),
    st.lists(
        st.tuples(st.sampled_from([0x01, 0x02, 0x25, 0x30, 0x31, 0x67]), st.binary(max_size=6)), max_size=5
    ),
)


@given(
    st.lists(st.tuples(st.one_of(bodies, st.binary(max_size=60)), st.sampled_from([2013, 2019])), max_size=8)
)
def test_columns_are_the_exact_reading(reports: Sequence[tuple[bytes, int]]) -> None:
    frames: list[Frame] = [
        frame for body, version in reports for frame in cut(wire(0x0200, body.hex(), version))
    ]
    read = read_reports(frames)
    exact = [decode(frame) for frame in frames]
    with_position = [number for number, one in enumerate(exact) if one.positions]
    assert read.frame.tolist() == with_position
    for row, number in enumerate(with_position):
        (place,), version = exact[number].positions, exact[number].version
        assert (read.alarm[row], read.status[row], read.version[row]) == (place.alarm, place.status, version)
        assert (read.lat_udeg[row], read.lon_udeg[row]) == (place.lat_udeg, place.lon_udeg)
        assert (read.altitude_m[row], read.speed_dkmh[row]) == (place.altitude_m, place.speed_dkmh)
        assert (read.course_deg[row], read.valid[row]) == (place.course_deg, place.valid)
        assert read.time_us[row] == (NO_TIME if place.time is None else to_us(place.time))
        ours = [
            (int(read.items.id[at]), read.value(at)) for at in np.flatnonzero(read.items.row == row).tolist()
        ]
        assert ours == [(item.id, item.value) for item in place.items if item.fault is None]
