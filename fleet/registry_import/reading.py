"""The bytes of a registry file to tables: CSV, JSON, GeoJSON here; XLSX in `workbook`."""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import Any

import msgspec

from fleet.registry_import.layout import Kind, find_kind, nearest
from fleet.registry_import.problem import Problem, refuse
from fleet.registry_import.table import Contents, Row, Table, make_table
from fleet.registry_import.workbook import read_workbook

LARGEST_BYTES = 64 << 20
ENCODINGS = ("utf-8", "gb18030")

_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CHINESE = re.compile("[\u4e00-\u9fff，。（）]")


def read_registry(data: bytes, *, encoding: str = "utf-8", sheet: str | None = None) -> Contents:
    """Return the tables of a file; what it is shows from its first bytes, not from its name.

    Parameters
    ----------
    data
        The whole file.
    encoding
        Of text: one of `ENCODINGS`.
    sheet
        The one sheet of a workbook to read; None: all whose names are known.

    Raises
    ------
    ImportRefusedError
        If the file as a whole cannot be read.
    """
    if len(data) > LARGEST_BYTES:
        raise refuse(f"the file is larger than {LARGEST_BYTES >> 20} MiB; split it")
    if data.startswith(_OLD_EXCEL):
        raise refuse("this is an old Excel workbook (.xls); save it as .xlsx")
    if data.startswith(_ZIP):
        return read_workbook(data, sheet)
    if sheet is not None:
        raise refuse("--sheet is for workbooks (.xlsx); this file has no sheets")
    text = _decode(data, encoding)
    return _read_json(text) if text.lstrip()[:1] in {"{", "["} else Contents((_read_csv(text),))


def _decode(data: bytes, encoding: str) -> str:
    if data.startswith(_UTF16):
        raise refuse("this is UTF-16 text; save it as `CSV UTF-8` and import that")
    try:
        return data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        fault = f"byte {error.start + 1} is not {encoding.upper()}"
    if encoding == "utf-8" and _is_chinese(data):
        raise refuse(
            "this is GBK (GB18030) text, not UTF-8; say `--encoding gb18030`, or save it as `CSV UTF-8`"
        )
    raise refuse(f"{fault}; save the file as `CSV UTF-8` and import that")


def _is_chinese(data: bytes) -> bool:
    """Say whether bytes that are not UTF-8 read well as GB 18030: most of what is not ASCII is Chinese."""
    beyond = [character for character in data.decode("gb18030", "replace") if not character.isascii()]
    return len(_CHINESE.findall("".join(beyond))) > len(beyond) / 2


def _read_csv(text: str) -> Table:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    records: list[list[str]] = []
    try:
        records.extend(lines)
    except csv.Error as error:
        raise refuse(f"not CSV: {error}", row=len(records) + 1) from None
    return make_table("", None, enumerate(records, 1))


def _delimiter(text: str) -> str:
    """Return what separates the headers: a comma, a semicolon or a tab."""
    header = text.lstrip("\r\n").partition("\n")[0]
    return max(",;\t", key=header.count)


def _read_json(text: str) -> Contents:
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError) as error:
        raise refuse(f"not JSON: {error}") from None
    except RecursionError:
        raise refuse("not a registry: the JSON nests too deeply") from None
    if isinstance(document, list):
        return Contents((_objects("", None, document),))
    if document.get("type") == "FeatureCollection":
        return Contents((_features(document),))
    members = [_member(name, value) for name, value in document.items()]
    # A list without elements has no columns that could be missing: it says nothing.
    return Contents(tuple(table for table in members if table.rows or table.problems))


def _member(name: str, value: Any) -> Table:
    """Return the table of one member of a JSON registry."""
    kind = find_kind(name)
    if kind is None:
        raise refuse(
            f"no kind of table is called {name!r}{nearest(name, Kind)}; the kinds are {', '.join(Kind)}"
        )
    if kind is Kind.FENCES and isinstance(value, dict) and value.get("type") == "FeatureCollection":
        return _features(value)
    if not isinstance(value, list):
        raise refuse("must be a list of objects", table=kind)
    return _objects(kind, kind, value)


def _objects(name: str, kind: Kind | None, elements: list[Any]) -> Table:
    """Return the table of a list of JSON objects; a row's number is that of its element, from 1."""
    problems = [
        Problem(name, number, "", None, "must be an object")
        for number, element in enumerate(elements, 1)
        if not isinstance(element, dict)
    ]
    rows = [Row(number, element) for number, element in enumerate(elements, 1) if isinstance(element, dict)]
    headers = dict.fromkeys(header for row in rows for header in row.cells)
    return Table(name, kind, tuple(headers), tuple(rows), tuple(problems))


def _features(collection: dict[str, Any]) -> Table:
    """Return the table of fences of a GeoJSON FeatureCollection; its `datum` is that of every feature."""
    features = collection.get("features")
    if not isinstance(features, list):
        raise refuse("a FeatureCollection has a list `features`", table=Kind.FENCES)
    shared = {"datum": collection["datum"]} if "datum" in collection else {}
    return _objects(Kind.FENCES, Kind.FENCES, [_feature_cells(feature, shared) for feature in features])


def _feature_cells(feature: Any, shared: dict[str, Any]) -> Any:
    if not (isinstance(feature, dict) and isinstance(feature.get("properties") or {}, dict)):
        return feature
    return {**shared, **(feature.get("properties") or {}), "geometry": feature.get("geometry")}
