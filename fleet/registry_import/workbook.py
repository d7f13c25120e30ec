"""XLSX workbooks to tables: the sheets that a vocabulary knows, by their names or columns."""

from __future__ import annotations

import io
import warnings
import zipfile
from itertools import islice
from typing import TYPE_CHECKING, Any

import openpyxl
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from fleet.entities import RegistryError
from fleet.language import Words, listed
from fleet.printable import quoted
from fleet.registry_import.column import nearest
from fleet.registry_import.headers import make_table
from fleet.registry_import.problem import plain, refuse, shown
from fleet.registry_import.sheet_xml import Extras, read_extras
from fleet.registry_import.table import MAX_COLUMNS, MAX_ROWS, Contents, Table, is_blank
from fleet.registry_import.values import NOT_CALCULATED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

    from fleet.registry_import.table import Vocabulary

#: What a workbook may unpack to. The reader takes microseconds for each tag of a cell or text, and many more
#: for those of formats, links and merged cells: each of these counts as so many.
_LARGEST_UNPACKED, _MAX_TAGS = 64 << 20, 600_000
_CHEAP_PARTS = ("xl/worksheets/", "xl/sharedStrings.xml")
_HEAVY, _HEAVY_TAGS = 20, (b"hyperlink ", b"mergeCell ", b"cfRule ", b"dataValidation ")
#: Pictures and drawings, which are not read.
_NOT_READ = ("xl/media/", "xl/drawings/", "xl/charts/", "xl/theme/", "xl/comments", "xl/calcChain.xml")
_CHUNK = 1 << 20
#: Rows without a value between others: who deletes rows leaves formats behind.
_MAX_EMPTY_ROWS = MAX_ROWS


def read_workbook(data: bytes, sheet: str | None, vocabulary: Vocabulary) -> Contents:
    """Return the tables of a workbook: of the sheet named, or of every sheet that is one of ours.

    That is a sheet whose name is a kind's or whose columns are; a single sheet may be called anything.
    Formulas count as their last calculated values, a merged cell for each of its rows.
    """
    try:
        return _read(data, sheet, vocabulary)
    except RegistryError:
        raise
    except Exception as error:  # openpyxl answers damaged files with errors of every type
        raise refuse(_BROKEN.fill(why=type(error).__name__)) from error


_BROKEN = Words(
    "the workbook is damaged or no .xlsx; save it again from Excel, or as `CSV UTF-8` ({why})",
    "文件已损坏或不是 .xlsx；请用 Excel 重新保存，或另存为 `CSV UTF-8`（{why}）",
)
_TOO_LARGE = Words(
    "the workbook unpacks to more than {most} MiB; copy the table alone into a new one",
    "工作簿解压后超过 {most} MiB；请只把表格复制到新工作簿",
)
_TOO_FULL = Words(
    "the workbook has more cells, texts or formats than a registry; copy the table alone into a new one, "
    "or save it as `CSV UTF-8`",
    "工作簿的单元格、文本或格式过多；请只把表格复制到新工作簿，或另存为 `CSV UTF-8`",
)


