"""Tables to entries: which kind, which columns, and each cell read. Everything wrong is collected."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any

from fleet.registry_import import values
from fleet.registry_import.geometry import read_geometry
from fleet.registry_import.layout import CLEAR, IGNORED, LAYOUTS, Kind, Layout, Need, nearest, normalise
from fleet.registry_import.problem import CellError, Problem, refuse, shown
from fleet.registry_import.table import is_blank

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from fleet.registry_import.layout import Column
    from fleet.registry_import.mending import Repair
    from fleet.registry_import.table import Row, Table


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row says: the values given, by name of the column."""

    kind: Kind
    row: int
    code: str
    given: Mapping[str, Any]
    #: Columns that the row may have meant to give, but that could not be read.
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Checked:
    """Entries of a table, and what is wrong with it."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    repairs: tuple[RowRepair, ...] = ()


@dataclass(frozen=True, slots=True)
class RowRepair:
    """What was mended in one row."""

    row: int
    code: str
    repair: Repair


def recognise(table: Table) -> Kind:
    """Return the kind of a table that does not say it, by its columns.

    A kind fits if it knows every header; a table that could be of two kinds is refused.
    """
    headers = [header for header in table.headers if normalise(header) not in IGNORED]
    possible = [kind for kind in LAYOUTS if _has(LAYOUTS[kind], headers, {Need.ALWAYS})] or list(LAYOUTS)
    strange = {kind: sum(LAYOUTS[kind].find(header) is None for header in headers) for kind in possible}
    fewest = min(strange.values())
    fitting = [kind for kind in possible if strange[kind] == fewest]
    complete = [kind for kind in fitting if _has(LAYOUTS[kind], headers, {Need.ALWAYS, Need.WHEN_NEW})]
    chosen = complete if len(complete) == 1 else fitting
    if len(chosen) == 1 and fewest < len(headers):
        return chosen[0]
    likely = (
        f"these columns could be {' or '.join(chosen)}" if fewest < len(headers) else "no column is known"
    )
    raise refuse(f"{likely}; say which with `--as {'|'.join(Kind)}`", table=table.name)


def _has(layout: Layout, headers: Iterable[str], needs: Container[Need]) -> bool:
    """Say whether the headers name every column of which there is such a need."""
    found = {layout.find(header) for header in headers}
    return all(column in found for column in layout.columns if column.need in needs)


def check(table: Table, kind: Kind, *, datum: str | None = None, repair: bool = False) -> Checked:
    """Read every cell of a table.

    `datum` is that of fences whose rows do not name one; with `repair` geometries are mended where they can.
    """
    layout = LAYOUTS[kind]
    columns, problems = _columns(table, layout)
    name = table.name or kind
    unread = frozenset(column.name for column in layout.columns) - {
        column.name for column in columns.values()
    }
    reader = _RowReader(layout, columns, name, unread if problems else frozenset(), datum, repair=repair)
    if layout.key in columns.values():
        for row in table.rows:
            reader.read(row)
    else:
        synonyms = ", ".join(layout.key.synonyms)
        problems.append(
            Problem(name, None, layout.key.name, None, f"this column is missing (also called {synonyms})")
        )
    problems += reader.problems
    return Checked(tuple(reader.entries), (*table.problems, *problems), tuple(reader.repairs))


def _columns(table: Table, layout: Layout) -> tuple[dict[str, Column], list[Problem]]:
    """Return the column of each header, and the headers that have none or share one."""
    columns: dict[str, Column] = {}
    problems = []
    for header in table.headers:
        column = layout.find(header)
        if column in columns.values():
            problems.append(_header_problem(table, layout, header, "another column means the same; keep one"))
        elif column is not None:
            columns[header] = column
        elif normalise(header) not in IGNORED:
            known = [name for column in layout.columns for name in (column.name, *column.synonyms)]
            remedy = (
                nearest(header, known) or f"; {layout.kind} have {', '.join(c.name for c in layout.columns)}"
            )
            problems.append(_header_problem(table, layout, header, f"not a column of {layout.kind}{remedy}"))
    return columns, problems


def _header_problem(table: Table, layout: Layout, header: str, message: str) -> Problem:
    return Problem(table.name or layout.kind, None, f"column {shown(header)!r}", None, message)


class _RowReader:
    """Reads rows of one table and collects entries and problems."""

    def __init__(
        self,
        layout: Layout,
        columns: Mapping[str, Column],
        name: str,
        unread: frozenset[str],
        datum: str | None,
        *,
        repair: bool,
    ) -> None:
        self.layout, self.columns, self.name, self.unread, self.datum = layout, columns, name, unread, datum
        self.repair = repair
        self.repairs: list[RowRepair] = []
        self.entries: list[Entry] = []
        self.problems: list[Problem] = []
        self._first_row: dict[str, int] = {}

    def read(self, row: Row) -> None:
        """Add the entry of a row, or the problem that it has no usable key."""
        given: dict[str, Any] = {}
        faulty = set(self.unread)
        for header, column in self.columns.items():
            raw = row.cells.get(header)
            if is_blank(raw):
                continue
            try:
                given[column.name] = _cell(self.layout, column, raw)
            except CellError as fault:
                faulty.add(column.name)
                self._problem(row, column, raw, str(fault))
        self._complete(row, given, faulty)

    def _complete(self, row: Row, given: dict[str, Any], faulty: set[str]) -> None:
        if self.layout.kind is Kind.FENCES:
            self._place(row, given, faulty)
        for column in self.layout.columns:
            if column.need is Need.ALWAYS and column.name not in given.keys() | faulty:
                self._problem(row, column, None, f"is missing: {column.meaning}")
        code = given.pop(self.layout.key.name, None)
        if code is None:
            return
        first = self._first_row.setdefault(code, row.number)
        if first != row.number:
            self._problem(row, self.layout.key, code, f"is in row {first} too; keep one")
            return
        self.entries.append(Entry(self.layout.kind, row.number, code, given, frozenset(faulty)))

    def _place(self, row: Row, given: dict[str, Any], faulty: set[str]) -> None:
        """Convert and check the geometry of a fence, if its datum is known."""
        columns = {column.name: column for column in self.layout.columns}
        datum = given.get("source_datum")
        if self.datum and "source_datum" not in faulty:
            given["source_datum"] = self.datum
            if datum not in {None, self.datum}:
                message = f"the file says {datum}, `--datum` says {self.datum}; leave out the wrong one"
                self._problem(row, columns["source_datum"], None, message)
        geometry = given.pop("geometry", None)
        if geometry is None or "source_datum" not in given:
            faulty.update({"geometry"} if geometry is not None else ())
            return
        code = given.get(self.layout.key.name)
        mended: list[Repair] | None = [] if self.repair else None
        try:
            given["geometry"] = read_geometry(geometry, given["source_datum"], mended)
        except CellError as fault:
            faulty.add("geometry")
            self._problem(row, columns["geometry"], code, str(fault))
        self.repairs += [RowRepair(row.number, code or "", repair) for repair in mended or ()]

    def _problem(self, row: Row, column: Column, raw: object, message: str) -> None:
        # Where a code was wanted there often stands a plate or a name.
        personal = column.personal or (column.parse is values.code and not shown(raw).isascii())
        value = None if raw is None or personal else shown(raw)
        self.problems.append(Problem(self.name, row.number, column.name, value, message))


def _cell(layout: Layout, column: Column, raw: object) -> Any:
    if raw != CLEAR:
        return column.parse(raw)
    for field in fields(layout.record):
        if field.name == column.name and field.default is not MISSING and column.need is Need.NO:
            return field.default
    raise CellError(f"cannot be cleared: {column.meaning}")
