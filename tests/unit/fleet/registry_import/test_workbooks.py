"""Workbooks beyond a clean table: merged cells, formulas, sheets beside, and what would choke a reader."""

from __future__ import annotations

import io
import time
import zipfile

import openpyxl
import pytest

from fleet.entities import Company, Driver, Vehicle
from fleet.kinds import VehicleKind
from fleet.registry_import.column import Kind
from fleet.registry_import.problem import ImportRefusedError
from fleet.registry_import.reading import read_registry
from fleet.registry_import.template import make_template
from tests.unit.fleet.registry_import.files import Outcome, workbook

VEHICLES = [["车辆代码", "所属企业", "车辆类型"], ["M-1", "JX-01", "泵车"]]
CELL = b'<c r="A1" t="inlineStr"><is><t>code</t></is></c>'


def packed(sheet: bytes = b"", **parts: bytes) -> bytes:
    """Return a workbook of which the rows, or whole parts, are replaced."""
    source = zipfile.ZipFile(io.BytesIO(workbook(车辆=VEHICLES)))
    head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            is_sheet = sheet and name.startswith("xl/worksheets/")
            data = head + sheet + b"</sheetData></worksheet>" if is_sheet else source.read(name)
            target.writestr(name, parts.get(name.rpartition("/")[2].partition(".")[0], data))
        if "sharedStrings" in parts:
            target.writestr("xl/sharedStrings.xml", parts["sharedStrings"])
    return out.getvalue()


def test_a_merged_cell_counts_for_each_of_its_rows() -> None:
    rows = [*VEHICLES, ["M-2", None, "泵车"], ["M-3", None, "泵车"], ["M-4", None, "泵车"]]
    outcome = Outcome(workbook("B2:B4", 车辆=rows))
    assert outcome.counts == "vehicles 3 create, 1 error"
    assert outcome.problems == [
        "车辆 row 5 company: is missing: code of the company that runs it; or say `--company CODE`"
    ]


def test_a_header_of_two_merged_rows() -> None:
    rows = [
        ["车辆代码", "所属企业", "驾驶员", None],
        [None, None, "姓名", "电话"],
        ["M-1", "JX-01", "甲", "1"],
    ]
    book = openpyxl.load_workbook(io.BytesIO(workbook(车辆=rows)))
    for cells in ("A1:A2", "B1:B2", "C1:D1"):
        book.active.merge_cells(cells)
    out = io.BytesIO()
    book.save(out)
    (table,) = read_registry(out.getvalue()).tables
    assert table.headers == ("车辆代码", "所属企业", "姓名", "电话")
    assert [row.number for row in table.rows] == [3]


def test_a_formula_without_a_value_is_named() -> None:
    outcome = Outcome(workbook(车辆=[VEHICLES[0], ['="M-"&1', "JX-01", "泵车"]]))
    assert outcome.problems == [
        (
            "车辆 row 2 车辆代码 '#FORMULA?': is a formula that was never calculated; open the file in Excel "
            "and save it"
        )
    ]


def test_sheets_beside_the_tables_are_left_aside_and_named() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(车辆信息表=VEHICLES, Sheet2=[], 说明=[["填写说明"]])))
    book.create_sheet("旧车辆").append(["车辆代码"])
    book["旧车辆"].sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    outcome = Outcome(out.getvalue())
    assert outcome.counts == "vehicles 1 create"
    assert outcome.notes == [
        "sheet 'Sheet2' was left aside: it is empty",
        "sheet '说明' was left aside: its columns are not of the registry",
        "sheet '旧车辆' was left aside: it is hidden; say `--sheet` to read it",
    ]


def test_a_sheet_that_could_be_two_kinds_is_refused_by_name() -> None:
    outcome = Outcome(workbook(车辆=VEHICLES, 名单=[["code", "company"], ["A", "JX-01"]]))
    assert outcome.problems == [
        (
            "名单: these columns could be drivers or vehicles; say which with `--as "
            "companies|drivers|vehicles|fences|passes|devices`"
        )
    ]


def test_days_from_1904_are_refused() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(车辆=VEHICLES)))
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    out = io.BytesIO()
    book.save(out)
    assert "counts days from 1904" in Outcome(out.getvalue()).problems[0]


