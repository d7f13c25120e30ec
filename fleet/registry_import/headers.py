"""Rows of cells to a table: which row has the headers, what stands above it, and what below is no data.

People put a title over their tables, group columns under a second line of headers, and end with a sum and
who signed. What is left aside is said.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from fleet.language import Words, listed
from fleet.printable import printable
from fleet.registry_import.column import normalise
from fleet.registry_import.problem import Problem, row_words, shown
from fleet.registry_import.table import Row, Table, is_blank, within_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fleet.registry_import.column import Kind

    Cells = Sequence[Any]
    IsHeader = Callable[[str], bool]

#: The header is among the first rows that say anything.
_DEEPEST_HEADER = 20
#: Below the first row, a header has at least so many known words: one may be a value.
_MIN_KNOWN = 2
#: How many of the rows left aside are cited.
_MAX_CITED = 3
_SUM = re.compile(r"(合|总|小|共)计.*|((sub|grand )?total|sum):?", re.IGNORECASE)
_SIGNATURE = re.compile(r"(注|说明|备注|填表|填报|制表|制单|审核|审批|打印|note)\S{0,4}:.*", re.IGNORECASE)
#: What the examples of a template begin with, in its first column.
EXAMPLE = Words("e.g. ", "例：")
_EXAMPLES = ("e.g.", "例:")


class Header(NamedTuple):
    """Where the headers are among the rows that are not blank, and what they say; "" has no name."""

    first: int
    last: int
    texts: tuple[str, ...]


def make_table(
    name: str, kind: Kind | None, records: Iterable[tuple[int, Cells]], is_header: IsHeader
) -> Table:
    """Return the table of numbered records: its header, the rows below it, and what was left aside.

    `is_header` says whether a cell is the header of a column that is known.
    """
    filled = [record for record in within_limits(name, records) if not all(map(is_blank, record[1]))]
    if not filled:
        return Table(name, kind, (), ())
    header = _find_header([cells for _, cells in filled[:_DEEPEST_HEADER]], is_header)
    header_row = filled[header.last][0]
    problems = [
        Problem(name, header_row, text, None, _SAME_NAME)
        for text, count in Counter(header.texts).items()
        if text and count > 1
    ]
    rows, aside = [], []
    for number, cells in filled[header.last + 1 :]:
        if _is_no_data(cells, header.texts):
            aside.append((number, cells))
            continue
        rows.append(Row(number, {h: cell for h, cell in zip(header.texts, cells, strict=False) if h}))
        if _strays(header.texts, cells):
            problems.append(Problem(name, number, "", None, _NO_HEADER))
    notes = _notes(filled[: header.first], header_row, aside)
    headers = tuple(filter(None, header.texts))
    return Table(name, kind, headers, tuple(rows), tuple(problems), header.last > 0, notes)


_SAME_NAME = Words("two columns have this name; keep one", "有两列同名；请只保留一列")
_NO_HEADER = Words(
    "a cell stands under no header; name its column, or quote the comma in a value",
    "有单元格没有列名；请补上列名，或给含逗号的值加引号",
)


def _find_header(rows: Sequence[Cells], is_header: IsHeader) -> Header:
    """Return the row with most known headers, with the line above or below that completes it."""
    known = [_known(cells, is_header) for cells in rows]
    best = max(range(len(rows)), key=lambda row: known[row])
    if known[best] < _MIN_KNOWN:
        best = 0
    texts = [_text(cell) for cell in rows[best]]
    first = last = best
    if best and known[best - 1]:
        completed = [
            here or (above if is_header(above) else "")
            for here, above in _side_by_side(texts, rows[best - 1])
        ]
        if any(completed[len(texts) :]) or completed[: len(texts)] != texts:
            first, texts = best - 1, completed
    if best + 1 < len(rows) and known[best] and known[best + 1] == _count(rows[best + 1]):
        last, texts = best + 1, [below or here for here, below in _side_by_side(texts, rows[best + 1])]
    return Header(first, last, tuple(texts))


def _side_by_side(texts: Sequence[str], cells: Cells) -> Iterable[tuple[str, str]]:
    width = max(len(texts), len(cells))
    others = [_text(cell) for cell in cells]
    return zip([*texts, *[""] * (width - len(texts))], [*others, *[""] * (width - len(others))], strict=True)


def _known(cells: Cells, is_header: IsHeader) -> int:
    """Return how many cells are known headers; of a row that holds anything but text, none is."""
    filled = [cell for cell in cells if not is_blank(cell)]
    if not all(isinstance(cell, str) for cell in filled):
        return 0
    return sum(map(is_header, filled))


def _count(cells: Cells) -> int:
    return sum(not is_blank(cell) for cell in cells)


def _text(cell: Any) -> str:
    return "" if is_blank(cell) else shown(cell).strip()


def _is_no_data(cells: Cells, headers: Sequence[str]) -> bool:
    """Say whether a row is a sum, a signature, an example, or the header once more."""
    words = [unicodedata.normalize("NFKC", _text(cell)) for cell in cells if not is_blank(cell)]
    if any(_SUM.fullmatch(word) for word in words[:2]) or _SIGNATURE.fullmatch(words[0]):
        return True
    if words[0].startswith(_EXAMPLES):
        return True
    return [normalise(_text(cell)) for cell in cells] == [normalise(text) for text in headers[: len(cells)]]


def _strays(headers: Sequence[str], cells: Cells) -> bool:
    return any(
        not is_blank(cell) and not (column < len(headers) and headers[column])
        for column, cell in enumerate(cells)
    )


def _notes(
    above: Sequence[tuple[int, Cells]], header_row: int, aside: Sequence[tuple[int, Cells]]
) -> tuple[Words, ...]:
    notes = []
    if above:
        words = Words(
            "the header is row {row}; above it, left aside: {rows}",
            "表头在第 {row} 行；其上不读：{rows}",
        )
        notes.append(words.fill(row=header_row, rows=_cited(above)))
    if aside:
        words = Words("no data, left aside: {rows}", "非数据行，不读：{rows}")
        notes.append(words.fill(rows=_cited(aside)))
    return tuple(notes)


def _cited(records: Sequence[tuple[int, Cells]]) -> Words:
    cited = []
    for number, cells in records[:_MAX_CITED]:
        said = printable(next(_text(cell) for cell in cells if not is_blank(cell)))
        cited.append(row_words(number).then(Words(f" '{said}'", f"“{said}”")))
    more = len(records) - _MAX_CITED
    if more > 0:
        cited.append(Words(f"{more} more rows", f"另 {more} 行"))
    return listed(cited)
