"""Commands on their way: through ingest and broker to the terminal, and its answer back."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest

from fleet.audit import Actor, ActorKind
from fleet.commands import orders
from fleet.commands.store import Command, queue, read
from fleet.db import connect
from kerbsafe import parts
from tests import conftest
from tests.integration.gateway.conftest import PHONE, Gateway, Process, a_store, maker_of_processes
from tests.integration.gateway.terminal import BATCH, Terminal, batch, body

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import asyncpg

    from fleet.commands.orders import Order
    from fleet.wire.jt808 import Decoded

TEXT, SET, ASK, LOCATE, ACK = 0x8300, 0x8103, 0x8106, 0x8201, 0x0001
#: As a terminal tells its parameters: by time, every second, bends of 20 degrees.
PARAMETERS = "03" + "000000200400000000" + "000000290400000001" + "000000300400000014"
WHO = Actor(ActorKind.COMMAND, "li.na")


@dataclass
class Installation:
    """Ingest and two gateways over one broker and database; each test has trucks of its own."""

    dsn: str
    broker: parts.Broker
    ingest: Process
    gateways: list[Gateway]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await connect(self.dsn, application="test")
        try:
            yield connection
        finally:
            await connection.close()

    async def send(self, vehicle: str, order: Order, wait_s: float = 15, valid_s: float = 60) -> Command:
        """Queue an order and wait for what becomes of it."""
        async with self.connected() as connection:
            now = datetime.now(UTC)
            command_id = await queue(connection, vehicle, order, WHO, now, timedelta(seconds=valid_s))
            deadline = time.monotonic() + wait_s
            while True:
                (found,) = await read(connection, datetime.now(UTC), command_id=command_id)
                if found.is_final or time.monotonic() > deadline:
                    return found
                await asyncio.sleep(0.05)

    async def command(self, *arguments: str) -> Any:
        """`kerbsafe command … --json`: what it prints."""
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kerbsafe", "command", *arguments, "--json"),
            env=os.environ | {"KERBSAFE_DSN": self.dsn},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, complaints = await running.communicate()
        assert running.returncode in {0, 1}, complaints.decode()
        return json.loads(out)


@pytest.fixture(scope="module")
def there(
    plain_templates: conftest.Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    with ExitStack() as stack:
        broker = stack.enter_context(parts.mosquitto())
        dsn = stack.enter_context(a_store(plain_templates))
        folder = tmp_path_factory.mktemp("commands")
        prompts = folder / "prompts.toml"
        prompts.write_text('[prompts]\nspeeding = "您已超速，请减速"\n', "utf-8")
        make = stack.enter_context(maker_of_processes(dsn, broker, folder))
        ingest = make("ingest", KERBSAFE_PROMPTS=str(prompts)).start()
        ports = [conftest.own_free_port() for _ in range(2)]
        made = [Gateway(make("gateway", KERBSAFE_GATEWAY_PORT=str(port)).start(), port) for port in ports]
        for one in (ingest, *(gateway.process for gateway in made)):
            one.wait_ready()
        yield Installation(dsn, broker, ingest, made)


async def ordered(terminal: Terminal, message_id: int, within_s: float = 15.0) -> Decoded:
    """Return the first message of a kind that the platform sent."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        for one in sent(terminal, message_id):
            return one
        await asyncio.sleep(0.02)
    raise AssertionError(f"no 0x{message_id:04x} came")


def sent(terminal: Terminal, message_id: int) -> list[Decoded]:
    return [one for one in terminal.answers if one.header and one.header.message_id == message_id]


def serial(one: Decoded) -> int:
    assert one.header is not None
    return one.header.serial


def general_answer(terminal: Terminal, one: Decoded, result: int = 0) -> None:
    assert one.header is not None
    ids = serial(one).to_bytes(2, "big") + one.header.message_id.to_bytes(2, "big")
    terminal.say(ACK, ids + bytes([result]))


@pytest.mark.parametrize(
    ("truck", "version", "head"), [(1, 2013, {"flag": 13}), (2, 2019, {"flag": 14, "text_type": 1})]
)
async def test_a_text_is_sent_to_the_terminal_and_acknowledged(
    there: Installation, truck: int, version: int, head: dict[str, int]
) -> None:
    """The gateway that has the terminal sends it, in the terminal's edition; the other does not."""
    gateway, other = there.gateways
    terminal = await Terminal(PHONE.format(truck), gateway.port, version=version).come_in()
    elsewhere = await Terminal(PHONE.format(9), other.port).come_in()
    asking = asyncio.create_task(there.send(f"T{truck}", orders.prompt("前方路口，请停车让行")))
    text = await ordered(terminal, TEXT)
    assert text.body == head | {"text": "前方路口，请停车让行"}
    general_answer(terminal, text)
    said = await asking
    assert said.state == "acknowledged"
    assert said.gateway.startswith("kerbsafe.gateway-")
    assert said.sent_at is not None
    assert said.answered_at is not None
    assert said.queued_at < said.sent_at < said.answered_at
    assert (len(sent(terminal, TEXT)), len(sent(elsewhere, TEXT))) == (1, 0)


