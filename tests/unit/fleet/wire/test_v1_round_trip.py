"""What is encoded is decoded as it was: the columns are exact on the wire."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.columns import (
    UNKNOWN_ALTITUDE_M,
    CameraEvents,
    CameraState,
    Fixes,
    FixFlag,
    HealthReports,
    Phase,
    Side,
    Target,
)
from fleet.wire.v1 import (
    Ack,
    Published,
    decode,
    encode_ack,
    encode_arrays,
    encode_camera,
    encode_fix,
    encode_fixes,
    encode_health,
)
from fleet.wire.v1.encoding import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleet.columns import Columns
    from fleet.wire.v1 import Decoded, Directory

    Decode = Callable[..., Decoded]

TIMES = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999) | st.integers(0, 4_102_444_800).map(
    lambda s: s * 10**6
)
LAT, LON = st.integers(-90_000_000, 90_000_000), st.integers(-180_000_000, 180_000_000)
SPEED = st.integers(-1, 4000)
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=64)
#: Facts that are known, and each "on" only with its "known".
FLAGS = st.lists(st.sampled_from([0, 1, 2]), min_size=5, max_size=5).map(
    lambda states: sum(((0, 1, 3)[state]) << (2 * i) for i, state in enumerate(states))
)


def _flag_nowhere(batch: Fixes) -> Fixes:
    nowhere = (batch.lat_udeg == 0) & (batch.lon_udeg == 0)
    flags = batch.flags | np.where(nowhere, np.int16(FixFlag.NO_POSITION), np.int16(0))
    return dataclasses.replace(batch, flags=flags)


def rows_of(columns: type[Columns], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = [*fields]
    table = st.lists(st.tuples(*fields.values()), min_size=1, max_size=6)
    return table.map(
        lambda rows: columns.build(
            vehicle_id=1, **dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        )
    )


fixes = rows_of(
    Fixes,
    time_us=TIMES,
    lat_udeg=LAT,
    lon_udeg=LON,
    speed_dkmh=SPEED,
    course_deg=st.integers(-1, 359),
    altitude_m=st.just(UNKNOWN_ALTITUDE_M) | st.integers(-500, 9000),
    odometer_hm=st.integers(-1, 200_000_000),
    satellites=st.integers(-1, 255).filter(lambda n: n != 0),
    hdop_tenths=st.integers(-1, 1000),
    limit_kmh=st.just(-1) | st.integers(1, 200),
    flags=FLAGS,
).map(_flag_nowhere)


def assert_same(got: Columns, expected: Columns) -> None:
    for name, dtype in expected.dtypes().items():
        column = getattr(got, name)
        assert column.dtype == np.dtype(dtype), name
        assert column.tolist() == getattr(expected, name).tolist(), name


@given(fixes)
def test_fixes(decoded: Decode, batch: Fixes) -> None:
    result = decoded(*encode_fixes(batch))
    assert_same(result.fixes, batch)
    assert encode_fix(batch, len(batch) - 1) == encode_fixes(batch)[-1]


@given(fixes, st.integers(1, 4))
def test_fixes_in_arrays(decoded: Decode, batch: Fixes, elements: int) -> None:
    payloads = encode_arrays(batch, elements=elements)
    assert [len(json.loads(p)) for p in payloads[:-1]] == [elements] * (len(payloads) - 1)
    assert_same(decoded(*payloads, kind="history").fixes, batch)


@given(
    rows_of(
        CameraEvents,
        time_us=TIMES,
        event_id=TEXT.filter(bool),
        side=st.sampled_from(Side),
        target=st.sampled_from(Target),
        phase=st.sampled_from(Phase),
        lat_udeg=LAT,
        lon_udeg=LON,
        speed_dkmh=SPEED,
        evidence=TEXT,
    )
)
def test_camera_events(decoded: Decode, batch: CameraEvents) -> None:
    assert_same(decoded(*encode_camera(batch), kind="camera").camera, batch)


@given(
    rows_of(
        HealthReports,
        time_us=TIMES,
        camera=st.sampled_from(CameraState),
        power=st.integers(-1, 1),
        gnss=st.integers(-1, 1),
        firmware=TEXT,
    )
)
def test_health_reports(decoded: Decode, batch: HealthReports) -> None:
    assert_same(decoded(*encode_health(batch), kind="health").health, batch)


@given(TEXT.filter(bool), TIMES, st.sampled_from(["done", "refused", "failed", "expired"]))
def test_answers(decoded: Decode, command_id: str, time_us: int, result: str) -> None:
    ack = Ack(1, time_us, command_id, result)
    assert decoded(encode_ack(ack), kind="ack").acks == [ack]


def test_what_a_payload_looks_like() -> None:
    batch = Fixes.build(
        vehicle_id=7,
        time_us=[1_787_392_800_000_000, 1_787_392_800_250_000, 1_787_392_800_000_001],
        lat_udeg=[30_752_212, 0, 1],
        lon_udeg=[120_758_501, 0, -1],
        speed_dkmh=[425, -1, 0],
        flags=[
            FixFlag.BRAKE_KNOWN | FixFlag.BRAKE_ON,
            FixFlag.NO_POSITION,
            FixFlag.LOAD_KNOWN,
        ],
    )
    assert encode_fixes(batch) == [
        b'{"time":"2026-08-22T10:00:00Z","lat":30.752212,"lon":120.758501,"speed_kmh":42.5,"signals":{"brake":true}}',
        b'{"time":"2026-08-22T10:00:00.250Z","lat":0.0,"lon":0.0}',
        b'{"time":"2026-08-22T10:00:00.000001Z","lat":1e-6,"lon":-1e-6,"speed_kmh":0.0,"load":"empty"}',
    ]


def test_a_unit_that_knows_where_it_was_but_not_where_it_is_says_zero_satellites(decoded: Decode) -> None:
    batch = Fixes.build(
        vehicle_id=1,
        time_us=0,
        lat_udeg=30_000_000,
        lon_udeg=120_000_000,
        satellites=3,
        flags=FixFlag.NO_POSITION,
    )
    (fix,) = decoded(*encode_fixes(batch)).fixes.flags
    assert fix == FixFlag.NO_POSITION
    assert json.loads(encode_fix(batch))["satellites"] == 0


def test_nothing_to_encode(directory: Directory) -> None:
    assert (
        encode_fixes(Fixes.empty())
        == encode_arrays(Fixes.empty())
        == encode_camera(CameraEvents.empty())
        == []
    )
    assert decode([Published("x", b"")][:0], directory).received == 0


@pytest.mark.parametrize("elements", [0, -1, 20_001])
def test_an_array_has_a_size(elements: int) -> None:
    with pytest.raises(ValueError, match="an array has 1 to 20000 elements"):
        encode_arrays(Fixes.empty(), elements=elements)


def test_times_have_as_many_decimals_as_they_need() -> None:
    assert rfc3339(np.array([0, 1, 1000, -1, 10**6])) == [
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00.000001Z",
        "1970-01-01T00:00:00.001Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:01Z",
    ]
