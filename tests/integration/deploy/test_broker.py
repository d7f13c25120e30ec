"""deploy/mosquitto on a real Mosquitto: who may say what, and what outlives a restart."""

from __future__ import annotations

import asyncio
import queue
import socket
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fleet.wire.topics import is_code
from fleet.wire.v1 import MAX_PAYLOAD_BYTES
from ingest.mqtt.mqtt_link import Address
from ingest.mqtt.mqtt_log import MqttOptions
from kerbsafe import parts
from kerbsafe.parts.part import free_port, talk
from tests.door import program
from tests.integration.deploy.conftest import SECRET, DeployedMosquitto, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.parametrize("server", ["plain"], indirect=True)


@pytest.fixture
def options(broker_files: Path) -> DeployedMosquitto:
    return DeployedMosquitto(folder=broker_files, device_port=free_port())


@pytest.fixture
def broker(options: DeployedMosquitto) -> Iterator[parts.Broker]:
    with parts.mosquitto(options) as running:
        yield running


@asynccontextmanager
async def as_ingest(broker: parts.Broker) -> AsyncIterator[aiomqtt.Client]:
    """A session that ingest resumes: Mosquitto does not save one that began with a clean start."""
    kept = Properties(PacketTypes.CONNECT)
    kept.SessionExpiryInterval = 3600
    client = aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        username="kerbsafe.ingest",
        password=SECRET,
        identifier="kerbsafe.ingest-live",
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=False,
        properties=kept,
    )
    async with client:
        await client.subscribe("devices/kerbsafe/v1/+/+/fix", 1)
        yield client


def as_device(port: int, broker_files: Path, code: str, **more: Any) -> aiomqtt.Client:
    secret = (broker_files / code).read_text()
    version = aiomqtt.ProtocolVersion.V5
    return aiomqtt.Client("127.0.0.1", port, username=code, password=secret, protocol=version, **more)


async def heard(client: aiomqtt.Client, count: int) -> list[str]:
    topics = []
    async with asyncio.timeout(30):
        async for message in client.messages:
            topics.append(str(message.topic))
            if len(topics) == count:
                break
    return topics


async def test_a_device_writes_its_own_topics_and_takes_over_nobody(
    broker: parts.Broker, options: DeployedMosquitto, broker_files: Path
) -> None:
    """Also with the client id of ingest; and one refused publish does not cut it off."""
    async with (
        as_ingest(broker) as ingest,
        as_device(options.device_port, broker_files, "B-1", identifier="kerbsafe.ingest-live") as device,
    ):
        await device.publish("kerbsafe/v1/b/B-2/fix", b"not mine", qos=1)
        await device.publish("kerbsafe/v1/b/B-1/fix", b"mine", qos=1)
        await device.publish("$SYS/broker/store/messages/count", b"9", qos=1)
        await device.publish("kerbsafe/v1/b/B-1/fix", b"mine, still connected", qos=1)
        assert await heard(ingest, 2) == ["devices/kerbsafe/v1/b/B-1/fix"] * 2


async def test_a_vehicle_may_be_called_like_a_session_of_ours(
    broker: parts.Broker, options: DeployedMosquitto, broker_files: Path
) -> None:
    """Codes come from companies' files, and the code is the client id; ours have a dot, which no code has."""
    async with as_ingest(broker) as ingest:
        for code in ("kerbsafe-ingest-live", "B-1"):
            async with as_device(options.device_port, broker_files, code) as device:
                await device.publish(f"kerbsafe/v1/b/{code}/fix", b"mine", qos=1)
        assert await heard(ingest, 2) == [
            "devices/kerbsafe/v1/b/kerbsafe-ingest-live/fix",
            "devices/kerbsafe/v1/b/B-1/fix",
        ]
    assert not is_code(MqttOptions(Address("127.0.0.1", 1)).live_session().client_id)


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize("topic", ["kerbsafe/v1/b/B-1/fixes", "kerbsafe/v1/b/B-2/fix"])
def test_a_unit_is_told_that_it_may_not_write_there(
    options: DeployedMosquitto, broker_files: Path, topic: str
) -> None:
    """docs/device-protocol.md: PUBACK 0x87. aiomqtt does not show reason codes, paho below it does."""
    answers: queue.Queue[str] = queue.Queue()
    device = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    device.username_pw_set("B-1", (broker_files / "B-1").read_text())
    device.on_connect = lambda client, *_: client.publish(topic, b"{}", qos=1)
    device.on_publish = lambda _client, _data, _number, reason, _properties: answers.put(str(reason))
    device.connect("127.0.0.1", options.device_port)
    device.loop_start()
    try:
        assert answers.get(timeout=30) == "Not authorized"
    finally:
        device.disconnect()
        device.loop_stop()


async def test_messages_leave_no_lines_in_the_log(
    broker: parts.Broker, options: DeployedMosquitto, broker_files: Path
) -> None:
    """Mosquitto 2.1 complains of each where no limit is set on what is under way."""
    async with as_ingest(broker) as ingest, as_device(options.device_port, broker_files, "B-1") as device:
        for _ in range(3):
            await device.publish("kerbsafe/v1/b/B-1/fix", b"one", qos=1)
        await heard(ingest, 3)
    assert broker.log_path is not None
    assert "quota" not in broker.log_path.read_text("utf-8")


