"""Publishing to real brokers: as trucks do, and as fast as they take it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiomqtt
import numpy as np
import pytest

from fleet.clock import Clock
from simulators import load, publish, scenario
from simulators.errors import SimulatorError
from simulators.messages import Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kerbsafe.parts.mqtt import Broker

START_US = 1_772_402_400_000_000


class Listener:
    """Hears everything under `kerbsafe/`."""

    def __init__(self) -> None:
        self.payloads: dict[str, list[bytes]] = defaultdict(list)
        self.count, self.wanted = 0, -1
        self.enough = asyncio.Event()

    async def listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            self.payloads[str(message.topic)].append(bytes(message.payload))
            self.count += 1
            if self.count == self.wanted:
                self.enough.set()

    async def heard(self, count: int) -> None:
        """Wait until so many messages have come."""
        self.wanted = count
        if self.count < count:
            async with asyncio.timeout(60):
                await self.enough.wait()


@asynccontextmanager
async def hear(broker: Broker) -> AsyncIterator[Listener]:
    listener = Listener()
    async with aiomqtt.Client(broker.host, broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe("kerbsafe/#", qos=1)
        task = asyncio.create_task(listener.listen(client))
        yield listener
        task.cancel()


def expected(messages: list[Message]) -> dict[str, list[bytes]]:
    by_topic: dict[str, list[bytes]] = defaultdict(list)
    for message in messages:
        by_topic[message.topic].append(message.payload)
    return by_topic


@pytest.mark.parametrize("per_truck", [True, False])
async def test_every_message_arrives_in_the_order_of_its_truck(broker: Broker, per_truck: bool) -> None:
    """A minute of ten trucks, sixty times as fast as time."""
    plan = scenario.build("demo", 1, trucks=10, duration_s=60, start_us=START_US)
    messages = [m for batch in plan.messages() for m in batch]
    target = publish.Broker(broker.host, broker.port, connection_per_truck=per_truck)
    async with hear(broker) as listener:
        began = time.monotonic()
        clock = Clock().anchored(START_US, 60.0)
        progress = await publish.publish([messages], target, [t.code for t in plan.trucks], clock=clock)
        spent_s = time.monotonic() - began
        await listener.heard(len(messages))
    assert progress.published == len(messages)
    assert listener.payloads == expected(messages)
    assert 0.8 < spent_s < 40


async def test_a_run_can_be_stopped(broker: Broker) -> None:
    messages = [Message(START_US, "kerbsafe/v1/co/a/fix", b"%d" % i) for i in range(1_000)]
    progress = publish.Progress()
    target = publish.Broker(broker.host, broker.port)
    await publish.publish([messages], target, progress=progress, stopping=lambda: progress.published >= 10)
    assert 10 <= progress.published < 500


@pytest.mark.parametrize("per_truck", [True, False])
async def test_a_broker_that_dies_is_one_clear_line(
    broker: Broker, per_truck: bool, caplog: pytest.LogCaptureFixture
) -> None:
    trucks = [f"T{n}" for n in range(4)]
    moments = range(START_US, START_US + 60_000_000, 50_000)
    rounds = [[Message(at_us, f"kerbsafe/v1/co/{t}/fix", b"{}") for t in trucks] for at_us in moments]
    progress = publish.Progress()
    target = publish.Broker(broker.host, broker.port, connection_per_truck=per_truck, patience_s=0.5)
    clock = Clock().anchored(START_US, 1.0)
    running = asyncio.create_task(publish.publish(rounds, target, trucks, clock=clock, progress=progress))
    while progress.published < len(trucks):  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    await asyncio.to_thread(broker.kill)
    with pytest.raises(SimulatorError, match=r"failed: .*[^.]; is the broker up, the login right\?$") as told:
        await running
    assert "TaskGroup" not in str(told.value)
    del running, told
    gc.collect()  # what nobody has asked for is printed when it is forgotten
    assert "never retrieved" not in caplog.text


@pytest.mark.parametrize("per_truck", [True, False])
async def test_after_a_lost_connection_the_last_minute_is_repeated(broker: Broker, per_truck: bool) -> None:
    """Everything arrives, the fixes once more on `history`; what cameras saw goes where it went before."""
    trucks = [f"T{n}" for n in range(3)]
    sent = [
        Message(START_US + round_ * 100_000, f"kerbsafe/v1/co/{truck}/{kind}", f"{kind}{round_}".encode())
        for round_ in range(60)
        for truck in trucks
        for kind in ("fix", "camera")
    ]
    progress = publish.Progress()
    target = publish.Broker(broker.host, broker.port, connection_per_truck=per_truck)
    clock = Clock().anchored(START_US, 1.0)
    running = asyncio.create_task(publish.publish([sent], target, trucks, clock=clock, progress=progress))
    while progress.published < 60:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    before = progress.published
    await asyncio.to_thread(broker.kill)
    await asyncio.to_thread(broker.restart)
    async with hear(broker) as listener:
        await running
        heard = {topic: set(payloads) for topic, payloads in listener.payloads.items()}
    assert progress.published == len(sent)
    assert before <= progress.repeated <= len(sent)
    for truck in trucks:
        place = f"kerbsafe/v1/co/{truck}"
        # What nobody had heard before the broker was back is heard now.
        assert {b"fix0", b"fix1"} <= heard[f"{place}/history"]
        assert heard[f"{place}/camera"] == {b"camera%d" % round_ for round_ in range(60)}
        again_, news = heard[f"{place}/history"], heard[f"{place}/fix"]
        assert again_ | news == {b"fix%d" % round_ for round_ in range(60)}


async def test_no_broker_is_one_clear_line() -> None:
    message = Message(START_US, "kerbsafe/v1/co/a/fix", b"{}")
    with pytest.raises(SimulatorError, match=r"127\.0\.0\.1:1 failed"):
        await publish.publish([[message]], publish.Broker(port=1))
    with pytest.raises(SimulatorError, match=r"127\.0\.0\.1:1 failed: .*refused"):
        await publish.publish([[message]], publish.Broker(port=1), ["a", "b"])
    with pytest.raises(SimulatorError, match=r"cannot publish to 127\.0\.0\.1:1"):
        await load.push([("kerbsafe/v1/co/a/fix", b"{}")], load.Target(port=1))


@pytest.mark.parametrize("connections", [1, 3])
async def test_load_is_acknowledged_whole(broker: Broker, connections: int) -> None:
    """70,000 messages, more than there are packet identifiers."""
    messages = [(f"kerbsafe/v1/co/t{i % 50}/fix", b"%d" % i) for i in range(70_000)]
    target = load.Target(broker.host, broker.port, window=2_000)
    report = await load.push(messages, target, connections=connections)
    assert report.refused == 0
    assert (report.sent_s > 0).all()
    assert (report.acked_s >= report.sent_s).all()
    assert report.messages_per_s > 1_000
    assert 0 < report.ack_ms(0.5) <= report.ack_ms(0.99)


async def test_load_delivers_in_order(broker: Broker) -> None:
    topics = [f"kerbsafe/v1/co/t{i}/fix" for i in range(7)]
    messages = [(topics[i % 7], b"%d" % i) for i in range(2_000)]
    async with hear(broker) as listener:
        await load.push(messages, load.Target(broker.host, broker.port), connections=3, per_s=4_000)
        await listener.heard(len(messages))
    for topic, payloads in listener.payloads.items():
        assert [int(payload) for payload in payloads] == list(range(topics.index(topic), 2_000, 7))


async def test_load_keeps_to_a_rate(broker: Broker) -> None:
    """None before its turn, and not in a few bursts; a busy machine may send some of them late."""
    messages = [("kerbsafe/v1/co/a/fix", b"%d" % i) for i in range(1_000)]
    began_s = time.monotonic()
    report = await load.push(messages, load.Target(broker.host, broker.port), per_s=1_000)
    sent_s = np.sort(report.sent_s) - began_s
    assert (sent_s >= np.arange(1_000) / 1_000 - 0.001).all()
    assert sent_s[-1] < 40
    assert len(np.unique(np.round(sent_s, 2))) > 5
