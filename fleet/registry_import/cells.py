"""Cells of a table: which column holds codes, and what one cell says, or that it clears."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

from fleet.language import Words
from fleet.registry_import import values
from fleet.registry_import.column import CLEAR, Need, normalise
from fleet.registry_import.problem import CellError
from fleet.registry_import.table import is_blank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.registry_import.column import Column, Layout
    from fleet.registry_import.table import Table

#: Columns that may hold what people call their trucks among themselves.
_NICKNAMES = frozenset(("自编号", "车辆编号"))


def without_nicknames(table: Table, layout: Layout, columns: Mapping[str, Column]) -> dict[str, Column]:
    """Return the columns without a code column of which no value is a code, if plates tell rows apart.

    People call their trucks "1号": such numbers are no codes, and repeat in every company.
    """
    named = {column.name: header for header, column in columns.items()}
    header = named.get(layout.key.name)
    if header is None or layout.name not in named or normalise(header) not in _NICKNAMES:
        return dict(columns)
    said = [cell for row in table.rows if not is_blank(cell := row.cells.get(header))]
    if any(_is_code(cell) for cell in said):
        return dict(columns)
    return {other: column for other, column in columns.items() if other != header}


def _is_code(raw: object) -> bool:
    try:
        values.code(raw)
    except CellError:
        return False
    return True


def read_cell(layout: Layout, column: Column, raw: object) -> Any:
    """Return the value of a cell; one that clears has the value of who says nothing."""
    if raw != CLEAR:
        return column.parse(raw)
    for known in fields(layout.record):
        if known.name == column.name and known.default is not MISSING and column.need is Need.NO:
            return known.default
    raise CellError(_NOT_CLEARED.fill(meaning=column.meaning))


_NOT_CLEARED = Words("cannot be cleared: {meaning}", "不能清空：{meaning}")
