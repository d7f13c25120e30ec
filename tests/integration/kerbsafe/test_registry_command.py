"""`kerbsafe registry` as a person runs it: what it prints, where, and its exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kerbsafe.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

COMPANIES = "code,name\nJX-1,一建\nJX-2,二建\n"
VEHICLES = "code,company,kind,limit_kmh,plate\nM-1,JX-1,mixer,60,浙F00001\nM-2,JX-2,pump,,浙F00002\n"


@pytest.fixture
def run(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Run `kerbsafe registry ACTION`; a text as the second argument is the contents of the file."""
    monkeypatch.setenv("KERBSAFE_DSN", database)

    def run(action: str, *argv: str | bytes) -> tuple[int, str, str]:
        words = [action, *argv]
        if action == "import":
            contents = argv[0]
            file = tmp_path / "fleet.csv"
            file.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
            words[1] = str(file)
        code = main(["registry", *map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err.replace(f"{tmp_path}/", "")

    return run


def test_a_fleet_is_imported_and_listed(run: Run) -> None:
    assert run("import", COMPANIES) == (0, "imported: companies: 2 create\n", "")
    assert run("import", VEHICLES) == (0, "imported: vehicles: 2 create\n", "")
    assert run("import", VEHICLES) == (0, "imported: vehicles: 2 unchanged\n", "")
    assert run("list") == (
        0,
        (
            "2 companies, 2 vehicles, 0 devices, 0 drivers, 0 fences, 0 passes\n"
            "M-1  JX-1  mixer  60 km/h  devices 0\n"
            "M-2  JX-2  pump  limit of the rulebook  devices 0\n"
        ),
        "",
    )
    code, out, _ = run("list", "--json")
    assert code == 0
    assert json.loads(out)["vehicles"][1] == {
        "code": "M-2",
        "company": "JX-2",
        "kind": "pump",
        "limit_kmh": None,
        "valid_from": "2000-01-01T00:00:00Z",
        "devices": 0,
    }


def test_a_dry_run_shows_the_fate_of_every_row_without_plates(run: Run) -> None:
    run("import", COMPANIES)
    run("import", VEHICLES)
    changed = (
        "code,company,kind,limit_kmh,plate\n"
        "M-1,JX-1,mixer,50,浙F99999\n"
        "M-2,JX-2,pump,,\n"
        "M-3,JX-2,砂浆车,,浙F00003\n"
    )
    code, out, err = run("import", changed, "--dry-run", "--valid-from", "2040-02-01")
    assert (code, err) == (0, "")
    assert out == (
        "vehicles row 2 M-1: update limit_kmh 60 -> 50, plate, from 2040-01-31T16:00:00Z\n"
        "vehicles row 3 M-2: unchanged\n"
        "vehicles row 4 M-3: create\n"
        "would be imported: vehicles: 1 create, 1 update, 1 unchanged\n"
    )
    assert "2 vehicles" in run("list")[1]
    assert "浙" not in run("import", changed, "--dry-run", "--json")[1]


def test_everything_wrong_is_told_and_nothing_imported(run: Run) -> None:
    run("import", COMPANIES)
    wrong = (
        "code,company,kind,limit_kmh\n"
        "M-1,JX-1,mixer,60\n"
        "M-1,JX-1,mixer,70\n"
        "M/2,JX-9,lorry,900\n"
        "M-3,JX-3,pump,\n"
    )
    code, out, err = run("import", wrong)
    assert (code, out) == (2, "")
    assert [line.partition(":")[0] for line in err.splitlines()] == [
        "vehicles row 3 code 'M-1'",
        "vehicles row 4 code 'M/2'",
        "vehicles row 4 kind 'lorry'",
        "vehicles row 4 limit_kmh '900'",
        "vehicles row 5 company 'JX-3'",
        "kerbsafe",
    ]
    assert err.endswith("kerbsafe: fleet.csv: 5 problems, nothing was imported\n")
    assert "0 vehicles" in run("list")[1]


FAULTY = "code,company,kind\nM-1,JX-1,mixer\nM-2,JX-1,spaceship\nM-3,JX-9,mixer\n"


def test_faulty_rows_are_left_out_counted_and_named(run: Run) -> None:
    run("import", COMPANIES)
    code, out, err = run("import", FAULTY)
    assert (code, out) == (1, "imported: vehicles: 1 create, 2 error\n")
    kind, company, summary = err.splitlines()
    assert kind.startswith("vehicles row 3 kind 'spaceship'")
    assert company.startswith("vehicles row 4 company 'JX-9'")
    assert summary == (
        "kerbsafe: fleet.csv: 2 problems, rows left out: 2. The rest was imported; mend these and import the "
        "file again"
    )
    code, out, err = run("import", FAULTY, "--dry-run", "--json")
    assert code == 1
    assert [row["fate"] for row in json.loads(out)["rows"]] == ["unchanged", "error", "error"]
    code, out, err = run("import", FAULTY, "--all-or-nothing")
    assert (code, out) == (2, "")
    assert err.endswith("2 problems, nothing was imported\n")


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_problems_as_json(run: Run, dry: list[str]) -> None:
    code, out, _ = run("import", "code,company,kind\nM-1,JX-1,mixer\n", "--json", *dry)
    assert code == 2
    found: dict[str, Any] = json.loads(out)
    assert found["imported"] is False
    (problem,) = found["problems"]
    assert (problem["table"], problem["row"], problem["column"], problem["value"]) == (
        "vehicles",
        2,
        "company",
        "JX-1",
    )
    assert [row["fate"] for row in found["rows"]] == (["error"] if dry else [])


def test_a_change_of_company_says_what_to_do_next(run: Run) -> None:
    run("import", COMPANIES)
    run("import", VEHICLES)
    code, _, err = run("import", "code,company,limit_kmh\nM-1,JX-2,\n")
    assert (code, err) == (
        0,
        "topics change for 1 of the vehicles and devices: now run `kerbsafe device write-broker-files`\n",
    )


REFUSED: list[tuple[list[str | bytes], str]] = [
    (["import", COMPANIES.encode("gbk"), "--encoding", "utf-8"], "is not utf-8 text; leave --encoding out"),
    (["import", COMPANIES, "--vehicle-kind", "lorry"], "--vehicle-kind 'lorry' must be one of mixer"),
    (["import", "code,company\nA,B\n"], "say which with `--as"),
    (["import", COMPANIES, "--valid-from", "soon"], "--valid-from 'soon' must be a day like 2026-01-31"),
    (["import", COMPANIES, "--valid-from", "1990-01-01"], "must be a day like"),
    (["import", COMPANIES, "--sheet", "企业"], "--sheet is for workbooks"),
]


def test_what_cannot_be_done_is_exit_code_2(run: Run) -> None:
    for argv, message in REFUSED:
        code, out, err = run(*argv)
        assert (code, out) == (2, "")
        assert message in err


def test_gbk_is_found_or_said(run: Run) -> None:
    assert run("import", COMPANIES.encode("gbk"), "--encoding", "gbk") == (
        0,
        "imported: companies: 2 create\n",
        "",
    )
    assert run("import", COMPANIES.encode("gbk")) == (
        0,
        "imported: companies: 2 unchanged\n",
        "read as GB18030; if names look wrong, say `--encoding`\n",
    )


@pytest.mark.parametrize("name", [".", "missing.csv"])
def test_a_file_that_cannot_be_read(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    assert main(["registry", "import", str(tmp_path / name)]) == 2
    assert f"cannot read {tmp_path / name}" in capsys.readouterr().err


LEDGER = (
    "恒达建材车辆台账,,,,\n"
    "车牌号,车辆类型,所属公司,驾驶员,联系电话\n"
    "浙F12345,搅拌车,恒达建材,张建国,13857312345\n"
    "浙F23456,散装罐车,恒达建材,,\n"
    "合计,2辆,,,\n"
)


def test_a_ledger_is_imported_with_one_option(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = run("import", LEDGER, "--dry-run")
    assert code == 2
    assert out.endswith("would be imported: vehicles: 2 error\n")
    assert "or say it with `--company 恒达建材=CODE`" in err
    code, out, err = run("import", LEDGER, "--company", "恒达建材=HD")
    assert (code, out) == (0, "imported: companies: 1 create; drivers: 1 create; vehicles: 2 create\n")
    assert err.startswith("the header is row 2; above it, left aside: row 1 '恒达建材车辆台账'\n")
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert run("import", LEDGER)[:2] == (0, "已导入：驾驶员：1 不变；车辆：2 不变\n")


@pytest.mark.parametrize("option", ["HD/1", "恒达", "=", "恒达="])
def test_a_company_has_a_code(run: Run, option: str) -> None:
    with pytest.raises(SystemExit):
        run("import", LEDGER, "--company", option)


def test_what_a_file_says_moves_no_terminal(run: Run) -> None:
    """ESC, the one-byte CSI, and what turns the direction of text."""
    hostile = "co\x9bde,\u202ename,\x1b[2J\nA,b,c\n"
    for argv in ([], ["--json"]):
        _, out, err = run("import", hostile, "--as", "companies", *argv)
        assert not {"\x1b", "\x9b", "\u202e"} & set(out + err)


def test_a_template_is_written_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "档案.xlsx"
    assert main(["registry", "template", str(file)]) == 0
    assert "then: kerbsafe registry import" in capsys.readouterr().out
    assert main(["registry", "template", str(file)]) == 2
    assert "is there already; name another" in capsys.readouterr().err
    assert main(["registry", "template", str(tmp_path / "a.csv")]) == 2
    assert "must end in .xlsx" in capsys.readouterr().err
