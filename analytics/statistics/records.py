"""Reading JSON objects that people sign: every key known, every error reported at once.

An approval covers what is written; a misspelt key would silently leave a threshold at some default. Unknown
keys are therefore errors, and there are few defaults.
"""

from __future__ import annotations

import difflib
import unicodedata
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from analytics.statistics.inputs import StatisticsError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

REQUIRED = object()
YEARS = range(1900, 2201)
# Control characters, and halves of characters, which no encoding can write.
NO_CHARACTERS = ("Cc", "Cs")


class Fields:
    """One JSON object being read; problems are collected in a list shared with its siblings.

    Parameters
    ----------
    value
        What stood in the file.
    where
        Its place, for messages ("policy").
    problems
        Collects one sentence a problem.
    """

    def __init__(self, value: Any, where: str, problems: list[str]) -> None:
        self._where = where
        self._problems = problems
        self._known: set[str] = set()
        if isinstance(value, dict):
            self._values: dict[str, Any] = value
        else:
            self._values = {}
            problems.append(f"{where} must be an object with named values, not {type(value).__name__}")

    def take(self, name: str, read: Callable[[Any, str], Any], default: Any = REQUIRED) -> Any:
        """Read one value; a problem is noted and None returned."""
        self._known.add(name)
        full = f"{self._where}.{name}"
        if name not in self._values:
            if default is REQUIRED:
                self._problems.append(f"{full} is missing")
                return None
            return default
        try:
            return read(self._values[name], full)
        except StatisticsError as error:
            self._problems.append(str(error))
            return None

    def finish(self) -> None:
        """Note the keys nobody asked for."""
        for name in self._values:
            if name not in self._known:
                near = difflib.get_close_matches(name, self._known, n=1)
                hint = (
                    f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(self._known))}"
                )
                shown = name if name.isprintable() else repr(name)
                self._problems.append(f"{self._where}.{shown} is not a known key{hint}")


def accept(value: T | None, problems: list[str], what: str) -> T:
    """Return what was read, or raise all the problems found, in one line."""
    if problems or value is None:
        raise StatisticsError(f"{what} cannot be used: " + "; ".join(problems))
    return value


def as_is(value: Any, _: str) -> Any:
    """Return what stood there: an object within the object, read by the caller."""
    return value


def read_text(value: Any, name: str) -> str:
    """Return a non-empty text."""
    if not isinstance(value, str) or not value.strip():
        raise StatisticsError(f"{name} is {value!r}: give a text")
    if any(unicodedata.category(char) in NO_CHARACTERS for char in value.strip()):
        raise StatisticsError(f"{name} is {value!r}: give a text of one line, without control characters")
    return value.strip()


def read_date(value: Any, name: str) -> date:
    """Return a date written YYYY-MM-DD."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise StatisticsError(f"{name} is {value!r}: give a date as YYYY-MM-DD") from None


def read_flag(value: Any, name: str) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise StatisticsError(f"{name} is {value!r}: give true or false")
    return value


def read_year(value: Any, name: str) -> int:
    """Return a calendar year."""
    if isinstance(value, bool) or not isinstance(value, int) or value not in YEARS:
        raise StatisticsError(f"{name} is {value!r}: give a calendar year")
    return value


def read_whole(least: int) -> Callable[[Any, str], int]:
    """Return a reader of whole numbers from `least` up."""

    def read(value: Any, name: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise StatisticsError(f"{name} is {value!r}: give a whole number, {least} or more")
        return value

    return read
