"""`kerbsafe alerts`: the list, and the changes as they happen."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from kerbsafe.cli import main
from tests.integration.bench import arriving, drive

if TYPE_CHECKING:
    from tests.integration.bench import Bench

SPEEDING = drive((20, 50), (30, 80), (20, 50), start_s=-200)
#: The follower has read where the feed ends, and waits for what comes.
FOLLOWING = """select count(*) from pg_stat_activity
where application_name = 'kerbsafe alerts' and datname = current_database() and query like '%feed_id > $1%'"""


async def test_alerts_are_listed_and_chosen(
    bench: Bench, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERBSAFE_DSN", database)

    async def listed(*words: str) -> str:
        assert await asyncio.to_thread(main, ["alerts", *words]) == 0
        return capsys.readouterr().out

    assert await listed() == "no alerts\n"
    assert json.loads(await listed("--json")) == []
    await bench.push(*arriving(SPEEDING), *arriving(SPEEDING, vehicle="T2"))
    assert {alert["vehicle"] for alert in json.loads(await listed("--json"))} == {"T1", "T2"}
    (alert,) = json.loads(await listed("--json", "--vehicle", "T2", "--rule", "speeding", "--state", "open"))
    about = {name: alert[name] for name in ("company", "vehicle", "rule", "peak", "limit", "limit_source")}
    assert about == {
        "company": "acme",
        "vehicle": "T2",
        "rule": "speeding",
        "peak": 80,
        "limit": 60,
        "limit_source": "class",
    }
    assert (alert["status"], alert["ended_as"], alert["late"]) == ("provisional", "closed", False)
    assert len(json.loads(await listed("--json", "--limit", "1"))) == 1
    assert json.loads(await listed("--json", "--state", "resolved")) == []
    (line,) = (await listed("--vehicle", "T1")).splitlines()
    assert "T1" in line
    assert "peak 80, limit 60 (class)  open, provisional" in line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rule", "speding"], "no rule 'speding': the rules are speeding, right_turn_fast, "),
        (
            ["--state", "closed"],
            "no state 'closed': the states are open, acknowledged, resolved, ",
        ),
        (
            ["--vehicle", "nobody"],
            "no vehicle 'nobody' in the registry: see `kerbsafe registry list`, or import it",
        ),
    ],
)
@pytest.mark.parametrize("follow", [[], ["--follow"]])
async def test_what_does_not_exist_is_not_taken_for_safe(
    bench: Bench,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
    follow: list[str],
) -> None:
    await bench.push(*arriving(SPEEDING))
    monkeypatch.setenv("KERBSAFE_DSN", database)
    assert await asyncio.to_thread(main, ["alerts", *words, *follow]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"kerbsafe: {said}")


async def following(bench: Bench) -> None:
    while not await bench.connection.fetchval(FOLLOWING):  # noqa: ASYNC110 - another process is waited for
        await asyncio.sleep(0.02)


async def test_changes_are_followed_until_interrupted(
    bench: Bench, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERBSAFE_DSN", database)
    follower = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kerbsafe", "alerts", "--follow", "--json", "--vehicle", "T1",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert follower.stdout is not None
    async with asyncio.timeout(60):
        await following(bench)
        await bench.push(*arriving(SPEEDING, vehicle="T2"), *arriving(SPEEDING))
        told = [json.loads(await follower.stdout.readline()) for _ in range(2)]
        follower.send_signal(signal.SIGINT)
        rest, _ = await follower.communicate()
    assert [(change["change"], change["vehicle"]) for change in told] == [("opened", "T1"), ("closed", "T1")]
    assert rest == b""
    assert follower.returncode == 130
