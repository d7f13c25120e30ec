"""A table as it stands in a file: headers and rows, not yet understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet.registry_import.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fleet.registry_import.layout import Kind


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


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds, and what was left aside."""

    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()


def make_table(name: str, kind: Kind | None, records: Iterable[tuple[int, Sequence[Any]]]) -> Table:
    """Return the table of numbered records, of which the first that is not blank has the headers."""
    filled = ((number, cells) for number, cells in records if not all(map(is_blank, cells)))
    header_row, header_cells = next(filled, (1, ()))
    headers = ["" if is_blank(cell) else str(cell).strip() for cell in header_cells]
    problems = [
        Problem(name, header_row, header, None, "two columns have this name; keep one")
        for header in dict.fromkeys(headers)
        if header and headers.count(header) > 1
    ]
    rows = []
    for number, cells in filled:
        rows.append(Row(number, {h: cell for h, cell in zip(headers, cells, strict=False) if h}))
        if _strays(headers, cells):
            message = "a cell stands under no header; name its column, or quote the comma in a value"
            problems.append(Problem(name, number, "", None, message))
    return Table(name, kind, tuple(filter(None, headers)), tuple(rows), tuple(problems))


def _strays(headers: Sequence[str], cells: Sequence[Any]) -> bool:
    return any(
        not is_blank(cell) and not (column < len(headers) and headers[column])
        for column, cell in enumerate(cells)
    )


def is_blank(cell: object) -> bool:
    """Say whether a cell says nothing."""
    return cell is None or (isinstance(cell, str) and not cell.strip())
