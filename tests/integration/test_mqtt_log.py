"""`ingest.mqtt.mqtt_log` against real brokers: Mosquitto, and the embedded broker of the demo."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiomqtt
import mqtt5
import pytest
import uvloop
from structlog.testing import capture_logs

from fleet.errors import KerbsafeError
from ingest.mqtt import mqtt_session
from ingest.mqtt.mqtt_link import Address
from ingest.mqtt.mqtt_log import MqttLog, MqttOptions
from kerbsafe import parts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from ingest.pipeline.log import Batch
    from kerbsafe.parts import Broker

FIX = "kerbsafe/v1/acme/T1/fix"
HISTORY = "kerbsafe/v1/acme/T1/history"


@pytest.fixture(params=["broker", "embedded_broker"])
def any_broker(request: pytest.FixtureRequest) -> Broker:
    """Each broker in turn."""
    found: Broker = request.getfixturevalue(request.param)
    return found


def now_us() -> int:
    return time.time_ns() // 1000


def log_of(broker: Broker, **options: object) -> MqttLog:
    return MqttLog(MqttOptions(Address(broker.host, broker.port), **options), now_us=now_us)


@asynccontextmanager
async def connected(broker: Broker, **options: object) -> AsyncIterator[MqttLog]:
    async with asyncio.timeout(90), log_of(broker, **options) as log:
        await log.wait_connected()
        yield log


def client_of(broker: Broker) -> aiomqtt.Client:
    """Return a device's client. It would warn about many messages at once, which are meant."""
    quiet = logging.getLogger("device")
    quiet.setLevel(logging.ERROR)
    return aiomqtt.Client(
        broker.host,
        broker.port,
        protocol=aiomqtt.ProtocolVersion.V5,
        logger=quiet,
    )


async def publish(broker: Broker, topic: str, payloads: Iterable[bytes], qos: int = 1) -> None:
    """Publish as a device does; returns when the broker has acknowledged everything."""
    async with client_of(broker) as client:
        await asyncio.gather(*(client.publish(topic, payload, qos) for payload in payloads))


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [b"%05d" % i for i in range(start, start + count)]


async def take(log: MqttLog, count: int, *, release: bool = True) -> list[Batch]:
    """Take batches until they hold `count` messages."""
    taken: list[Batch] = []
    async for batch in log.batches():
        taken.append(batch)
        if release:
            log.release(batch)
        if sum(len(b.messages) for b in taken) >= count:
            break
    return taken


def payloads(batches: Iterable[Batch]) -> list[bytes]:
    return [message.payload for batch in batches for message in batch.messages]


async def until(condition: Callable[[], object]) -> None:
    for _ in range(6_000):
        if condition():
            return
        await asyncio.sleep(0.005)
    pytest.fail("it did not come about within 30 s")


async def stays(seconds: float, condition: Callable[[], object]) -> None:
    for _ in range(int(seconds / 0.02)):
        assert condition()
        await asyncio.sleep(0.02)


def cut_the_line(log: MqttLog) -> None:
    """End both connections as a kill of this process would: without a goodbye."""
    for subscription in (log._live, log._history):
        assert subscription._link is not None
        assert subscription._link._transport is not None
        subscription._link._transport.abort()


# -- acknowledged when released, and not before ----------------------------------------------------


async def test_what_is_not_released_comes_again_to_the_next_session(any_broker: Broker) -> None:
    sent = numbered(50)
    async with connected(any_broker) as log:
        await publish(any_broker, FIX, sent)
        assert payloads(await take(log, 50, release=False)) == sent
        assert log.counters["live"].acknowledged == 0
        cut_the_line(log)
    async with connected(any_broker) as log:
        assert payloads(await take(log, 50)) == sent
        assert log.counters["live"].acknowledged == 50


