"""Credentials end to end: the command writes the files, the broker keeps devices to their vehicles."""

from __future__ import annotations

import asyncio
import json
import stat
from base64 import b64decode
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest

from fleet.credentials import HEADER, hash_secret
from fleet.db import connect
from fleet.entities import Company, Vehicle
from fleet.kinds import VehicleKind
from fleet.registry import register
from kerbsafe import parts
from kerbsafe.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Kerbsafe = Callable[..., dict[str, Any]]

MIXER = VehicleKind.MIXER


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    return ["--password-file", str(tmp_path / "passwd"), "--acl-file", str(tmp_path / "acl")]


@pytest.fixture
def kerbsafe(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Kerbsafe]:
    """Run a command with --json in a database with two companies and three vehicles."""
    monkeypatch.setenv("KERBSAFE_DSN", database)
    asyncio.run(_register(database))

    def run(*argv: str, code: int = 0) -> dict[str, Any]:
        assert main([*argv, "--json"]) == code
        said = capsys.readouterr()
        return dict(json.loads(said.out)) if code == 0 else {"error": said.err, "out": said.out}

    return run


async def _register(dsn: str) -> None:
    connection = await connect(dsn, application="test")
    one, two = Company(code="JX-1"), Company(code="JX-2")
    await register(
        connection, one, [Vehicle(code=code, company="JX-1", kind=MIXER) for code in ("M-1", "M-2")]
    )
    await register(connection, two, [Vehicle(code="M-3", company="JX-2", kind=MIXER)])
    await connection.close()


def query(dsn: str, sql: str) -> list[Any]:
    async def fetch() -> list[Any]:
        connection = await connect(dsn, application="test")
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(fetch())


@contextmanager
def mosquitto(folder: Path) -> Iterator[parts.Broker]:
    # Mosquitto 2.0 with unlimited queues (0) cuts a client off for one publish that the ACL refuses.
    options = parts.MosquittoOptions(
        password_file=folder / "passwd", acl_file=folder / "acl", max_queued_messages=100_000
    )
    with parts.mosquitto(options) as running:
        yield running


def client(broker: parts.Broker, login: str, secret: str) -> aiomqtt.Client:
    return aiomqtt.Client(
        broker.host,
        broker.port,
        username=login,
        password=secret,
        protocol=aiomqtt.ProtocolVersion.V5,
        timeout=30,
    )


async def allowed_in(broker: parts.Broker, login: str, secret: str) -> bool:
    try:
        async with client(broker, login, secret):
            return True
    except aiomqtt.MqttError:
        return False


async def becomes(expected: bool, broker: parts.Broker, login: str, secret: str) -> None:
    """Wait for a reload to take effect: it happens within moments of the signal."""
    for _ in range(1_500):
        if await allowed_in(broker, login, secret) is expected:
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"the broker has not reloaded: {login} allowed in is not {expected}")


async def passes(
    broker: parts.Broker, device: dict[str, Any], service: dict[str, Any], topics: list[str]
) -> list[str]:
    """Return those topics on which the service gets what the device publishes."""
    arrived = []
    async with (
        client(broker, service["login"], service["secret"]) as listening,
        client(broker, device["login"], device["secret"]) as sending,
    ):
        await listening.subscribe("kerbsafe/v1/#", qos=1)
        for topic in topics:
            await sending.publish(topic, b"{}", qos=1)
        async with asyncio.timeout(30):
            async for message in listening.messages:
                arrived.append(message.topic.value)
                if arrived[-1] == topics[-1]:
                    break
    return arrived


def test_a_device_writes_as_its_own_vehicle_and_nothing_else(
    kerbsafe: Kerbsafe, files: list[str], tmp_path: Path
) -> None:
    service = kerbsafe("device", "service-account", "ingest", *files)
    device = kerbsafe("device", "add", "M-1", *files)
    assert (device["login"], device["vehicle"], len(device["secret"])) == ("M-1", "M-1", 43)
    own = [f"kerbsafe/v1/JX-1/M-1/{kind}" for kind in ("history", "camera", "health", "ack", "fix")]
    others = [
        "kerbsafe/v1/JX-1/M-2/fix",
        "kerbsafe/v1/JX-2/M-1/fix",
        "kerbsafe/v1/JX-2/M-3/fix",
        "kerbsafe/v1/JX-1/M-1/command",
        "kerbsafe/v1/JX-1/M-1/fix/more",
        "kerbsafe/v1/JX-1/M-1",
    ]
    with mosquitto(tmp_path) as broker:
        assert asyncio.run(passes(broker, device, service, [*others, *own])) == own
        assert not asyncio.run(allowed_in(broker, "M-1", service["secret"]))
        assert not asyncio.run(allowed_in(broker, "M-1", ""))
        assert not asyncio.run(allowed_in(broker, "M-2", device["secret"]))


