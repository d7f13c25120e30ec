"""What each payload becomes, in stored units."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fleet.columns import CameraState, FixFlag, Phase, Side, Target
from fleet.wire.reasons import Reason
from fleet.wire.v1 import MAX_ELEMENTS, MAX_PAYLOAD_BYTES, Ack, Published, decode
from fleet.wire.v1.reading import NAMED_ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleet.columns import Columns
    from fleet.wire.v1 import Decoded, Directory

    Decode = Callable[..., Decoded]

T = '"time":"2026-08-22T10:00:00Z"'
AT = 1_787_392_800_000_000


def row(columns: Columns, i: int = 0) -> dict[str, Any]:
    return {name: getattr(columns, name)[i] for name in columns.dtypes()}


def fix(fields: str) -> str:
    return f'{{{T},"lat":30.5,"lon":120.5{"," if fields else ""}{fields}}}'


def test_a_whole_fix(decoded: Decode) -> None:
    result = decoded(
        '{"time":"2026-08-22T18:00:00.250+08:00","lat":30.752212,"lon":120.758501,"speed_kmh":42.5,'
        '"course_deg":95,"altitude_m":-3,"odometer_km":123456.7,"satellites":11,"hdop":0.9,"limit_kmh":60,'
        '"ignition":true,"signals":{"right_indicator":true,"left_indicator":false},"load":"loaded"}'
    )
    assert row(result.fixes) == {
        "vehicle_id": 1,
        "time_us": AT + 250_000,
        "lat_udeg": 30_752_212,
        "lon_udeg": 120_758_501,
        "speed_dkmh": 425,
        "course_deg": 95,
        "altitude_m": -3,
        "odometer_hm": 1_234_567,
        "satellites": 11,
        "hdop_tenths": 9,
        "limit_kmh": 60,
        "flags": FixFlag.IGNITION_KNOWN
        | FixFlag.IGNITION_ON
        | FixFlag.RIGHT_INDICATOR_KNOWN
        | FixFlag.RIGHT_INDICATOR_ON
        | FixFlag.LEFT_INDICATOR_KNOWN
        | FixFlag.LOAD_KNOWN
        | FixFlag.LOADED,
    }
    assert result.received == 1
    assert not result.rejects


@pytest.mark.parametrize(
    "fields", ["", *(f'"{name}":null' for name in ("speed_kmh", "ignition", "signals", "load", "datum"))]
)
def test_absent_and_null_are_unknown(decoded: Decode, fields: str) -> None:
    assert row(decoded(fix(fields)).fixes) == {
        "vehicle_id": 1,
        "time_us": AT,
        "lat_udeg": 30_500_000,
        "lon_udeg": 120_500_000,
        "speed_dkmh": -1,
        "course_deg": -1,
        "altitude_m": -32768,
        "odometer_hm": -1,
        "satellites": -1,
        "hdop_tenths": -1,
        "limit_kmh": -1,
        "flags": 0,
    }


@pytest.mark.parametrize(
    ("fields", "column", "stored"),
    [
        ('"speed_kmh":0', "speed_dkmh", 0),
        ('"speed_kmh":0.05', "speed_dkmh", 0),
        ('"speed_kmh":0.06', "speed_dkmh", 1),
        ('"speed_kmh":400', "speed_dkmh", 4000),
        ('"course_deg":359.4', "course_deg", 359),
        ('"course_deg":359.5', "course_deg", 0),
        ('"course_deg":360', "course_deg", 0),
        ('"course_deg":0.5', "course_deg", 0),
        ('"course_deg":1.5', "course_deg", 2),
        ('"altitude_m":8848.86', "altitude_m", 8849),
        ('"odometer_km":2e7', "odometer_hm", 200_000_000),
        ('"satellites":255', "satellites", 255),
        ('"hdop":99.99', "hdop_tenths", 1000),
        ('"limit_kmh":48.28', "limit_kmh", 48),
        ('"lat":-90', "lat_udeg", -90_000_000),
        ('"lat":30.1234565', "lat_udeg", 30_123_456),
        ('"lon":180', "lon_udeg", 180_000_000),
        ('"ignition":false', "flags", FixFlag.IGNITION_KNOWN),
        ('"load":"empty"', "flags", FixFlag.LOAD_KNOWN),
        ('"signals":{}', "flags", 0),
        ('"signals":{"brake":true}', "flags", FixFlag.BRAKE_KNOWN | FixFlag.BRAKE_ON),
        ('"lat":0,"lon":0', "flags", FixFlag.NO_POSITION),
        ('"lat":0,"lon":1e-7', "flags", FixFlag.NO_POSITION),
        ('"lat":0,"lon":0.000001', "flags", 0),
        ('"satellites":0', "flags", FixFlag.NO_POSITION),
        ('"datum":"wgs84"', "flags", 0),
        ('"datum":"gcj02"', "flags", FixFlag.DATUM_CONVERTED),
        ('"lat":1,"lat":2', "lat_udeg", 2_000_000),
        ('"vehicle":"truck-2","vehicle_id":2,"company":"haiyan"', "vehicle_id", 1),
        ('"speed":"fast","x":[{"y":[1,2,{}]},null,"\\u0000"]', "speed_dkmh", -1),
    ],
)
def test_a_field_is_stored_as(decoded: Decode, fields: str, column: str, stored: int) -> None:
    result = decoded(fix(fields))
    assert not result.rejects
    assert row(result.fixes)[column] == stored


@pytest.mark.parametrize(
    ("time", "time_us"),
    [
        ('"2026-08-22T10:00:00Z"', AT),
        ('"2026-08-22t10:00:00z"', AT),
        ('"2026-08-22 10:00:00Z"', AT),
        ('"2026-08-22T18:00:00+08:00"', AT),
        ('"2026-08-22T18:00:00+0800"', AT),
        ('"2026-08-22T04:30:00-05:30"', AT),
        ('"2026-08-22T10:00:00.1234564Z"', AT + 123_456),
        ("1787392800000", AT),
        ("1787392800000.125", AT + 125),
        ("1787392800000.0", AT),
        ("1.7873928e12", AT),
        # Seconds, told apart by size.
        ("1787392800", AT),
        ("1787392800.25", AT + 250_000),
        ("99999999999", 99_999_999_999_000_000),
        ("100000000000", 100_000_000_000_000),
        ("100000000", 100_000_000_000_000),
        ("99999999", 99_999_999_000),
        ("0", 0),
        ("-1", -1000),
        ('"1970-01-01T00:00:00Z"', 0),
        ('"2100-01-01T00:00:00Z"', 4_102_444_800_000_000),
        ('"0001-01-01T00:00:00Z"', -62_135_596_800_000_000),
        ('"9999-12-31T23:59:59.999999Z"', 253_402_300_799_999_999),
    ],
)
def test_a_time_is_read_to_the_microsecond(decoded: Decode, time: str, time_us: int) -> None:
    result = decoded(f'{{"time":{time},"lat":1,"lon":2}}')
    assert result.fixes.time_us.tolist() == [time_us]


# The reasons are given for a fix; every payload here is one observation.
REFUSED = [
    ("", Reason.EMPTY_PAYLOAD),
    ("[]", Reason.EMPTY_PAYLOAD),
    (" \n", Reason.MALFORMED_JSON),
    (b"\xff\xfe{\x00}\x00", Reason.NOT_UTF8),
    (fix('"x":"').encode() + b'\xff"}', Reason.NOT_UTF8),
    (fix('"x":"').encode() + b'\xed\xa0\x80"}', Reason.NOT_UTF8),  # a surrogate in UTF-8
    (b"\xef\xbb\xbf" + fix("").encode(), Reason.MALFORMED_JSON),  # a byte order mark
    (b"\x00", Reason.MALFORMED_JSON),
    ("{", Reason.MALFORMED_JSON),
    (fix("")[:-1], Reason.MALFORMED_JSON),
    (fix("") + "}", Reason.MALFORMED_JSON),
    (fix("") + fix(""), Reason.MALFORMED_JSON),
    ('{"lat":"x"', Reason.MALFORMED_JSON),  # ahead of what is wrong in what can be read
    ("{}\0", Reason.MALFORMED_JSON),
    (fix("") + "\n" + fix(""), Reason.MALFORMED_JSON),
    (f"[{fix('')}", Reason.MALFORMED_JSON),
    (f"[{fix('')},]", Reason.MALFORMED_JSON),
    (f"[{fix('')}] x", Reason.MALFORMED_JSON),
    (fix('"x":NaN'), Reason.MALFORMED_JSON),
    (fix('"x":tru'), Reason.MALFORMED_JSON),
    (fix('"x":01'), Reason.MALFORMED_JSON),
    (fix('"x":"\n"'), Reason.MALFORMED_JSON),
    (fix('"x":"\\ud800"'), Reason.MALFORMED_JSON),  # half a surrogate pair
    (fix("'x':1"), Reason.MALFORMED_JSON),
    (fix('"hdop":Infinity'), Reason.MALFORMED_JSON),
    (fix('"x":' + "[" * 100_000 + "]" * 100_000), Reason.NESTED_TOO_DEEPLY),
    ("[" * 1_000_000, Reason.NESTED_TOO_DEEPLY),
    ('{"a":' * 100_000, Reason.NESTED_TOO_DEEPLY),
    ("null", Reason.NOT_AN_OBJECT),
    ("3", Reason.NOT_AN_OBJECT),
    ('"fix"', Reason.NOT_AN_OBJECT),
    ("[[]]", Reason.NOT_AN_OBJECT),
    ("[null]", Reason.NOT_AN_OBJECT),
    ("{}", Reason.MISSING_FIELD),
    ('{"lat":1,"lon":2}', Reason.MISSING_FIELD),
    (f'{{{T},"lat":1}}', Reason.MISSING_FIELD),
    (fix('"lat":"30.5"'), Reason.WRONG_TYPE),
    (fix('"lat":null'), Reason.WRONG_TYPE),
    (fix('"speed_kmh":"fast"'), Reason.WRONG_TYPE),
    (fix('"speed_kmh":true'), Reason.WRONG_TYPE),
    (fix('"satellites":7.5'), Reason.WRONG_TYPE),
    (fix('"ignition":1'), Reason.WRONG_TYPE),
    (fix('"signals":true'), Reason.WRONG_TYPE),
    (fix('"signals":[]'), Reason.WRONG_TYPE),
    (fix('"signals":{"brake":"on"}'), Reason.WRONG_TYPE),
    (fix('"load":1'), Reason.WRONG_TYPE),
    (fix('"datum":84'), Reason.WRONG_TYPE),
    (fix('"lat":91'), Reason.OUT_OF_RANGE),
    (fix('"lat":-90.000001'), Reason.OUT_OF_RANGE),
    (fix('"lon":180.5'), Reason.OUT_OF_RANGE),
    (fix('"speed_kmh":-0.1'), Reason.OUT_OF_RANGE),
    (fix('"speed_kmh":400.1'), Reason.OUT_OF_RANGE),
    (fix('"course_deg":361'), Reason.OUT_OF_RANGE),
    (fix('"altitude_m":9001'), Reason.OUT_OF_RANGE),
    (fix('"odometer_km":-1'), Reason.OUT_OF_RANGE),
    (fix('"satellites":256'), Reason.OUT_OF_RANGE),
    (fix('"satellites":-1'), Reason.OUT_OF_RANGE),
    (fix(f'"satellites":{"9" * 30}'), Reason.OUT_OF_RANGE),
    (fix('"hdop":100.1'), Reason.OUT_OF_RANGE),
    (fix('"hdop":1e999'), Reason.OUT_OF_RANGE),
    (fix(f'"hdop":{"9" * 5000}'), Reason.OUT_OF_RANGE),
    (fix('"limit_kmh":0'), Reason.OUT_OF_RANGE),
    (fix('"limit_kmh":201'), Reason.OUT_OF_RANGE),
    (fix('"load":"full"'), Reason.UNKNOWN_VALUE),
    (fix('"datum":"WGS84"'), Reason.UNSUPPORTED_DATUM),
    (fix('"datum":"\\u0000"'), Reason.UNSUPPORTED_DATUM),
    *(
        (f'{{"time":{time},"lat":1,"lon":2}}', Reason.BAD_TIME)
        for time in (
            '"2026-08-22T10:00:00"',  # no offset
            '"2026-08-22"',
            '"2026-08-22T10:00Z"',
            '"2026-08-22T10:00:60Z"',
            '"2026-08-22T24:00:00Z"',
            '"2026-02-30T10:00:00Z"',
            '"0000-01-01T00:00:00Z"',
            '"2026-08-22T10:00:00+24:00"',
            '"1787392800000"',
            '"now"',
            '""',
            "null",
            "true",
            "[]",
            "1e999",
            "1e300",
            "99999999999999999999999999",
            "9" * 5000,
            "253402300800000",
            "-62135596800001",
            '"0001-01-01T00:00:00+00:01"',
            '"9999-12-31T23:59:59.999999-00:01"',
            '"9999-12-31T23:59:59.9999999Z"',
        )
    ),
]


@pytest.mark.parametrize(("payload", "reason"), REFUSED, ids=lambda value: repr(value)[:60])
def test_a_payload_is_refused_for(decoded: Decode, payload: str | bytes, reason: Reason) -> None:
    result = decoded(payload)
    (reject,) = result.rejects
    as_bytes = payload.encode() if isinstance(payload, str) else payload
    assert (reject.reason, reject.message, reject.vehicle_id) == (reason, 0, 1)
    assert as_bytes.find(reject.payload) >= 0
    assert 0 < len(reject.detail) <= 200
    assert reject.detail.isprintable()
    assert result.received == 1


def test_an_element_is_refused_for_the_same_reason_and_its_neighbours_are_kept(decoded: Decode) -> None:
    for payload, reason in REFUSED:
        text = payload if isinstance(payload, str) else ""
        whole = {Reason.EMPTY_PAYLOAD, Reason.MALFORMED_JSON, Reason.NOT_UTF8, Reason.NESTED_TOO_DEEPLY}
        if reason in whole or text.startswith("["):
            continue
        result = decoded(f"[{fix('')},{text},{fix('')}]")
        assert [(r.element, r.reason) for r in result.rejects] == [(1, reason)], payload
        assert len(result.fixes) == 2
        # A time that its offset moves out of range is found after all are decoded: that shows the message.
        shown = result.rejects[0].payload
        assert shown in {text.encode()[:4096], f"[{fix('')},{text},{fix('')}]".encode()[:4096]}


def test_one_bad_element_of_ten_thousand(decoded: Decode) -> None:
    elements = [f'{{"time":{1_787_392_800_000 + i},"lat":30,"lon":120}}' for i in range(10_000)]
    elements[6_000] = '{"time":1,"lat":91,"lon":120}'
    result = decoded(f"[{','.join(elements)}]")
    assert len(result.fixes) == 9_999
    assert np.array_equal(np.diff(result.fixes.time_us), np.where(np.arange(9_998) == 5_999, 2000, 1000))
    assert [(r.element, r.reason, r.payload, r.observations) for r in result.rejects] == [
        (6_000, Reason.OUT_OF_RANGE, b'{"time":1,"lat":91,"lon":120}', 1)
    ]


def test_very_many_bad_elements_are_counted_not_listed(decoded: Decode) -> None:
    result = decoded("[" + ",".join(["{}"] * 150 + ["0"] * 50 + [fix("")]) + "]")
    assert len(result.rejects) == NAMED_ELEMENTS + 2
    assert [(r.element, r.reason, r.observations) for r in result.rejects[-3:]] == [
        (NAMED_ELEMENTS - 1, Reason.MISSING_FIELD, 1),
        (None, Reason.MISSING_FIELD, 50),
        (None, Reason.NOT_AN_OBJECT, 50),
    ]
    assert len(result.fixes) == 1
    assert result.received == 201


def test_limits_of_size(decoded: Decode) -> None:
    largest = fix("").encode().ljust(MAX_PAYLOAD_BYTES)
    assert len(decoded(largest).fixes) == 1
    (too_large,) = decoded(largest + b" ").rejects
    assert (too_large.reason, len(too_large.payload)) == (Reason.PAYLOAD_TOO_LARGE, 4096)

    short = '{"time":1,"lat":1,"lon":1}'
    assert len(decoded(f"[{','.join([short] * MAX_ELEMENTS)}]").fixes) == MAX_ELEMENTS
    result = decoded(f"[{','.join([short] * (MAX_ELEMENTS + 1))}]")
    assert [r.reason for r in result.rejects] == [Reason.TOO_MANY_ELEMENTS]
    assert result.received == MAX_ELEMENTS + 1


def test_who_it_is_is_told_by_topic_and_registry(directory: Directory) -> None:
    good = fix("").encode()
    topics = [
        "kerbsafe/v1/jiaxing/truck-2/fix",
        "kerbsafe/v1/haiyan/truck-1/fix",
        "kerbsafe/v1/hangzhou/truck-1/fix",
        "kerbsafe/v1/jiaxing/truck-3/fix",
        "kerbsafe/v1/jiaxing/truck 1/fix",
        "kerbsafe/v1/jiaxing/truck-1/command",
        "kerbsafe/v1/jiaxing/truck-1/\n\0'",
        "kerbsafe/v1/jiaxing/" + "x" * 10_000 + "/fix",
        "kerbsafe/v1/jiaxing/truck-1/history",
    ]
    result = decode([Published(topic, good) for topic in topics], directory)
    assert result.fixes.vehicle_id.tolist() == [2, 1]
    assert result.fix_message.tolist() == [0, 8]
    assert [(r.message, r.reason, r.vehicle_id) for r in result.rejects] == [
        (1, Reason.WRONG_COMPANY, None),
        (2, Reason.UNKNOWN_COMPANY, None),
        (3, Reason.UNKNOWN_VEHICLE, None),
        (4, Reason.BAD_CODE, None),
        (5, Reason.UNKNOWN_TOPIC, None),
        (6, Reason.UNKNOWN_TOPIC, None),
        (7, Reason.BAD_CODE, None),
    ]
    assert all(r.payload == good and r.detail.isprintable() and len(r.detail) <= 200 for r in result.rejects)
    assert result.received == 9


def test_kinds_are_mixed_in_one_batch(directory: Directory) -> None:
    camera = f'{{{T},"id":"a1","side":"right","phase":"start"}}'
    messages = [
        ("camera", camera),
        ("fix", fix("")),
        ("ack", f'{{"id":"c9","result":"refused",{T}}}'),
        ("health", f'{{{T},"camera":"ok"}}'),
        ("fix", f"[{fix('')},3]"),
        ("camera", f"[{camera},{camera}]"),
    ]
    result = decode(
        [Published(f"kerbsafe/v1/jiaxing/truck-2/{k}", p.encode()) for k, p in messages], directory
    )
    assert result.fix_message.tolist() == [1, 4]
    assert result.camera_message.tolist() == [0, 5, 5]
    assert result.health_message.tolist() == [3]
    assert result.ack_message.tolist() == [2]
    assert result.acks == [Ack(2, AT, "c9", "refused")]
    assert [(r.message, r.element) for r in result.rejects] == [(4, 1)]
    assert result.received == 8


def test_no_messages(directory: Directory) -> None:
    assert decode([], directory).received == 0


# ---------------------------------------------------------------- camera, health, acknowledgements


def test_a_camera_event(decoded: Decode) -> None:
    result = decoded(
        f'{{{T},"id":"0x67-12","side":"right","phase":"start","target":"cycle","lat":30.5,"lon":120.5,'
        '"speed_kmh":12.3,"evidence":"视频/2026/08/22/a.mp4"}',
        kind="camera",
    )
    assert row(result.camera) == {
        "vehicle_id": 1,
        "time_us": AT,
        "event_id": "0x67-12",
        "side": Side.RIGHT,
        "target": Target.CYCLE,
        "phase": Phase.START,
        "lat_udeg": 30_500_000,
        "lon_udeg": 120_500_000,
        "speed_dkmh": 123,
        "evidence": "视频/2026/08/22/a.mp4",
    }


def test_a_camera_event_without_what_may_be_absent(decoded: Decode) -> None:
    event = row(decoded(f'{{{T},"id":"1","side":"rear","phase":"single"}}', kind="camera").camera)
    assert (event["target"], event["lat_udeg"], event["lon_udeg"]) == (Target.UNKNOWN, 0, 0)
    assert (event["speed_dkmh"], event["evidence"]) == (-1, "")


def test_a_health_report(decoded: Decode) -> None:
    result = decoded(
        f'{{{T},"camera":"no_signal","power":"cut","gnss":"ok","firmware":"2.1"}}',
        f'{{{T},"camera":"unknown"}}',
        kind="health",
    )
    assert row(result.health, 0) == {
        "vehicle_id": 1,
        "time_us": AT,
        "camera": CameraState.NO_SIGNAL,
        "power": 0,
        "gnss": 1,
        "firmware": "2.1",
    }
    assert (row(result.health, 1)["power"], row(result.health, 1)["gnss"]) == (-1, -1)


CAMERA = f'{T},"id":"1","side":"rear","phase":"single"'


@pytest.mark.parametrize(
    ("kind", "payload", "reason"),
    [
        ("camera", f'{{{T},"side":"rear","phase":"single"}}', Reason.MISSING_FIELD),
        ("camera", f'{{{CAMERA},"lat":1}}', Reason.MISSING_FIELD),
        ("camera", f'{{{CAMERA},"lon":1,"lat":null}}', Reason.MISSING_FIELD),
        ("camera", f'{{{CAMERA},"id":1}}', Reason.WRONG_TYPE),
        ("camera", f'{{{CAMERA},"id":""}}', Reason.BAD_TEXT),
        ("camera", f'{{{CAMERA},"id":"{"x" * 65}"}}', Reason.BAD_TEXT),
        ("camera", f'{{{CAMERA},"id":"a\\u0000"}}', Reason.BAD_TEXT),
        ("camera", f'{{{CAMERA},"id":"a\\n"}}', Reason.BAD_TEXT),
        ("camera", f'{{{CAMERA},"id":"a\\u0085"}}', Reason.BAD_TEXT),
        ("camera", f'{{{CAMERA},"id":"\\ud800"}}', Reason.MALFORMED_JSON),
        ("camera", f'{{{CAMERA},"evidence":"{"x" * 513}"}}', Reason.BAD_TEXT),
        ("camera", f'{{{CAMERA},"side":"up"}}', Reason.UNKNOWN_VALUE),
        ("camera", f'{{{CAMERA},"target":"dog"}}', Reason.UNKNOWN_VALUE),
        ("camera", f'{{{CAMERA},"datum":"mars"}}', Reason.UNSUPPORTED_DATUM),
        ("camera", f'{{{CAMERA},"time":"later"}}', Reason.BAD_TIME),
        ("health", f"{{{T}}}", Reason.MISSING_FIELD),
        ("health", f'{{{T},"camera":null}}', Reason.WRONG_TYPE),
        ("health", f'{{{T},"camera":"ok","power":true}}', Reason.WRONG_TYPE),
        ("health", f'{{{T},"camera":"ok","firmware":"\\u001b[31m"}}', Reason.BAD_TEXT),
        ("ack", f'{{"id":"1","result":"yes",{T}}}', Reason.UNKNOWN_VALUE),
        ("ack", '{"id":"1","result":"done"}', Reason.MISSING_FIELD),
    ],
)
def test_other_payloads_are_refused_for(decoded: Decode, kind: str, payload: str, reason: Reason) -> None:
    json.loads(payload)  # what is refused here is well-formed
    assert [r.reason for r in decoded(payload, kind=kind).rejects] == [reason]