async def test_what_is_released_does_not_come_again(any_broker: Broker) -> None:
    async with connected(any_broker) as log:
        await publish(any_broker, FIX, numbered(20))
        await take(log, 20)
        await publish(any_broker, FIX, numbered(30, start=20))
        await take(log, 30, release=False)
        await asyncio.sleep(0.2)  # the broker reads the acknowledgements before it loses us
        cut_the_line(log)
    async with connected(any_broker) as log:
        assert payloads(await take(log, 30)) == numbered(30, start=20)
        await publish(any_broker, FIX, [b"after"])
        assert payloads(await take(log, 1)) == [b"after"]


async def test_what_is_published_while_we_are_away_is_kept(any_broker: Broker) -> None:
    async with connected(any_broker):
        pass
    await publish(any_broker, FIX, numbered(100))
    async with connected(any_broker) as log:
        assert payloads(await take(log, 100)) == numbered(100)


async def test_releasing_after_the_connection_is_lost_is_harmless(broker: Broker) -> None:
    """The acknowledgements are dropped, and the broker sends everything again on the new connection."""
    async with connected(broker) as log:
        await publish(broker, FIX, numbered(10))
        taken = await take(log, 10, release=False)
        cut_the_line(log)
        await until(lambda: not log.connected)
        for batch in taken:
            log.release(batch)
            log.release(batch)
        assert payloads(await take(log, 10)) == numbered(10)
        counters = log.counters["live"]
        assert (counters.acknowledgements_dropped, counters.acknowledged) == (10, 10)
        assert (counters.redelivered, counters.connects, counters.sessions_forgotten) == (10, 2, 0)
        assert log.unreleased["live"] == (0, 0)


async def test_qos_0_is_taken_and_has_nothing_to_acknowledge(broker: Broker) -> None:
    async with connected(broker) as log:
        await publish(broker, FIX, [b"once"], qos=0)
        assert payloads(await take(log, 1)) == [b"once"]
        assert log.counters["live"].acknowledged == 0
        assert log.unreleased["live"] == (0, 0)


# -- what is unreleased is bounded -----------------------------------------------------------------


async def test_receive_maximum_bounds_what_is_under_way(broker: Broker) -> None:
    async with connected(broker, receive_max=10) as log:
        await publish(broker, FIX, numbered(100))
        held = await take(log, 10, release=False)
        await stays(0.3, lambda: log.unreleased["live"][0] == 10)
        for batch in held:
            log.release(batch)
        held += await take(log, 90)
        assert payloads(held) == numbered(100)


async def test_a_broker_that_ignores_receive_maximum_is_not_read_on(embedded_broker: Broker) -> None:
    async with connected(embedded_broker, receive_max=10) as log:
        publishing = asyncio.create_task(publish(embedded_broker, FIX, [b"x" * 50_000] * 100))
        await until(lambda: log.counters["live"].pauses)
        await stays(0.3, lambda: 10 < log.unreleased["live"][0] < 20)
        assert len(payloads(await take(log, 100))) == 100
        await publishing


