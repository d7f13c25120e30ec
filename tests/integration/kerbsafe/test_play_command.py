"""`kerbsafe play`: what goes to the broker, who is registered, what time it becomes, and what is refused."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest

from fleet.credentials import hash_secret
from fleet.db import connect
from fleet.entities import Company, Vehicle
from fleet.installation import read_clock
from fleet.kinds import VehicleKind
from fleet.registry import register
from kerbsafe import parts
from kerbsafe.cli import main
from kerbsafe.parts.part import free_port
from tests.door import program

if TYPE_CHECKING:
    from collections.abc import Callable

    from kerbsafe.parts import Broker

    Played = tuple[dict[str, Any], list[tuple[str, Any]]]

START = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
GPX = """<gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="30.7" lon="120.7"><time>2020-01-01T00:00:00Z</time></trkpt>
<trkpt lat="30.8" lon="120.7"><time>2020-01-01T00:00:01Z</time></trkpt></trkseg></trk></gpx>"""
MESSAGE = {
    "at": "2020-01-01T00:00:05Z",
    "topic": "kerbsafe/v1/acme/N1/fix",
    "payload": {"time": "2020-01-01T00:00:03Z", "lat": 30.7, "lon": 120.7},
}
DRIVES = {
    "relative.csv": "t_s,lat,lon,speed_kmh\n7,30.7,120.7,50\n8,30.8,120.7,51\n500,30.9,120.7,52\n",
    "times.csv": "time,lat,lon\n2020-01-01T00:00:00Z,30.7,120.7\n2020-01-01T00:00:01Z,30.8,120.7\n",
    "walk.gpx": GPX,
    "day.ndjson": json.dumps(MESSAGE) + "\n",
}


@pytest.fixture
def drives(tmp_path: Path) -> dict[str, str]:
    for name, text in DRIVES.items():
        (tmp_path / name).write_text(text, "utf-8")
    return {name: str(tmp_path / name) for name in DRIVES}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, broker: Broker) -> Callable[[str], None]:
    monkeypatch.setenv("KERBSAFE_BROKER", broker.url)
    return lambda dsn: monkeypatch.setenv("KERBSAFE_DSN", dsn)


async def played(broker: Broker, capsys: pytest.CaptureFixture[str], *words: str) -> Played:
    """Play; return the summary and what the broker got, in order."""
    async with aiomqtt.Client(broker.host, broker.port_v3, identifier="reader") as reader:
        await reader.subscribe("kerbsafe/#", qos=1)
        assert await asyncio.to_thread(main, ["play", *words, "--json"]) == 0
        summary = json.loads(capsys.readouterr().out)
        async with asyncio.timeout(60):
            got = [await anext(reader.messages) for _ in range(summary["messages"])]
    return summary, [(str(message.topic), json.loads(message.payload)) for message in got]


def seconds(payload: dict[str, Any]) -> float:
    """When a fix was measured, seconds after START."""
    return (datetime.fromisoformat(payload["time"]) - START).total_seconds()


async def test_files_of_every_kind_play_side_by_side_in_a_sandbox(
    sandbox_database: str,
    settings: Callable[[str], None],
    broker: Broker,
    drives: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings(sandbox_database)
    options = ("--start", START.isoformat(), "--speedup", "100", "--max-gap", "20", "--limit-kmh", "70")
    summary, got = await played(broker, capsys, *drives.values(), *options)
    assert {name: summary[name] for name in ("files", "vehicles", "messages", "speedup")} == {
        "files": 4, "vehicles": 4, "messages": 8, "speedup": 100.0,
    }  # fmt: skip
    assert (summary["first_at"], summary["last_at"]) == (
        "2026-05-01T08:00:00+00:00",
        "2026-05-01T08:00:21+00:00",
    )
    assert summary["gaps_shortened_s"] == 472.0
    moved_s = START.timestamp() - datetime(2020, 1, 1, tzinfo=UTC).timestamp()
    assert summary["shift_s"] == {
        "relative": START.timestamp() - 7, "times": moved_s, "walk": moved_s, "day": moved_s - 5,
    }  # fmt: skip
    by_topic: dict[str, list[float]] = {}
    for topic, payload in got:
        by_topic.setdefault(topic, []).append(seconds(payload))
    assert by_topic == {
        "kerbsafe/v1/play/relative/fix": [0, 1, 21],
        "kerbsafe/v1/play/times/fix": [0, 1],
        "kerbsafe/v1/play/walk/fix": [0, 1],
        # It came two seconds after it was measured, and does so again.
        "kerbsafe/v1/acme/N1/fix": [-2],
    }
    connection = await connect(sandbox_database, application="test")
    rows = await connection.fetch(
        "select code, limit_kmh from vehicle join vehicle_version using (vehicle_id)"
    )
    assert sorted(map(tuple, rows)) == [("N1", 70), ("relative", 70), ("times", 70), ("walk", 70)]
    clock = await read_clock(connection)
    await connection.close()
    # The clock of the sandbox was set, and goes on from there at the pace of the wall.
    assert clock.rate == 1
    assert 21 <= clock.now_us() / 1e6 - START.timestamp() < 3600


async def test_an_ordinary_database_plays_what_is_registered_at_its_own_pace(
    database: str,
    settings: Callable[[str], None],
    broker: Broker,
    drives: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings(database)
    known = ("--company", "acme", "--vehicle", "T1")
    connection = await connect(database, application="test")
    vehicle = Vehicle(code="T1", company="acme", kind=VehicleKind.MIXER)
    await register(connection, Company(code="acme"), [vehicle])
    for words, says in (
        ((drives["times.csv"],), "not registered: times; register them with `kerbsafe registry import`"),
        ((drives["times.csv"], *known, "--speedup", "2"), "which only a sandbox allows"),
        ((drives["times.csv"], *known, "--start", START.isoformat()), "which only a sandbox allows"),
    ):
        assert await asyncio.to_thread(main, ["play", *words]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert says in line
    assert await connection.fetchval("select count(*) from vehicle") == 1
    await connection.close()

    began = datetime.now(UTC)
    summary, got = await played(broker, capsys, drives["times.csv"], *known)
    assert [topic for topic, _ in got] == ["kerbsafe/v1/acme/T1/fix"] * 2
    assert began < datetime.fromisoformat(summary["first_at"]) < began + timedelta(seconds=60)
    # As back-fill any pace is allowed, and the drive ends now.
    summary, got = await played(
        broker, capsys, drives["relative.csv"], *known, "--as-history", "--speedup", "1000"
    )
    assert [topic for topic, _ in got] == ["kerbsafe/v1/acme/T1/history"] * 3
    assert abs(datetime.fromisoformat(summary["last_at"]).timestamp() - time.time()) < 60


async def test_without_a_database_drives_play_at_their_own_pace_alone(
    settings: Callable[[str], None],
    broker: Broker,
    drives: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings("postgresql://nobody@127.0.0.1:1/none")
    assert await asyncio.to_thread(main, ["play", drives["times.csv"], "--speedup", "2"]) == 2
    assert "cannot reach the database" in capsys.readouterr().err
    _, got = await played(broker, capsys, drives["times.csv"])
    assert len(got) == 2


async def test_no_broker_is_one_line(
    sandbox_database: str,
    drives: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KERBSAFE_DSN", sandbox_database)
    words = ["play", drives["times.csv"], "--broker", "mqtt://127.0.0.1:1"]
    assert await asyncio.to_thread(main, words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "publishing to 127.0.0.1:1 failed" in line


@dataclass(frozen=True, slots=True)
class WithTls(parts.MosquittoOptions):
    """A listener with TLS beside the plain one, for one login."""

    folder: Path = Path()
    tls_port: int = 0

    def config(self, *listener: str) -> str:
        more = f"listener {self.tls_port} 127.0.0.1\ncertfile {self.folder}/crt\nkeyfile {self.folder}/key\n"
        return super(WithTls, self).config(*listener) + more

    def folders(self) -> tuple[str, ...]:
        return (str(self.folder),)


# paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_address_with_tls_is_spoken_to_with_tls(
    sandbox_database: str,
    drives: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And a certificate that nobody vouches for gets neither login nor secret."""
    made = (
        program("openssl", "openssl"),
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    )
    files = ("-nodes", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "crt"))
    names = ("-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1")
    command = [*made, *files, *names, "-days", "2"]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    (tmp_path / "passwd").write_text(f"desk:{hash_secret('secret' * 4, b'x' * 12)}\n")
    (tmp_path / "secret").write_text("secret" * 4)
    options = WithTls(folder=tmp_path, tls_port=free_port(), password_file=tmp_path / "passwd")
    monkeypatch.setenv("KERBSAFE_DSN", sandbox_database)
    monkeypatch.setenv("KERBSAFE_BROKER_PASSWORD_FILE", str(tmp_path / "secret"))
    with parts.mosquitto(options):
        address = f"mqtts://desk@127.0.0.1:{options.tls_port}"
        words = ["play", drives["times.csv"], "--broker", address, "--json"]
        assert await asyncio.to_thread(main, words) == 2
        assert "certificate verify failed" in capsys.readouterr().err
        gc.collect()  # while the warning is expected: later it would be told of another test
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "crt"))
        assert await asyncio.to_thread(main, words) == 0
        assert json.loads(capsys.readouterr().out)["messages"] == 2
