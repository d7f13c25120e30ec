"""Baselines, policies and publications as a person works with them, in a real database."""

from __future__ import annotations

import asyncio
import hashlib
import json
import stat
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from analytics.statistics.runs import read_case
from fleet.db import connect
from kerbsafe.cli import main
from kerbsafe.sample import city

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str, str]]

EXAMPLE = json.loads(Path("docs/examples/verdict.json").read_text("utf-8"))
CASE = read_case(EXAMPLE)


@pytest.fixture
def run(database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("KERBSAFE_DSN", database)

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(list(argv))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def written(path: Path, document: Any) -> str:
    path.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    return str(path)


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def test_what_is_approved_is_kept_as_it_was(run: Run, database: str, tmp_path: Path) -> None:
    baseline = written(tmp_path / "baseline.json", EXAMPLE["baseline"])
    policy = written(tmp_path / "policy.json", EXAMPLE["policy"])
    assert (
        run("baseline", "list")[1] == "no baseline is frozen: `kerbsafe baseline freeze FILE` records one\n"
    )
    code, out, _ = run("baseline", "freeze", baseline, "--by", "wang")
    assert (code, out.split(",")[0]) == (0, "recorded: jiaxing-example 1")
    assert run("baseline", "freeze", baseline)[1].startswith("recorded before, nothing changes")
    assert run("policy", "approve", policy, "--by", "wang")[0] == 0
    assert json.loads(run("baseline", "show")[1]) == EXAMPLE["baseline"]
    assert json.loads(run("policy", "show", "example-1")[1])["on_track"] == 0.7
    assert "* jiaxing-example 1  2015  20/5/6 on 15,958,000 m3" in run("baseline", "list")[1]

    skipped = replace(CASE.baseline, version=3, supersedes=1)
    third = written(tmp_path / "third.json", json.loads(skipped.text) | {"hash": skipped.hash})
    for dry in ([], ["--dry-run"]):
        code, _, err = run("baseline", "freeze", third, *dry)
        assert (code, "the next one has version 2 and supersedes 1" in err) == (2, True)

    changed = written(tmp_path / "changed.json", EXAMPLE["baseline"] | {"accidents": 24})
    code, _, err = run("baseline", "freeze", changed)
    assert (code, "baseline.hash is sha256:03fe" in err) == (2, True)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        asyncio.run(execute(database, "update baseline set who = 'x'"))
    with pytest.raises(asyncpg.CheckViolationError):
        asyncio.run(
            execute(
                database,
                "insert into policy (version, hash, document, recorded_at, who) "
                "values ('x', 'sha256:0', '', now(), 'x')",
            )
        )


@pytest.mark.parametrize("templates", ["plain"], indirect=True)
def test_a_change_is_shown_under_both(run: Run, database: str, tmp_path: Path) -> None:
    """Of the simulated city: 60 months of verdicts; a baseline of twice as many accidents changes them."""

    async def fill() -> None:
        connection = await connect(database, application="test")
        try:
            await city.fill(connection, 1)
        finally:
            await connection.close()

    asyncio.run(fill())
    shown = json.loads(run("baseline", "show")[1])
    first = replace(CASE.baseline, **{key: shown[key] for key in shown if key not in {"hash", "approved_at"}})
    second = replace(
        first, version=2, supersedes=1, accidents=2 * first.accidents, approved_at=date(2021, 1, 1)
    )
    path = written(tmp_path / "second.json", json.loads(second.text) | {"hash": second.hash})
    code, out, _ = run("baseline", "freeze", path, "--dry-run", "--json")
    document = json.loads(out)
    assert (code, document["done"], len(document["verdicts"])) == (0, "would_record", 60)
    assert (document["verdicts"][0]["to"], document["verdicts"][-1]["to"]) == ("2016-01-31", "2020-12-31")
    assert sum(each["differs"] for each in document["verdicts"]) > 10
    assert len(json.loads(run("baseline", "list", "--json")[1])["baselines"]) == 1


def test_a_report_is_published_handed_over_and_corrected(run: Run, database: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    code, out, err = run("report", "key", str(key))
    assert (code, err, stat.S_IMODE(key.stat().st_mode)) == (0, "", 0o600)
    public = out.splitlines()[-1]
    secret = "".join(key.read_text().splitlines()[1:-1])
    directory = made(tmp_path / "report", "2020-08-flash")
    code, out, err = run("report", "publish", str(directory), "--key", str(key), "--by", "li.na")
    assert (code, out) == (0, f"publication 1: report 2020-08-flash, signed with {public}\n")
    assert secret not in out + err
    before = (directory / "chain.jsonl").read_bytes()
    assert run("report", "publish", str(directory), "--key", str(key))[0] == 0
    assert (directory / "chain.jsonl").read_bytes() == before, "once is once"
    assert run("report", "verify", str(directory), "--key", public, "--database")[0] == 0
    assert run("report", "verify", str(directory), "--key", f"{key}.pub")[0] == 0

    second = made(tmp_path / "second", "2020-08-first")
    words = ("report", "publish", str(second), "--key", str(key), "--by", "li.na", "--corrects", "1")
    assert "a correction says why" in run(*words)[2]
    assert run(*words, "--why", "a late death")[0] == 0
    assert run("report", "send", "2", "provincial office", "--at", "2020-10-01T09:00:00+08:00")[0] == 0
    assert run("report", "receipt", "2", "provincial office", "--note", "by letter")[0] == 0
    assert "was not sent to the press" in run("report", "receipt", "2", "the press")[2]
    lines = run("report", "list")[1].splitlines()
    assert lines[0].endswith("report 2020-08-flash  li.na  corrected by 2")
    assert lines[1].endswith("corrects 1: a late death  sent to provincial office (confirmed)")

    (directory / "report.json").write_bytes(b'{"deaths": 0}')
    code, out, _ = run("report", "verify", str(directory))
    assert (code, out) == (1, "report.json: byte 11 (counted from 0) is 0x30, and was 0x33 when signed\n")
    assert (
        "nothing is published: report.json" in run("report", "publish", str(directory), "--key", str(key))[2]
    )

    asyncio.run(
        execute(database, "set session_replication_role = replica; delete from publication where number = 1")
    )
    code, out, _ = run("report", "list")
    assert (code, "link 1 is missing before link 2" in out) == (1, True)
    assert run("report", "verify", str(second), "--database")[0] == 1
    key.chmod(0o644)
    assert "can be read by others (mode 0644)" in run("report", "publish", str(second), "--key", str(key))[2]


def made(directory: Path, name: str) -> Path:
    """Return a report of one file."""
    data = b'{"deaths": 3}'
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    directory.mkdir()
    (directory / "report.json").write_bytes(data)
    (directory / "manifest.json").write_text(json.dumps({"report": name, "files": {"report.json": entry}}))
    return directory


@pytest.mark.parametrize("templates", ["plain"], indirect=True)
async def test_the_sample_knows_on_a_day_what_was_known_then(
    connection: asyncpg.Connection,
) -> None:
    await city.fill(connection, 3)
    given = await city.report_input(connection, date(2018, 3, 1), city.Stage.FLASH)
    assert given.as_of == datetime(2018, 4, 5, 16, tzinfo=UTC)
    assert given.simulated
    assert all(fact.known_from <= given.as_of for fact in given.facts)
    recorded = [version.recorded_at for versions in given.ledger.values() for version in versions]
    assert max(recorded) <= given.as_of
    assert city.sample_key(3).public == city.sample_key(3).public != city.sample_key(4).public
