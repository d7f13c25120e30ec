"""`kerbsafe accidents` as a person runs it, and the ledger in a real database."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from analytics.ledger.store import read_versions
from kerbsafe.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncpg import Connection

    Run = Callable[..., tuple[int, str, str]]

FLEET = (
    "code,company,kind,plate\nHD-M-001,HD,mixer,浙F12345\nTX-M-002,TX,bulk_cement,浙F22222\n",
    "code,name\nHD,海盐混凝土有限公司\nTX,桐乡水泥有限公司\n",
)
HEADER = "事故编号,发生时间,区县,车牌号,伤害程度,死亡时间,责任,天气,财产损失\n"
LIST = HEADER + (
    "JX-1,2016-03-12 08:30,海盐县,浙F12345,重伤,,未认定,晴,12000\n"
    "JX-1,,,浙F22222,轻伤,,次要,,\n"
    "JX-2,2016-03-20,平湖市,浙F22222,死亡,2016-03-21,全部,9,\n"
    "JX-3,2016-03-21,平湖市,浙A00000,轻伤,,,,\n"
    "JX-4,错,平湖市,浙F12345,轻伤,,,,\n"
)


@pytest.fixture
def run(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Run `kerbsafe accidents ACTION`; a text as the second argument of `import` is the file."""
    monkeypatch.setenv("KERBSAFE_DSN", database)

    def run(action: str, *argv: str) -> tuple[int, str, str]:
        words = [action, *argv]
        if action == "import":
            file = tmp_path / "accidents.csv"
            file.write_text(argv[0], "gbk")
            words = [action, str(file), "--by", "wang", "--reporter", "police", *argv[1:]]
        code = main(["accidents", *words])
        said = capsys.readouterr()
        return code, said.out, said.err.replace(f"{tmp_path}/", "")

    for text in reversed(FLEET):
        file = tmp_path / "fleet.csv"
        file.write_text(text)
        assert main(["registry", "import", str(file)]) == 0
    capsys.readouterr()
    return run


