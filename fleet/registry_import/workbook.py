"""XLSX workbooks to tables: a sheet a kind, by its name."""

from __future__ import annotations

import io
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl

from fleet.registry import RegistryError
from fleet.registry_import.layout import Kind, find_kind, nearest
from fleet.registry_import.problem import refuse
from fleet.registry_import.table import Contents, Table, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

_LARGEST_UNPACKED = 256 << 20
_LAST_ROW = 1 << 20
_BROKEN = "the workbook is damaged or no .xlsx; save it again from Excel, or as `CSV UTF-8`"


def read_workbook(data: bytes, sheet: str | None) -> Contents:
    """Return the tables of a workbook: of the sheet named, or of every sheet whose name is a kind's.

    A workbook with a single sheet may call it anything. Formulas count as their last calculated values.
    """
    try:
        return _read(data, sheet)
    except RegistryError:
        raise
    except Exception as error:  # openpyxl answers damaged files with errors of every type
        raise refuse(f"{_BROKEN} ({type(error).__name__})") from error


def _read(data: bytes, sheet: str | None) -> Contents:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        if sum(member.file_size for member in packed.infolist()) > _LARGEST_UNPACKED:
            raise refuse(f"the workbook unpacks to more than {_LARGEST_UNPACKED >> 20} MiB; split it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells of charts and validations that it leaves out
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        try:
            return _tables({found.title: found for found in book.worksheets}, sheet)
        finally:
            book.close()


def _tables(sheets: dict[str, ReadOnlyWorksheet], sheet: str | None) -> Contents:
    if sheet is None and len(sheets) > 1:
        chosen = {title: found for title, found in sheets.items() if find_kind(title)}
    else:
        chosen = {title: found for title, found in sheets.items() if sheet in {None, title}}
    if not chosen:
        wanted = (
            f"no sheet is called {sheet!r}"
            if sheet
            else f"no sheet is called after a kind ({', '.join(Kind)})"
        )
        raise refuse(f"{wanted}; the sheets are {', '.join(sheets)}{nearest(sheet or '', sheets)}")
    return Contents(
        tuple(_table(title, found) for title, found in chosen.items()),
        tuple(f"sheet {title!r} was left aside" for title in sheets if title not in chosen),
    )


def _table(title: str, sheet: ReadOnlyWorksheet) -> Table:
    sheet.reset_dimensions()  # what the file says of its size may be a million empty rows
    return make_table(title, find_kind(title), _records(sheet))


def _records(sheet: ReadOnlyWorksheet) -> Iterator[tuple[int, list[Any]]]:
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if number > _LAST_ROW:
            raise refuse(_BROKEN, table=sheet.title, row=number)
        yield number, [_value(cell) for cell in cells]


def _value(cell: Any) -> Any:
    """Return a cell's value; a date without a time of day as a date."""
    if cell.value is not None and cell.is_date and "h" not in str(cell.number_format).lower():
        return getattr(cell.value, "date", lambda: cell.value)()
    return cell.value
