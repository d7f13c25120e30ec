"""What was detected, for `kerbsafe score`: lines of a file, or what is judged in the store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from fleet.db import Queries
from fleet.units import to_datetime
from kerbsafe.shell.bounded import read_text
from kerbsafe.shell.database import database
from simulators.errors import SimulatorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.score import Event

    Row = dict[str, Any]

QUERIES = Queries(Path(__file__).with_suffix(".sql"))
#: Rows of the store that begin so long before or after the truth belong to something else.
MARGIN = timedelta(minutes=2)
#: A day of a city is a tenth of it.
MAX_MB = 100


def read_rows(path: Path) -> list[Row]:
    """Return the JSON objects of a file, one a line; `-` is standard input.

    Raises
    ------
    SimulatorError
        If the file cannot be read, or a line is no JSON object; names the line.
    """
    try:
        text = read_text(path, MAX_MB)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SimulatorError(f"cannot read {path}: {why}") from error
    return [_row(path, number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _row(path: Path, number: int, line: str) -> Row:
    try:
        row = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise SimulatorError(f"{path}, line {number}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise SimulatorError(f"{path}, line {number}: not a JSON object; give one object a line")
    return row


async def stored_rows(truth: Sequence[Event], shift_s: float) -> list[Row]:
    """Return what is judged in the database of KERBSAFE_DSN in the time that the truth spans."""
    if not truth:
        return []
    first = to_datetime(round((min(e.from_s for e in truth) + shift_s) * 1e6)) - MARGIN
    last = to_datetime(round((max(e.to_s for e in truth) + shift_s) * 1e6)) + MARGIN
    async with database("score") as connection:
        return [dict(row) for row in await connection.fetch(QUERIES["episodes_between"], first, last)]
