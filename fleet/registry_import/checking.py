"""One table to entries: cells are read, and what has a name gets its code. Everything wrong is collected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet.language import Words
from fleet.registry_import import values
from fleet.registry_import.cells import read_cell, without_nicknames
from fleet.registry_import.column import NOTHING, Kind, Layout, Need
from fleet.registry_import.entry import Choices, Entry, RowRepair
from fleet.registry_import.geometry import read_geometry
from fleet.registry_import.layout import LAYOUTS
from fleet.registry_import.naming import Names
from fleet.registry_import.problem import CellError, Problem, shown
from fleet.registry_import.recognising import Headers, read_headers
from fleet.registry_import.table import is_blank
from fleet.wire.topics import is_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleet.registry_import.column import Column
    from fleet.registry_import.mending import Repair
    from fleet.registry_import.table import Row, Table

#: A table with more is not read to its end.
MAX_PROBLEMS = 1_000
#: What stands where a vehicle has no driver.
_NOBODY = frozenset(("-", "无", "暂无", "待定", "空缺", "无固定驾驶员", "/", "—", "--", "none", "n/a", "tbd"))


@dataclass(frozen=True, slots=True)
class Checked:
    """Entries of a table, and what is wrong with it."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    repairs: tuple[RowRepair, ...]
    headers: Headers
    #: Kinds whose rows have names for codes.
    coded: frozenset[Kind]
    #: The column of codes in which there was none.
    nicknames: str | None


def check(table: Table, kind: Kind, names: Names | None = None, choices: Choices | None = None) -> Checked:
    """Read every cell of a table. `names` are those of the registry and of the tables before it."""
    choices = choices or Choices()
    headers = read_headers(table, kind, ignore_unknown=choices.ignore_unknown)
    reader = _TableReader(table, headers, names or Names({}, choices.company), choices)
    layout = LAYOUTS[kind]
    found = {column.name for column in headers.columns.values()}
    problems = [*table.problems, *headers.problems]
    if found & {layout.key.name, layout.name}:
        for row in table.rows:
            reader.read(row)
            if len(reader.problems) >= MAX_PROBLEMS:
                reader.problems.append(Problem(table.name or kind, row.number, "", None, _TOO_MANY))
                break
    elif table.rows:
        synonyms = ", ".join(layout.key.synonyms)
        problems.append(
            Problem(table.name or kind, None, layout.key.name, None, _NO_KEY.fill(names=synonyms))
        )
    else:
        problems.append(Problem(table.name or kind, None, "", None, _NO_ROWS.fill(kind=layout.label)))
    return Checked(
        tuple(reader.entries),
        (*problems, *reader.told()),
        tuple(reader.repairs),
        headers,
        frozenset(reader.coded),
        next((header for header in headers.columns if header not in reader.columns), None),
    )


_TOO_MANY = Words("is where reading ended, after so many problems", "问题过多，读到此行为止")
_NO_KEY = Words("this column is missing (also called {names})", "缺少此列（也可叫 {names}）")
_NO_ROWS = Words("there are no {kind} in it", "其中没有{kind}")