def _read(data: bytes, sheet: str | None, vocabulary: Vocabulary) -> Contents:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        _check_size(packed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells of charts and validations that it leaves out
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        try:
            if book.epoch == CALENDAR_MAC_1904:
                raise refuse(_FROM_1904)
            return _tables({found.title: found for found in book.worksheets}, sheet, data, vocabulary)
        finally:
            book.close()


_FROM_1904 = Words(
    "the workbook counts days from 1904; switch that off in the options of Excel and look at the dates",
    "工作簿使用 1904 日期系统；请在 Excel 选项中关闭并核对日期",
)


def _check_size(packed: zipfile.ZipFile) -> None:
    """Refuse a workbook that would take long or much memory to read, by what it unpacks to."""
    parts = [part for part in packed.infolist() if not part.filename.startswith(_NOT_READ)]
    if sum(part.file_size for part in parts) > _LARGEST_UNPACKED:
        raise refuse(_TOO_LARGE.fill(most=_LARGEST_UNPACKED >> 20))
    tags = 0
    for part in parts:
        weight = 1 if part.filename.startswith(_CHEAP_PARTS) else _HEAVY
        with packed.open(part) as file:
            while chunk := file.read(_CHUNK):
                tags += weight * chunk.count(b"<") + _HEAVY * sum(map(chunk.count, _HEAVY_TAGS))
                if tags > _MAX_TAGS:
                    raise refuse(_TOO_FULL)


def _extras(data: bytes, name: str) -> Extras:
    with zipfile.ZipFile(io.BytesIO(data)) as packed, packed.open(name) as part:
        return read_extras(part)


def _tables(
    sheets: dict[str, ReadOnlyWorksheet],
    wanted: str | None,
    data: bytes,
    vocabulary: Vocabulary,
) -> Contents:
    if wanted is not None and wanted not in sheets:
        raise refuse(
            _NO_SUCH.fill(
                sheet=quoted(shown(wanted)), nearest=nearest(wanted, sheets), sheets=_titles(sheets)
            )
        )
    tables, notes = [], []
    for title, sheet in sheets.items():
        if wanted not in {None, title}:
            aside: Words | None = _NOT_ASKED
        elif wanted is None and sheet.sheet_state != "visible":
            aside = _HIDDEN
        else:
            part = sheet._worksheet_path.lstrip("/")  # noqa: SLF001 - nothing else says which part it is
            table = _table(title, sheet, _extras(data, part), vocabulary)
            aside = _why_not(table, vocabulary, alone=wanted is not None or len(sheets) == 1)
            tables += [table] if aside is None else []
        if aside is not None:
            notes.append(_ASIDE.fill(sheet=plain(shown(title)), why=aside))
    if not tables:
        raise refuse(vocabulary.none_ours.fill(sheets=_titles(sheets)))
    return Contents(tuple(tables), tuple(notes))


def _why_not(table: Table, vocabulary: Vocabulary, *, alone: bool) -> Words | None:
    """Return why a sheet is none of ours, or None."""
    if not table.headers and not alone:
        return _EMPTY
    if alone or table.kind is not None or vocabulary.is_ours(table):
        return None
    return vocabulary.not_ours


_ASIDE = Words("sheet '{sheet}' was left aside: {why}", "略过工作表“{sheet}”：{why}")
_NOT_ASKED = Words("not asked for", "未要求")
_HIDDEN = Words("it is hidden; say `--sheet` to read it", "已隐藏；如需读取请用 `--sheet`")
_EMPTY = Words("it is empty", "空表")
_NO_SUCH = Words(
    "no sheet is called {sheet}{nearest}; the sheets are {sheets}",
    "没有名为 {sheet} 的工作表{nearest}；现有 {sheets}",
)


def _titles(sheets: Mapping[str, Any]) -> Words:
    return listed(plain(shown(title)) for title in islice(sheets, 20))


def _table(title: str, sheet: ReadOnlyWorksheet, extras: Extras, vocabulary: Vocabulary) -> Table:
    sheet.reset_dimensions()  # what the file says of its size may be a million empty rows
    return make_table(title, vocabulary.find_kind(title), _records(sheet, extras), vocabulary.is_header)


def _records(sheet: ReadOnlyWorksheet, extras: Extras) -> Iterator[tuple[int, list[Any]]]:
    tops = dict.fromkeys(extras.merged.values())
    empty = 0
    for number, cells in enumerate(sheet.iter_rows(), 1):
        empty += not cells
        if empty > _MAX_EMPTY_ROWS:
            raise refuse(_TOO_EMPTY.fill(most=_MAX_EMPTY_ROWS), table=sheet.title, row=number)
        row = [_value(cell) for cell in cells]
        if extras.merged or extras.uncalculated:
            _complete(row, number, extras, tops)
        yield number, row


_TOO_EMPTY = Words(
    "stands below {most} empty rows; delete them, or copy the table into a new sheet",
    "其上有 {most} 个空行；请删除，或把表格复制到新工作表",
)


def _complete(row: list[Any], number: int, extras: Extras, tops: dict[tuple[int, int], Any]) -> None:
    """Put into merged cells what the cell above them says, and mark formulas without a value."""
    for column in range(1, min(len(row), MAX_COLUMNS) + 1):
        place = number, column
        if place in extras.uncalculated:
            row[column - 1] = NOT_CALCULATED
        if place in tops:
            tops[place] = row[column - 1]
        elif place in extras.merged and is_blank(row[column - 1]):
            row[column - 1] = tops[extras.merged[place]]


def _value(cell: Any) -> Any:
    """Return a cell's value; a date without a time of day as a date."""
    if cell.value is not None and cell.is_date and "h" not in str(cell.number_format).lower():
        return getattr(cell.value, "date", lambda: cell.value)()
    return cell.value