def test_a_device_reads_its_own_commands_and_nothing_else(
    kerbsafe: Kerbsafe, files: list[str], tmp_path: Path
) -> None:
    service = kerbsafe("device", "service-account", "ingest", *files)
    device = kerbsafe("device", "add", "M-1", *files)

    async def listen(broker: parts.Broker) -> list[str]:
        arrived = []
        async with (
            client(broker, device["login"], device["secret"]) as listening,
            client(broker, service["login"], service["secret"]) as sending,
        ):
            await listening.subscribe("#", qos=1)
            for vehicle in ("JX-1/M-2", "JX-2/M-3", "JX-1/M-1"):
                await sending.publish(f"kerbsafe/v1/{vehicle}/command", b"{}", qos=1)
            async with asyncio.timeout(30):
                async for message in listening.messages:
                    arrived.append(message.topic.value)
                    if arrived[-1] == "kerbsafe/v1/JX-1/M-1/command":
                        break
        return arrived

    with mosquitto(tmp_path) as broker:
        assert asyncio.run(listen(broker)) == ["kerbsafe/v1/JX-1/M-1/command"]


def test_after_a_reload_a_new_login_comes_in_and_a_revoked_one_does_not(
    kerbsafe: Kerbsafe, files: list[str], tmp_path: Path
) -> None:
    first = kerbsafe("device", "add", "M-1", *files)

    async def revoke_and_listen(broker: parts.Broker) -> None:
        async with client(broker, first["login"], first["secret"]) as connected, asyncio.timeout(30):
            await asyncio.to_thread(kerbsafe, "device", "revoke", "M-1", *files)
            broker.reload()
            async for _ in connected.messages:
                pass

    async def cut_off(broker: parts.Broker) -> None:
        """Revoke the login while it is connected: the broker ends its connection."""
        with pytest.raises(aiomqtt.MqttError):
            await revoke_and_listen(broker)
        await becomes(False, broker, first["login"], first["secret"])

    with mosquitto(tmp_path) as broker:
        second = kerbsafe("device", "add", "M-2", "--login", "unit-2", *files)
        assert not asyncio.run(allowed_in(broker, second["login"], second["secret"]))
        broker.reload()
        asyncio.run(becomes(True, broker, second["login"], second["secret"]))
        asyncio.run(cut_off(broker))
        renewed = kerbsafe("device", "add", "M-1", "--renew", *files)
        broker.reload()
        asyncio.run(becomes(True, broker, "M-1", renewed["secret"]))
        assert not asyncio.run(allowed_in(broker, "M-1", first["secret"]))


def test_only_hashes_are_stored(kerbsafe: Kerbsafe, files: list[str], tmp_path: Path, database: str) -> None:
    device = kerbsafe("device", "add", "M-1", *files)
    ((stored,),) = query(database, "select secret_hash from device")
    assert stored.startswith("$7$101$")
    written = (tmp_path / "passwd").read_text()
    assert written == f"{HEADER}M-1:{stored}\n"
    assert device["secret"] not in written + (tmp_path / "acl").read_text() + stored
    assert stat.S_IMODE((tmp_path / "passwd").stat().st_mode) == 0o600


def test_a_login_is_listed_without_its_secret(kerbsafe: Kerbsafe) -> None:
    kerbsafe("device", "add", "M-1")
    kerbsafe("device", "add", "M-2")
    kerbsafe("device", "revoke", "M-2")
    kerbsafe("device", "service-account", "gateway", "--name", "jt808")
    assert kerbsafe("device", "list") == {
        "logins": [
            {"login": "M-1", "vehicle": "M-1", "role": "device", "model": "", "state": "in use"},
            {"login": "M-2", "vehicle": "M-2", "role": "device", "model": "", "state": "revoked"},
            {"login": "kerbsafe.jt808", "vehicle": None, "role": "gateway", "model": "", "state": "in use"},
        ]
    }


def test_a_change_of_company_is_in_the_acl_before_it_is_in_force(
    kerbsafe: Kerbsafe, files: list[str], tmp_path: Path
) -> None:
    kerbsafe("device", "add", "M-1", *files)
    move = tmp_path / "move.csv"
    move.write_text("code,company,limit_kmh\nM-1,JX-2,\n")
    assert kerbsafe("registry", "import", str(move))["counts"]["vehicles"]["update"] == 1
    kerbsafe("device", "write-broker-files", *files)
    acl = (tmp_path / "acl").read_text()
    assert "topic write kerbsafe/v1/JX-1/M-1/fix\n" in acl
    assert "topic write kerbsafe/v1/JX-2/M-1/fix\n" in acl


