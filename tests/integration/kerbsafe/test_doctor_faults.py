"""What `kerbsafe doctor` says of each fault: the table in docs/operations.md, made here with real parts."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fleet.db import connect, leave
from kerbsafe import parts
from kerbsafe.doctor import diagnose, happening
from kerbsafe.soak.proxy import Proxy
from tests.door import program
from tests.integration.running import Running, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.conftest import Templates

PAGE = Path(__file__).resolve().parents[3] / "docs/operations.md"
_V5 = aiomqtt.ProtocolVersion.V5


class SmallQueues(parts.MosquittoOptions):
    """A broker that keeps ten messages for who is away, and tells its figures every second."""

    def config(self, *listener: str) -> str:
        return super().config(*listener) + "sys_interval 1\n"


@dataclass
class Installation:
    """All that runs, and how the doctor reaches it."""

    dsn: str
    broker: parts.Broker
    running: dict[str, Running]
    to_database: Proxy
    to_broker: Proxy

    def environment(self, **changed: str) -> dict[str, str]:
        port = re.search(r":(\d+)/", self.dsn)
        assert port is not None
        return {
            "KERBSAFE_DSN": self.dsn.replace(port[0], f":{self.to_database.port}/"),
            "KERBSAFE_BROKER": f"mqtt://127.0.0.1:{self.to_broker.port}",
            "KERBSAFE_PROBES": ",".join(f"{n}=127.0.0.1:{one.port}" for n, one in self.running.items()),
            **changed,
        }

    async def row(self, fault: str, about: str = "", **changed: str) -> str:
        """Return a fault's row of the table: all that is found wrong, or all of that about one thing."""
        findings = (await diagnose(self.environment(**changed))).findings
        # Servers of tests give durability up for speed.
        wrong = [f for f in findings if f.level == "wrong" and f.check != "durability" and about in f.said]
        said = "<br>".join(f"{f.check}: {f.said}" for f in wrong) or "all is well"
        for one, port in zip(self.running.values(), (9411, 9412, 9413), strict=True):
            said = said.replace(f":{one.port}", f":{port}")
        said = re.sub(r"(?<=mqtt://127.0.0.1:)\d+", "1883", said)
        said = re.sub(r"since 20\S+ [^ ,]+", "since …", said)
        said = re.sub(r"\('127.0.0.1', \d+\)", "(…)", said)
        said = re.sub(r"(has waited|open for) \d+ s", r"\1 N s", said)
        return f"| {fault} | {said} |"


@pytest.fixture
async def installation(database: str) -> AsyncIterator[Installation]:
    port = re.search(r":(\d+)/", database)
    assert port is not None
    with parts.mosquitto(SmallQueues(max_queued_messages=10)) as broker:
        async with (
            Proxy(int(port[1])).listening() as to_database,
            Proxy(broker.port).listening() as to_broker,
            started({"KERBSAFE_DSN": database, "KERBSAFE_BROKER": broker.url}) as running,
        ):
            yield Installation(database, broker, running, to_database, to_broker)


@asynccontextmanager
async def left_open(dsn: str, statement: str) -> AsyncIterator[None]:
    """Somebody's transaction, in which nothing more happens."""
    somebody = await connect(dsn, application="psql")
    try:
        await somebody.execute("begin")
        await somebody.execute(statement)
        yield
    finally:
        await leave(somebody)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("templates", ["plain"], indirect=True)