async def test_the_byte_limit_stops_reading_and_the_connection_survives_it(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than the broker would wait for us, 4.5 s, and longer than we would wait for the broker."""
    monkeypatch.setattr(mqtt_session, "RESPONSE_TIMEOUT_S", 2.0)
    sent = [bytes([i]) * 100_000 for i in range(100)]
    async with connected(broker, max_unacked_bytes=1_000_000, keep_alive_s=3) as log:
        publishing = asyncio.create_task(publish(broker, FIX, sent))
        await until(lambda: log.counters["live"].pauses == 1)
        await stays(6.0, lambda: 1_000_000 <= log.unreleased["live"][1] < 1_500_000)
        assert log.connected
        taken = await take(log, 100)
        await publishing
        assert payloads(taken) == sent
        assert log.counters["live"].connects == 1


async def test_batches_are_cut_at_their_limits(broker: Broker) -> None:
    async with connected(broker):
        pass
    await publish(broker, FIX, [b"x" * 10_000 for _ in range(200)])
    async with connected(broker, batch_bytes=100_000) as log:
        await until(lambda: log.unreleased["live"][0] == 200)
        taken = await take(log, 200)
    one_read = 256 * 1024
    assert len(taken) >= 4
    assert max(batch.bytes for batch in taken) < 100_000 + one_read
    assert sum(batch.bytes for batch in taken) > 200 * 10_000


# -- batches ---------------------------------------------------------------------------------------


async def test_a_lone_message_is_there_within_milliseconds(broker: Broker) -> None:
    waits_s = []
    async with (
        connected(broker) as log,
        client_of(broker) as client,
    ):
        for i in range(9):
            began_s = time.perf_counter()
            publishing = asyncio.create_task(client.publish(FIX, b"%d" % i, 1))
            await take(log, 1)
            waits_s.append(time.perf_counter() - began_s)
            await publishing
            await asyncio.sleep(0.02)
    # Were messages collected for a while, each of them would wait, however quick the machine.
    assert min(waits_s) < 0.05


async def test_a_batch_is_all_that_came_while_the_last_one_was_committed(broker: Broker) -> None:
    async with connected(broker) as log:
        await publish(broker, FIX, [b"first"])
        sizes = []
        async for batch in log.batches():
            sizes.append(len(batch.messages))
            if batch.messages[-1].payload == b"first":
                await publish(broker, FIX, numbered(500))
                await until(lambda: log.unreleased["live"][0] == 501)
            log.release(batch)
            if sum(sizes) == 501:
                break
        assert sizes == [1, 500]


async def test_stamps_do_not_decrease_and_sources_are_named(broker: Broker) -> None:
    async with connected(broker) as log:
        began_us = now_us()
        await publish(broker, FIX, numbered(20))
        await publish(broker, HISTORY, numbered(20))
        taken = await take(log, 40)
        stamps = [batch.received_us for batch in taken]
        assert stamps == sorted(stamps)
        assert began_us <= stamps[0] <= stamps[-1] <= now_us()
        assert {(b.source, m.topic) for b in taken for m in b.messages} == {
            ("live", FIX),
            ("history", HISTORY),
        }


async def test_without_messages_empty_batches_come_to_tick_on(broker: Broker) -> None:
    async with connected(broker) as log:
        ticks, moments_s = [], [time.monotonic()]
        async for batch in log.batches(idle_s=0.05):
            ticks.append(len(batch.messages))
            moments_s.append(time.monotonic())
            log.release(batch)
            if len(ticks) == 4:
                break
        pauses_s = [later - earlier for earlier, later in itertools.pairwise(moments_s)]
        assert ticks == [0, 0, 0, 0]
        assert sum(pauses_s) >= 0.19
        assert min(pauses_s) < 0.5


async def test_stopping_ends_the_batches_and_what_was_taken_can_be_released(broker: Broker) -> None:
    async with connected(broker) as log:
        await publish(broker, FIX, [b"last"])
        async for batch in log.batches():
            log.stop()
            log.release(batch)
        assert log.counters["live"].acknowledged == 1


# -- live before history ---------------------------------------------------------------------------


async def test_history_waits_while_live_messages_pile_up(broker: Broker) -> None:
    async with connected(broker):
        pass
    await publish(broker, HISTORY, numbered(500))
    await publish(broker, FIX, numbered(500))
    async with connected(broker, batch_messages=40, history_receive_max=50) as log:
        await until(lambda: (log.unreleased["live"][0], log.unreleased["history"][0]) == (500, 50))
        taken = await take(log, 1000)
    order = [source for source, _ in itertools.groupby(batch.source for batch in taken)]
    assert order == ["live", "history"]


async def test_a_live_fix_waits_for_no_more_than_the_history_batch_under_way(broker: Broker) -> None:
    async with connected(broker, history_receive_max=10) as log:
        await publish(broker, HISTORY, numbered(300))
        sources = []
        async for batch in log.batches():
            sources.append(batch.source)
            if len(sources) == 3:
                await publish(broker, FIX, [b"now"])
                await until(lambda: log.unreleased["live"][0] == 1)
            log.release(batch)
            if batch.source == "live":
                break
        assert sources == ["history"] * 3 + ["live"] or sources == ["history"] * 4 + ["live"]


async def test_an_upload_of_large_arrays_is_taken_whole(broker: Broker) -> None:
    """5 MB of one unit, more than may wait of a live topic: nothing of it is refused, and nothing stays."""
    arrays = [str(number).encode().ljust(100_000) for number in range(50)]
    async with connected(broker) as log:
        await publish(broker, HISTORY, arrays)
        taken = await take(log, len(arrays))
        assert {batch.source for batch in taken} == {"history"}
        assert [int(message.payload) for batch in taken for message in batch.messages] == [*range(50)]
        assert not any(batch.refused for batch in taken)


async def test_history_gets_its_turn_while_live_messages_trickle(broker: Broker) -> None:
    """Live traffic of a whole city is never quite idle."""
    enough = asyncio.Event()

    async def trickle() -> None:
        async with client_of(broker) as client:
            while not enough.is_set():
                await client.publish(FIX, b"live", 0)
                await asyncio.sleep(0.001)

    async with connected(broker, history_every_s=0.02, history_receive_max=10) as log:
        publishing = asyncio.create_task(trickle())
        await publish(broker, HISTORY, numbered(100))
        back_filled = 0
        async for batch in log.batches():
            await asyncio.sleep(0.005)  # the commit: something live has always come meanwhile
            log.release(batch)
            back_filled += len(batch.messages) if batch.source == "history" else 0
            if back_filled == 100:
                break
        enough.set()
        await publishing


# -- losing the broker -----------------------------------------------------------------------------


async def test_a_restarted_broker_is_found_again(any_broker: Broker) -> None:
    """Its queue is in memory: what it forgets is counted, and what we hold is not lost."""
    async with connected(any_broker) as log:
        first_us = log.caught_up_since_us
        assert first_us is not None
        await publish(any_broker, FIX, [b"before"])
        await until(lambda: log.unreleased["live"][0] == 1)
        any_broker.kill()
        await until(lambda: not log.connected)
        assert log.caught_up_since_us is None
        any_broker.restart()
        await log.wait_connected()
        assert log.caught_up_since_us is not None
        assert log.caught_up_since_us > first_us
        await publish(any_broker, FIX, [b"after"])
        assert payloads(await take(log, 2)) == [b"before", b"after"]
        counters = log.counters["live"]
        assert (counters.connects, counters.sessions_forgotten) == (2, 1)
        assert (counters.acknowledged, counters.acknowledgements_dropped) == (1, 1)


async def test_a_queue_that_is_being_worked_off_is_not_caught_up(broker: Broker) -> None:
    async with connected(broker):
        pass
    await publish(broker, FIX, numbered(300))
    async with connected(broker, batch_messages=50, receive_max=100) as log:
        up_us = now_us()
        await until(lambda: log.unreleased["live"][0] == 100)
        assert log.caught_up_since_us is None
        taken = await take(log, 300)
        assert log.caught_up_since_us is not None
        assert up_us < log.caught_up_since_us <= taken[-1].received_us


async def test_an_unreachable_broker_is_waited_for_and_reported_once(refusing_port: int) -> None:
    nowhere = Address("127.0.0.1", refusing_port)
    with capture_logs() as logged:
        async with MqttLog(MqttOptions(nowhere), now_us=now_us) as log:
            await until(lambda: log.counters["live"].failures >= 3 and log.counters["history"].failures >= 3)
            assert not log.connected
    assert [(entry["event"], entry["client"]) for entry in logged] == [
        ("mqtt_down", "kerbsafe.ingest-live"),
        ("mqtt_down", "kerbsafe.ingest-history"),
    ]


async def test_a_listener_for_mqtt_3_only_is_called_so(embedded_broker: Broker) -> None:
    with capture_logs() as logged:
        address = Address(embedded_broker.host, embedded_broker.port_v3)
        async with MqttLog(MqttOptions(address), now_us=now_us) as log:
            await until(lambda: log.counters["live"].failures >= 1 or log._tasks[0].done())
    assert "is this an MQTT 5 listener?" in logged[0]["reason"]


async def test_a_second_ingest_ends_the_first(broker: Broker) -> None:
    """They would take the session from each other for ever."""
    async with connected(broker) as first, connected(broker) as second:
        with pytest.raises(KerbsafeError, match="another process has connected to the broker as"):
            async for _ in first.batches():
                pass
        await publish(broker, FIX, [b"mine"])
        assert payloads(await take(second, 1)) == [b"mine"]


@pytest.mark.parametrize(("user", "named"), [("ingest", "user 'ingest'"), (None, "without a user name")])
async def test_refused_credentials_end_the_process_with_the_remedy(
    tmp_path: Path, user: str | None, named: str
) -> None:
    (tmp_path / "passwords").touch()
    with parts.mosquitto(parts.MosquittoOptions(password_file=tmp_path / "passwords")) as broker:
        async with log_of(broker, username=user, password=b"s3cret") as log:
            with pytest.raises(KerbsafeError, match=named) as caught:
                await log.wait_connected()
    assert "password file" in str(caught.value)
    assert "s3cret" not in str(caught.value)


# -- odd messages ----------------------------------------------------------------------------------


async def raw_publish(broker: Broker, frame: bytes) -> None:
    """Send a packet that no client library would."""
    reader, writer = await asyncio.open_connection(broker.host, broker.port)
    writer.write(mqtt5.ConnectPacket("odd-device", clean_start=True, keep_alive=30).write())
    await reader.read(1024)
    writer.write(frame)
    await asyncio.wait_for(reader.read(1024), 30)
    writer.close()
    await writer.wait_closed()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("topic", "properties"),
    [(b"kerbsafe/v1/acme/\xff/fix", b""), (FIX.encode(), b"\x26\x00\x01\xff\x00\x01b")],
    ids=["topic", "user property"],
)
async def test_text_that_is_not_utf_8_keeps_nothing_out(
    any_broker: Broker, topic: bytes, properties: bytes
) -> None:
    """Brokers refuse it; should one pass it on, it is taken in as an odd message."""
    body = (
        len(topic).to_bytes(2, "big") + topic + b"\x00\x01" + bytes([len(properties)]) + properties + b"odd"
    )
    async with connected(any_broker) as log:
        await raw_publish(any_broker, bytes([0x32, len(body)]) + body)
        await publish(any_broker, FIX, [b"good"])
        taken = [p for p in payloads(await take(log, 1)) if p != b"odd"] or payloads(await take(log, 1))
        assert taken == [b"good"]
        assert log.counters["live"].connects == 1


@pytest.mark.parametrize("size", [0, 1, 300_000, 4_000_000])
async def test_payloads_of_any_size_come_through(any_broker: Broker, size: int) -> None:
    async with connected(any_broker) as log:
        await publish(any_broker, FIX, [b"x" * size])
        assert payloads(await take(log, 1)) == [b"x" * size]


# -- the loop of the process -----------------------------------------------------------------------


def test_it_runs_on_uvloop(broker: Broker) -> None:
    async def main() -> list[bytes]:
        async with connected(broker, max_unacked_bytes=200_000) as log:
            publishing = asyncio.create_task(publish(broker, FIX, [b"x" * 50_000] * 20))
            await until(lambda: log.counters["live"].pauses)
            taken = await take(log, 20)
            await publishing
            assert log.counters["live"].acknowledged == 20
            return payloads(taken)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == [b"x" * 50_000] * 20
