"""A table of what people declare, to figures of months: production, and vehicles filed. Pure.

A row is one figure: whose, which month, what, how much, and where it comes from. A row that cannot be read is
left out and named; the others count.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from analytics.facts.measures import Measure
from analytics.facts.restating import DECLARABLE, Said
from fleet.language import Words
from fleet.registry_import.column import Column, Need, nearest, normalise
from fleet.registry_import.problem import CellError, Problem, shown
from fleet.registry_import.table import Vocabulary, is_blank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fleet.registry_import.table import Contents, Row, Table

CITY = "city"
_CITY_NAMES = {"city", "全市", "市", "本市"}
_SCOPES = {
    "county": ("county", "县", "区", "区县", "县区", "县市区", "district"),
    "company": ("company", "企业", "公司", "单位"),
    "plant": ("plant", "厂站", "站点", "搅拌站", "厂"),
    "vehicle": ("vehicle", "车辆", "车"),
}
_SCOPE = re.compile(r"([^:]+):\s*([A-Za-z0-9_-]{1,64})")
_MONTH = re.compile(r"(20\d\d)\s*[-/.年]?\s*(0?[1-9]|1[0-2])\s*月?")
_MEASURES = {
    Measure.VOLUME_M3: ("混凝土产量", "混凝土供应量", "产量方", "方量", "concrete_volume"),
    Measure.VOLUME_T: ("吨量", "产量吨", "水泥供应量", "砂浆产量", "volume_t"),
    Measure.VEHICLES_FILED: ("备案车辆", "备案车辆数", "备案车数", "filed_vehicles"),
}
_NUMBER = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?\s*(万?)\s*(m3|m³|立方米|方|吨|t|辆)?")
_MAX_PROBLEMS = 1_000


@dataclass(frozen=True, slots=True)
class Declared:
    """A figure, where it stands, and where it comes from."""

    said: Said
    table: str
    row: int
    origin: str


@dataclass(frozen=True, slots=True)
class Understood:
    """What a file says, and what is wrong with it."""

    declared: tuple[Declared, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Words, ...]


def _scope(raw: object) -> str:
    text = unicodedata.normalize("NFKC", str(raw)).strip()
    if text.casefold() in _CITY_NAMES:
        return CITY
    found = _SCOPE.fullmatch(text)
    kind = next(
        (kind for kind, names in _SCOPES.items() if found and found[1].strip().casefold() in names), None
    )
    if found is None or kind is None:
        raise CellError(
            Words(
                "write city, or county:, company:, plant: or vehicle: and a code",
                "请写“全市”，或“区县:”“企业:”“厂站:”“车辆:”加编号",
            )
        )
    return f"{kind}:{found[2]}"


def _month(raw: object) -> date:
    if isinstance(raw, (date, datetime)):
        return date(raw.year, raw.month, 1)
    found = _MONTH.fullmatch(unicodedata.normalize("NFKC", str(raw)).strip())
    if found is None:
        raise CellError(Words("write a month, as 2026-03", "请写月份，如 2026-03"))
    return date(int(found[1]), int(found[2]), 1)


def _measure(raw: object) -> Measure:
    word = normalise(str(raw))
    for measure, names in _MEASURES.items():
        if word == measure or word in names:
            return measure
    known = [name for measure, names in _MEASURES.items() for name in (measure, *names)]
    wanted = ", ".join(sorted(DECLARABLE))
    message = Words(
        f"is not declared; what is: {wanted}",
        "不是申报指标；可用：混凝土产量（方）、吨量（吨）、备案车辆（辆）",
    )
    raise CellError(message.then(nearest(word, known)))


def _value(raw: object) -> float:
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        value = float(raw)
    else:
        found = _NUMBER.fullmatch(unicodedata.normalize("NFKC", str(raw)).strip())
        if found is None:
            raise CellError(Words("write a number from 0 on", "请写不小于 0 的数"))
        value = float(found[1].replace(",", "") + (found[2] or "")) * (10_000 if found[3] else 1)
    if not math.isfinite(value) or value < 0:
        raise CellError(Words("write a number from 0 on", "请写不小于 0 的数"))
    return value


def _text(raw: object) -> str:
    return " ".join(str(raw).split())[:200]


COLUMNS = (
    Column("scope", ("范围", "对象", "统计对象"), Words("whose it is", "统计对象"), _scope, Need.ALWAYS),
    Column("month", ("月份", "月", "年月"), Words("which month", "月份"), _month, Need.ALWAYS),
    Column("measure", ("指标", "项目", "指标名称"), Words("what is counted", "指标"), _measure, Need.ALWAYS),
    Column("value", ("数值", "数量", "值"), Words("how much", "数值"), _value, Need.ALWAYS),
    Column("source", ("来源", "填报单位", "依据"), Words("where it comes from", "来源"), _text),
)
_NEEDED = frozenset(column.name for column in COLUMNS if column.need is Need.ALWAYS)


def _find(header: str) -> Column | None:
    word = normalise(header)
    return next((one for one in COLUMNS if word == one.name or word in one.synonyms), None)


def _is_ours(table: Table) -> bool:
    return {column.name for header in table.headers if (column := _find(header))} >= {"month", "value"}


DECLARATIONS = Vocabulary(
    is_header=lambda text: _find(text) is not None,
    is_ours=_is_ours,
    find_kind=lambda _: None,
    not_ours=Words("its columns are not of figures of months", "没有月度申报的列"),
    none_ours=Words(
        "no sheet has the columns month (月份) and value (数值); the sheets are {sheets}",
        "没有工作表含“月份”和“数值”列；现有 {sheets}",
    ),
)


def understand(contents: Contents, known: Mapping[str, frozenset[str]] | None = None) -> Understood:
    """Return the figures of a file.

    Parameters
    ----------
    contents
        Its tables.
    known
        Codes by kind of scope, where those are listed: a code that is not among them is an error.
    """
    declared: list[Declared] = []
    problems: list[Problem] = []
    notes = list(contents.notes)
    for table in contents.tables:
        notes += table.notes
        problems += table.problems
        columns = {header: column for header in table.headers if (column := _find(header))}
        lacking = _NEEDED - {column.name for column in columns.values()}
        problems += [
            Problem(table.name, None, name, None, Words("this column is missing", "缺少此列"))
            for name in sorted(lacking)
        ]
        for row in () if lacking or len(problems) > _MAX_PROBLEMS else table.rows:
            given, faults = _row(table, row, columns)
            faults = faults or _unknown_code(table, row, given, known or {})
            problems += faults
            if not faults:
                said = Said(given["scope"], given["month"], given["measure"], given["value"])
                declared.append(Declared(said, table.name, row.number, given.get("source", "")))
    left_out = _twice(declared)
    faulty = {place for problem in left_out for place in problem.places}
    kept = tuple(one for one in declared if (one.table, one.row) not in faulty)
    return Understood(kept, (*problems, *left_out), tuple(notes))


def _row(table: Table, row: Row, columns: Mapping[str, Column]) -> tuple[dict[str, Any], list[Problem]]:
    given: dict[str, Any] = {}
    faults = []
    for header, column in columns.items():
        raw = row.cells.get(header)
        if is_blank(raw):
            continue
        try:
            given[column.name] = column.parse(raw)
        except CellError as fault:
            faults.append(Problem(table.name, row.number, header, shown(raw), fault.words))
    named = {
        column.name for column in columns.values() if not is_blank(row.cells.get(_header(columns, column)))
    }
    faults += [
        Problem(table.name, row.number, name, None, Words("is missing", "缺少内容"))
        for name in sorted(_NEEDED - named)
    ]
    return given, faults


def _header(columns: Mapping[str, Column], wanted: Column) -> str:
    return next(header for header, column in columns.items() if column is wanted)


def _unknown_code(
    table: Table, row: Row, given: Mapping[str, Any], known: Mapping[str, frozenset[str]]
) -> list[Problem]:
    kind, _, code = given["scope"].partition(":")
    if kind not in known or code in known[kind]:
        return []
    message = Words(f"the registry has no {kind} of this code", "登记中没有这个编号").then(
        nearest(code, known[kind])
    )
    return [Problem(table.name, row.number, "scope", code, message)]


def _twice(declared: Sequence[Declared]) -> list[Problem]:
    """Name the figures that two rows say differently: which is right nobody can know here."""
    by_key: dict[object, list[Declared]] = {}
    for one in declared:
        by_key.setdefault(one.said.key, []).append(one)
    message = Words("another row says something else of it; which is right?", "与另一行不一致；请核对")
    return [
        Problem(
            *(some[0].table, some[0].row, "value", shown(some[0].said.value), message),
            tuple((one.table, one.row) for one in some[1:]),
        )
        for some in by_key.values()
        if len({one.said.value for one in some}) > 1
    ]
