"""`kerbsafe claims` and the candidates of `kerbsafe accidents`, as a person runs them on a real database."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from kerbsafe.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncpg import Connection

    Run = Callable[..., tuple[int, str, str]]

FLEET = "code,company,kind,plate\nHD-M-001,HD,mixer,浙F12345\nTX-M-002,TX,bulk_cement,浙F22222\n"
COMPANIES = "code,name\nHD,海盐混凝土有限公司\nTX,桐乡水泥有限公司\n"
POLICE = "事故编号,发生时间,地点,车牌号,伤害程度\n" + "".join(
    f"JX-{day},2016-03-{day:02} 08:30,东西大道,浙F12345,轻伤\n" for day in range(1, 13)
)
CLAIMS = "报案号,出险时间,出险地点,标的车牌,受伤人数,死亡人数,赔款金额\n" + "".join(
    f"PA-{day},2016-03-{day:02} 09:00,东西大道,浙F{'12345' if day < 9 else '22222'},1,0,8000\n"
    for day in range(1, 13)
)


@pytest.fixture
def run(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Run `kerbsafe COMMAND ACTION`; a text as the third argument is written to a file."""
    monkeypatch.setenv("KERBSAFE_DSN", database)

    def run(command: str, action: str, *argv: str) -> tuple[int, str, str]:
        words = [command, action, *argv]
        if action == "import":
            file = tmp_path / "list.csv"
            file.write_text(argv[0], "gbk")
            words = [command, action, str(file), "--by", "wang", *argv[1:]]
        code = main(words)
        said = capsys.readouterr()
        return code, said.out, said.err.replace(f"{tmp_path}/", "")

    for text in (COMPANIES, FLEET):
        file = tmp_path / "fleet.csv"
        file.write_text(text)
        assert main(["registry", "import", str(file)]) == 0
    capsys.readouterr()
    return run


def test_claims_are_kept_apart_and_compared(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("claims", "import", CLAIMS, "--dry-run")[1].splitlines()[0] == "row 2 PA-1: new"
    assert run("claims", "import", CLAIMS, "--insurer", "平安")[1] == "recorded: new 12\n"
    assert run("claims", "import", CLAIMS)[1] == "recorded: unchanged 12\n"
    assert json.loads(run("accidents", "list", "--json")[1])["accidents"] == []
    assert run("accidents", "import", POLICE, "--reporter", "police")[0] == 0
    code, out, err = run("claims", "reconcile", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["from"], found["to"]) == ("2016-03-01", "2016-03-12")
    assert found["counts"] == {"both": 8, "police_only": 4, "insurer_only": 4, "neither": 0}
    assert found["capture"] == {
        "seen": 16,
        "estimate": 17.8,
        "interval95": [16.0, 29.0],
        "unseen": 1.8,
        "police_share": 0.667,
        "least_in_both": 7,
    }
    assert found["events"][0]["claims"] == [{"code": "PA-1", "how": "vehicle_time", "minutes_apart": 30}]
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    lines = run("claims", "reconcile")[1].splitlines()
    assert lines[0] == "2016-03-01  双方均有  JX-1  PA-1  同车同时"
    assert lines[-1] == "推算总数（Chapman）：17.8 起（95% 区间 16.0 至 29.0）；双方均未掌握：1.8 起"


def test_too_few_claims_estimate_nothing(run: Run) -> None:
    run("accidents", "import", POLICE, "--reporter", "police")
    run("claims", "import", "\n".join(CLAIMS.splitlines()[:4]))
    found = json.loads(run("claims", "reconcile", "--json")[1])
    assert (found["capture"]["estimate"], found["capture"]["interval95"]) == (None, None)
    assert "cannot be said" in run("claims", "reconcile")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("claims", "reconcile"), "no claims are recorded"),
        (("claims", "list", "--as-of", "2999-01-01T00:00:00Z"), "lies in the future"),
        (("claims", "import", "x,y\n1,2\n"), "problems:"),
        (("accidents", "link", str(uuid.UUID(int=1)), "--none"), "there is no settled episode"),
        (("accidents", "candidates", "--from", "2016-02-01", "--to", "2016-01-01"), "--from is after --to"),
    ],
)
def test_what_cannot_be_answered_says_why(run: Run, words: tuple[str, ...], said: str) -> None:
    code, out, err = run(*words)
    assert (code, said in err) == (2, True), (out, err)


async def test_a_candidate_is_listed_and_linked_by_a_person(run: Run, connection: Connection) -> None:
    await asyncio.to_thread(run, "accidents", "import", POLICE, "--reporter", "police")
    episode = uuid.UUID(int=7)
    await connection.execute(
        """insert into episode (episode_id, vehicle_id, rule, mode, rulebook, started_at, ended_at, ended_as,
               severity, peak, status, settled_as, decided_at)
           select $1, vehicle_id, 'right_turn_lateral', 'live', 'r', '2016-03-05T00:30Z', '2016-03-05T00:31Z',
                  'closed', 3, 0.4, 'settled', 'confirmed', now()
           from vehicle where code = 'HD-M-001'""",
        episode,
    )

    async def listed() -> Any:
        days = ("--from", "2016-03-05", "--to", "2016-03-05", "--json")
        return json.loads((await asyncio.to_thread(run, "accidents", "candidates", *days))[1])["candidates"]

    (one,) = await listed()
    assert (one["vehicle"], one["why"], one["verdict"]) == ("HD-M-001", "rollover", None)
    by = ("--by", "li")
    assert (await asyncio.to_thread(run, "accidents", "link", str(episode), "--none", *by))[0] == 2  # no why
    assert (await asyncio.to_thread(run, "accidents", "link", str(episode), "--to", "JX-99", *by))[0] == 2
    assert (await asyncio.to_thread(run, "accidents", "link", str(episode), "--to", "JX-5", *by))[0] == 0
    (one,) = await listed()
    assert (one["verdict"]["accident"], one["verdict"]["who"]) == ("JX-5", "li")
    again = ("accidents", "link", str(episode), "--none", "--why", "another truck", *by)
    assert (await asyncio.to_thread(run, *again))[0] == 0
    (one,) = await listed()
    assert (one["verdict"]["accident"], one["verdict"]["why"]) == (None, "another truck")


async def test_nothing_is_changed_or_deleted_in_the_database(run: Run, connection: Connection) -> None:
    await asyncio.to_thread(run, "claims", "import", CLAIMS)
    for table, change in {"claim": "code = 'X'", "claim_version": "why = 'X'"}.items():
        for statement in (
            f"update {table} set {change}",
            f"delete from {table}",
            f"truncate {table} cascade",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await connection.execute(statement)
    with pytest.raises(asyncpg.CheckViolationError, match="does not follow"):
        await connection.execute("insert into claim_version select * from claim_version")
