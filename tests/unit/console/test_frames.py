"""Positions survive the way through a binary frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from console.frames import Positions, decode, encode

NOW_US = 1_764_000_000_123_456
TWO = Positions(
    np.array([7, 6000], np.int32),
    np.array([30_750_123, -33_900_001], np.int32),
    np.array([120_760_456, 18_420_002], np.int32),
    np.array([NOW_US - 350_000, NOW_US - 86_400_000_000], np.int64),
    np.array([423, -1], np.int16),
    np.array([359, -1], np.int16),
    np.array([False, True]),
)
ROW_BYTES, HEADER_BYTES = 21, 32


def test_a_frame_is_columns_behind_a_header() -> None:
    frame = encode(TWO, NOW_US, 1.0)
    assert len(frame) == HEADER_BYTES + 2 * ROW_BYTES
    assert frame[:8] == b"KSP1\x02\x00\x00\x00"
    assert frame[32:40] == b"\x07\x00\x00\x00\x70\x17\x00\x00"
    assert frame[-2:] == b"\x00\x01"


def test_what_it_holds_comes_back_to_a_tenth_of_a_second() -> None:
    found, now_ms, rate = decode(encode(TWO, NOW_US, 10.0))
    assert now_ms == NOW_US / 1000
    assert rate == 10.0
    for name in ("vehicle_id", "lat_udeg", "lon_udeg", "speed_dkmh", "course_deg", "not_watched"):
        assert getattr(found, name).tolist() == getattr(TWO, name).tolist()
    assert np.abs(found.time_us - TWO.time_us).max() < 101_000


def test_an_empty_frame_still_tells_the_time() -> None:
    nobody = Positions(*(column[:0] for column in TWO))
    found, now_ms, _rate = decode(encode(nobody, NOW_US, 1.0))
    assert len(found.vehicle_id) == 0
    assert now_ms == NOW_US / 1000


def test_times_too_far_apart_for_the_column_do_not_wrap() -> None:
    """A unit whose clock stands in 1970 is very old, not in the future."""
    ancient = TWO._replace(time_us=np.array([0, NOW_US], np.int64))
    found, *_ = decode(encode(ancient, NOW_US, 1.0))
    assert found.time_us[0] < NOW_US - 6 * 365 * 86_400_000_000
    assert abs(found.time_us[1] - NOW_US) < 101_000


@given(hnp.arrays(np.int32, st.integers(0, 50)), st.integers(0, 2**51))
def test_any_columns_round_trip(values: np.ndarray, now_us: int) -> None:
    small = (values % 2**15).astype(np.int16)
    given_ = Positions(
        values, values, values[::-1], now_us - np.abs(values.astype(np.int64)), small, small, values > 0
    )
    found, *_ = decode(encode(given_, now_us, 1.0))
    for name in ("vehicle_id", "lat_udeg", "lon_udeg", "speed_dkmh", "course_deg", "not_watched"):
        assert (getattr(found, name) == getattr(given_, name)).all()


@pytest.mark.parametrize(
    "frame", [b"", b"KSP1", b"KSP2" + bytes(28), encode(TWO, 0, 1.0)[:-1], encode(TWO, 0, 1.0) + b"x"]
)
def test_what_is_not_a_frame_is_refused(frame: bytes) -> None:
    with pytest.raises(ValueError, match="frame of positions"):
        decode(frame)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda rest: b"KSP1" + rest))
def test_fuzz(frame: bytes) -> None:
    try:
        decode(frame)
    except ValueError:
        return