@pytest.mark.parametrize(("days_ago", "may"), [(0, True), (34, True), (36, False)])
async def test_a_unit_may_send_what_it_has_kept_from_before_a_change_of_company(
    database: str, kerbsafe: Kerbsafe, files: list[str], tmp_path: Path, days_ago: int, may: bool
) -> None:
    await asyncio.to_thread(kerbsafe, "device", "add", "M-1", *files)
    connection = await connect(database, application="test")
    await connection.execute(
        """insert into vehicle_version (vehicle_id, valid_from, company_id, kind)
        select vehicle_id, now() - make_interval(days => $1), company_id, 'mixer' from vehicle, company
        where vehicle.code = 'M-1' and company.code = 'JX-2'""",
        days_ago,
    )
    await connection.close()
    await asyncio.to_thread(kerbsafe, "device", "write-broker-files", *files)
    acl = (tmp_path / "acl").read_text()
    assert ("topic write kerbsafe/v1/JX-1/M-1/history\n" in acl) is may
    assert "topic write kerbsafe/v1/JX-2/M-1/history\n" in acl


REFUSED = [
    (["add", "M-9"], "no vehicle 'M-9' in the registry: see `kerbsafe registry list`, or import it"),
    (
        ["add", "M-1"],
        "the login 'M-1' has a secret, which cannot be shown again: --renew issues a new one",
    ),
    (["add", "M-2", "--login", "M-1"], "the login 'M-1' belongs to vehicle M-1: choose another"),
    (["add", "M-2", "--login", "a b"], "the login 'a b' must be 1 to 64 of the characters"),
    (["add", "M-2", "--login", "kerbsafe.ingest"], "must be 1 to 64 of the characters"),
    (["add", "M-2", "--acl-file", "acl"], "the broker needs both files"),
    (["add", "M-2", "--reload", "true"], "--reload needs --password-file and --acl-file"),
    (["revoke", "M-2"], "no login 'M-2' is in use"),
    (["service-account", "ingest"], "the login 'kerbsafe.ingest' has a secret"),
    (["service-account", "gateway", "--name", "ingest"], "the login 'kerbsafe.ingest' is of a ingest"),
    (["service-account", "ingest", "--name", "Ingest!"], "must be 1 to 55 of the characters"),
    (["write-broker-files"], "which files?"),
]


def test_what_cannot_be_done_is_one_line_and_exit_code_2(kerbsafe: Kerbsafe) -> None:
    kerbsafe("device", "add", "M-1")
    kerbsafe("device", "service-account", "ingest")
    for argv, message in REFUSED:
        refused = kerbsafe("device", *argv, code=2)
        assert message in refused["error"]
        assert (refused["error"].count("\n"), refused["out"]) == (1, "")


def test_the_secret_of_a_service_may_come_from_a_file(
    kerbsafe: Kerbsafe, files: list[str], tmp_path: Path
) -> None:
    given = tmp_path / "secret"
    service = ("device", "service-account", "ingest", "--secret-file", str(given), *files)
    assert "cannot read a secret" in kerbsafe(*service, code=2)["error"]
    for short in ("hunter2", "hunter2 hunter2 hunter2 hunter2", ""):
        given.write_text(f"{short}\n{'x' * 64}\n")
        refused = kerbsafe(*service, code=2)["error"]
        assert "24 or more visible ASCII characters" in refused
        assert "hunter2" not in refused
    given.write_text("0123456789abcdef0123456789abcdef\n")
    for _ in range(2):  # again: the same login, the same secret
        said = kerbsafe(*service)
        assert {name: said[name] for name in ("login", "role")} == {
            "login": "kerbsafe.ingest",
            "role": "ingest",
        }
        assert "secret" not in said
        [_header, line] = (tmp_path / "passwd").read_text().splitlines()
        login, _, stored = line.partition(":")
        salt = b64decode(stored.split("$")[3])
        assert (login, stored) == ("kerbsafe.ingest", hash_secret("0123456789abcdef0123456789abcdef", salt))


def test_a_file_that_cannot_be_written_changes_nothing(
    kerbsafe: Kerbsafe, files: list[str], tmp_path: Path, database: str
) -> None:
    (tmp_path / "passwd").write_text("admin:secret\n")
    assert "was not written by Kerbsafe" in kerbsafe("device", "add", "M-1", *files, code=2)["error"]
    assert query(database, "select login from device") == []
    assert (tmp_path / "passwd").read_text() == "admin:secret\n"


def test_the_secret_is_printed_even_if_the_broker_cannot_be_reloaded(
    kerbsafe: Kerbsafe, files: list[str]
) -> None:
    told = kerbsafe("device", "add", "M-1", *files, "--reload", "false", code=2)
    assert json.loads(told["out"])["secret"]
    assert "the files are written, but `false` failed" in told["error"]


@pytest.mark.usefixtures("kerbsafe")
def test_two_at_once_are_both_in_the_files(files: list[str], tmp_path: Path) -> None:
    async def both() -> None:
        await asyncio.gather(
            *(
                asyncio.to_thread(main, ["device", "add", vehicle, *files])
                for vehicle in ("M-1", "M-2", "M-3")
            )
        )

    asyncio.run(both())
    assert [line.partition(":")[0] for line in (tmp_path / "passwd").read_text().splitlines()[1:]] == [
        "M-1",
        "M-2",
        "M-3",
    ]
