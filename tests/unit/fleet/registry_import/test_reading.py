"""The bytes of files as people make them, to tables."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from fleet.registry_import.column import Kind
from fleet.registry_import.problem import ImportRefusedError
from fleet.registry_import.reading import read_registry
from fleet.registry_import.table import Row

CHINESE = "车辆代码,企业代码,车辆类型,限速(km/h)\nM-1,JX-1,搅拌车,60\n"


def workbook(**sheets: list[list]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def one(data: bytes, **options: Any) -> tuple[tuple[str, ...], list[tuple[int, dict[str, Any]]]]:
    """Return headers and rows of the only table."""
    (table,) = read_registry(data, **options).tables
    assert table.problems == ()
    return table.headers, [(row.number, dict(row.cells)) for row in table.rows]


@pytest.mark.parametrize(
    "data", [CHINESE.encode(), CHINESE.encode("utf-8-sig"), CHINESE.replace("\n", "\r\n").encode()]
)
def test_csv_with_and_without_byte_order_mark(data: bytes) -> None:
    assert one(data) == (
        ("车辆代码", "企业代码", "车辆类型", "限速(km/h)"),
        [(2, {"车辆代码": "M-1", "企业代码": "JX-1", "车辆类型": "搅拌车", "限速(km/h)": "60"})],
    )


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_the_encoding_is_found_or_named(encoding: str) -> None:
    data = CHINESE.encode(encoding)
    assert one(data) == one(CHINESE.encode()) == one(data, encoding=encoding)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_separates_cells_shows_in_the_header(separator: str) -> None:
    text = 'code;name\nJX-1;"一建; 二建"\n'.replace(";", separator)
    assert one(text.encode()) == (("code", "name"), [(2, {"code": "JX-1", "name": f"一建{separator} 二建"})])


def test_rows_are_numbered_as_a_spreadsheet_does_and_blank_ones_left_out() -> None:
    assert one(b"\n,,\ncode,name,\nA,a,\n,,\nB,b\nC\n") == (
        ("code", "name"),
        [(4, {"code": "A", "name": "a"}), (6, {"code": "B", "name": "b"}), (7, {"code": "C"})],
    )


@pytest.mark.parametrize(
    ("text", "row", "message"),
    [
        ("code,name\nA,一建,二建\n", 2, "under no header"),
        ("code,,name\nA,x,y\n", 2, "under no header"),
        ("code,name,code\nA,x,B\n", 1, "two columns have this name"),
    ],
)
def test_a_row_that_does_not_fit_its_header_is_named(text: str, row: int, message: str) -> None:
    (table,) = read_registry(text.encode()).tables
    assert [(problem.row, message in str(problem)) for problem in table.problems] == [(row, True)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"code,name\nA,Caf\xe9\n", "row 2: is neither UTF-8 nor UTF-16 nor GB18030 text; name its encoding"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "old Excel workbook (.xls); save it as .xlsx"),
        (b"PK\x03\x04 not a workbook", "the workbook is damaged"),
        (b'code,name\nA,"open\n', "not CSV"),
        (b"{", "not JSON"),
        (b'{"vehicles": NaN}', "not JSON"),
        pytest.param(b"[" * 100_000, "nests too deeply", id="100,000 brackets"),
        (b'{"vehicles": {}}', "vehicles: must be a list of objects"),
        (
            b'{"vehicle": [], "vehicels": []}',
            "no kind of table is called 'vehicels'; did you mean `vehicles`?",
        ),
        (b'{"type": "FeatureCollection"}', "has a list `features`"),
        pytest.param(b" " * ((32 << 20) + 1), "larger than 32 MiB", id="32 MiB and a byte"),
    ],
)
def test_a_file_that_cannot_be_read_says_the_remedy(data: bytes, message: str) -> None:
    with pytest.raises(ImportRefusedError) as refused:
        read_registry(data)
    assert message in str(refused.value)
    assert str(refused.value).endswith("Nothing was imported.")


def test_sheets_are_for_workbooks() -> None:
    with pytest.raises(ImportRefusedError, match="--sheet is for workbooks"):
        read_registry(b"code,name\n", sheet="企业")


def test_a_workbook_has_a_sheet_a_kind() -> None:
    data = workbook(
        企业=[["企业代码", "企业名称"], [1001, "一建"]],
        Vehicles=[[], ["code", "company"], ["M-1", 1001.0]],
        说明=[["Write one vehicle a row."]],
    )
    contents = read_registry(data)
    assert [(table.name, table.kind, table.rows) for table in contents.tables] == [
        ("企业", Kind.COMPANIES, (Row(2, {"企业代码": 1001, "企业名称": "一建"}),)),
        ("Vehicles", Kind.VEHICLES, (Row(3, {"code": "M-1", "company": 1001}),)),
    ]
    assert [str(note) for note in contents.notes] == [
        "sheet '说明' was left aside: its columns are not of the registry"
    ]


def test_a_single_sheet_may_be_called_anything() -> None:
    (table,) = read_registry(workbook(Sheet1=[["code"], ["A"]])).tables
    assert (table.name, table.kind) == ("Sheet1", None)


def test_one_sheet_can_be_asked_for() -> None:
    data = workbook(一月=[["code"], ["A"]], 二月=[["code"], ["B"]])
    assert one(data, sheet="二月") == (("code",), [(2, {"code": "B"})])
    with pytest.raises(ImportRefusedError, match="no sheet is called '三月'; the sheets are 一月, 二月"):
        read_registry(data, sheet="三月")
    with pytest.raises(ImportRefusedError, match="and none is called after a kind"):
        read_registry(data)


def test_cells_of_a_workbook_keep_their_types() -> None:
    """A date without time of day is a day; the end of a pass on that day includes it."""
    data = workbook(
        drivers=[
            ["qualified_until", "starts"],
            [date(2026, 1, 31), datetime.fromisoformat("2026-01-31T08:00")],
        ]
    )
    _, [(_, cells)] = one(data)
    assert cells == {
        "qualified_until": date(2026, 1, 31),
        "starts": datetime.fromisoformat("2026-01-31T08:00"),
    }
    assert type(cells["qualified_until"]) is date


def test_json_has_a_list_a_kind() -> None:
    document = {"companies": [{"code": "JX-1"}], "车辆": [{"code": "M-1", "kind": "mixer"}, {"code": "M-2"}]}
    companies, vehicles = read_registry(json.dumps(document).encode()).tables
    assert (companies.kind, vehicles.kind) == (Kind.COMPANIES, Kind.VEHICLES)
    assert vehicles.headers == ("code", "kind")
    assert vehicles.rows == (Row(1, {"code": "M-1", "kind": "mixer"}), Row(2, {"code": "M-2"}))


def test_a_json_element_that_is_no_object_is_named() -> None:
    (table,) = read_registry(b'{"vehicles": [{"code": "M-1"}, 7]}').tables
    assert [str(problem) for problem in table.problems] == ["vehicles row 2: must be an object"]


def test_features_are_fences() -> None:
    document = {
        "type": "FeatureCollection",
        "datum": "gcj02",
        "features": [
            {"type": "Feature", "properties": {"code": "F-1"}, "geometry": {"type": "Polygon"}},
            {"type": "Feature", "properties": {"code": "F-2", "datum": "wgs84"}, "geometry": None},
            {"type": "Feature", "properties": None},
        ],
    }
    for data in (json.dumps(document), json.dumps({"fences": document})):
        (table,) = read_registry(data.encode()).tables
        assert table.kind is Kind.FENCES
        assert [dict(row.cells) for row in table.rows] == [
            {"code": "F-1", "datum": "gcj02", "geometry": {"type": "Polygon"}},
            {"code": "F-2", "datum": "wgs84", "geometry": None},
            {"datum": "gcj02", "geometry": None},
        ]
