"""Terminals over a real socket, and what the broker is given of them."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.integration.gateway.conftest import PHONE
from tests.integration.gateway.terminal import BATCH, HEARTBEAT, Terminal, batch, body

if TYPE_CHECKING:
    from tests.integration.gateway.conftest import Gateway, Reader

#: The present, and how long before it the tests begin: `conftest.present`.
NOW_S, AGO_S = 0, 0
#: Lamps: the right one and the brake. Signal 28, 14 satellites, 12345.6 km.
ITEMS = "250400000014" + "30011c" + "31010e" + "01040001e240"
#: A right-rear approach begins: alarm 7, at 18 km/h; one picture.
RIGHT_REAR = "6729" + "00000007" + "01" + "03" + "12" + "000c" + f"{30_700_000:08x}{120_700_000:08x}"
IDENT = "0405" + "41424344454647" + "{}" + "0101" + "00"


def moment(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("version", [2011, 2013, 2019])
async def test_a_terminal_of_each_edition_comes_in_and_reports(
    gateway: Gateway, reader: Reader, version: int
) -> None:
    terminal = Terminal(PHONE.format(1), gateway.port, version)
    await terminal.come_in()
    terminal.report(body(NOW_S, status=0b11 | 0b11 << 8, items=ITEMS))
    await terminal.all_acknowledged()
    assert (await terminal.answer(0x8001, terminal.say(HEARTBEAT))).body["result"] == 0
    await asyncio.sleep(0.1)
    load = {} if version == 2011 else {"load": "loaded"}
    assert reader.of("fix") == [
        {
            "time": moment(NOW_S),
            "lat": 30.7,
            "lon": 120.7,
            "speed_kmh": 36.0,
            "course_deg": 0,
            "altitude_m": 12,
            "odometer_km": 12345.6,
            "satellites": 14,
            "ignition": True,
            "signals": {"right_indicator": True, "left_indicator": False, "brake": True},
        }
        | load
    ]
    assert reader.of("health") == [{"time": moment(NOW_S), "camera": "unknown", "power": "ok", "gnss": "ok"}]


async def test_who_is_not_known_or_has_no_code_is_refused_by_the_standards_codes(
    gateway: Gateway, reader: Reader
) -> None:
    stranger = await Terminal("18800000000", gateway.port).connect()
    assert await stranger.register() == 4
    assert await stranger.authenticate("anything") == 1
    stranger.say(0x0200, body(NOW_S))
    known = await Terminal(PHONE.format(1), gateway.port).connect()
    assert await known.register() == 0
    assert len(known.code) == 16
    assert await known.authenticate("0" * 16) == 1
    other = await Terminal(PHONE.format(2), gateway.port).connect()
    assert await other.authenticate(known.code) == 1  # a code is worth nothing under another telephone
    assert await known.authenticate() == 0
    assert gateway.process.metric('refused_total{reason="unknown_terminal"}') == 2
    assert gateway.process.metric('refused_total{reason="wrong_code"}') == 2
    assert gateway.process.metric('refused_total{reason="not_authenticated"}') == 1
    assert reader.messages == []


@pytest.mark.usefixtures("reader")
async def test_of_two_with_one_telephone_the_newer_stays(gateway: Gateway) -> None:
    older = await Terminal(PHONE.format(1), gateway.port).come_in()
    newer = await Terminal(PHONE.format(1), gateway.port, code=older.code).come_in()
    await asyncio.wait_for(older.hung_up.wait(), 5)
    newer.report(body(NOW_S))
    await newer.all_acknowledged()
    assert gateway.process.metric("replaced_total") == 1
    assert "two with one telephone" in gateway.process.log.read_text("utf-8")


async def test_what_was_kept_goes_behind_what_happens_now(gateway: Gateway, reader: Reader) -> None:
    terminal = await Terminal(PHONE.format(1), gateway.port).come_in()
    terminal.report(body(NOW_S))
    terminal.report(batch(*(body(NOW_S - 600 + n) for n in range(20))), BATCH)
    terminal.report(batch(body(NOW_S + 1), body(NOW_S + 2), kept=False), BATCH)
    await terminal.all_acknowledged()
    await asyncio.sleep(0.1)
    assert [one["time"] for one in reader.of("fix")] == [moment(NOW_S + n) for n in range(3)]
    assert [one["time"] for one in reader.of("history")] == [moment(NOW_S - 600 + n) for n in range(20)]


async def test_health_is_told_when_it_changes_and_cameras_by_their_side(
    gateway: Gateway, reader: Reader
) -> None:
    terminal = await Terminal(PHONE.format(1), gateway.port).come_in()
    well, covered = "140400000000", "160400000002"
    digits = body(NOW_S)[22:28].hex()
    ident = IDENT.format(digits)
    for n, (alarm, items) in enumerate(
        [
            (0, well),
            (0, well),
            (0, covered),
            (1 << 8, well),
            (0, well + RIGHT_REAR + digits + ident),
        ]
    ):
        terminal.report(body(NOW_S + n, alarm=alarm, items=items))
        await terminal.all_acknowledged()
    await asyncio.sleep(0.1)
    assert [(one["camera"], one["power"]) for one in reader.of("health")] == [
        ("ok", "ok"),
        ("covered", "ok"),
        ("ok", "cut"),
        ("ok", "ok"),
    ]
    assert reader.of("camera") == [
        {
            "time": moment(NOW_S),
            "id": "7-03",
            "side": "right",
            "phase": "start",
            "lat": 30.7,
            "lon": 120.7,
            "target": "unknown",
            "speed_kmh": 18.0,
            "evidence": f"jt808:ABCDEFG/{moment(NOW_S)}/1",
        }
    ]


async def test_nothing_is_acknowledged_that_nobody_keeps(gateway: Gateway) -> None:
    """No ingest has ever subscribed: the broker takes a message and throws it away."""
    terminal = await Terminal(PHONE.format(1), gateway.port).come_in()
    terminal.report(body(NOW_S))
    await asyncio.sleep(0.5)
    assert len(terminal.unacknowledged) == 1
    assert gateway.process.metric('refused_total{reason="not_kept"}') >= 1


async def test_unsupported_messages_are_said_to_be_so(gateway: Gateway, reader: Reader) -> None:
    terminal = await Terminal(PHONE.format(1), gateway.port).come_in()
    driver = bytes([2]) + bytes.fromhex("261130101010")
    assert (await terminal.answer(0x8001, terminal.say(0x0702, driver))).body["result"] == 3
    assert (await terminal.answer(0x8001, terminal.say(0x0200, b"short"))).body["result"] == 2
    assert reader.messages == []


async def test_one_bad_report_does_not_take_its_batch_with_it(gateway: Gateway, reader: Reader) -> None:
    terminal = await Terminal(PHONE.format(1), gateway.port).come_in()
    no_time = body(NOW_S)[:22] + bytes(6)
    terminal.report(batch(body(NOW_S - 1), no_time, body(NOW_S), kept=False), BATCH)
    await terminal.all_acknowledged()
    assert (await terminal.answer(0x8001, terminal.say(BATCH, batch(no_time)))).body["result"] == 2
    await asyncio.sleep(0.1)
    assert [one["time"] for one in reader.of("fix")] == [moment(NOW_S - 1), moment(NOW_S)]
    assert gateway.process.metric('refused_total{reason="incorrect"}') == 2


@pytest.mark.usefixtures("reader")
async def test_asked_to_stop_it_ends_though_terminals_go_on(gateway: Gateway) -> None:
    terminal = await Terminal(PHONE.format(1), gateway.port).come_in()
    terminal.report(body(NOW_S))
    began_s = time.monotonic()
    assert await asyncio.to_thread(gateway.process.stop) == 0
    assert time.monotonic() - began_s < 5
    assert terminal.hung_up.is_set()
