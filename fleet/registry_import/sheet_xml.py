"""What the reader of rows leaves out of a sheet: cells that are merged down, formulas without a value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from openpyxl.utils.cell import column_index_from_string, coordinate_from_string, range_boundaries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from re import Match
    from typing import IO

    Place = tuple[int, int]

# The length of what may stand between is bounded, so that no file makes the search slow.
_CELL = rb"<(?:\w{1,9}:)?"
_MERGED = re.compile(_CELL + rb'mergeCell\s[^>]{0,99}?ref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')
_NO_VALUE = re.compile(
    _CELL + rb'c r="([A-Z]{1,3}\d{1,7})"(?![^>]{0,99}t="str")[^>]{0,99}>\s?'
    rb"<(?:\w{1,9}:)?f(?:[^>]{0,199}/>|[^>]{0,199}>[^<]{0,8192}</(?:\w{1,9}:)?f>)\s?"
    rb"(?:<(?:\w{1,9}:)?v\s?/>|<(?:\w{1,9}:)?v>\s?</(?:\w{1,9}:)?v>)?\s?</(?:\w{1,9}:)?c>"
)
_CHUNK, _OVERLAP = 1 << 20, 10_000
#: More rows than a table may have cannot be merged either.
_MOST = 50_000


class Extras(NamedTuple):
    """Places (row, column, from 1) of a sheet."""

    #: Cells that are merged with one above them, with that one.
    merged: dict[Place, Place]
    #: Cells whose formula has no value yet.
    uncalculated: frozenset[Place]


def read_extras(sheet: IO[bytes]) -> Extras:
    """Search the XML of a sheet."""
    merged: dict[Place, Place] = {}
    uncalculated: set[Place] = set()
    for match in _matches(sheet):
        if match.re is _NO_VALUE:
            letters, row = coordinate_from_string(match[1].decode())
            uncalculated.add((row, column_index_from_string(letters)))
            continue
        left, top, _right, bottom = range_boundaries(match[1].decode())
        for row in range(top + 1, min(bottom, top + _MOST - len(merged)) + 1):
            merged[row, left] = top, left
    return Extras(merged, frozenset(uncalculated))


def _matches(sheet: IO[bytes]) -> Iterator[Match[bytes]]:
    """Yield what is found in pieces that overlap: some of it twice."""
    before = b""
    while chunk := sheet.read(_CHUNK):
        piece = before + chunk
        for pattern in (_NO_VALUE, _MERGED):
            yield from pattern.finditer(piece)
        before = piece[-_OVERLAP:]
