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


def read_bytes(path: Path, max_mb: int) -> bytes:
    """Return what a file holds. Raise OSError, with words for a person, if that is more than `max_mb`."""
    with path.open("rb") as file:
        data = file.read(max_mb * _MB + 1)
    _refuse_more(len(data), max_mb)
    return data


def read_text(path: Path, max_mb: int) -> str:
    """Return the text of a file in UTF-8, or of standard input; raise OSError as `read_bytes` does."""
    if str(path) != STDIN:
        return read_bytes(path, max_mb).decode("utf-8")
    text = sys.stdin.read(max_mb * _MB + 1)
    _refuse_more(len(text), max_mb)
    return text


def _refuse_more(size: int, max_mb: int) -> None:
    if size > max_mb * _MB:
        raise OSError(errno.EFBIG, f"more than {max_mb} MB, and no such file is")