async def test_a_terminal_that_came_to_the_other_gateway_meanwhile_hears_it_there(
    there: Installation,
) -> None:
    first = await Terminal(PHONE.format(1), there.gateways[0].port).come_in()
    await first.close()
    asking = asyncio.create_task(there.send("T1", orders.prompt("慢行")))
    await asyncio.sleep(0.5)
    second = await Terminal(PHONE.format(1), there.gateways[1].port).come_in()
    general_answer(second, await ordered(second, TEXT))
    assert (await asking).state == "acknowledged"


async def test_what_a_terminal_refuses_is_said(there: Installation) -> None:
    terminal = await Terminal(PHONE.format(3), there.gateways[0].port).come_in()
    asking = asyncio.create_task(there.send("T3", orders.track(5, 600)))
    order = await ordered(terminal, 0x8202)
    assert order.body == {"interval_s": 5, "valid_s": 600}
    general_answer(terminal, order, 3)
    said = await asking
    assert (said.state, said.detail) == ("refused", "the terminal does not support this")


async def test_where_a_terminal_is(there: Installation) -> None:
    """The answer is a position like others as well."""
    terminal = await Terminal(PHONE.format(3), there.gateways[0].port).come_in()
    asking = asyncio.create_task(there.send("T3", orders.locate()))
    question = await ordered(terminal, LOCATE)
    now_s = int(time.time())
    terminal.say(LOCATE - 0x8000, serial(question).to_bytes(2, "big") + body(now_s, speed_kmh=7.5))
    said = await asking
    moment = datetime.fromtimestamp(now_s, UTC)
    assert said.answer == {
        "speed_kmh": 7.5,
        "time": moment.isoformat().replace("+00:00", "Z"),
        "lat": 30.7,
        "lon": 120.7,
        "datum": "wgs84",
    }
    async with there.connected() as connection, asyncio.timeout(10):
        exists = "select exists (select from fix where time = $1)"
        while not await connection.fetchval(exists, moment):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_terminal_is_commissioned_and_tells_it_back(there: Installation) -> None:
    terminal = await Terminal(PHONE.format(4), there.gateways[0].port).come_in()
    asking = asyncio.create_task(there.command("commission", "T4", "--wait", "15"))
    order = await ordered(terminal, SET)
    assert {one["name"]: one["value"] for one in order.body["params"]} == {
        "report_strategy": 0,
        "report_default_s": 1,
        "report_turn_deg": 20,
    }
    general_answer(terminal, order)
    question = await ordered(terminal, ASK)
    assert question.body == {"ids": ["0x0020", "0x0029", "0x0030"]}
    terminal.say(0x0104, serial(question).to_bytes(2, "big") + bytes.fromhex(PARAMETERS))
    said = await asking
    assert said["commissioned"]
    assert said["told"] == {"report_strategy": 0, "report_default_s": 1, "report_turn_deg": 20}
    after = await there.command("terminals")
    reasons = {one["vehicle"]: one["blind_because"] for one in after["terminals"]}
    assert reasons.pop("T4") is None
    assert set(reasons.values()) == {"it has not told its parameters: kerbsafe command commission"}
    assert (len(reasons), after["blind"]) == (8, 8)


async def test_a_terminal_that_is_not_authenticated_is_ordered_nothing(there: Installation) -> None:
    """It gets the order once it has shown its code, if that is not too late."""
    terminal = await Terminal(PHONE.format(5), there.gateways[0].port).connect()
    assert await terminal.register() == 0
    said = await there.send("T5", orders.prompt("慢行"), wait_s=1)
    assert (said.state, sent(terminal, TEXT)) == ("queued", [])
    assert await terminal.authenticate() == 0
    await ordered(terminal, TEXT)


async def test_an_order_that_reaches_nobody_expires(there: Installation) -> None:
    said = await there.send("T8", orders.prompt("慢行"), valid_s=1)
    assert (said.state, said.sent_at, said.gateway) == ("expired", None, "")


