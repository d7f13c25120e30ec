"""What is wrong with a registry file: which row, which column, and the remedy; all of it at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.registry import RegistryError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_VALUE = 60


class CellError(RegistryError):
    """A cell cannot be read; the message is the remedy. Only inside this package."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file."""

    #: Kind of the table, or the name of the sheet, or "" for the file as a whole.
    table: str
    #: Row as a spreadsheet counts (the header is 1), number of the JSON element or feature (from 1);
    #: None: the table as a whole.
    row: int | None
    #: Name of the column, or "" for the row as a whole.
    column: str
    #: What stands there, shortened; None where it is personal or there is none.
    value: str | None
    message: str

    def __str__(self) -> str:
        place = " ".join(
            part for part in (self.table, "" if self.row is None else f"row {self.row}", self.column) if part
        )
        value = "" if self.value is None else f" {self.value!r}"
        return f"{place}{value}: {self.message}" if place else self.message


class ImportRefusedError(RegistryError):
    """The file has problems; nothing of it was imported."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{problems[0]}{more}. Nothing was imported.")


def refuse(message: str, *, table: str = "", row: int | None = None, column: str = "") -> ImportRefusedError:
    """Return the error of a file with one problem."""
    return ImportRefusedError([Problem(table, row, column, None, message)])


def shown(raw: object) -> str:
    """Return a cell's value as a problem shows it."""
    try:
        text = str(raw)
    except ValueError:  # an integer of thousands of digits
        return "a very long number"
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
