"""The tables of a file to entries, one a thing: those that others refer to by name come first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.language import Words, listed
from fleet.registry_import.checking import check
from fleet.registry_import.column import Kind
from fleet.registry_import.entry import Choices, Entry, RowRepair
from fleet.registry_import.joining import join, repeated_plates
from fleet.registry_import.layout import LAYOUTS
from fleet.registry_import.naming import Names
from fleet.registry_import.problem import plain, shown
from fleet.registry_import.recognising import recognise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fleet.registry_import.checking import Checked
    from fleet.registry_import.planning import Registered
    from fleet.registry_import.problem import Problem
    from fleet.registry_import.table import Table


@dataclass(frozen=True, slots=True)
class Understood:
    """What a file says, and everything that is wrong with it."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    repairs: tuple[RowRepair, ...]
    #: How it was read, where that is not plain: headers, what was left aside, codes that were made.
    notes: tuple[Words, ...]


def understand(
    tables: Sequence[Table], registered: Registered, choices: Choices, kind: Kind | None = None
) -> Understood:
    """Read tables as an import of them all. `kind` is that of tables whose name and columns do not tell."""
    names = Names(registered, choices.company)
    kinds = [table.kind or kind or recognise(table) for table in tables]
    ordered = sorted(zip(tables, kinds, strict=True), key=_order)
    checked = [(table, check(table, of, names, choices)) for table, of in ordered]
    entries = [entry for _, part in checked for entry in part.entries]
    joined = join([*_companies(names, entries), *entries])
    return Understood(
        joined.entries,
        (
            *(problem for _, part in checked for problem in part.problems),
            *joined.problems,
            *repeated_plates(joined.entries, registered),
        ),
        tuple(repair for _, part in checked for repair in part.repairs),
        (*(note for table, part in checked for note in _notes(table, part)), *joined.notes),
    )


def _companies(names: Names, entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield the companies that `--company` creates, in the place of the row that first speaks of each."""
    for code, name in names.new_companies.items():
        first = next((entry for entry in entries if entry.given.get("company") == code), None)
        if first is not None and not any(e.kind is Kind.COMPANIES and e.code == code for e in entries):
            yield Entry(Kind.COMPANIES, first.row, code, {"name": name} if name else {}, table=first.table)


def _order(pair: tuple[Table, Kind]) -> tuple[bool, int]:
    """Order tables so that a name is known before it is used: drivers who have no codes come last."""
    table, kind = pair
    layout = LAYOUTS[kind]
    has_codes = any(layout.find(header) is layout.key for header in table.headers)
    return kind is Kind.DRIVERS and not has_codes, list(Kind).index(kind)


def _notes(table: Table, checked: Checked) -> Iterator[Words]:
    """Yield how a table was read, as far as it is not plain."""
    for note in _facts(table, checked):
        yield plain(f"{table.name}: ").then(note) if table.name else note


def _facts(table: Table, checked: Checked) -> Iterator[Words]:
    headers = checked.headers
    yield from table.notes
    if table.is_header_found or headers.of_driver or checked.coded:
        yield _TAKEN_FOR.fill(columns=headers.words(without=checked.nicknames))
    if checked.nicknames is not None:
        yield _NICKNAMES.fill(column=plain(shown(checked.nicknames)))
    if headers.aside:
        yield _NOT_KEPT.fill(columns=listed(plain(shown(header)) for header in headers.aside))
    for kind in sorted(checked.coded):
        yield _CODED[kind]


_TAKEN_FOR = Words("columns: {columns}", "列对应：{columns}")
_NICKNAMES = Words(
    "{column} has no codes (A-Z a-z 0-9 _ -): left aside", "{column} 不是代码（A-Z a-z 0-9 _ -），不导入"
)
_NOT_KEPT = Words("not kept, left aside: {columns}", "平台不保存，略过：{columns}")
_CODED = {
    Kind.COMPANIES: Words("companies are known by their names", "企业按名称对应"),
    Kind.VEHICLES: Words(
        "vehicles are known by their plates; a new one gets a code made of it (ZJ-F12345 of 浙F12345)",
        "车辆按车牌号对应；新车的代码由车牌号生成（浙F12345 为 ZJ-F12345）",
    ),
    Kind.DRIVERS: Words(
        "drivers are known by company and name; a new one gets the next number of the company (HD-D001)",
        "驾驶员按企业和姓名对应；新驾驶员的代码为企业代码加序号（如 HD-D001）",
    ),
}
