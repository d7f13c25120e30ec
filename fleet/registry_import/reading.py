"""The bytes of a registry file to tables: CSV and JSON here; GeoJSON and XLSX beside."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import msgspec

from fleet import textfile
from fleet.language import Words
from fleet.printable import quoted
from fleet.registry_import.column import Kind, nearest
from fleet.registry_import.geojson import is_geojson, read_geojson
from fleet.registry_import.headers import make_table
from fleet.registry_import.layout import LAYOUTS, find_kind, is_known_header
from fleet.registry_import.problem import refuse, shown
from fleet.registry_import.recognising import is_likely
from fleet.registry_import.table import Contents, Table, Vocabulary, make_objects
from fleet.registry_import.workbook import read_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    ReadText = Callable[[str], tuple[Table, ...]]

#: No registry of a city is larger, and what is read of one takes many times as much memory.
LARGEST_BYTES = 32 << 20

_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read_registry(data: bytes, *, encoding: str | None = None, sheet: str | None = None) -> Contents:
    """Return the tables of a file; what it is shows from its first bytes, not from its name.

    Parameters
    ----------
    data
        The whole file.
    encoding
        Of text: one of `textfile.ENCODINGS`; None: it is found.
    sheet
        The one sheet of a workbook to read; None: all that are tables of the registry.

    Raises
    ------
    ImportRefusedError
        If the file cannot be read at all.
    """
    return _read(data, encoding, sheet, REGISTRY, _read_registry_text)


def read_tables(
    data: bytes, vocabulary: Vocabulary, *, encoding: str | None = None, sheet: str | None = None
) -> Contents:
    """Return the tables of a CSV file or workbook that is read by other words than those of the registry."""
    return _read(data, encoding, sheet, vocabulary, lambda text: _read_csv(text, vocabulary))


def _read(
    data: bytes, encoding: str | None, sheet: str | None, vocabulary: Vocabulary, read_text: ReadText
) -> Contents:
    if len(data) > LARGEST_BYTES:
        raise refuse(_TOO_LARGE.fill(most=LARGEST_BYTES >> 20))
    if data.startswith(_OLD_EXCEL):
        raise refuse(_OLD_WORKBOOK)
    if data.startswith(_ZIP):
        return read_workbook(data, sheet, vocabulary)
    if sheet is not None:
        raise refuse(_NO_SHEETS)
    try:
        text = textfile.decode(data, encoding)
    except textfile.TextError as error:
        raise refuse(error.words, row=error.line) from None
    notes = (_GUESSED.fill(codec=text.codec.upper()),) if text.guessed else ()
    return Contents(read_text(text.text), notes)


_KINDS = Words(", ".join(Kind), "、".join(LAYOUTS[kind].label.zh for kind in Kind))
REGISTRY = Vocabulary(
    is_header=is_known_header,
    is_ours=is_likely,
    find_kind=find_kind,
    not_ours=Words("its columns are not of the registry", "没有认识的列"),
    none_ours=Words(
        f"no sheet has columns of the registry, and none is called after a kind ({_KINDS.en}); the sheets "
        "are {sheets}; `kerbsafe registry template FILE.xlsx` writes a workbook to fill in",
        f"没有工作表含有认识的列，也没有以 {_KINDS.zh} 命名的；现有 {{sheets}}；"
        "可用 `kerbsafe registry template 文件.xlsx` 生成模板",
    ),
)

_TOO_LARGE = Words("the file is larger than {most} MiB; split it", "文件超过 {most} MiB；请拆分")
_OLD_WORKBOOK = Words(
    "this is an old Excel workbook (.xls); save it as .xlsx", "这是旧版 Excel 文件（.xls）；请另存为 .xlsx"
)
_NO_SHEETS = Words(
    "--sheet is for workbooks (.xlsx); this file has no sheets", "--sheet 用于 .xlsx 文件；此文件没有工作表"
)
_GUESSED = Words(
    "read as {codec}; if names look wrong, say `--encoding`",
    "按 {codec} 编码读取；若有乱码请用 `--encoding` 指定",
)


def _read_registry_text(text: str) -> tuple[Table, ...]:
    return _read_json(text) if text.lstrip()[:1] in {"{", "["} else _read_csv(text, REGISTRY)


def _read_csv(text: str, vocabulary: Vocabulary) -> tuple[Table, ...]:
    return (make_table("", None, _records(text), vocabulary.is_header),)


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    number = 0
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        for number, cells in enumerate(lines, 1):
            yield number, cells
    except csv.Error as error:
        raise refuse(_NO_CSV.fill(why=str(error)), row=number + 1) from None


_NO_CSV = Words("not CSV: {why}", "不是 CSV：{why}")


def _delimiter(text: str) -> str:
    """Return what separates cells: a comma, a semicolon or a tab, by the first lines that have one."""
    for line in text[:_BEGINNING].splitlines()[:_FIRST_LINES]:
        if any(separator in line for separator in ",;\t"):
            return max(",;\t", key=line.count)
    return ","


_BEGINNING, _FIRST_LINES = 1 << 16, 20


def _read_json(text: str) -> tuple[Table, ...]:
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError) as error:
        raise refuse(_NO_JSON.fill(why=str(error))) from None
    except RecursionError:
        raise refuse(_TOO_DEEP) from None
    if isinstance(document, list):
        return (make_objects("", None, document),)
    if is_geojson(document):
        return (read_geojson(document),)
    members = [_member(name, value) for name, value in document.items()]
    # A list without elements has no columns that could be missing: it says nothing.
    return tuple(table for table in members if table.rows or table.problems)


_NO_JSON = Words("not JSON: {why}", "不是 JSON：{why}")
_TOO_DEEP = Words("not a registry: the JSON nests too deeply", "不是档案文件：JSON 嵌套过深")


def _member(name: str, value: Any) -> Table:
    """Return the table of one member of a JSON registry."""
    kind = find_kind(name)
    if kind is None:
        raise refuse(_NO_KIND.fill(name=quoted(shown(name)), nearest=nearest(name, Kind), kinds=_KINDS))
    if kind is Kind.FENCES and isinstance(value, dict) and is_geojson(value):
        return read_geojson(value)
    if not isinstance(value, list):
        raise refuse(Words("must be a list of objects", "应为对象的列表"), table=kind)
    return make_objects(kind, kind, value)


_NO_KIND = Words(
    "no kind of table is called {name}{nearest}; the kinds are {kinds}",
    "没有名为 {name} 的表{nearest}；可用的有 {kinds}",
)
