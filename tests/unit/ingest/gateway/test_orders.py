"""Commands as messages to terminals of each edition, and their answers as those of wire v1."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fleet.wire.jt808.codec import Sender
from fleet.wire.jt808.faults import Jt808Error
from fleet.wire.v1.payloads import CommandOut
from ingest.gateway.orders import Said, downlink, said
from tests.unit.fleet.wire.jt808.frames import BASE, OLD_PHONE, read

LATER = datetime(2026, 12, 1, tzinfo=UTC)
SETTING = {"params": [{"id": "0x0029", "value": 1}], "total": 1}


@pytest.mark.parametrize(
    ("version", "kind", "content", "message_id", "body"),
    [
        # The examples of the standard's two forms: urgent, shown, read aloud.
        (2013, "prompt", {"text": "右转"}, 0x8300, "0d" + "d3d2d7aa"),
        (2011, "prompt", {"text": "右转"}, 0x8300, "0d" + "d3d2d7aa"),
        (2019, "prompt", {"text": "右转"}, 0x8300, "0e01" + "d3d2d7aa"),
        (2013, "set", {"values": {"report_default_s": 1}}, 0x8103, "01" + "00000029" + "04" + "00000001"),
        (2011, "set", {"values": {"report_default_s": 1}}, 0x8103, "0101" + "00000029" + "04" + "00000001"),
        (2013, "set", {"values": {"0xf367": "hex:0505"}}, 0x8103, "01" + "0000f367" + "02" + "0505"),
        (2013, "query", {}, 0x8104, ""),
        (2013, "query", {"values": {"names": ["report_turn_deg"]}}, 0x8106, "01" + "00000030"),
        (2011, "query", {"values": {"names": ["report_turn_deg"]}}, 0x8104, ""),
        (2013, "locate", {}, 0x8201, ""),
        (2013, "track", {"values": {"interval_s": 5, "for_s": 600}}, 0x8202, "0005" + "00000258"),
        (2013, "track", {"values": {"interval_s": 0, "for_s": 600}}, 0x8202, "0000"),
    ],
)
def test_a_command_as_a_message(
    version: int, kind: Any, content: dict[str, Any], message_id: int, body: str
) -> None:
    made = downlink(CommandOut("c", kind, LATER, **content), version)
    phone = OLD_PHONE if version != 2019 else bytes(4) + OLD_PHONE
    (frame,) = Sender(version, phone).build(made.message_id, made.values)
    assert (made.message_id, read(frame).payload.hex()) == (message_id, body)


def test_what_no_terminal_is_ordered() -> None:
    with pytest.raises(Jt808Error, match="no order for 'areas'"):
        downlink(CommandOut("c", "areas", LATER), 2013)
    with pytest.raises(Jt808Error, match="no parameter is called 'volume'"):
        downlink(CommandOut("c", "set", LATER, values={"volume": 3}), 2013)


def answer(message_id: int, body: str) -> Said:
    (frame,) = Sender(2013, OLD_PHONE).build_raw(message_id, bytes.fromhex(body))
    return said(read(frame), "gcj02", 0)


@pytest.mark.parametrize(
    ("result", "found"),
    [
        ("00", Said("done")),
        ("01", Said("failed", "the terminal says that it failed")),
        ("02", Said("refused", "the terminal says that the message is incorrect")),
        ("03", Said("refused", "the terminal does not support this")),
        ("07", Said("failed", "result 7")),
    ],
)
def test_general_answers(result: str, found: Said) -> None:
    assert answer(0x0001, "0001" + "8300" + result) == found


def test_parameters_are_told_by_name_and_no_password_is() -> None:
    found = answer(0x0104, "0001" + "03" + "000000290400000002" + "0000001203616263" + "0000f367020505")
    assert found == Said(
        "done",
        values={"parameters": {"report_default_s": 2, "apn_password": None, "0xf367": "hex:0505"}},
    )


def test_a_position_is_told_in_its_datum() -> None:
    assert answer(0x0201, "0001" + BASE).values == {
        "speed_kmh": 25.3,
        "time": "2026-03-15T02:15:30Z",
        "lat": 31.234567,
        "lon": 121.456789,
        "datum": "gcj02",
    }
