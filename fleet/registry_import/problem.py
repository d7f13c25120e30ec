"""What is wrong with a registry file: which row, which column, and the remedy; all of it at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.entities import RegistryError
from fleet.language import Words
from fleet.printable import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_VALUE = 60


class CellError(RegistryError):
    """A cell cannot be read; the words are the remedy. Only inside this package."""

    def __init__(self, words: Words) -> None:
        super().__init__(words)
        self.words = words


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file."""

    #: Kind of the table, or the name of the sheet, or "" for the file as a whole.
    table: str
    #: Row as a spreadsheet counts (the header is 1), number of the JSON element or feature (from 1);
    #: None: the table as a whole.
    row: int | None
    #: Header of the column in the file, or its name, or "" for the row as a whole.
    column: str
    #: What stands there, shortened; None where it is personal or there is none.
    value: str | None
    message: Words
    #: Further rows that have the same fault, or that this one contradicts: table and number.
    others: tuple[tuple[str, int], ...] = ()

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """The rows that cannot be imported as they are; none where the table as a whole is wrong."""
        return self.others if self.row is None else ((self.table, self.row), *self.others)

    @property
    def words(self) -> Words:
        """The place, what stands there, and what is wrong with it."""
        return _place(self).then(self.message)

    def __str__(self) -> str:
        return self.words.en


def _place(problem: Problem) -> Words:
    value = "" if problem.value is None else quoted(problem.value)
    row = Words("", "") if problem.row is None else row_words(problem.row)
    column = plain(problem.column)
    if problem.row is None and problem.column:
        column = Words(f"column {quoted(problem.column)}", f"列“{printable(problem.column)}”")
    parts = [plain(problem.table), row, column, plain(value)]
    en, zh = (" ".join(filter(None, texts)) for texts in zip(*parts, strict=True))
    return Words(f"{en}: ", f"{zh}：") if en else plain("")


def plain(text: str) -> Words:
    """Return a name or a value, which is the same in both languages, as it may be printed."""
    return Words(printable(text), printable(text))


def row_words(number: int) -> Words:
    """Return how a row is named."""
    return Words(f"row {number}", f"第 {number} 行")


class ImportRefusedError(RegistryError):
    """The file has problems; nothing of it was imported."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        more = len(problems) - 1
        others = Words(f" (and {more} more)", f"（另有 {more} 处）") if more else plain("")
        nothing = Words(". Nothing was imported.", "。未导入任何内容。")
        super().__init__(problems[0].words.then(others).then(nothing))


def refuse(
    message: Words, *, table: str = "", row: int | None = None, column: str = ""
) -> ImportRefusedError:
    """Return the error of a file with one problem."""
    return ImportRefusedError([Problem(table, row, column, None, message)])


def shown(raw: object) -> str:
    """Return a cell's value as a problem shows it."""
    try:
        text = str(raw)
    except ValueError:  # an integer of thousands of digits
        return "a very long number"
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