def answer(run: Run, *words: str) -> Any:
    code, out, err = run(*words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_a_list_is_shown_first_then_recorded_once(run: Run) -> None:
    code, out, err = run("import", LIST, "--dry-run")
    assert code == 1
    assert out == (
        "row 2 JX-1: new\n"
        "row 3 JX-1: new\n"
        "row 4 JX-2: new\n"
        "row 5 JX-3: no vehicle of the fleet\n"
        "row 6: error\n"
        "would be recorded: new 2, no vehicle of the fleet 1, error 1\n"
    )
    assert err == (
        "read as GB18030; if names look wrong, say `--encoding`\n"
        "codes that no table has, kept as they are: weather 9 (1)\n"
        "row 6 发生时间 '错': must be a day like 2026-01-31, from 2000 to 2099\n"
        "kerbsafe: accidents.csv: problems: 1; rows that would be left out: 1\n"
    )
    assert answer(run, "list")["accidents"] == []
    assert run("import", LIST)[1] == "recorded: new 2, no vehicle of the fleet 1, error 1\n"
    assert run("import", LIST)[1] == "recorded: unchanged 2, no vehicle of the fleet 1, error 1\n"
    assert run("list")[1] == (
        "JX-1  2016-03-12T00:30:00Z  海盐县  dead 0 serious 1 light 1  A1 A2?  HD,TX  reported\n"
        "JX-2  2016-03-20  平湖市  dead 1 serious 0 light 0  A1 A2 A3  TX  determined\n"
        "2 accidents\n"
        "codes that no table has: weather 9 (1)\n"
    )


def test_what_happened_on_other_days_is_left_aside_and_said(run: Run) -> None:
    march_12 = ("--from", "2016-03-12", "--to", "2016-03-12")
    said = run("import", LIST, *march_12)[1]
    assert said == "recorded: new 1, outside of the days asked for 2, error 1\n"
    assert [each["code"] for each in answer(run, "list")["accidents"]] == ["JX-1"]


def test_any_past_state_can_be_read(run: Run) -> None:
    run("import", LIST)
    before = answer(run, "list")
    finding = "事故编号,车牌号,责任\nJX-1,浙F12345,主要\n"
    assert run("import", finding)[1] == "recorded: new version 1\n"
    now = answer(run, "list", "--as-of", answer(run, "list")["as_of"])
    assert now["accidents"][0]["scopes"] == {"A1": True, "A2": True, "A3": False}
    again = answer(run, "list", "--as-of", before["as_of"])
    assert again == before
    shown = answer(run, "show", "JX-1")
    assert [
        (each["version"], each["reason"], each["who"], each["changes"]) for each in shown["versions"]
    ] == [
        (1, "late", "wang", []),
        (2, "responsibility", "wang", ["vehicles"]),
    ]
    assert shown["versions"][0]["known_to"] == shown["versions"][1]["known_from"]
    assert shown["severity"]["1991"] == {"en": "ordinary", "zh": "一般事故", "certain": True}
    assert [vehicle["responsibility"] for vehicle in shown["vehicles"]] == ["main", "minor"]


def test_what_was_known_earlier_is_recorded_now(run: Run) -> None:
    run("import", LIST)
    before = answer(run, "show", "JX-1")
    earlier = "事故编号,地点\nJX-1,东西大道\n"
    assert run("import", earlier, "--known-at", "2016-03-13T08:00:00+08:00")[0] == 0
    shown = answer(run, "show", "JX-1")
    assert shown["place"] is None  # the list of today is newer knowledge
    first = shown["versions"][0]
    assert (first["version"], first["known_from"]) == (2, "2016-03-13T00:00:00Z")
    assert answer(run, "show", "JX-1", "--as-of", before["as_of"])["versions"] == before["versions"]


def test_counts_by_company_with_what_is_pending(run: Run) -> None:
    run("import", LIST)
    year = ("--from", "2016-01-01", "--to", "2016-12-31")
    assert run("count", *year, "--scope", "A2", "--by", "company")[1] == (
        "accidents  fatal_7d  deaths_7d  deaths_30d  serious  light  pending  unknown  open_30d  company\n"
        "      0-1         0          0           0      0-1    0-1        1        0         0  HD\n"
        "        1         1          1           1        0      0        0        0         0  TX\n"
        "recorded accidents happened from 2016-03-12 to 2016-03-20; of other times nobody has said anything\n"
    )
    (city,) = answer(run, "count", *year)["counts"]
    assert (city["accidents"], city["deaths_7d"]) == ([2, 2], [1, 1])


def test_an_empty_ledger_is_not_a_year_without_accidents(run: Run) -> None:
    assert run("list")[1] == "nothing is recorded\n"
    run("import", LIST)
    year = ("--from", "2016-01-01", "--to", "2016-12-31")
    code, out, err = run("count", *year, "--as-of", "2020-01-01T00:00:00Z")
    assert (code, out) == (2, "")
    assert "which is not that nothing happened" in err
    assert answer(run, "count", *year)["recorded"] == {"from": "2016-03-12", "to": "2016-03-20"}


def test_the_same_accident_under_two_numbers_is_offered_and_merged(run: Run) -> None:
    run("import", LIST)
    run("import", LIST.replace("JX-1", "PA-77").replace("JX-2", "PA-78"))
    (first, *_) = answer(run, "duplicates")["pairs"]
    assert (first["one"], first["other"], first["score"]) == ("JX-1", "PA-77", 0.9)
    assert run("merge", "PA-77", "--into", "JX-1", "--by", "li")[0] == 2  # nobody has said why
    code, out, _ = run("merge", "PA-77", "--into", "JX-1", "--by", "li", "--why", "insurer's number")
    assert (code, out.endswith("merged  li  insurer's number  -> JX-1\n")) == (0, True)
    codes = [each["code"] for each in answer(run, "list")["accidents"]]
    assert codes == ["JX-1", "JX-2", "PA-78"]
    assert answer(run, "show", "PA-77")["merged_into"] == "JX-1"
    assert run("reinstate", "PA-77", "--by", "li", "--why", "two accidents")[0] == 0
    assert len(answer(run, "list")["accidents"]) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "JX-9"), "the ledger has no accident JX-9: `kerbsafe accidents list` shows them"),
        (("withdraw", "JX-9", "--why", "x"), "the ledger has no accident JX-9"),
        (("list", "--as-of", "2999-01-01T00:00:00Z"), "--as-of lies in the future"),
        (("count", "--from", "2016-02-01", "--to", "2016-01-01"), "--from is after --to"),
        (("import", "x,y\n1,2\n"), "accidents.csv: problems: 3; nothing was recorded"),
    ],
)
def test_what_cannot_be_answered_says_why(run: Run, words: tuple[str, ...], said: str) -> None:
    code, out, err = run(*words)
    assert (code, said in err) == (2, True), (out, err)


async def test_nothing_is_changed_or_deleted_in_the_database(run: Run, connection: Connection) -> None:
    await asyncio.to_thread(run, "import", LIST)
    changes = {
        "accident": "code = 'X'",
        "accident_version": "why = 'X'",
        "accident_casualty": "injury = 'light'",
        "accident_vehicle": "kind = 'X'",
    }
    for table, change in changes.items():
        for statement in (
            f"update {table} set {change}",
            f"delete from {table}",
            f"truncate {table} cascade",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await connection.execute(statement)
    with pytest.raises(asyncpg.CheckViolationError, match="does not follow"):
        await connection.execute("insert into accident_version select * from accident_version")


async def test_what_is_read_is_what_was_written(run: Run, connection: Connection) -> None:
    await asyncio.to_thread(run, "import", LIST)
    ledger = await read_versions(connection, datetime.now(UTC))
    assert list(ledger) == ["JX-1", "JX-2"]
    (version,) = ledger["JX-2"]
    assert str(version.facts.casualties[0].died) == "2016-03-21"
    assert version.facts.companies == ("TX",)
    assert version.why == "accidents.csv"
