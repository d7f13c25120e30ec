"""A workbook to fill in: a sheet a kind, what each column means, an example, and lists to choose from."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from fleet.language import Words
from fleet.registry_import.column import Kind, Need
from fleet.registry_import.headers import EXAMPLE
from fleet.registry_import.layout import LAYOUTS
from fleet.registry_import.values import VEHICLE_KINDS, day, name_of, vehicle_kind

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from fleet.language import Language
    from fleet.registry_import.column import Column

#: Fences are drawn on a map and come as GeoJSON.
_KINDS = (Kind.COMPANIES, Kind.VEHICLES, Kind.DRIVERS, Kind.DEVICES, Kind.PASSES)
#: Below the header and the example.
_FIRST_ROW, _LAST_ROW = 3, 1000
_WIDTH = 18
_TEXT_FORMAT, _DAY_FORMAT = "@", "yyyy-mm-dd"
_NEEDS = {
    Need.ALWAYS: Words("Needed.", "必填。"),
    Need.WHEN_NEW: Words("Needed when it is new.", "新增时必填。"),
    Need.NO: Words("May be left empty.", "可不填。"),
}
_CODES = Words("1 to 64 of A-Z a-z 0-9 _ -", "1 至 64 个字符：A-Z a-z 0-9 _ -")


def make_template(language: Language) -> bytes:
    """Return the workbook (.xlsx). Unfilled it can be imported and says nothing: examples are left aside."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for kind in _KINDS:
        sheet = book.create_sheet(LAYOUTS[kind].label.to(language))
        for place, column in enumerate(LAYOUTS[kind].columns, 1):
            _write_column(sheet, place, column, language)
        sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write_column(sheet: Worksheet, place: int, column: Column, language: Language) -> None:
    letter = get_column_letter(place)
    header = sheet[f"{letter}1"]
    header.value = column.label.to(language) + ("" if column.need is Need.NO else "*")
    header.font = Font(bold=True)
    header.fill = PatternFill("solid", fgColor="DDEBF7")
    header.comment = Comment(_explained(column, first=place == 1).to(language), "Kerbsafe", 120, 320)
    example = sheet[f"{letter}2"]
    example.value = (EXAMPLE.to(language) if place == 1 else "") + _example(column, language)
    example.font = Font(italic=True, color="808080")
    sheet.column_dimensions[letter].width = _WIDTH
    day_or_text = _DAY_FORMAT if column.parse is day else _TEXT_FORMAT
    for row in range(2, _LAST_ROW + 1):
        sheet[f"{letter}{row}"].number_format = day_or_text
    choice = _choice(column, language)
    if choice is not None:
        # A driver or company that is registered already may be named too: the list only proposes.
        listed = DataValidation("list", choice, allow_blank=True, showErrorMessage=choice.startswith('"'))
        listed.add(f"{letter}{_FIRST_ROW}:{letter}{_LAST_ROW}")
        sheet.add_data_validation(listed)


def _explained(column: Column, *, first: bool) -> Words:
    words = column.meaning.then(Words(". ", "。")).then(_NEEDS[column.need])
    return words.then(Words(" ", "")).then(_CODES) if first else words


def _example(column: Column, language: Language) -> str:
    if column.parse is vehicle_kind and language == "en":
        return name_of(vehicle_kind(column.example))
    return column.example


def _choice(column: Column, language: Language) -> str | None:
    """Return the list to choose from: kinds of vehicles, or the codes on another sheet."""
    if column.parse is vehicle_kind:
        kinds = [name_of(kind) if language == "en" else names[0] for kind, names in VEHICLE_KINDS.items()]
        return f'"{",".join(kinds)}"'
    if column.refers_to in _KINDS:
        other = LAYOUTS[column.refers_to].label.to(language)
        return f"={other}!$A${_FIRST_ROW}:$A${_LAST_ROW}"
    return None
