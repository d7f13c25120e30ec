"""Commands on their way: from the shell through ingest and broker to the terminal, and its answer back."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest

from fleet.wire.jt808.codec import Decoded
from tests import conftest
from tests.integration.gateway.conftest import PHONE, Gateway
from tests.integration.gateway.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from kerbsafe.parts import Broker
    from tests.integration.gateway.conftest import Process

TEXT, SET, ASK, LOCATE, ACK = 0x8300, 0x8103, 0x8106, 0x8201, 0x0001
#: As the terminal tells its parameters: interval 1 s, bends of 20 degrees, by time.
PARAMETERS = "03" + "000000200400000000" + "000000290400000001" + "000000300400000014"


@pytest.fixture
def ingest(processes: Callable[..., Process]) -> Process:
    return processes("ingest").started()


@pytest.fixture
def command(store: str) -> Callable[..., Any]:
    """`kerbsafe command … --json`: what it prints."""

    async def run(*arguments: str) -> Any:
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kerbsafe", "command", *arguments, "--json"),
            env=os.environ | {"KERBSAFE_DSN": store},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, complaints = await running.communicate()
        assert running.returncode in {0, 1}, complaints.decode()
        return json.loads(out)

    return run


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


def general_answer(terminal: Terminal, one: Decoded, result: int) -> None:
    assert one.header is not None
    terminal.say(
        ACK, serial(one).to_bytes(2, "big") + one.header.message_id.to_bytes(2, "big") + bytes([result])
    )


@pytest.mark.parametrize(
    ("version", "head"), [(2013, {"flag": 13}), (2019, {"flag": 14, "text_type": 1})]
)
async def test_a_text_is_sent_to_the_terminal_and_acknowledged(
    gateway: Gateway, ingest: Process, command: Callable[..., Any], version: int, head: dict[str, int]
) -> None:
    terminal = await Terminal(PHONE.format(1), gateway.port, version=version).come_in()
    asking = asyncio.create_task(command("send", "T1", "tts", "前方路口，请停车让行", "--wait", "15"))
    text = await ordered(terminal, TEXT)
    assert text.body == head | {"text": "前方路口，请停车让行"}
    general_answer(terminal, text, 0)
    said = await asking
    assert (said["state"], said["kind"], said["vehicle"]) == ("acknowledged", "prompt", "T1")
    assert said["gateway"].startswith("kerbsafe.gateway-")
    assert said["sent_at"] < said["answered_at"]


async def test_what_a_terminal_refuses_is_said(
    gateway: Gateway, ingest: Process, command: Callable[..., Any]
) -> None:
    terminal = await Terminal(PHONE.format(1), gateway.port).come_in()
    asking = asyncio.create_task(command("send", "T1", "track", "--every", "5", "--wait", "15"))
    order = await ordered(terminal, 0x8202)
    assert order.body == {"interval_s": 5, "valid_s": 600}
    general_answer(terminal, order, 3)
    said = await asking
    assert (said["state"], said["detail"]) == ("refused", "the terminal does not support this")


async def test_a_terminal_is_commissioned_and_tells_it_back(
    gateway: Gateway, ingest: Process, command: Callable[..., Any]
) -> None:
    terminal = await Terminal(PHONE.format(1), gateway.port).come_in()
    before = await command("terminals")
    assert before["terminals"][0] == {
        "vehicle": "T1",
        "told_at": None,
        "blind_because": "it has not told its parameters: kerbsafe command commission",
    }
    asking = asyncio.create_task(command("commission", "T1", "--wait", "15"))
    order = await ordered(terminal, SET)
    assert [(one["name"], one["value"]) for one in order.body["params"]] == [
        ("report_strategy", 0),
        ("report_default_s", 1),
        ("report_turn_deg", 20),
    ]
    general_answer(terminal, order, 0)
    question = await ordered(terminal, ASK)
    assert question.body == {"ids": ["0x0020", "0x0029", "0x0030"]}
    terminal.say(0x0104, serial(question).to_bytes(2, "big") + bytes.fromhex(PARAMETERS))
    said = await asking
    assert said["commissioned"]
    assert said["told"] == {"report_strategy": 0, "report_default_s": 1, "report_turn_deg": 20}
    after = await command("terminals")
    assert (after["terminals"][0]["vehicle"], after["terminals"][0]["blind_because"]) == ("T1", None)
    assert after["blind"] == 8, "the others have told nothing"


async def test_of_two_gateways_the_one_that_has_the_terminal_sends(
    processes: Callable[..., Process], ingest: Process, command: Callable[..., Any]
) -> None:
    ports = [conftest.own_free_port() for _ in range(2)]
    for port in ports:
        processes("gateway", KERBSAFE_GATEWAY_PORT=str(port)).started()
    here = await Terminal(PHONE.format(1), ports[1]).come_in()
    other = await Terminal(PHONE.format(2), ports[0]).come_in()
    asking = asyncio.create_task(command("send", "T1", "tts", "慢行", "--wait", "15"))
    general_answer(here, await ordered(here, TEXT), 0)
    assert (await asking)["state"] == "acknowledged"
    assert (len(sent(here, TEXT)), len(sent(other, TEXT))) == (1, 0)


async def test_a_terminal_that_is_not_authenticated_is_ordered_nothing(
    gateway: Gateway, ingest: Process, command: Callable[..., Any]
) -> None:
    """It gets the order once it has shown its code, if that is not too late."""
    terminal = await Terminal(PHONE.format(1), gateway.port).connect()
    assert await terminal.register() == 0
    said = await command("send", "T1", "tts", "慢行", "--wait", "1")
    assert (said["state"], sent(terminal, TEXT)) == ("queued", [])
    assert await terminal.authenticate() == 0
    await ordered(terminal, TEXT)


async def test_a_terminal_that_never_answers(
    gateway: Gateway, ingest: Process, command: Callable[..., Any]
) -> None:
    terminal = await Terminal(PHONE.format(1), gateway.port).come_in()
    asking = asyncio.create_task(
        command("send", "T1", "tts", "慢行", "--valid-for", "12", "--wait", "30")
    )
    first = await ordered(terminal, TEXT)
    said = await asking
    assert (said["state"], said["detail"]) == ("timed_out", "sent 2 times and not answered")
    assert {serial(one) for one in sent(terminal, TEXT)} == {serial(first)}


async def test_a_gateway_that_is_killed_before_the_answer_sends_nothing_twice(
    gateway: Gateway, ingest: Process, command: Callable[..., Any]
) -> None:
    """Nobody knows whether the driver heard it, and that is what is said."""
    terminal = await Terminal(PHONE.format(1), gateway.port).come_in()
    asking = asyncio.create_task(command("send", "T1", "tts", "慢行", "--wait", "4"))
    await ordered(terminal, TEXT)
    gateway.process.kill()
    gateway.process.started()
    await terminal.come_in()
    said = await asking
    assert (said["state"], said["answered_at"]) == ("sent", None)
    await asyncio.sleep(2)
    assert len(sent(terminal, TEXT)) == 1


async def test_a_unit_that_speaks_mqtt_is_ordered_and_answers(
    broker: Broker, ingest: Process, command: Callable[..., Any], store: str
) -> None:
    """A stranger's answer to the same command counts for nothing."""
    async with aiomqtt.Client(broker.host, broker.port_v3, identifier="unit") as unit:
        await unit.subscribe("kerbsafe/v1/acme/T1/command", qos=1)
        asking = asyncio.create_task(command("send", "T1", "tts", "慢行", "--wait", "15"))
        async with asyncio.timeout(15):
            heard = await anext(aiter(unit.messages))
        assert isinstance(heard.payload, bytes)
        order = json.loads(heard.payload)
        assert (order["kind"], order["text"]) == ("prompt", "慢行")
        answer = {"id": order["id"], "time": int(time.time() * 1000)}
        for vehicle, result in (("T2", "refused"), ("T1", "done")):
            payload = json.dumps(answer | {"result": result})
            await unit.publish(f"kerbsafe/v1/acme/{vehicle}/ack", payload, qos=1)
        assert (await asking)["state"] == "acknowledged"


async def test_where_a_terminal_is(
    gateway: Gateway, ingest: Process, command: Callable[..., Any]
) -> None:
    from tests.integration.gateway.terminal import body

    terminal = await Terminal(PHONE.format(1), gateway.port).come_in()
    asking = asyncio.create_task(command("send", "T1", "locate", "--wait", "15"))
    question = await ordered(terminal, LOCATE)
    terminal.say(0x0201, serial(question).to_bytes(2, "big") + body(int(time.time()), speed_kmh=7.5))
    said = await asking
    assert said["state"] == "acknowledged"
    place = said["answer"]
    assert (place["lat"], place["lon"], place["speed_kmh"], place["datum"]) == (30.7, 120.7, 7.5, "wgs84")
