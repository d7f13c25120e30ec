"""What is wrong in a registry file is left out, counted and said; the rest is imported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fleet.registry_import.entry import Choices
from fleet.registry_import.leaving_out import plan_rest
from fleet.registry_import.planning import Fate, Starts
from fleet.registry_import.reading import read_registry
from tests.unit.fleet.registry_import.files import TWO_COMPANIES

if TYPE_CHECKING:
    from fleet.registry_import.planning import Plan

HEADER = "code,company,kind,plate"


def vehicles(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


def plan_file(data: bytes | dict[str, Any], **how: Any) -> Plan:
    contents = read_registry(data if isinstance(data, bytes) else json.dumps(data).encode())
    return plan_rest(contents.tables, TWO_COMPANIES, Starts(0, 0), Choices(), **how)


def said(plan: Plan) -> list[str]:
    return [problem.words.en for problem in plan.left_out]


def fates(plan: Plan) -> str:
    return " ".join(f"{fate.code}:{fate.fate}" for fate in plan.fates)


@pytest.mark.parametrize(
    ("rows", "expected", "left_out"),
    [
        pytest.param(["M-1,JX-01,mixer,"], "M-1:create", [], id="nothing is wrong"),
        pytest.param(
            ["M-1,JX-01,mixer,", "M-2,JX-9,mixer,"],
            "M-1:create M-2:error",
            ["vehicles row 3 company 'JX-9': the registry and this file have no such code among companies"],
            id="a company that nobody knows",
        ),
        pytest.param(
            ["M-1,JX-01,spaceship,", "M-2,JX-01,mixer,", "M 3,JX-01,mixer,"],
            "M-1:error M-2:create",
            ["vehicles row 2 kind 'spaceship'", "vehicles row 4 code 'M 3'"],
            id="a cell that cannot be read, and a key",
        ),
        pytest.param(
            ["M-1,JX-01,mixer,", "M-1,JX-02,mixer,", "M-2,JX-01,mixer,"],
            "M-1:error M-2:create",
            ["vehicles row 3 code 'M-1': is in row 2 too"],
            id="of two rows that contradict each other neither counts",
        ),
        pytest.param(
            ["M-1,JX-01,mixer,浙F12345", "M-2,JX-01,mixer,浙F12345", "M-3,JX-01,mixer,浙F54321"],
            "M-1:error M-2:error M-3:create",
            ["vehicles row 3 plate: is the plate of row 2 too"],
            id="nor of two vehicles with one plate",
        ),
    ],
)
def test_faulty_rows_are_left_out_and_named(rows: list[str], expected: str, left_out: list[str]) -> None:
    plan = plan_file(vehicles(*rows))
    assert fates(plan) == expected
    assert [told.startswith(start) for told, start in zip(said(plan), left_out, strict=True)] == [True] * len(
        left_out
    )
    assert plan.problems == ()


def test_what_refers_to_a_row_that_is_left_out_is_left_out_too() -> None:
    plan = plan_file(
        {
            "companies": [{"code": "JX-5", "name": "\u202eevil"}, {"code": "JX-6", "name": "海盐"}],
            "vehicles": [
                {"code": "M-5", "company": "JX-5", "kind": "mixer"},
                {"code": "M-6", "company": "JX-6", "kind": "mixer"},
            ],
            "devices": [{"login": "D-5", "vehicle": "M-5"}, {"login": "D-6", "vehicle": "M-6"}],
        }
    )
    assert [(fate.code, fate.fate) for fate in plan.fates if fate.fate is Fate.CREATE] == [
        ("JX-6", Fate.CREATE),
        ("M-6", Fate.CREATE),
        ("D-6", Fate.CREATE),
    ]
    companies, of_vehicle, of_device = said(plan)
    assert companies.startswith("companies row 1 name")
    assert of_vehicle.startswith("vehicles row 1 company 'JX-5'")
    assert of_device.startswith("devices row 1 vehicle 'M-5'")
    assert of_device.endswith("(a row it depends on may be among those left out)")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"code,company,kind,colour\nM-1,JX-01,mixer,red\n", id="a column that nobody knows"),
        pytest.param(vehicles("M-1,JX-9,mixer,"), id="no row is right"),
        pytest.param(vehicles(*[f"M {n},JX-01,mixer," for n in range(1_200)]), id="too many faults"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused(data: bytes) -> None:
    plan = plan_file(data)
    assert plan.problems
    assert plan.left_out == ()


def test_all_or_nothing_refuses_for_one_row() -> None:
    plan = plan_file(vehicles("M-1,JX-01,mixer,", "M-2,JX-9,mixer,"), all_or_nothing=True)
    assert [problem.row for problem in plan.problems] == [3]
    assert fates(plan) == "M-1:create M-2:error"


def test_a_company_without_a_code_is_told_once_and_its_rows_are_left_out_together() -> None:
    ledger = """车牌号,所属企业,车辆类型
浙F10001,不知何处,搅拌车
浙F10002,不知何处,搅拌车
浙F10003,JX-01,搅拌车
"""
    plan = plan_file(ledger.encode())
    assert len(plan.left_out) == 1
    assert plan.left_out[0].places == (("vehicles", 2), ("vehicles", 3))
    assert [fate.code for fate in plan.fates if fate.fate is Fate.CREATE] == ["ZJ-F10003"]
