"""What a column and a kind of table is, and how the words of people are compared with the known ones."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any

from fleet.entities import Company, Device, Driver, Fence, Pass, Vehicle
from fleet.language import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Record = Company | Vehicle | Device | Driver | Fence | Pass

#: A cell that clears what is registered; an empty cell says nothing.
CLEAR = "-"
_UNIT = re.compile(r"\([^()]*\)$")
_MARKS = "*:_"
_CHINESE = "[\u3400-\u9fff]"
_BLANK_IN_CHINESE = re.compile(rf"(?<={_CHINESE})\s+(?={_CHINESE})")
#: How near a word must be to be taken for a known one; Chinese ones are short, and 车架号 is not 车牌号.
_NEAR, _NEAR_IN_CHINESE = 0.6, 0.75
_LONGEST_WORD, _MAX_COMPARED = 64, 2_000
NOTHING = Words("", "")


class Kind(StrEnum):
    """What a table holds, in the order in which tables are applied."""

    COMPANIES = "companies"
    DRIVERS = "drivers"
    VEHICLES = "vehicles"
    FENCES = "fences"
    PASSES = "passes"
    DEVICES = "devices"


class Need(Enum):
    """When a row must have a value in a column."""

    ALWAYS = "always"
    WHEN_NEW = "when new"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a kind of table. Its name is that of the record's field."""

    name: str
    synonyms: tuple[str, ...]
    meaning: Words
    parse: Callable[[object], Any]
    need: Need = Need.NO
    #: Rules read it: a change makes a new version.
    effective: bool = False
    #: Never shown in a message.
    personal: bool = False
    #: The kind that the value is a code of.
    refers_to: Kind | None = None
    #: What a template shows.
    example: str = ""

    @property
    def label(self) -> Words:
        """How a person calls it."""
        chinese = (name for name in self.synonyms if not name.isascii())
        return Words(self.name, next(chinese, self.name))


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of table. The first column is the key."""

    kind: Kind
    record: type[Record]
    #: Other names of sheets.
    sheets: tuple[str, ...]
    columns: tuple[Column, ...]
    #: The column that rows without a code are told apart by.
    name: str = ""

    @property
    def key(self) -> Column:
        """The column that tells rows apart."""
        return self.columns[0]

    @property
    def label(self) -> Words:
        """How a person calls it."""
        return Words(self.kind, next(name for name in self.sheets if not name.isascii()))

    @property
    def versioned(self) -> bool:
        """Whether rules read any of it, so that there are versions."""
        return any(column.effective for column in self.columns)

    def find(self, header: str) -> Column | None:
        """Return the column that a header names."""
        wanted = normalise(header)
        for column in self.columns:
            if wanted == column.name or wanted in column.synonyms:
                return column
        return None


def normalise(header: str) -> str:
    """Return a header as it is compared.

    NFKC, lower case, `_` for spaces and hyphens, without `(unit)`, the `*` of forms, and blanks in Chinese.
    """
    text = _BLANK_IN_CHINESE.sub("", unicodedata.normalize("NFKC", header).strip().casefold())
    return re.sub(r"[\s\-]+", "_", _UNIT.sub("", text.strip(_MARKS)).strip()).strip(_MARKS)


def nearest(wrong: str, known: Iterable[str]) -> Words:
    """Return "; did you mean `X`?" for the known word that is nearest to a wrong one, or nothing."""
    by_normal = {normalise(word): word for word in islice(known, _MAX_COMPARED)}
    cutoff = _NEAR_IN_CHINESE if re.search(_CHINESE, wrong) else _NEAR
    found = difflib.get_close_matches(normalise(wrong[:_LONGEST_WORD]), by_normal, n=1, cutoff=cutoff)
    return (
        Words("; did you mean `{word}`?", "；是否为“{word}”？").fill(word=by_normal[found[0]])
        if found
        else NOTHING
    )