async def test_a_terminal_that_never_answers(there: Installation) -> None:
    """Sent again with the same serial, and then nobody knows."""
    terminal = await Terminal(PHONE.format(5), there.gateways[0].port).come_in()
    asking = asyncio.create_task(there.send("T5", orders.prompt("慢行"), valid_s=10.5, wait_s=30))
    first = await ordered(terminal, TEXT)
    await terminal.close()
    said = await asking
    assert (said.state, said.detail) == ("timed_out", "the connection ended before an answer came")
    assert {serial(one) for one in sent(terminal, TEXT)} == {serial(first)}


async def test_a_unit_that_speaks_mqtt_is_ordered_and_answers_for_itself_alone(there: Installation) -> None:
    """A stranger's answer to the same command counts for nothing."""
    broker = there.broker
    async with aiomqtt.Client(broker.host, broker.port_v3, identifier="unit") as unit:
        await unit.subscribe("kerbsafe/v1/acme/T6/command", qos=1)
        asking = asyncio.create_task(there.send("T6", orders.prompt("慢行")))
        async with asyncio.timeout(15):
            heard = await anext(aiter(unit.messages))
        assert isinstance(heard.payload, bytes)
        order = json.loads(heard.payload)
        assert (order["kind"], order["text"]) == ("prompt", "慢行")
        answer = {"id": order["id"], "time": int(time.time() * 1000)}
        for vehicle, result in (("T7", "refused"), ("T6", "done")):
            payload = json.dumps(answer | {"result": result})
            await unit.publish(f"kerbsafe/v1/acme/{vehicle}/ack", payload, qos=1)
        assert (await asking).state == "acknowledged"


async def test_a_driver_who_drives_too_fast_is_told_so(there: Installation) -> None:
    """A rule's prompt, once for an alert that goes on. However cut, it is raised within the last 10 s."""
    terminal = await Terminal(PHONE.format(7), there.gateways[1].port).come_in()
    now_s = int(time.time())
    for second in range(-14, 1):
        terminal.report(body(now_s + second, lat=30.7 + second * 2.2e-4, speed_kmh=88))
    text = await ordered(terminal, TEXT)
    assert text.body["text"] == "您已超速，请减速"
    general_answer(terminal, text)
    async with there.connected() as connection:
        rows = await connection.fetch("select rule, command_id is null as held_out from prompt")
    assert [tuple(row) for row in rows] == [("speeding", False)]


async def test_a_gateway_that_is_killed_before_the_answer_sends_nothing_twice(there: Installation) -> None:
    """Nobody knows whether the driver heard it, and that is what is said."""
    gateway = there.gateways[0]
    terminal = await Terminal(PHONE.format(6), gateway.port).come_in()
    asking = asyncio.create_task(there.send("T6", orders.prompt("慢行"), wait_s=4, valid_s=5))
    await ordered(terminal, TEXT)
    gateway.process.kill()
    await asyncio.to_thread(gateway.process.started)
    await terminal.come_in()
    said = await asking
    assert (said.state, said.answered_at) == ("sent", None)
    async with there.connected() as connection:
        (later,) = await read(connection, said.expires_at + timedelta(seconds=31), command_id=said.command_id)
    assert later.state == "timed_out"
    assert len(sent(terminal, TEXT)) == 1


async def test_half_of_a_batch_is_not_acknowledged_and_so_sent_again(there: Installation) -> None:
    """The gateway dies between two fragments: the terminal still has both."""
    gateway = there.gateways[0]
    terminal = await Terminal(PHONE.format(8), gateway.port).come_in()
    now_s = int(time.time())
    content = batch(*(body(now_s - 60 + one) for one in range(50)))
    first = terminal.sender.serial
    frames = terminal.sender.build_raw(BATCH, content)
    assert len(frames) == 2
    terminal.write(frames[0])
    await asyncio.sleep(0.3)
    gateway.process.kill()
    assert [one.body["ack_serial"] for one in sent(terminal, 0x8001)][1:] == []
    await asyncio.to_thread(gateway.process.started)
    await terminal.come_in()
    terminal.report(body(now_s))  # kept reports are taken once it is clear which clock the terminal has
    await terminal.all_acknowledged()
    for frame in frames:
        terminal.write(frame)
    for place in range(2):
        assert (await terminal.answer(0x8001, first + place)).body["result"] == 0
    async with there.connected() as connection, asyncio.timeout(10):
        count = "select count(*) from fix join vehicle using (vehicle_id) where code = 'T8'"
        while await connection.fetchval(count) < 50:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
