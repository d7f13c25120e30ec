"""Notices to a real receiver: signed, in order, at least once, again when it fails, given up in the end."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import sys
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from alerts.handling.handling import Asked, act
from alerts.handling.lifecycle import Action, Actor, ActorKind, Disposition
from alerts.notices.channels import webhook
from alerts.notices.channels.webhook import Webhook
from alerts.notices.outbox import CHANNEL, MAX_TRIES, QUERIES, Metrics, Outbox
from tests.integration.bench import NOW_US, batch, drive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.bench import Bench

SECRET = b"0123456789abcdef0123456789abcdef"
WANG = Actor(ActorKind.PERSON, "wang")


@dataclass
class Receiver:
    """A receiver as somebody would write it; answers what it is told to."""

    answers: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    hangs: bool = False

    @property
    def kinds(self) -> list[str]:
        return [body["type"] for _, body in self.got]

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        message_id, timestamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        signed = b".".join((message_id.encode(), timestamp.encode(), body))
        expected = base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
        assert request.headers["webhook-signature"] == f"v1,{expected}"
        self.got.append((message_id, json.loads(body)))
        self.arrived.set()
        if self.hangs:
            await asyncio.sleep(60)
        status = self.answers.pop(0) if self.answers else 204
        return web.Response(status=status, headers=self.headers, text="x" * 100_000 if status == 200 else "")


@asynccontextmanager
async def receiving(*answers: int, **headers: str) -> AsyncIterator[Receiver]:
    receiver = Receiver(list(answers), headers)
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


async def outbox_to(bench: Bench, url: str, severity: int = 2) -> Outbox:
    await bench.connection.execute(QUERIES["open_channel"], CHANNEL, severity)
    to = Webhook(url, SECRET)
    return Outbox(bench.connection, to, severity, "https://desk.example.cn", Metrics(CollectorRegistry()))


async def deliver(outbox: Outbox, *, hours_later: float = 0) -> None:
    """Decide and send until nothing is due."""
    if hours_later:
        await outbox.connection.execute(
            "update outbox set next_try_at = next_try_at - make_interval(secs => $1) where ended_at is null",
            hours_later * 3600,
        )
    async with webhook.new_session() as session:
        while await outbox.decide() + await outbox.deliver(session):
            pass


async def rows(bench: Bench) -> list[tuple[Any, ...]]:
    found = await bench.connection.fetch(
        "select reason, ended_as, tries, answer from outbox order by outbox_id"
    )
    return [tuple(row) for row in found]


async def speeding(bench: Bench, vehicle: str = "T1", speed_kmh: int = 80, start_s: int = -110) -> None:
    fixes = drive((20, 50), (30, speed_kmh), (20, 50), start_s=start_s)
    await bench.push(batch(0, *fixes, vehicle=vehicle))


async def do(bench: Bench, action: Action, version: int, disposition: Disposition | None = None) -> None:
    alert_id = await bench.connection.fetchval("select alert_id from alert order by raised_at limit 1")
    async with bench.connection.transaction():
        await act(bench.connection, Asked(alert_id, action, WANG, version, "seen", disposition), NOW_US)


async def test_an_alert_is_told_and_what_became_of_it(bench: Bench) -> None:
    async with receiving(200) as receiver:
        outbox = await outbox_to(bench, receiver.url)
        await speeding(bench)
        await deliver(outbox)
        await do(bench, Action.ACKNOWLEDGE, 0)
        await do(bench, Action.RESOLVE, 1, Disposition.CONFIRMED)
        await do(bench, Action.REOPEN, 2)
        await deliver(outbox)
    assert receiver.kinds == ["alert.raised", "alert.resolved", "alert.reopened"]
    assert len({message_id for message_id, _ in receiver.got}) == 3
    first = receiver.got[0][1]["data"]
    assert (first["alert"]["rule"], first["alert"]["vehicle"], first["repeats_not_told"]) == (
        "speeding",
        "T1",
        0,
    )
    assert first["url"] == f"https://desk.example.cn/alerts/{first['alert']['alert_id']}"
    assert receiver.got[1][1]["data"]["alert"]["disposition"] == "confirmed"
    assert "wang" not in json.dumps(receiver.got)
    assert [row[1] for row in await rows(bench)] == ["delivered"] * 3


async def test_without_a_channel_nothing_is_queued(bench: Bench) -> None:
    await speeding(bench)
    assert await rows(bench) == []


async def test_what_is_too_mild_or_too_late_is_not_told(bench: Bench) -> None:
    async with receiving() as receiver:
        outbox = await outbox_to(bench, receiver.url, severity=3)
        await speeding(bench)
        await bench.push(
            batch(0, *drive((20, 50), (30, 120), (20, 50), start_s=-400), vehicle="T2", kind="history")
        )
        await bench.drain()
        assert await bench.connection.fetchval("select count(*) from alert where late") == 1
        await deliver(outbox)
    assert receiver.got == []
    assert await rows(bench) == []


async def test_repeats_are_grouped_and_counted(bench: Bench) -> None:
    """Three within ten minutes are one notice; a worse one is told, and says how many were not."""
    async with receiving() as receiver:
        outbox = await outbox_to(bench, receiver.url)
        await speeding(bench, start_s=-110)
        for speed_kmh, start_s in ((80, -40), (80, 60), (120, 200)):
            fixes = drive((20, 50), (30, speed_kmh), (20, 50), start_s=start_s)
            await bench.push(batch(start_s + 71, *fixes))
        await speeding(bench, vehicle="T2")
        await deliver(outbox)
    assert await bench.connection.fetchval("select count(*) from alert") == 5
    told = sorted(
        (
            b["type"],
            b["data"]["alert"]["vehicle"],
            b["data"]["alert"]["severity"],
            b["data"]["repeats_not_told"],
        )
        for _, b in receiver.got
    )
    assert told == [
        ("alert.raised", "T1", 2, 0),
        ("alert.raised", "T1", 3, 2),
        ("alert.raised", "T2", 2, 0),
    ]
    assert [row[0] for row in await rows(bench)].count("grouped") == 2


async def test_withdrawn_after_it_was_told(bench: Bench) -> None:
    async with receiving() as receiver:
        outbox = await outbox_to(bench, receiver.url)
        sparse = drive((20, 50), (30, 80), (20, 50), start_s=-110)[::5]
        await bench.push(batch(0, *sparse))
        await deliver(outbox)
        between = [{**f, "time": f["time"] + 2500, "speed_kmh": 50} for f in sparse]
        await bench.push(batch(1, *between, kind="history"))
        await bench.drain()
        await deliver(outbox)
    assert receiver.kinds == ["alert.raised", "alert.withdrawn"]


async def test_an_attempt_that_fails_is_made_again_with_the_same_id(bench: Bench) -> None:
    async with receiving(500, 429, 503) as receiver:
        outbox = await outbox_to(bench, receiver.url)
        await speeding(bench)
        await do(bench, Action.RESOLVE, 0, Disposition.CONFIRMED)
        await deliver(outbox)
        # The first is not taken yet, so what comes after it waits.
        assert receiver.kinds == ["alert.raised"]
        for _ in range(3):
            await deliver(outbox, hours_later=2)
    assert receiver.kinds == ["alert.raised"] * 4 + ["alert.resolved"]
    assert len({message_id for message_id, _ in receiver.got}) == 2
    assert await rows(bench) == [
        ("raised", "delivered", 4, "HTTP 204"),
        ("resolved", "delivered", 1, "HTTP 204"),
    ]


@pytest.mark.parametrize("status", [302, 404])
async def test_what_is_refused_is_not_sent_again(bench: Bench, status: int) -> None:
    async with receiving(status, Location="/elsewhere") as receiver:
        outbox = await outbox_to(bench, receiver.url)
        await speeding(bench)
        await deliver(outbox)
        await deliver(outbox, hours_later=5)
    assert len(receiver.got) == 1
    ((_, ended_as, tries, said),) = await rows(bench)
    assert (ended_as, tries) == ("dead", 1)
    assert said.startswith(f"HTTP {status}")


async def test_nobody_there_is_given_up_in_the_end(bench: Bench, refusing_port: int) -> None:
    outbox = await outbox_to(bench, f"http://127.0.0.1:{refusing_port}/hook")
    await speeding(bench)
    for _ in range(MAX_TRIES):
        await deliver(outbox, hours_later=2)
    ((_, ended_as, tries, said),) = await rows(bench)
    assert (ended_as, tries) == ("dead", MAX_TRIES)
    assert said == "no connection: ClientConnectorError"
    await outbox.look()
    assert outbox.metrics.pending._value.get() == 0
    assert outbox.metrics.dead._value.get() == 1


async def test_a_receiver_that_does_not_answer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.3)
    async with receiving() as receiver:
        receiver.hangs = True
        outbox = await outbox_to(bench, receiver.url)
        await speeding(bench)
        await deliver(outbox)
    assert [row[1:] for row in await rows(bench)] == [(None, 1, "no answer within 0 s")]


async def test_a_channel_that_was_taken_away(bench: Bench) -> None:
    async with receiving(500) as receiver:
        outbox = await outbox_to(bench, receiver.url)
        await speeding(bench)
        await deliver(outbox)
    stopping = asyncio.Event()
    stopping.set()
    await Outbox(bench.connection, None, 3, None, outbox.metrics).run(stopping)
    assert [row[1] for row in await rows(bench)] == ["dead"]
    await speeding(bench, vehicle="T2")
    assert len(await rows(bench)) == 1


# ---------------------------------------------------------------- the worker itself


@asynccontextmanager
async def worker(dsn: str, url: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    secret = folder / "webhook"
    secret.write_bytes(b"whsec_" + base64.b64encode(SECRET))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KERBSAFE_")}
    environment |= {
        "KERBSAFE_DSN": dsn,
        "KERBSAFE_HTTP_PORT": "0",
        "KERBSAFE_WEBHOOK_URL": url,
        "KERBSAFE_WEBHOOK_SECRET_FILE": str(secret),
        "KERBSAFE_WEBHOOK_SEVERITY": "2",
    }
    log = (folder / f"{uuid.uuid4().hex}.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kerbsafe", "worker", env=environment, stderr=log
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        log.close()


def logged_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("*.log"))


async def until(bench: Bench, question: str) -> None:
    """Wait until the database answers yes."""
    async with asyncio.timeout(60):
        while not await bench.connection.fetchval(question):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("templates", ["plain"], indirect=True)
async def test_killed_between_sending_and_noting_it_sends_again(
    bench: Bench, database: str, tmp_path: Path
) -> None:
    """The receiver has it and the worker dies before it knows: the same id comes once more."""
    async with receiving() as receiver:
        receiver.hangs = True
        async with worker(database, receiver.url, tmp_path) as first:
            await until(bench, "select count(*) = 1 from notice_channel")
            await speeding(bench)
            await asyncio.wait_for(receiver.arrived.wait(), 60)
            first.kill()
            await first.wait()
        receiver.hangs = False
        receiver.arrived.clear()
        async with worker(database, receiver.url, tmp_path):
            await asyncio.wait_for(receiver.arrived.wait(), 60)
            await until(bench, "select ended_as = 'delivered' from outbox")
    assert receiver.kinds == ["alert.raised", "alert.raised"]
    assert receiver.got[0] == receiver.got[1]
    logged = logged_in(tmp_path)
    assert b"/hook" not in logged
    assert base64.b64encode(SECRET) not in logged
