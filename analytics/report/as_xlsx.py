"""A report as a workbook: its sentences on one sheet, then a sheet a table with real numbers and dates.

Texts are written as texts, never as formulas or links. Nothing in the file depends on when it was written.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from analytics.report.cells import NOT_RECORDED
from analytics.report.document import Boxes, Bullets, Kind, Note, Paragraph
from analytics.report.marks import SIMULATED
from analytics.report.report_input import ReportError, civil_day
from fleet.language import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.report.document import Cell, Column, Document, Raw, Section, Table
    from fleet.language import Language

_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_PARTS = {
    1: (Words("", ""),),
    2: (Words(": low", "：低"), Words(": high", "：高")),
    3: (Words("", ""), Words(": low", "：低"), Words(": high", "：高")),
}
_SHEET_TEXT = Words("Report", "报告")
#: Excel's limit, and what it does not take in a sheet's name.
_MAX_OF_NAME, _NOT_IN_NAME = 31, re.compile(r"[\[\]:*?/\\']")
_WIDEST, _NARROWEST, _WIDEST_HEADING = 60, 9, 24
#: Chinese, from here on, takes the width of two Latin letters.
_FIRST_WIDE = 0x2E80
#: A text that a program may take for a formula when the sheet is saved as CSV; marked as text.
_LIKE_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class _Formats:
    """Formats of the workbook."""

    title: Any
    heading: Any
    text: Any
    quoted: Any
    by_kind: dict[Kind, Any]
    moment: Any


def as_xlsx(document: Document, language: Language) -> bytes:
    """Write a report as a workbook in one language."""
    try:
        from xlsxwriter import Workbook  # noqa: PLC0415 - an extra; the rest of the report works without it
    except ImportError:
        raise ReportError("a workbook needs the report extra: pip install 'kerbsafe[report]'") from None
    out = io.BytesIO()
    book = Workbook(out, _OPTIONS)
    book.set_properties(
        {
            "title": document.title.to(language),
            "author": "Kerbsafe",
            "created": _in_a_cell(civil_day(document.as_of)),
        }
    )
    formats = _formats(book)
    _write_text(book, document, formats, language)
    names = {_SHEET_TEXT.to(language)}
    for table in document.tables:
        _write_table(book, document, table, formats, language, _sheet_name(table.title.to(language), names))
    book.close()
    return out.getvalue()


def _formats(book: Any) -> _Formats:
    def form(**more: Any) -> Any:
        return book.add_format({"font_name": "SimSun", "font_size": 10.5, "valign": "top", **more})

    return _Formats(
        title=form(bold=True, font_size=14),
        heading=form(bold=True, text_wrap=True, bottom=1, bg_color="#E8EEF4"),
        text=form(text_wrap=True),
        quoted=form(text_wrap=True, quote_prefix=True),
        by_kind={
            Kind.TEXT: form(text_wrap=True),
            Kind.COUNT: form(num_format="#,##0"),
            Kind.NUMBER: form(num_format="#,##0.######"),
            Kind.SHARE: form(num_format="0.0%"),
            Kind.DATE: form(num_format="yyyy-mm-dd", align="left"),
        },
        moment=form(num_format="yyyy-mm-dd hh:mm", align="left"),
    )


def _sheet_name(title: str, taken: set[str]) -> str:
    """Return a name that Excel takes and that no other sheet has."""
    plain = _NOT_IN_NAME.sub(" ", title).strip()
    name, number = plain[:_MAX_OF_NAME], 1
    while name.casefold() in {each.casefold() for each in taken}:
        number += 1
        ending = f" {number}"
        name = plain[: _MAX_OF_NAME - len(ending)] + ending
    taken.add(name)
    return name


def _sheet(book: Any, document: Document, name: str, language: Language) -> Any:
    sheet = book.add_worksheet(name)
    sheet.set_paper(9)  # A4
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    mark = SIMULATED.to(language) if document.simulated else ""
    sheet.set_header(f"&L{document.number}&R{mark}")
    sheet.set_footer("&C&P / &N")
    return sheet


# -- texts


def _write_text(book: Any, document: Document, formats: _Formats, language: Language) -> None:
    sheet = _sheet(book, document, _SHEET_TEXT.to(language), language)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 90)
    _text(sheet, 0, 0, document.title.to(language), formats, formats.title)
    _text(sheet, 1, 0, document.period.to(language), formats, formats.title)
    row = 2
    if document.simulated:
        _text(sheet, row, 0, SIMULATED.to(language), formats, formats.title)
        row += 1
    for name, value in document.cover:
        _text(sheet, row, 0, name.to(language), formats)
        _text(sheet, row, 1, value.to(language), formats)
        row += 1
    for section in document.sections:
        row += 1
        _text(sheet, row, 0, section.title.to(language), formats, formats.heading)
        for left, right in _lines(section):
            row += 1
            _text(sheet, row, 0, left.to(language), formats)
            _text(sheet, row, 1, right.to(language), formats)
        row += 1


def _lines(section: Section) -> Iterator[tuple[Words, Words]]:
    """Yield the sentences of a section; its tables have sheets of their own."""
    nothing = Words("", "")
    for block in section.blocks:
        match block:
            case Paragraph(text) | Note(text):
                yield nothing, text
            case Bullets(heading, items):
                yield from ((heading if not place else nothing, item) for place, item in enumerate(items))
            case Boxes(boxes):
                for box in boxes:
                    yield box.heading, box.wording
                    yield from box.numbers
            case _:
                continue


def _text(sheet: Any, row: int, column: int, text: str, formats: _Formats, form: Any = None) -> None:
    quoted = formats.quoted if text.startswith(_LIKE_A_FORMULA) else None
    sheet.write_string(row, column, text, quoted or form or formats.text)


# -- tables


def _write_table(
    book: Any, document: Document, table: Table, formats: _Formats, language: Language, name: str
) -> None:
    sheet = _sheet(book, document, name, language)
    _text(sheet, 0, 0, table.title.to(language), formats, formats.title)
    headings = [
        column.heading.to(language) + part.to(language)
        for column in table.columns
        for part in _PARTS[column.parts]
    ]
    for place, heading in enumerate(headings):
        _text(sheet, 2, place, heading, formats, formats.heading)
    for number, row in enumerate(table.rows):
        _write_row(sheet, number + 3, table.columns, row, formats, language)
    for place, width in enumerate(_widths(table, headings, language)):
        sheet.set_column(place, place, width)
    sheet.freeze_panes(3, 1)
    sheet.repeat_rows(2)


def _write_row(
    sheet: Any,
    number: int,
    columns: tuple[Column, ...],
    row: tuple[Cell, ...],
    formats: _Formats,
    language: Language,
) -> None:
    place = 0
    for column, cell in zip(columns, row, strict=True):
        nothing = all(value is None for value in cell.raw)
        for part in range(column.parts):
            value = cell.raw[part]
            if column.kind is Kind.TEXT or (nothing and not part):
                _text(sheet, number, place + part, cell.shown.to(language), formats)
            elif value is None and not nothing and column.parts == 2:  # noqa: PLR2004 - an open end
                _text(sheet, number, place + part, NOT_RECORDED.to(language), formats)
            elif value is not None:
                _value(sheet, number, place + part, value, column.kind, formats)
        place += column.parts


def _value(sheet: Any, row: int, place: int, value: Raw, kind: Kind, formats: _Formats) -> None:
    if isinstance(value, datetime):
        sheet.write_datetime(row, place, value, formats.moment)
    elif isinstance(value, date):
        sheet.write_datetime(row, place, _in_a_cell(value), formats.by_kind[kind])
    elif isinstance(value, str):
        _text(sheet, row, place, value, formats)
    else:
        sheet.write_number(row, place, value, formats.by_kind[kind])


def _in_a_cell(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a workbook knows no zones


def _widths(table: Table, headings: list[str], language: Language) -> list[int]:
    """Return widths in characters, a Chinese one taking two."""
    widths = [_width(heading) for heading in headings]
    place = 0
    for number, column in enumerate(table.columns):
        longest = max((_width(row[number].shown.to(language)) for row in table.rows), default=0)
        for part in range(place, place + column.parts):
            widths[part] = max(min(widths[part], _WIDEST_HEADING), longest if column.parts == 1 else 0)
        place += column.parts
    return [max(_NARROWEST, min(_WIDEST, width + 2)) for width in widths]


def _width(text: str) -> int:
    return max((sum(1 + (ord(char) >= _FIRST_WIDE) for char in line) for line in text.split("\n")), default=0)