FULL = "the workbook has more cells, texts or formats than a registry"
CHOKING: list[tuple[str, bytes, str]] = [
    (
        "90 MB of cells",
        packed(b'<row r="1">' + b"<c><v>1</v></c>" * 6_000_000 + b"</row>"),
        "more than 64 MiB",
    ),
    ("a million cells", packed(b'<row r="1">' + b"<c><v>1</v></c>" * 1_000_000 + b"</row>"), FULL),
    ("a million texts", packed(sharedStrings=b"<sst>" + b"<si><t>x</t></si>" * 1_000_000 + b"</sst>"), FULL),
    ("50,000 styles", packed(styles=b"<styleSheet>" + b"<xf/>" * 50_000 + b"</styleSheet>"), FULL),
    ("50,000 merged cells", packed(CELL + b'<mergeCell ref="A1:B2"/>' * 50_000), FULL),
    (
        "16,384 columns",
        packed(b'<row r="1"><c r="XFD1"><v>1</v></c></row>'),
        "has 16384 columns, more than 400",
    ),
    (
        "a million empty rows",
        packed(b'<row r="1">' + CELL + b'</row><row r="1048576"><c r="A1048576"><v>1</v></c></row>'),
        "stands below 50000 empty rows",
    ),
    ("4,000,000 columns", b"code" + b",x" * 4_000_000, "row 1: has 4000001 columns, more than 400"),
    ("9,000,000 commas", b"code,name\n" + b"," * 9_000_000, "is longer than 50000 rows or 300000 cells"),
    ("100,000 rows", b"code,name\n" + b"A,a\n" * 100_000, "row 50001: is longer than 50000 rows"),
    (
        "30,000 members",
        b'{"vehicles": [{' + b",".join(b'"k%d": 1' % n for n in range(30_000)) + b"}]}",
        "has 30000 columns, more than 5000",
    ),
    ("a number of 400,000 digits", b'{"vehicles": [{"code": ' + b"9" * 400_000 + b"}]}", "not JSON"),
]


@pytest.mark.parametrize(("data", "message"), [row[1:] for row in CHOKING], ids=[row[0] for row in CHOKING])
def test_what_would_choke_the_reader_is_refused_at_once(data: bytes, message: str) -> None:
    before_s = time.process_time()
    with pytest.raises(ImportRefusedError) as refused:
        read_registry(data)
    assert message in str(refused.value)
    assert time.process_time() - before_s < 5


def test_unknown_columns_and_faults_without_end_are_told_in_short() -> None:
    columns = ",".join(f"列{n}" for n in range(300))
    (problem,) = Outcome(f"code,company,kind,{columns}\n".encode()).problems
    assert problem.startswith("vehicles column '列0, 列1, 列2,")
    assert " … 300'" in problem
    faults = Outcome(b"code,company,kind\n" + b"M/1,JX-01,pump\n" * 5_000).problems
    assert len(faults) == 1_001
    assert faults[-1] == "vehicles row 1001: is where reading ended, after so many problems"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_unfilled_template_says_nothing(language: str) -> None:
    outcome = Outcome(make_template(language), {})
    assert (outcome.problems, outcome.counts) == ([], "")
    assert len(outcome.notes) == 5


def test_a_template_that_is_filled_in_is_imported() -> None:
    book = openpyxl.load_workbook(io.BytesIO(make_template("zh")))
    assert book.sheetnames == ["企业", "车辆", "驾驶员", "终端", "通行证"]
    assert [cell.value for cell in book["车辆"][1]] == [
        *("车辆代码*", "所属企业*", "车辆类型*", "限速", "当班驾驶员", "车牌号")
    ]
    assert book["车辆"]["A1"].comment.text.startswith("车辆代码，全平台唯一，不是车牌号。必填。")
    kinds = {rule.formula1 for rule in book["车辆"].data_validations.dataValidation}
    assert kinds == {
        '"搅拌车,散装水泥车,砂浆车,背罐车,泵车,其他"',
        "=企业!$A$3:$A$1000",
        "=驾驶员!$A$3:$A$1000",
    }
    book["企业"].append(["HD-01", "恒达建材"])
    for place, value in enumerate(["M-1", "HD-01", "搅拌车", 60, "D-1", "浙F12345"], 1):
        book["车辆"].cell(3, place).value = value
    for place, value in enumerate(["D-1", "HD-01", "张三", "13800000000", "2027年5月31日"], 1):
        book["驾驶员"].cell(3, place).value = value
    out = io.BytesIO()
    book.save(out)
    outcome = Outcome(out.getvalue(), {})
    assert (outcome.problems, outcome.counts) == (
        [],
        "companies 1 create; drivers 1 create; vehicles 1 create",
    )
    assert outcome.record(Kind.COMPANIES, "HD-01") == Company(code="HD-01", name="恒达建材")
    assert outcome.record(Kind.DRIVERS, "D-1").phone == "13800000000"
    assert isinstance(outcome.record(Kind.DRIVERS, "D-1"), Driver)
    assert outcome.record(Kind.VEHICLES, "M-1") == Vehicle(
        code="M-1",
        company="HD-01",
        kind=VehicleKind.MIXER,
        limit_kmh=60,
        driver_on_duty="D-1",
        plate="浙F12345",
    )