class _TableReader:
    """Reads rows of one table and collects entries and problems."""

    def __init__(self, table: Table, headers: Headers, names: Names, choices: Choices) -> None:
        self.table, self.headers, self.names, self.choices = table, headers, names, choices
        self.layout = LAYOUTS[headers.kind]
        self.columns = without_nicknames(table, self.layout, headers.columns)
        named = {column.name for column in self.columns.values()}
        # Where a header was not understood, a column that is missing may be that one.
        everything = {column.name for column in self.layout.columns}
        self.unread = frozenset(everything - named) if headers.problems else frozenset()
        self.repairs: list[RowRepair] = []
        self.entries: list[Entry] = []
        self.coded: set[Kind] = set()
        self.problems: list[Problem] = []
        #: Companies that cannot be found by their names: why, and the rows that name them.
        self._strangers: dict[str, tuple[Words, list[Row]]] = {}

    def told(self) -> list[Problem]:
        """Return the problems found; a company that cannot be found is told once."""
        for name, (why, rows) in self._strangers.items():
            more = (
                Words(f" (and {len(rows) - 1} more rows)", f"（另 {len(rows) - 1} 行）")
                if rows[1:]
                else NOTHING
            )
            table = self.table.name or self.layout.kind
            others = tuple((table, row.number) for row in rows[1:])
            company = self._column("company")
            self._problem(rows[0], company, name, why.then(more), personal=False, others=others)
        return self.problems

    def read(self, row: Row) -> None:
        """Add the entries of a row, or the problem that it has no usable key."""
        given, faulty = self._cells(row, self.columns, self.layout)
        faulty |= self.unread
        self._company(row, given, faulty)
        if self.layout.kind is Kind.FENCES:
            self._place(row, given, faulty)
        code = self._code(row, given, faulty)
        if self.layout.kind in {Kind.VEHICLES, Kind.DRIVERS}:
            self._complete(code, given, faulty)
        if self.layout.kind is Kind.VEHICLES:
            self._driver(row, code, given, faulty)
        self._resolve(row, "vehicle", given, faulty, self.names.vehicle)
        for column in self.layout.columns:
            is_key = column is self.layout.key
            if column.need is Need.ALWAYS and not is_key and column.name not in given.keys() | faulty:
                self._problem(row, column, None, _MISSING.fill(meaning=column.meaning))
        if code is not None:
            self._add(Entry(self.layout.kind, row.number, code, given, frozenset(faulty), self.table.name))

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.names.learn(entry)

    def _cells(
        self, row: Row, columns: Mapping[str, Column], layout: Layout
    ) -> tuple[dict[str, Any], set[str]]:
        """Return the values of a row by column, and the columns that could not be read."""
        given: dict[str, Any] = {}
        faulty: set[str] = set()
        for header, column in columns.items():
            raw = row.cells.get(header)
            if is_blank(raw) or (column.parse is values.vehicle_kind and values.says_no_kind(raw)):
                continue
            try:
                given[column.name] = read_cell(layout, column, raw)
            except CellError as fault:
                faulty.add(column.name)
                self._problem(row, column, raw, fault.words)
        return given, faulty

    def _company(self, row: Row, given: dict[str, Any], faulty: set[str]) -> None:
        """Put the code of a company in place of its name, which is told once if nobody knows it."""
        named = given.get("company")
        if named is None or is_code(named):
            return
        try:
            given["company"] = self.names.company(named)
        except CellError as fault:
            del given["company"]
            faulty.add("company")
            self._strangers.setdefault(named, (fault.words, []))[1].append(row)

    def _code(self, row: Row, given: dict[str, Any], faulty: set[str]) -> str | None:
        """Return the code that a row gives, or that its name has or gets."""
        key = self.layout.key
        code: str | None = given.pop(key.name, None)
        name = given.get(self.layout.name)
        has_codes = any(column is key for column in self.columns.values())
        if code is None and name and not has_codes and key.name not in faulty:
            code = self._resolved(
                row, self._column(self.layout.name), faulty, self._code_of_name, given, name
            )
        elif code is None and key.name not in faulty and self.layout.name not in faulty:
            remedy = _NO_CODES if name else NOTHING
            self._problem(row, key, None, _MISSING.fill(meaning=key.meaning).then(remedy))
        return code

    def _code_of_name(self, given: Mapping[str, Any], name: str) -> str:
        self.coded.add(self.layout.kind)
        if self.layout.kind is Kind.COMPANIES:
            return self.names.company(name)
        if self.layout.kind is Kind.VEHICLES:
            return self.names.vehicle_code(name)
        return self.names.driver_code(given.get("company"), name)

    def _complete(self, code: str | None, given: dict[str, Any], faulty: set[str]) -> None:
        """Fill in what the person said of new vehicles and drivers."""
        if code is not None and self.names.is_registered(self.layout.kind, code):
            return
        if "company" not in given.keys() | faulty and (company := self.names.default_company()):
            given["company"] = company
        kind = self.choices.vehicle_kind
        if self.layout.kind is Kind.VEHICLES and kind is not None and "kind" not in given.keys() | faulty:
            given["kind"] = kind

    def _driver(self, row: Row, vehicle: str | None, given: dict[str, Any], faulty: set[str]) -> None:
        """Put the driver on duty: one who is known by code or name, or the one that the row describes."""
        company = given.get("company") or (self.names.company_of(vehicle) if vehicle else None)
        said = {column.name: row.cells.get(header) for header, column in self.headers.of_driver.items()}
        name = said.get("name")
        if not is_blank(name) and str(name).strip().casefold() in _NOBODY:
            given["driver_on_duty"] = None
        elif not all(map(is_blank, said.values())) and "company" not in faulty:
            code = self._described_driver(row, company)
            given |= {} if code is None else {"driver_on_duty": code}
        self._resolve(
            row, "driver_on_duty", given, faulty, lambda named: self.names.known_driver(company, named)
        )

    def _described_driver(self, row: Row, company: str | None) -> str | None:
        """Add the entry of the driver that a row of a vehicle describes, and return the code."""
        given, unread = self._cells(row, self.headers.of_driver, LAYOUTS[Kind.DRIVERS])
        code: str | None = given.pop("code", None)
        name, column = given.get("name"), self._column("name", Kind.DRIVERS)
        if name is None:
            if unread.isdisjoint({"name"}):
                self._problem(row, column, None, _NO_NAME)
            return None
        if code is None:
            code = self._resolved(row, column, unread, self.names.driver_code, company, name)
            self.coded.add(Kind.DRIVERS)
        if code is None:
            return None
        if code == name:  # the code of a driver who is known stands where a name was wanted
            del given["name"]
        if company is not None and not self.names.is_registered(Kind.DRIVERS, code):
            given["company"] = company
        if given:
            self._add(Entry(Kind.DRIVERS, row.number, code, given, frozenset(unread), self.table.name))
        return code

    def _resolve(
        self, row: Row, name: str, given: dict[str, Any], faulty: set[str], find: Callable[[str], str]
    ) -> None:
        """Put a code in place of the name or plate that a column gives."""
        if given.get(name):
            code = self._resolved(row, self._column(name), faulty, find, given.pop(name))
            given |= {} if code is None else {name: code}

    def _resolved(
        self, row: Row, column: Column, faulty: set[str], find: Callable[..., str], *named: Any
    ) -> str | None:
        """Return the code that is found, or None with the problem told."""
        try:
            return find(*named)
        except CellError as fault:
            faulty.add(column.name)
            self._problem(row, column, None, fault.words)
            return None

    def _place(self, row: Row, given: dict[str, Any], faulty: set[str]) -> None:
        """Convert and check the geometry of a fence, if its datum is known."""
        datum = given.get("source_datum")
        if self.choices.datum and "source_datum" not in faulty:
            given["source_datum"] = self.choices.datum
            if datum not in {None, self.choices.datum}:
                message = _TWO_DATUMS.fill(datum=datum, option=self.choices.datum)
                self._problem(row, self._column("source_datum"), None, message)
        geometry = given.pop("geometry", None)
        if geometry is None:
            faulty.add("geometry")
            self._problem(row, self._column("geometry"), given.get(self.layout.key.name), _NO_GEOMETRY)
            return
        if "source_datum" not in given:
            faulty.add("geometry")
            return
        code = given.get(self.layout.key.name)
        mended: list[Repair] | None = [] if self.choices.repair else None
        try:
            given["geometry"] = read_geometry(geometry, given["source_datum"], mended)
        except CellError as fault:
            faulty.add("geometry")
            self._problem(row, self._column("geometry"), code, fault.words)
        self.repairs += [RowRepair(row.number, code or "", repair) for repair in mended or ()]

    def _column(self, name: str, kind: Kind | None = None) -> Column:
        return next(column for column in LAYOUTS[kind or self.layout.kind].columns if column.name == name)

    def _problem(
        self,
        row: Row,
        column: Column,
        raw: object,
        message: Words,
        *,
        personal: bool | None = None,
        others: tuple[tuple[str, int], ...] = (),
    ) -> None:
        # Where a code was wanted there often stands a plate or a name.
        is_name = column.parse in {values.code, values.reference} and not shown(raw).isascii()
        hidden = column.personal or is_name if personal is None else personal
        value = None if raw is None or hidden else shown(raw)
        columns = {**self.headers.columns, **self.headers.of_driver}
        header = next((header for header, named in columns.items() if named is column), column.name)
        table = self.table.name or self.layout.kind
        self.problems.append(Problem(table, row.number, header, value, message, others))


_MISSING = Words("is missing: {meaning}", "缺少：{meaning}")
_NO_CODES = Words(
    "; or take this column out: codes are made of the names then", "；也可删去此列，由名称生成代码"
)
_NO_GEOMETRY = Words("is missing; draw it, or take the feature out", "缺少图形；请补画，或删去该要素")
_NO_NAME = Words("is missing, but the row says something of a driver", "缺少姓名，但该行有驾驶员的其他信息")
_TWO_DATUMS = Words(
    "the file says {datum}, `--datum` says {option}; leave out the wrong one",
    "文件写明 {datum}，`--datum` 为 {option}；请去掉错误的一个",
)
