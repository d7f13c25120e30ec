"""What a report is, whatever it is written as: sections of paragraphs, tables, figures, boxes and notes.

Every text is in both languages, and every cell of a table has its raw values beside what is shown, so that a
workbook gets real numbers and dates. `None` among raw values is what is not recorded: it is shown in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleet.language import Language, Words

Raw = int | float | str | date | datetime | None


class Tone(StrEnum):
    """How a verdict is coloured; its words say the same without colour."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"
    NONE = "none"


class Kind(StrEnum):
    """What a column holds: how its raw values are written in a workbook, and on which side they stand."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    SHARE = "share"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    heading
        What stands above it.
    kind
        What it holds.
    parts
        How many raw values a cell has: 1; 2, the ends of a range or an interval; 3, a value and its ends.
    weight
        Share of the table's width on paper, beside those of the other columns.
    """

    heading: Words
    kind: Kind = Kind.TEXT
    parts: int = 1
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Cell:
    """What is shown, and the raw values behind it: as many as its column has parts."""

    shown: Words
    raw: tuple[Raw, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: Words


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences under a heading of its own."""

    heading: Words
    items: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Small print under a table or figure: a source, a definition, a warning."""

    text: Words


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of typed cells. `key` names it in files."""

    key: str
    title: Words
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture, and the table it is drawn from.

    Attributes
    ----------
    key
        Names it in files.
    description
        What it shows, for whoever cannot see it.
    draw
        Returns it as SVG in a language; drawn once, and only if a format shows it.
    data
        The raw table behind it: part of the workbook, not shown on paper.
    """

    key: str
    title: Words
    description: Words
    draw: Callable[[Language], bytes]
    data: Table


@dataclass(frozen=True, slots=True)
class VerdictBox:
    """One verdict: what it is about, the words, and the numbers they rest on."""

    heading: Words
    wording: Words
    tone: Tone
    numbers: tuple[tuple[Words, Words], ...]


@dataclass(frozen=True, slots=True)
class Boxes:
    """Verdicts side by side."""

    boxes: tuple[VerdictBox, ...]


Block = Paragraph | Bullets | Note | Table | Figure | Boxes


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered part of the report."""

    key: str
    title: Words
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """The report.

    Attributes
    ----------
    number
        Names this run: `2020-08-flash`, with the scope of one that is not the city's.
    period
        The month, as people write it.
    as_of
        Its only date: also that of the files.
    simulated
        Said on every page.
    cover
        Names and values.
    verdict_file
        What `kerbsafe rates verdict` reads to give the same verdict; None: there is none.
    """

    number: str
    title: Words
    period: Words
    as_of: datetime
    simulated: bool
    cover: tuple[tuple[Words, Words], ...]
    sections: tuple[Section, ...]
    verdict_file: Mapping[str, Any] | None = None

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table, those behind figures among them, in the order of the report."""
        found = [
            block.data if isinstance(block, Figure) else block
            for section in self.sections
            for block in section.blocks
            if isinstance(block, Table | Figure)
        ]
        return tuple(found)
