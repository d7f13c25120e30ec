"""A table as it stands in a file: headers and rows, not yet understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet.language import Words
from fleet.registry_import.problem import Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from fleet.registry_import.column import Kind

    Cells = Sequence[Any]

#: Of one table. No fleet is larger, and a file that says so may be made to choke who reads it.
MAX_COLUMNS, MAX_ROWS, MAX_CELLS = 400, 50_000, 300_000
#: Different members of the objects of one JSON list: what map programs add is many.
_MAX_MEMBERS = 5_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a person finds it, and its cells by header."""

    number: int
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """One table; `kind` is None where only the columns can tell."""

    name: str
    kind: Kind | None
    headers: tuple[str, ...]
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...] = ()
    #: Whether something stands above the header, or it has two rows.
    is_header_found: bool = False
    #: Where the header is then, and which rows were left aside.
    notes: tuple[Words, ...] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds, and what was left aside."""

    tables: tuple[Table, ...]
    notes: tuple[Words, ...] = ()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """By which words a file is read: those of the registry, or of another ledger that people keep."""

    #: Whether a cell is the header of a column that is known.
    is_header: Callable[[str], bool]
    #: Whether a sheet may be for us.
    is_ours: Callable[[Table], bool]
    #: What the name of a sheet says of its kind.
    find_kind: Callable[[str], Kind | None]
    #: Why a sheet is left aside that is not ours; and that no sheet is ours, with a blank for the `{sheets}`.
    not_ours: Words
    none_ours: Words


def within_limits(name: str, records: Iterable[tuple[int, Cells]]) -> Iterator[tuple[int, Cells]]:
    """Yield records as long as they are a table that people keep; refuse what is larger."""
    cells_read = rows_filled = 0
    for number, cells in records:
        width = len(cells)
        if width > MAX_COLUMNS:
            width = max((place for place, cell in enumerate(cells, 1) if not is_blank(cell)), default=0)
        if width > MAX_COLUMNS:
            raise refuse(_TOO_WIDE.fill(width=width, most=MAX_COLUMNS), table=name, row=number)
        cells_read += len(cells)
        rows_filled += any(not is_blank(cell) for cell in cells[:width])
        if rows_filled > MAX_ROWS or cells_read > MAX_CELLS:
            raise refuse(_TOO_LONG.fill(rows=MAX_ROWS, cells=MAX_CELLS), table=name, row=number)
        yield number, cells[:width]


_TOO_WIDE = Words("has {width} columns, more than {most}", "有 {width} 列，超过 {most} 列")
_TOO_LONG = Words(
    "is longer than {rows} rows or {cells} cells; split the table",
    "超过 {rows} 行或 {cells} 个单元格；请拆分表格",
)


def make_objects(name: str, kind: Kind | None, elements: list[Any]) -> Table:
    """Return the table of a list of JSON objects; a row's number is that of its element, from 1."""
    if len(elements) > MAX_ROWS:
        raise refuse(_TOO_LONG.fill(rows=MAX_ROWS, cells=MAX_CELLS), table=name)
    problems = [
        Problem(name, number, "", None, Words("must be an object", "应为 JSON 对象"))
        for number, element in enumerate(elements, 1)
        if not isinstance(element, dict)
    ]
    rows = [Row(number, element) for number, element in enumerate(elements, 1) if isinstance(element, dict)]
    headers = dict.fromkeys(header for row in rows for header in row.cells)
    if len(headers) > _MAX_MEMBERS:
        raise refuse(_TOO_WIDE.fill(width=len(headers), most=_MAX_MEMBERS), table=name)
    return Table(name, kind, tuple(headers), tuple(rows), tuple(problems))


def is_blank(cell: object) -> bool:
    """Say whether a cell says nothing."""
    return cell is None or (isinstance(cell, str) and not cell.strip())
