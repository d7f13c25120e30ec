"""Recorded drives moved to now: gaps shortened, nothing else changed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet import trackfile
from fleet.wire import v1
from kerbsafe.drives.playing import PlayError, schedule, shifted

S = 1_000_000
START_US = 1_790_000_000 * S


def track(text: str, name: str = "truck") -> trackfile.Track:
    found = trackfile.parse(f"{name}.csv", ("t_s,lat,lon,speed_kmh\n" + text).encode())
    assert isinstance(found, trackfile.Track)
    return found


def test_the_first_fix_falls_on_the_start_and_gaps_are_shortened() -> None:
    played = schedule([track("10,30,120,50\n11,30,120,51\n200,30,120,52")], start_us=START_US, company="acme")
    assert [(m.at_us - START_US) // S for m in played.messages] == [0, 1, 61]
    assert [m.topic for m in played.messages] == ["kerbsafe/v1/acme/truck/fix"] * 3
    assert played.gaps_shortened_s == 129
    assert played.shift_s == {"truck": START_US / S - 10}
    assert [json.loads(m.payload)["speed_kmh"] for m in played.messages] == [50, 51, 52]


def test_files_play_side_by_side() -> None:
    files = [track("0,30,120,1\n2,30,120,2", "a"), track("5,30,120,3\n6,30,120,4", "b")]
    played = schedule(files, start_us=START_US, company="acme")
    assert [((m.at_us - START_US) // S, m.topic[17]) for m in played.messages] == [
        (0, "a"),
        (0, "b"),
        (1, "b"),
        (2, "a"),
    ]
    assert played.senders == [("acme", "a"), ("acme", "b")]


def test_back_fill_goes_to_the_history_topic() -> None:
    played = schedule([track("0,30,120,1")], start_us=START_US, company="acme", as_history=True)
    assert played.messages[0].topic == "kerbsafe/v1/acme/truck/history"


def test_a_recording_keeps_its_lateness() -> None:
    """All times of a payload are shifted by as much as the moment at which it came."""
    line = {
        "at": 100_000,
        "topic": "kerbsafe/v1/acme/T1/fix",
        "payload": [{"time": 40_000, "lat": 1, "lon": 2}],
    }
    recording = trackfile.parse("r.ndjson", json.dumps(line).encode())
    played = schedule([recording], start_us=START_US, company="ignored")
    (message,) = played.messages
    assert message.at_us == START_US
    assert json.loads(message.payload)[0]["time"] == START_US // 1000 - 60_000
    assert played.senders == [("acme", "T1")]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"time": 1000, "lat": 1}', {"time": 61_000, "lat": 1}),
        (b'{"time": "1970-01-01T00:00:01Z"}', {"time": "1970-01-01T00:01:01Z"}),
        (b'{"time": "1970-01-01T08:00:01+08:00"}', {"time": "1970-01-01T00:01:01Z"}),
        (b'{"time": true}', {"time": True}),
        (b'{"time": "noon"}', {"time": "noon"}),
        (b'{"lat": 1}', {"lat": 1}),
        (b"[1, null]", [1, None]),
    ],
)
def test_times_in_payloads_are_shifted_and_nothing_else(payload: bytes, expected: object) -> None:
    assert json.loads(shifted(payload, 60 * S)) == expected


@given(payload=st.binary(max_size=60))
def test_any_payload_can_be_shifted(payload: bytes) -> None:
    """What is not JSON is published as it was recorded."""
    made = shifted(payload, S)
    try:
        json.loads(payload)
    except ValueError:
        assert made == payload


@pytest.mark.parametrize(
    ("files", "asked", "says"),
    [
        ([track("0,30,120,1", "a b")], {}, "'a b' cannot be a code; give one of"),
        ([track("0,30,120,1")], {"company": "x/y"}, "with --company"),
        ([track("0,30,120,1"), track("0,30,120,1", "b")], {"vehicle": "T1"}, "--vehicle names one vehicle"),
        ([track("0,30,120,1"), track("1,30,120,1")], {}, "several files are called 'truck'"),
    ],
)
def test_what_cannot_be_played_is_named(
    files: list[trackfile.Track], asked: dict[str, str], says: str
) -> None:
    with pytest.raises(PlayError, match=says):
        schedule(files, start_us=START_US, **({"company": "acme"} | asked))


def test_a_played_track_decodes_to_what_was_recorded() -> None:
    file = track("0,30.123456,120.654321,50.5\n1,30.2,120.7,")
    played = schedule([file], start_us=START_US, company="acme")

    class Known:
        def find(self, _company: str, _vehicle: str, /) -> int:
            return 0

    decoded = v1.decode(played.messages, Known())
    assert decoded.fixes.lat_udeg.tolist() == file.fixes.lat_udeg.tolist()
    assert decoded.fixes.speed_dkmh.tolist() == [505, -1]
