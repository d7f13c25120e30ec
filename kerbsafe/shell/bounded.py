"""Files that people name, read as far as such a file may be long: `/dev/zero` ends in a sentence."""

from __future__ import annotations

import errno
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: In place of a path: standard input.
STDIN = "-"
_MB = 1_000_000


def read_bytes(path: Path, most_mb: int) -> bytes:
    """Return what a file holds. Raise OSError, with words for a person, if that is more than `most_mb`."""
    with path.open("rb") as file:
        data = file.read(most_mb * _MB + 1)
    _refuse_more(len(data), most_mb)
    return data


def read_text(path: Path, most_mb: int) -> str:
    """Return the text of a file in UTF-8, or of standard input; raise OSError as `read_bytes` does."""
    if str(path) != STDIN:
        return read_bytes(path, most_mb).decode("utf-8")
    text = sys.stdin.read(most_mb * _MB + 1)
    _refuse_more(len(text), most_mb)
    return text


def _refuse_more(size: int, most_mb: int) -> None:
    if size > most_mb * _MB:
        raise OSError(errno.EFBIG, f"more than {most_mb} MB, and no such file is")
