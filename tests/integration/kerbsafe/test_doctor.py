"""`kerbsafe doctor` and `kerbsafe migrate` on real parts, well and ill."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from alerts.in_force.rulebooks import RulebookError
from alerts.rulebook import documents
from alerts.rulebook.rulebook_store import load_rulebooks
from fleet.clock import WALL
from fleet.db import connect
from fleet.installation import grade, make_days_ahead, set_clock
from fleet.units import MICROSECONDS
from kerbsafe.cli import main
from kerbsafe.doctor import diagnose, happening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from kerbsafe import parts

NOWHERE = {
    "KERBSAFE_DSN": "postgresql://u:hunter2@127.0.0.1:1/d",
    "KERBSAFE_BROKER": "mqtt://127.0.0.1:1",
    "KERBSAFE_PROBES": "ingest=127.0.0.1:1,worker=127.0.0.1:1,console=127.0.0.1:1",
}


async def found(environment: dict[str, str], check: str) -> list[tuple[str, str]]:
    """Level and words of what a check found."""
    diagnosis = await diagnose(NOWHERE | environment)
    return [(f.level.value, f"{f.said}. {f.remedy}") for f in diagnosis.findings if f.check == check]


async def test_a_fresh_installation(database: str) -> None:
    connection = await connect(database, application="test")
    meaning = (await grade(connection)).meaning
    await connection.close()
    diagnosis = await diagnose({"KERBSAFE_DSN": database})
    levels = {(f.check, f.level.value) for f in diagnosis.findings if f.check != "broker"}
    assert levels == {
        ("versions", "ok"),
        ("database", "ok"),
        ("clock", "ok"),
        ("durability", "wrong"),  # servers of tests give it up for speed, and doctor must notice
        ("schema", "ok"),
        ("grade", "ok"),
        ("time", "ok"),
        ("days ahead", "ok"),
        ("sessions", "ok"),
        ("writing", "ok"),
        ("intake", "notice"),
        ("commands", "ok"),
        ("losses", "notice"),
        ("transport", "ok"),
        ("processes", "wrong"),
    }
    assert [f.said for f in diagnosis.findings if f.check == "grade"] == [meaning]


DEFAULT = documents.DEFAULT_PATH.read_text("utf-8")


async def test_a_rulebook_file_that_was_edited_under_its_version_is_refused(
    database: str, tmp_path: Path
) -> None:
    """By ingest at its start, and doctor says so; comments may change."""
    file = tmp_path / "rules.toml"
    settings = {"KERBSAFE_DSN": database, "KERBSAFE_RULES": str(file)}
    file.write_text(DEFAULT, "utf-8")
    [(level, words)] = await found(settings, "rules")
    assert (level, "not in force yet" in words) == ("notice", True)
    connection = await connect(database, application="test")
    try:
        await load_rulebooks(connection, WALL.now_us(), DEFAULT)
        file.write_text(f"# ours\n{DEFAULT}", "utf-8")
        await load_rulebooks(connection, WALL.now_us(), file.read_text("utf-8"))
        assert [level for level, _ in await found(settings, "rules")] == ["ok"]
        file.write_text(DEFAULT.replace("drive_s = 14400", "drive_s = 7200"), "utf-8")
        [(level, words)] = await found(settings, "rules")
        assert (level, "'default-1'" in words, "fatigue.drive_s." in words) == ("wrong", True, True)
        assert f"KERBSAFE_RULES, {file}" in words
        with pytest.raises(RulebookError, match="give the changed document a new version"):
            await load_rulebooks(connection, WALL.now_us(), file.read_text("utf-8"))
        ingest = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kerbsafe", "ingest", env=os.environ | settings, stderr=subprocess.PIPE
        )
        _, said = await asyncio.wait_for(ingest.communicate(), 60)
        assert (ingest.returncode, f"KERBSAFE_RULES, {file}: version 'default-1'" in said.decode()) == (
            2,
            True,
        )
        renamed = file.read_text("utf-8").replace('"default-1"', '"ours-2"')
        books = await load_rulebooks(connection, WALL.now_us(), renamed)
        assert [book.version for book in books.versions] == ["default-1", "ours-2"]
    finally:
        await connection.close()


async def test_an_empty_database_is_told_to_migrate(empty_database: str) -> None:
    [(level, words)] = await found({"KERBSAFE_DSN": empty_database}, "schema")
    assert level == "wrong"
    assert "run `kerbsafe migrate`" in words


async def test_days_that_run_out_are_seen(sandbox_database: str) -> None:
    """The clock is set to noon, for it goes on at an hour a minute while the doctor looks."""
    connection = await connect(sandbox_database, application="test")
    day_us = 86_400 * MICROSECONDS
    noon_us = WALL.now_us() // day_us * day_us + day_us // 2
    await make_days_ahead(connection, noon_us)
    for days, level, words in [
        (0, "ok", "next 3 days"),
        (2, "wrong", "only 1 days"),
        (30, "wrong", "no room for today"),
    ]:
        await set_clock(connection, WALL.anchored(noon_us + days * day_us, 60.0))
        [(seen, said)] = await found({"KERBSAFE_DSN": sandbox_database}, "days ahead")
        assert seen == level
        assert words in said
    [(level, said)] = await found({"KERBSAFE_DSN": sandbox_database}, "time")
    assert level == "notice"
    assert "runs 60 times as fast" in said
    await connection.close()


async def test_what_the_broker_lost_is_said(database: str) -> None:
    [(level, said)] = await found({"KERBSAFE_DSN": database}, "transport")
    assert (level, said.rstrip(". ")) == ("ok", "the broker has lost nothing that we know of in 7 days")
    connection = await connect(database, application="test")
    await connection.execute(
        "insert into transport_gap (source, from_at, until_at, messages, noted_at) values "
        "('queue_full', now() - interval '1 h', now(), 800, now()), "
        "('session_forgotten', now() - interval '9 d', now() - interval '8 d', null, now())"
    )
    await connection.close()
    [(level, said)] = await found({"KERBSAFE_DSN": database}, "transport")
    assert level == "notice"
    assert "up to 800 messages may be missing from" in said
    assert "the broker had no room" in said


@pytest.mark.parametrize(
    ("minutes_ago", "is_running", "level"),
    [(0, True, "ok"), (10, False, "notice"), (10, True, "wrong")],
)
async def test_ingest_that_writes_nothing_any_more(
    database: str, minutes_ago: int, is_running: bool, level: str
) -> None:
    """It has written since it began, then not even that it heard nothing."""
    connection = await connect(database, application="ingest" if is_running else "test")
    await connection.execute(
        """insert into batch (received_at, source) select now() - make_interval(mins => $1), 'tick'""",
        minutes_ago,
    )
    begun = {"ingest": datetime.now(UTC) - timedelta(hours=1)} if is_running else {}
    [finding] = await happening.check_intake(connection, begun)
    assert finding.level == level
    assert "the newest that ingest has committed is of 20" in finding.said
    await connection.close()


async def test_processes_that_do_not_run_are_wrong(database: str) -> None:
    ingest = await connect(database, application="ingest")
    (first, said), (second, other), (third, last) = await found({"KERBSAFE_DSN": database}, "processes")
    assert (first, second, third) == ("wrong", "wrong", "wrong")
    assert said.startswith("`kerbsafe ingest` is connected since 20")
    assert ", but whether it works could not be found out: nobody answers at 127.0.0.1:1. " in said
    assert "`kerbsafe worker` does not run: it is not connected to this database" in other
    assert "nobody sees the alerts. start `kerbsafe console`" in last
    await ingest.close()


async def test_nothing_is_there() -> None:
    assert [level for level, _ in await found({}, "database")] == ["wrong"]
    [(level, words)] = await found({}, "broker")
    assert level == "wrong"
    assert "cannot reach mqtt://127.0.0.1:1" in words
    assert "KERBSAFE_BROKER" in words


async def test_settings_that_cannot_be_used_and_misspelt_ones() -> None:
    environment = {"KERBSAFE_HTTP_PORT": "x", "KERBSAFE_DNS": "y"}
    (level, words), (second, wrong) = await found(environment, "settings")
    assert (level, second) == ("notice", "wrong")
    assert "KERBSAFE_DNS is not a setting" in words
    assert "KERBSAFE_HTTP_PORT is 'x'" in wrong


async def test_mosquitto_is_what_we_need(broker: parts.Broker) -> None:
    [(level, words)] = await found({"KERBSAFE_BROKER": broker.url}, "broker")
    assert (level, words) == ("ok", f"{broker.url} speaks MQTT 5 and lets us in. ")


async def test_the_embedded_broker(embedded_broker: parts.Broker) -> None:
    [(level, _)] = await found({"KERBSAFE_BROKER": embedded_broker.url}, "broker")
    assert level == "ok"
    [(level, words)] = await found(
        {"KERBSAFE_BROKER": f"mqtt://127.0.0.1:{embedded_broker.port_v3}"}, "broker"
    )
    assert level == "wrong"
    assert "not an MQTT 5 broker" in words


async def test_a_wrong_password(tmp_path: Path, mosquitto: Callable[..., parts.Broker]) -> None:
    passwords, ours = tmp_path / "passwords", tmp_path / "ours"
    passwords.write_text("")
    ours.write_text("hunter2\n")
    broker = mosquitto(password_file=passwords)
    environment = {
        "KERBSAFE_BROKER": f"mqtt://kerbsafe@127.0.0.1:{broker.port}",
        "KERBSAFE_BROKER_PASSWORD_FILE": str(ours),
    }
    [(level, words)] = await found(environment, "broker")
    assert level == "wrong"
    assert "refused user 'kerbsafe'" in words
    assert "hunter2" not in words


async def test_a_doctor_without_the_settings_of_the_installation(
    tmp_path: Path, mosquitto: Callable[..., parts.Broker]
) -> None:
    """The broker is well: it is the doctor who came without a login."""
    passwords = tmp_path / "passwords"
    passwords.write_text("")
    [(level, words)] = await found({"KERBSAFE_BROKER": mosquitto(password_file=passwords).url}, "broker")
    assert level == "wrong"
    assert "refused a client without a user name" in words
    assert "have the doctor look with the settings of the installation: after deploy/install" in words


async def test_a_broker_that_takes_only_small_packets(mosquitto: Callable[..., parts.Broker]) -> None:
    broker = mosquitto(max_packet_bytes=100_000)
    seen = await found({"KERBSAFE_BROKER": broker.url}, "broker")
    assert [level for level, _ in seen] == ["ok", "wrong"]
    assert "up to 100000 bytes only" in seen[1][1]


@asynccontextmanager
async def answering(reply: bytes) -> AsyncIterator[str]:
    """Something that listens, says `reply` to whatever comes, and hangs up; yields its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(reply)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"", "it closed the connection"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not an MQTT 5 broker"),
        (b"\x20", "it closed the connection"),
        (b"\xd0\x00", "it sent PingRespPacket"),
        (b"\x20\x08\x00\x00\x05\x11\x00\x00\x0e\x10", "away for longer than 0.0 days"),
    ],
    ids=["silence", "HTTP", "half a packet", "another packet", "an expiry of an hour"],
)
async def test_something_else_answers(reply: bytes, words: str) -> None:
    async with answering(reply) as url:
        seen = await found({"KERBSAFE_BROKER": url}, "broker")
    assert seen[-1][0] == "wrong"
    assert words in seen[-1][1]


def test_the_command_prints_json_alone_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable, text in NOWHERE.items():
        monkeypatch.setenv(variable, text)
    assert main(["doctor", "--json"]) == 1
    printed = capsys.readouterr().out
    assert "hunter2" not in printed
    said = json.loads(printed)
    assert said["ok"] is False
    assert said["settings"]["KERBSAFE_DSN"] == "postgresql://u@127.0.0.1:1/d"
    assert {finding["check"] for finding in said["findings"]} >= {"versions", "database", "broker"}
    assert main(["doctor"]) == 1
    table = capsys.readouterr().out
    assert "WRONG database" in table
    assert table.endswith("\n5 WRONG\n")
    assert "hunter2" not in table


def test_migrate_then_all_is_well(
    empty_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERBSAFE_DSN", empty_database)
    assert main(["migrate", "--sandbox", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sandbox"] is True
    assert main(["migrate"]) == 0
    assert "a sandbox" in capsys.readouterr().out
    main(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    wrong = {finding["check"] for finding in findings if finding["level"] == "wrong"}
    assert not wrong & {"database", "schema", "days ahead", "clock"}
