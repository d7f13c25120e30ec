"""What the desk does with connections, over a real socket and without a broker."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from fleet.wire.jt808 import Cutter, Policy, Sender, decode, models
from ingest.gateway.clocks import ClockOfTerminal
from ingest.gateway.desk import GatewayDesk
from ingest.gateway.metrics import Metrics
from ingest.gateway.process import listening
from ingest.gateway.publications import PublisherOptions
from ingest.gateway.publisher import Publisher
from ingest.gateway.refusals import Refusal
from ingest.gateway.reports import outcomes_of
from ingest.gateway.terminals import Terminal as Known
from ingest.gateway.terminals import Terminals
from ingest.gateway.translation import Origin
from ingest.mqtt.mqtt_link import Address
from kerbsafe.jt808.jt808_live import OpenDesk, Shown
from tests.integration.gateway.terminal import Terminal, body

if TYPE_CHECKING:
    from pathlib import Path

PHONE = "13912345671"


def a_desk() -> GatewayDesk:
    terminals = Terminals()
    terminals._known = {PHONE: Known(PHONE, "T1", "acme", models.model("su"))}
    publisher = Publisher(Address("127.0.0.1", 1), PublisherOptions("test"))
    return GatewayDesk(terminals, publisher, b"secret", Metrics(CollectorRegistry()))


async def test_who_is_taken_out_of_the_registry_is_hung_up_on() -> None:
    desk = a_desk()
    async with listening(desk, "127.0.0.1", 0, Policy()) as port:
        terminal = await Terminal(PHONE, port).come_in()
        desk.terminals._known = {}
        desk.recheck()
        await asyncio.wait_for(terminal.hung_up.wait(), 10)


async def test_stopping_hangs_up_on_everybody() -> None:
    desk = a_desk()
    async with listening(desk, "127.0.0.1", 0, Policy()) as port:
        terminal = await Terminal(PHONE, port).come_in()
    await asyncio.wait_for(terminal.hung_up.wait(), 10)


def recorded(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "jt808/sessions.json").read_text("utf-8"))["sessions"]
    return found


async def test_sessions_of_others_are_answered_message_by_message(shared_data: Path) -> None:
    """Every message of a recorded terminal has one answer; what is an answer itself has none."""
    for session in recorded(shared_data):
        frames = [bytes.fromhex(one["hex"]) for one in session["frames"] if one["from"] == "terminal"]
        said = [decode(frame) for raw in frames for frame in Cutter().feed(raw)]
        asked = Counter(
            one.header.serial
            for one in said
            if one.header and one.intact and one.header.message_id not in {0x0001, 0x1205}
        )
        desk = OpenDesk(Shown(models.model("su"), as_json=True))
        async with listening(desk, "127.0.0.1", 0, Policy(lenient=True)) as port:
            terminal = await Terminal(PHONE, port).connect()
            terminal.write(b"".join(frames))
            async with asyncio.timeout(10):
                while len(terminal.answers) < asked.total():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            answered = Counter(one.body.get("ack_serial") for one in terminal.answers)
        assert answered == asked, session["id"]


def test_a_report_that_cannot_be_translated_does_not_hold_up_the_others() -> None:
    """As by a fault in a table: here a model that is none."""
    good = Known(PHONE, "T1", "acme", models.model("su"))
    bad = replace(good, model=None)  # type: ignore[arg-type]
    sender = Sender(2013, bytes.fromhex("013912345671"))
    (frame,) = Cutter().feed(sender.build_raw(0x0200, body(time.time()))[0])
    origins = [
        Origin(one, ClockOfTerminal(0), None, is_kept=False, is_2011=False) for one in (good, bad, good)
    ]
    found = outcomes_of([[frame]] * 3, origins)
    assert [one.refused for one in found] == [None, Refusal.FAILED, None]
    assert [bool(one.messages) for one in found] == [True, False, True]


async def test_a_terminal_whose_clock_shows_utc_is_named_and_put_right() -> None:
    """The fourth report that is eight hours old and comes as it is measured, over more than 20 s."""
    desk, now_s = a_desk(), int(time.time())
    clock = desk._clocks[PHONE] = ClockOfTerminal(0)
    for ago_s in (30, 20, 10):
        clock.judge((now_s - ago_s - 8 * 3600) * 10**6, (now_s - ago_s) * 10**6)
    clock.offset_us = None  # not known before this one
    with capture_logs() as logs:
        async with listening(desk, "127.0.0.1", 0, Policy()) as port:
            terminal = await Terminal(PHONE, port).come_in()
            terminal.report(body(now_s, zone=UTC))
            async with asyncio.timeout(10):
                while not desk.publisher.publications:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
    fix = json.loads(desk.publisher.publications.waiting[0].payload)
    assert fix["time"] == datetime.fromtimestamp(now_s, UTC).isoformat().replace("+00:00", "Z")
    assert [one["phone"] for one in logs if "shows UTC" in one["event"]] == [PHONE]
