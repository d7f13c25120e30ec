"""What a report says, as a message of wire v1."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from fleet.columns import CameraState
from fleet.units import MICROSECONDS
from fleet.wire.jt808 import Cutter, Sender, models
from ingest.gateway.clocks import ClockOfTerminal
from ingest.gateway.refusals import Refusal
from ingest.gateway.terminals import Terminal
from ingest.gateway.translation import Health, Origin, Outcome, translate
from tests.integration.gateway.terminal import body

NOW_S = int(time.time())
NOW_US = NOW_S * MICROSECONDS
FINE = Health(CameraState.UNKNOWN, 1, 1)
VENDOR = "title = 't'\nsource = 's'\nbase = 'su'\n"


def outcome(*bodies: bytes, table: str = VENDOR, health: Health | None = FINE, **of: bool) -> Outcome:
    sender = Sender(2013, bytes.fromhex("013912345671"))
    frames = [
        frame for one in bodies for raw in sender.build_raw(0x0200, one) for frame in Cutter().feed(raw)
    ]
    clock = ClockOfTerminal(NOW_US)
    terminal = Terminal("13912345671", "T1", "acme", models.read_model("m", table))
    origin = Origin(terminal, clock, health, of.get("is_kept", False), of.get("is_2011", False))
    (found,) = translate([frames], [origin], NOW_US)
    return found


def fix(content: bytes, **given: Any) -> dict[str, Any]:
    (message,) = outcome(content, **given).messages
    assert message.topic == "kerbsafe/v1/acme/T1/fix"
    said: dict[str, Any] = json.loads(message.payload)
    return said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (body(NOW_S), {"lat": 30.7, "lon": 120.7, "speed_kmh": 36.0, "ignition": True}),
        (body(NOW_S, status=0), {"satellites": 0, "ignition": False, "load": None}),
        (body(NOW_S, items="310100"), {"satellites": None}),  # located, and none counted: it does not count
        (body(NOW_S, status=0b11 | 0b01 << 8), {"load": "loaded"}),
        (body(NOW_S, lat=91), {"lat": 0.0, "lon": 0.0}),
        (body(NOW_S, speed_kmh=6553.5), {"speed_kmh": None}),
        (
            body(NOW_S, items="250400000008"),
            {"signals": {"right_indicator": False, "left_indicator": True, "brake": False}},
        ),
        (body(NOW_S, items="2502000c"), {"signals": None}),  # a vendor's item of that number
    ],
    # A frame holds its time, and every process must find the same names.
    ids=[
        "plain",
        "not located",
        "none counted",
        "loaded",
        "beyond the pole",
        "no speed",
        "signals",
        "vendor",
    ],
)
def test_fixes(content: bytes, says: dict[str, Any]) -> None:
    said = fix(content)
    assert {name: said.get(name) for name in says} == says


def test_the_datum_is_that_of_the_device_model() -> None:
    assert "datum" not in fix(body(NOW_S))
    assert fix(body(NOW_S), table=VENDOR + "datum = 'gcj02'\n")["datum"] == "gcj02"


def test_the_load_of_2011_is_reserved() -> None:
    assert fix(body(NOW_S, status=0b11 | 0b11 << 8), is_2011=True).get("load") is None


def test_a_report_without_a_time_is_incorrect() -> None:
    assert outcome(body(NOW_S)[:22] + bytes(6)).refused is Refusal.INCORRECT


@pytest.mark.parametrize(
    ("alarm", "items", "camera"),
    [
        (0, "", None),  # as before: unknown
        (0, "140400000000", "ok"),
        (0, "150400000000", None),  # of what covers a camera nothing is told
        (0, "150400000000160400000000", "ok"),
        (0, "140400000001", "no_signal"),
        (0, "150400000004", "no_signal"),
        (0, "160400000001", "covered"),
        (0, "17020001", "storage"),
        (1 << 11, "140400000000", "no_signal"),
    ],
)
def test_cameras(alarm: int, items: str, camera: str | None) -> None:
    messages = outcome(body(NOW_S, alarm=alarm, items=items)).messages
    said = [json.loads(one.payload) for one in messages if one.topic.endswith("/health")]
    assert [one["camera"] for one in said] == ([] if camera is None else [camera])


@pytest.mark.parametrize(
    ("alarm", "power", "gnss"),
    [(1 << 8, "cut", "ok"), (1 << 4, "ok", "fault"), (1 << 5, "ok", "fault"), (1 << 6, "ok", "fault")],
)
def test_alarm_bits_of_the_unit(alarm: int, power: str, gnss: str) -> None:
    (said,) = [
        json.loads(m.payload) for m in outcome(body(NOW_S, alarm=alarm)).messages if "health" in m.topic
    ]
    assert (said["power"], said["gnss"]) == (power, gnss)


def test_what_has_no_place_is_counted() -> None:
    emergency = body(NOW_S, alarm=1, items="6429" + "00" * 41)
    unknown_side = body(NOW_S, items="6729" + "00000001" + "00" + "09" + "00" * 35)
    assert dict(outcome(emergency).not_carried) == {"alarm": 1, "safety_item": 1}
    assert dict(outcome(unknown_side).not_carried) == {"blind_area_without_side": 1}


def test_of_a_batch_what_can_be_used_is_used() -> None:
    no_time = body(NOW_S)[:22] + bytes(6)
    found = outcome(body(NOW_S - 1), no_time, body(NOW_S))
    assert (found.refused, found.unusable, len(found.messages)) == (None, 1, 1)
    assert len(json.loads(found.messages[0].payload)) == 2