async def test_every_fault_is_told(
    installation: Installation, refusing_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, rows = installation, []
    rows.append(await there.row("none"))
    nowhere = f"127.0.0.1:{refusing_port}"
    rows.append(await there.row("the database is away", KERBSAFE_DSN=f"postgresql://u@{nowhere}/d"))
    rows.append(await there.row("the broker is away", KERBSAFE_BROKER=f"mqtt://{nowhere}"))
    there.to_database.fall_silent()
    there.to_broker.fall_silent()
    rows.append(await there.row("database and broker are silent"))
    there.to_database.cut()
    there.to_broker.cut()
    rows.append(await locked(there))
    monkeypatch.setattr(happening, "PAUSED_S", 0.5)
    async with left_open(there.dsn, "delete from outbox"):
        await asyncio.sleep(1)
        rows.append(await there.row("a transaction was left open"))
    rows.append(await read_only(there))
    rows.append(await thrown_away(there))
    ingest = there.running["ingest"].process
    ingest.send_signal(signal.SIGSTOP)
    rows.append(await there.row("ingest is frozen"))
    ingest.send_signal(signal.SIGCONT)
    for name in there.running:
        await there.running[name].kill()
        rows.append(await there.row(f"{name} has ended", about=f"`kerbsafe {name}`"))
    compare(rows)


async def locked(there: Installation) -> str:
    """Ingest waits for it as soon as a message comes, whoever sent it."""
    async with (
        left_open(there.dsn, "lock table batch"),
        aiomqtt.Client("127.0.0.1", there.broker.port, protocol=_V5) as device,
    ):
        await device.publish("kerbsafe/v1/acme/T1/fix", b"{}", qos=1)
        await asyncio.sleep(3)
        return await there.row("somebody holds a lock")


async def read_only(there: Installation) -> str:
    owner = await connect(there.dsn, application="test")
    name = await owner.fetchval("select current_database()")
    await owner.execute(f"alter database {name} set default_transaction_read_only = on")
    row = await there.row("the database only reads: a standby, or made so")
    await owner.execute("set default_transaction_read_only = off")
    await owner.execute(f"alter database {name} reset default_transaction_read_only")
    await leave(owner)
    return row


async def thrown_away(there: Installation) -> str:
    """Somebody subscribes and goes away; the broker keeps ten messages of 810 for it."""
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 600
    where = {"hostname": "127.0.0.1", "port": there.broker.port, "protocol": _V5}
    async with aiomqtt.Client(**where, identifier="away", properties=properties) as away:
        await away.subscribe("elsewhere", qos=1)
    async with aiomqtt.Client(**where) as device:
        for _ in range(810):
            await device.publish("elsewhere", b"x", qos=1)
    deadline_s = time.monotonic() + 30
    while "thrown away 800" not in (row := await there.row("the broker threw 800 messages away")):
        assert time.monotonic() < deadline_s
    return row


def compare(rows: list[str]) -> None:
    """The page has each row as it was made; set KERBSAFE_TEST_ROWS to a file to have them written there."""
    if file := os.environ.get("KERBSAFE_TEST_ROWS"):
        with Path(file).open("a", encoding="utf-8") as written:
            written.write("\n".join(rows) + "\n")
        return
    page = PAGE.read_text("utf-8")
    assert [row for row in rows if row not in page] == []


@pytest.fixture
def small_disk(tmp_path: Path, plain_server: parts.PostgresServer) -> Iterator[Path]:
    """A disk of 96 MiB that the server may write on."""
    if sys.platform != "linux" or os.geteuid() != 0 or plain_server.data_dir is None:
        pytest.skip("only root on Linux can mount a small disk for a server of its own")
    folder = tmp_path / "disk"
    folder.mkdir()
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    owner = plain_server.data_dir.stat()
    mount, umount = program("mount", "mount"), program("umount", "mount")
    command = (mount, "-t", "tmpfs", "-o", f"size=96m,uid={owner.st_uid},mode=700", "kerbsafe", folder)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here ({done.stderr.strip()})")
    try:
        yield folder
    finally:
        subprocess.run((umount, "--lazy", folder), check=True)


async def test_a_full_disk_is_told(
    small_disk: Path, plain_server: parts.PostgresServer, plain_templates: Templates
) -> None:
    template = await asyncio.to_thread(plain_templates.name, sandbox=False)
    superuser = await connect(plain_server.dsn, application="test")
    await superuser.execute(f"create tablespace small location '{small_disk}'")
    await superuser.execute(f"create database full_disk template {template} tablespace small")
    try:
        await leave(await connect(plain_server.database("full_disk"), application="worker"))
        with (small_disk / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(b"\0" * 65_536):
                    pass
            except OSError:
                pass
        findings = (await diagnose({"KERBSAFE_DSN": plain_server.database("full_disk")})).findings
        wrong = [f for f in findings if f.level == "wrong" and f.check in {"database", "schema", "writing"}]
        said = re.sub('file ".*?"', "file …", "<br>".join(f"{f.check}: {f.said}" for f in wrong))
        compare([f"| the disk is full | {said} |"])
    finally:
        (small_disk / "filler").unlink()
        await superuser.execute("drop database full_disk with (force)")
        await superuser.execute("drop tablespace small")
        await leave(superuser)
