"""Tables as people keep them for themselves: found headers, names for codes, two records in one row."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from fleet.entities import Company, Driver, Vehicle
from fleet.kinds import VehicleKind
from fleet.registry_import.column import Kind
from tests.unit.fleet.registry_import.files import Outcome, workbook

if TYPE_CHECKING:
    from fleet.registry_import.planning import Registered

HEADER = [
    "序号",
    "车牌号码 ",
    "车辆类型",
    "所属公司",
    "驾驶员姓名",
    "联系电话",
    "从业资格证有效期",
    "自编号",
    "限速",
    "入网日期",
    "备注",
]
LEDGER = [
    ["恒达建材 车辆及驾驶员台账", *[None] * 10],
    HEADER,
    [1, "浙F12345 ", "搅拌车", "恒达建材", "张建国", 13857312345, 46387, "1号", 60, date(2023, 3, 5), None],
    [
        2,
        "浙f·2 3456",
        "砼车",
        "恒达建材",
        "李 卫",
        "139 5732 3456",
        "2026年12月31日",
        "2号",
        60,
        45017,
        "夜班",
    ],
    [3, "浙ＦＤ４５６７８", "散装罐车", "恒达建材", "暂无", None, None, "3号", None, None, None],
    [2, "浙F23456", "搅拌车", "恒达建材", "李卫", 13957323456, 46387, "2号", 60, 45017, "重复"],
    [None] * 11,
    ["合计", "4辆", *[None] * 9],
    ["制表人：王五", *[None] * 10],
]
PHONES = [["姓名", "电话"], ["张建国", 13857312345]]
HENGDA: Registered = {
    Kind.COMPANIES: {"HD": Company(code="HD", name="恒达建材")},
    Kind.VEHICLES: {"M-7": Vehicle(code="M-7", company="HD", kind=VehicleKind.MIXER, plate="浙F12345")},
    Kind.DRIVERS: {"D-9": Driver(code="D-9", company="HD", name="张建国")},
}


def test_a_ledger_becomes_companies_drivers_and_vehicles() -> None:
    outcome = Outcome(workbook("A1:K1", 车辆台账=LEDGER, 驾驶员联系方式=PHONES), {}, company={"": "HD"})
    assert outcome.problems == []
    assert outcome.counts == "companies 1 create; drivers 2 create; vehicles 3 create"
    assert outcome.record(Kind.COMPANIES, "HD") == Company(code="HD", name="恒达建材")
    assert outcome.record(Kind.DRIVERS, "HD-D001") == Driver(
        code="HD-D001", company="HD", name="张建国", phone="13857312345", qualified_until=date(2026, 12, 31)
    )
    assert outcome.record(Kind.VEHICLES, "ZJ-F23456") == Vehicle(
        code="ZJ-F23456",
        company="HD",
        kind=VehicleKind.MIXER,
        limit_kmh=60,
        driver_on_duty="HD-D002",
        plate="浙F23456",
    )
    assert outcome.record(Kind.VEHICLES, "ZJ-FD45678") == Vehicle(
        code="ZJ-FD45678", company="HD", kind=VehicleKind.BULK_CEMENT, plate="浙FD45678"
    )
    assert outcome.notes == [
        "车辆台账: the header is row 2; above it, left aside: row 1 '恒达建材 车辆及驾驶员台账'",
        "车辆台账: no data, left aside: row 8 '合计', row 9 '制表人：王五'",
        (
            "车辆台账: columns: 车牌号码 = plate, 车辆类型 = kind, 所属公司 = company, 限速 = limit_kmh, "
            "驾驶员姓名 = driver's name, 联系电话 = driver's phone, "
            "从业资格证有效期 = driver's qualified_until"
        ),
        "车辆台账: 自编号 has no codes (A-Z a-z 0-9 _ -): left aside",
        "车辆台账: not kept, left aside: 入网日期",
        (
            "车辆台账: drivers are known by company and name; a new one gets the next number "
            "of the company (HD-D001)"
        ),
        (
            "车辆台账: vehicles are known by their plates; a new one gets a code made of it "
            "(ZJ-F12345 of 浙F12345)"
        ),
        "驾驶员联系方式: columns: 姓名 = name, 电话 = phone",
        (
            "驾驶员联系方式: drivers are known by company and name; a new one gets the next number "
            "of the company (HD-D001)"
        ),
        "车辆台账 row 6 says the same as row 4 (HD-D002): left out",
        "车辆台账 row 6 says the same as row 4 (ZJ-F23456): left out",
        "驾驶员联系方式 row 2 says the same as 车辆台账 row 3 (HD-D001): left out",
    ]


def test_what_is_said_is_said_in_chinese_too() -> None:
    outcome = Outcome(workbook("A1:K1", 车辆台账=LEDGER), {})
    assert outcome.problem_words[-1].zh == (
        "车辆台账 第 3 行 所属公司 '恒达建材'：不是代码，平台和本文件中也没有叫此名的企业；请写代码，"
        "或用 `--company 恒达建材=代码` 指定（没有则新建该企业）（另 3 行）"
    )
    assert outcome.note_words[0].zh == "车辆台账: 表头在第 2 行；其上不读：第 1 行“恒达建材 车辆及驾驶员台账”"


def test_who_is_registered_keeps_the_code() -> None:
    outcome = Outcome(workbook(车辆=LEDGER[1:4]), HENGDA)
    assert outcome.problems == []
    assert outcome.counts == "drivers 1 create, 1 update; vehicles 1 create, 1 update"
    assert outcome.record(Kind.VEHICLES, "M-7").driver_on_duty == "D-9"
    assert outcome.record(Kind.DRIVERS, "HD-D001").name == "李卫"


#: Rows of (plate, kind, company, driver, telephone), and what is told of them.
ROWS: list[tuple[list[list[Any]], str, list[str]]] = [
    # two take turns: who drives is not known
    (
        [["浙F12346", "搅拌车", "HD", "甲", "1"], ["浙F12346", "搅拌车", "HD", "乙", "2"]],
        "drivers 2 create; vehicles 1 create",
        [],
    ),
    # one drives two trucks
    (
        [["浙F12346", "搅拌车", "HD", "甲", "1"], ["浙F12347", "搅拌车", "HD", "甲", None]],
        "drivers 1 create; vehicles 2 create",
        [],
    ),
    # two people of one name
    (
        [["浙F12346", "搅拌车", "HD", "甲", "1"], ["浙F12347", "搅拌车", "HD", "甲", "2"]],
        "drivers 1 error; vehicles 2 create",
        ["车辆 row 3 code 'HD-D001': is in row 2 too, with another phone; keep one"],
    ),
    # the same plate with another kind
    (
        [["浙F12346", "搅拌车", "HD", None, None], ["浙F12346", "泵车", "HD", None, None]],
        "vehicles 1 error",
        ["车辆 row 3 code 'ZJ-F12346': is in row 2 too, with another kind; keep one"],
    ),
    (
        [["浙F12346", "搅拌车", "HD", None, "138"]],
        "vehicles 1 create",
        ["车辆 row 2 驾驶员: is missing, but the row says something of a driver"],
    ),
    (
        [["浙F12346", "搅拌车", "HD", "张三、李四", None]],
        "vehicles 1 create",
        ["车辆 row 2 驾驶员: names two people; give each a row"],
    ),
    # the code of a driver, known or not
    ([["浙F12346", "搅拌车", "HD", "D-9", None]], "vehicles 1 create", []),
    (
        [["浙F12346", "搅拌车", "HD", "D-8", None]],
        "vehicles 1 create",
        [
            (
                "车辆 row 2 驾驶员: looks like a code, and no driver of the registry or this file has it; "
                "import the driver first, or write the name"
            )
        ],
    ),
    (
        [["浙F1234", "搅拌车", "HD", None, None]],
        "",
        [
            (
                "车辆 row 2 车牌: has 6 characters; a plate is like 浙F12345 (7 characters) or 浙FD12345, "
                "浙F12345D (8, new energy)"
            )
        ],
    ),
    (
        [["浙F12346", "重型特殊结构货车", "HD", None, None]],
        "vehicles 1 error",
        [
            (
                "车辆 row 2 kind: is missing: mixer, bulk_cement, mortar, silo_carrier, pump or other; or "
                "say `--vehicle-kind KIND` for all that lack it"
            )
        ],
    ),
]


@pytest.mark.parametrize(("rows", "counts", "problems"), ROWS)
def test_rows_of_vehicles_with_drivers(rows: list[list[Any]], counts: str, problems: list[str]) -> None:
    header = ["车牌", "车型", "企业", "驾驶员", "电话"]
    outcome = Outcome(workbook(车辆=[header, *rows]), HENGDA)
    assert outcome.problems == problems
    assert outcome.counts == counts


def test_two_drivers_of_one_vehicle_are_told() -> None:
    header = ["车牌", "车型", "企业", "驾驶员"]
    rows = [["浙F12346", "搅拌车", "HD", "甲"], ["浙F12346", "搅拌车", "HD", "乙"]]
    outcome = Outcome(workbook(车辆=[header, *rows]), HENGDA)
    assert outcome.record(Kind.VEHICLES, "ZJ-F12346").driver_on_duty is None
    assert outcome.notes[-1] == "车辆 row 3 and row 2 name two drivers of ZJ-F12346: nobody is put on duty"


def test_options_fill_in_what_new_vehicles_lack() -> None:
    text = "车牌号,驾驶员\n浙F12345,张建国\n浙F12399,甲\n".encode()
    outcome = Outcome(text, HENGDA, company={"": "LY"}, vehicle_kind=VehicleKind.PUMP)
    assert outcome.problems == []
    new = outcome.record(Kind.VEHICLES, "ZJ-F12399")
    assert (new.company, new.kind, new.driver_on_duty) == ("LY", VehicleKind.PUMP, "LY-D001")
    known = outcome.record(Kind.VEHICLES, "M-7")
    assert (known.company, known.kind, known.driver_on_duty) == ("HD", VehicleKind.MIXER, "D-9")


def test_each_company_without_a_code_is_asked_for() -> None:
    text = "车牌号,车型,企业\n浙F12346,泵车,甲公司\n浙F12347,泵车,乙公司\n".encode()
    outcome = Outcome(text, {}, company={"": "LY"})
    assert outcome.problems == [
        (
            "vehicles row 3 企业 '乙公司': `--company CODE` is for one company, and another is unknown "
            "already; say `--company 乙公司=CODE`"
        )
    ]
    outcome = Outcome(text, {}, company={"甲公司": "JIA", "乙公司": "YI"})
    assert (outcome.problems, outcome.counts) == ([], "companies 2 create; vehicles 2 create")


def test_a_plate_or_a_name_stands_for_a_code() -> None:
    devices = Outcome("终端号,车牌号,SIM卡号\nT1,浙F12345,460\n".encode(), HENGDA)
    assert devices.record(Kind.DEVICES, "T1").vehicle == "M-7"
    assert devices.notes == ["not kept, left aside: SIM卡号"]
    unknown = Outcome("终端号,车牌号\nT1,浙F99999\n".encode(), HENGDA)
    assert unknown.problems == [
        "devices row 2 车牌号: no vehicle of the registry or this file has this plate; import it first"
    ]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (["A,浙F12346", "B,浙F12346"], "vehicles row 3 plate: is the plate of row 2 too; mend one"),
        (["A,浙F12345"], "vehicles row 2 plate: is the plate of vehicle M-7 of the registry too; mend one"),
    ],
)
def test_a_plate_is_on_one_vehicle(rows: list[str], problem: str) -> None:
    text = "\n".join(["code,plate,company,kind", *(f"{row},HD,pump" for row in rows)])
    (told,) = Outcome(text.encode(), HENGDA).problems
    assert told.startswith(problem)


def test_a_plate_moves_to_another_vehicle_when_the_old_one_gives_it_up() -> None:
    text = "code,plate,company,kind\nM-7,-,HD,pump\nM-8,浙F12345,HD,pump\n"
    assert Outcome(text.encode(), HENGDA).problems == []


#: Rows of cells, the number of the header's row, its columns, and the numbers of the data rows.
HEADERS: list[tuple[str, str, list[str], list[int]]] = [
    ("code,name\nA,a", "", ["code", "name"], [2]),
    ("2026年企业名单,\ncode,name\nA,a", "row 1 '2026年企业名单'", ["code", "name"], [3]),
    ("甲公司,\n填表日期,2026\ncode,name\nA,a", "row 1 '甲公司', row 2 '填表日期'", ["code", "name"], [4]),
    ("企业代码,企业,,区县\n,名称,,\nA,a,,b", "", ["企业代码", "名称", "区县"], [3]),
    ("code,name\nA,a\ncode,name\nB,b", "", ["code", "name"], [2, 4]),
    ("*企业代码,企业 名称(必填)\nA,a", "", ["*企业代码", "企业 名称(必填)"], [2]),
    ("code,name\n例：A,a\nB,b\n合计：1,", "", ["code", "name"], [3]),
]


@pytest.mark.parametrize(("text", "above", "headers", "rows"), HEADERS)
def test_the_header_is_found(text: str, above: str, headers: list[str], rows: list[int]) -> None:
    from fleet.registry_import.reading import read_registry  # noqa: PLC0415

    (table,) = read_registry(text.encode()).tables
    assert list(table.headers) == headers
    assert [row.number for row in table.rows] == rows
    assert above in "".join(str(note) for note in table.notes)


def test_a_chassis_number_is_not_a_plate() -> None:
    """车架号 and 车牌号 differ in one character; nobody is asked whether one is the other."""
    outcome = Outcome("车辆代码,企业,车型,车架号\nM-1,JX-01,泵车,LZZ1\n".encode())
    assert (outcome.problems, outcome.notes) == ([], ["not kept, left aside: 车架号"])
    assert Outcome("车辆代码,企业,车型,车价\nM-1,JX-01,泵车,1\n".encode()).problems == [
        (
            "vehicles column '车价': not a column of vehicles; vehicles have code, company, kind, limit_kmh, "
            "driver_on_duty, plate, or leave aside what is not known with `--ignore-unknown`"
        )
    ]