@pytest.mark.parametrize("listener", ["devices", "services"])
async def test_nobody_comes_in_without_a_secret(
    broker: parts.Broker, options: DeployedMosquitto, broker_files: Path, listener: str
) -> None:
    port = options.device_port if listener == "devices" else broker.port
    of_the_other = {
        "devices": {"username": "kerbsafe.ingest", "password": SECRET},
        "services": {"username": "B-1", "password": (broker_files / "B-1").read_text()},
    }
    for login in (
        {},
        {"username": "B-1", "password": "guess"},
        {"username": "kerbsafe.ingest"},
        of_the_other[listener],
    ):
        with pytest.raises(aiomqtt.MqttError, match=r"Not authorized|Bad user name"):
            async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5, **login):
                pass


async def test_what_ingest_has_not_taken_outlives_a_restart(
    broker: parts.Broker, options: DeployedMosquitto, broker_files: Path
) -> None:
    async with as_ingest(broker):
        pass
    async with as_device(options.device_port, broker_files, "B-1") as device:
        for _ in range(300):
            await device.publish("kerbsafe/v1/b/B-1/fix", b"while away", qos=1)
    broker.restart()
    async with as_device(options.device_port, broker_files, "B-1") as device:
        for _ in range(10):
            await device.publish("kerbsafe/v1/b/B-1/fix", b"still away", qos=1)
    async with as_ingest(broker) as ingest:
        assert len(await heard(ingest, 310)) == 310


async def test_a_device_has_no_shared_subscriptions(
    broker: parts.Broker, options: DeployedMosquitto, broker_files: Path
) -> None:
    """Of a topic of all devices it could have any number, and each would cost each message of the others."""
    figure = "$SYS/broker/shared_subscriptions/count"
    async with as_ingest(broker) as ingest, as_device(options.device_port, broker_files, "B-1") as device:
        for group in range(10):
            filters = [f"$share/{group}-{one}/kerbsafe/v1/+/+/fix" for one in range(100)]
            await device.subscribe([(one, 1) for one in filters])
        await ingest.subscribe([(figure, 0), ("$SYS/broker/subscriptions/count", 0)])
        counts = {}
        async with asyncio.timeout(30):
            async for message in ingest.messages:
                assert isinstance(message.payload, bytes)
                counts[str(message.topic)] = int(message.payload)
                if counts.get("$SYS/broker/subscriptions/count", 0) > 1_000:
                    break
        assert counts.get(figure, 0) == 0


async def test_the_largest_payload_passes_and_a_larger_one_ends_its_connection(
    broker: parts.Broker, options: DeployedMosquitto, broker_files: Path
) -> None:
    async with as_ingest(broker) as ingest:
        async with as_device(options.device_port, broker_files, "B-1") as device:
            await device.publish("kerbsafe/v1/b/B-1/fix", b" " * MAX_PAYLOAD_BYTES, qos=1)
            assert await heard(ingest, 1) == ["devices/kerbsafe/v1/b/B-1/fix"]
        with pytest.raises(aiomqtt.MqttError):
            async with as_device(options.device_port, broker_files, "B-1", timeout=2) as device:
                await device.publish("kerbsafe/v1/b/B-1/fix", b" " * (MAX_PAYLOAD_BYTES + 65_536), qos=1)


async def test_the_broker_tells_ingest_how_it_is(broker: parts.Broker) -> None:
    async with as_ingest(broker) as ingest:
        await ingest.unsubscribe("devices/kerbsafe/v1/+/+/fix")
        await ingest.subscribe("$SYS/broker/store/messages/count")
        assert await heard(ingest, 1) == ["$SYS/broker/store/messages/count"]


def test_it_starts_without_a_warning(broker: parts.Broker) -> None:
    assert broker.log_path is not None
    said = broker.log_path.read_text("utf-8").splitlines()
    wrong = [line for line in said if "arning" in line or "rror" in line]
    assert [line for line in wrong if "run as root" not in line] == []


@pytest.fixture(scope="module")
def certified(broker_files: Path) -> Path:
    """An authority and the broker's certificate, as docs/operations.md makes them."""
    openssl = program("openssl", "openssl")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    authority = (
        "-keyout",
        broker_files / "ca.key",
        "-out",
        broker_files / "ca.pem",
        "-subj",
        "/CN=test",
        "-days",
        "2",
    )
    run(openssl, "req", "-x509", *key, *authority, env={"PATH": "/usr/bin:/bin"})
    broker_key = ("-keyout", broker_files / "broker_key", "-out", broker_files / "broker_certificate")
    signed = (
        "-CA",
        broker_files / "ca.pem",
        "-CAkey",
        broker_files / "ca.key",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    )
    run(
        *(openssl, "req", "-x509", *key, *broker_key, *signed, "-subj", "/CN=broker", "-days", "2"),
        env={"PATH": "/usr/bin:/bin"},
    )
    return broker_files / "ca.pem"


async def test_devices_over_tls(broker_files: Path, certified: Path) -> None:
    options = DeployedMosquitto(folder=broker_files, device_port=free_port(), listener="devices-tls")
    context = ssl.create_default_context(cafile=str(certified))
    with parts.mosquitto(options) as broker:
        async with (
            as_ingest(broker) as ingest,
            as_device(options.device_port, broker_files, "B-2", tls_context=context) as device,
        ):
            await device.publish("kerbsafe/v1/b/B-2/fix", b"safe", qos=1)
            assert await heard(ingest, 1) == ["devices/kerbsafe/v1/b/B-2/fix"]
        mqtt_without_tls = b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00"
        assert talk(options.device_port, mqtt_without_tls) != b"\x20"
        with socket.create_connection(("127.0.0.1", options.device_port)) as raw, pytest.raises(ssl.SSLError):
            ssl.create_default_context().wrap_socket(raw, server_hostname="127.0.0.1")
