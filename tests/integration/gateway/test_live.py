"""`kerbsafe jt808 listen` and `record`, and a connection's bounds, over a real socket."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fleet.wire.jt808 import Policy, models
from ingest.gateway import connection
from ingest.gateway.process import listening
from kerbsafe.jt808.jt808_live import OpenDesk, Shown
from tests.conftest import own_free_port
from tests.integration.gateway.terminal import HEARTBEAT, Terminal, body

if TYPE_CHECKING:
    from pathlib import Path

#: The present, and how long before it the tests begin: `conftest.present`.
NOW_S, AGO_S = 0, 0
RIGHT_LAMP = "250400000004"


class Command:
    """A command that listens until it is interrupted."""

    def __init__(self, *arguments: str) -> None:
        self.port = own_free_port()
        call = [sys.executable, "-m", "kerbsafe", "jt808", *arguments, "--port", str(self.port)]
        self.running = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.running.stderr is not None
        said = self.running.stderr.readline()
        assert f"127.0.0.1:{self.port}" in said
        assert "into no database" in said

    def interrupted(self) -> str:
        self.running.send_signal(signal.SIGINT)
        out, _ = self.running.communicate(timeout=30)
        assert self.running.returncode == 0
        return out


async def talk(port: int) -> None:
    terminal = await Terminal("13912345671", port).come_in()
    terminal.report(body(NOW_S, items=RIGHT_LAMP))
    await terminal.all_acknowledged()


async def test_listen_shows_both_sides_frame_by_frame() -> None:
    command = Command("listen", "--json")
    await talk(command.port)
    frames = [json.loads(line) for line in command.interrupted().splitlines()]
    assert [(one["from"], one["message_id"]) for one in frames] == [
        ("terminal", "0x0100"),
        ("platform", "0x8100"),
        ("terminal", "0x0102"),
        ("platform", "0x8001"),
        ("terminal", "0x0200"),
        ("platform", "0x8001"),
    ]
    assert [item.get("signals") for item in frames[4]["positions"][0]["items"]] == [["right_turn"]]
    assert {one["phone"] for one in frames} == {"13912345671"}


async def test_record_keeps_every_byte(tmp_path: Path) -> None:
    command = Command("record", str(tmp_path / "drive.ndjson"))
    await talk(command.port)
    assert command.interrupted() == ""
    pieces = [json.loads(line) for line in (tmp_path / "drive.ndjson").read_text("ascii").splitlines()]
    assert [one["from"] for one in pieces] == ["terminal", "platform"] * 3
    assert pieces[4]["hex"].startswith("7e0200")
    assert pieces[5]["hex"].startswith("7e8001")


async def test_who_takes_no_answers_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FRAMES_PER_S", 1e6)
    monkeypatch.setattr(connection, "MAX_UNSENT_BYTES", 4096)
    ended = asyncio.Event()
    reasons: list[str] = []

    class Watched(OpenDesk):
        def ended(self, connection: connection.Connection, reason: str) -> None:
            super().ended(connection, reason)
            reasons.append(reason)
            ended.set()

    desk = Watched(Shown(models.model("su"), as_json=True))
    async with listening(desk, "127.0.0.1", 0, Policy(lenient=True)) as port:
        terminal = await Terminal("13912345671", port).connect()
        terminal.take_nothing()
        frames = b"".join(terminal.sender.build_raw(HEARTBEAT, b"")) * 500
        async with asyncio.timeout(50):
            while not ended.is_set():
                terminal.write(frames)
                await asyncio.sleep(0)
        assert reasons == ["it does not take our answers"]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (Policy(login_s=0.0), "the terminal did not authenticate"),
        (Policy(lenient=True, idle_s=0.0), "nothing was heard of the terminal"),
    ],
)
async def test_who_says_nothing_is_hung_up_on(policy: Policy, said: str) -> None:
    reasons: list[str] = []

    class Watched(OpenDesk):
        def ended(self, connection: connection.Connection, reason: str) -> None:
            super().ended(connection, reason)
            reasons.append(reason)

    desk = Watched(Shown(models.model("su"), as_json=True))
    async with listening(desk, "127.0.0.1", 0, policy) as port:
        terminal = await Terminal("13912345671", port).connect()
        async with asyncio.timeout(10):
            while not desk.connections:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for one in list(desk.connections):
            one.tick()
        await asyncio.wait_for(terminal.hung_up.wait(), 10)
    assert reasons == [said]
