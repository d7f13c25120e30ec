"""JSON that people name on the command line: one value, strict, of a bounded length."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fleet.errors import KerbsafeError
from kerbsafe.shell.bounded import STDIN, read_text

#: Counts and exposures of ten years are a thousandth of it.
_MAX_MB = 10


class InputFileError(KerbsafeError):
    """A file or standard input is not what the command reads."""


def read_json(name: str) -> Any:
    """Read one JSON value from a file or, for `-`, from standard input; NaN and infinities are refused."""
    where = "standard input" if name == STDIN else name
    try:
        text = read_text(Path(name), _MAX_MB)
    except OSError as error:
        raise InputFileError(f"{where} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputFileError(f"{where} is not UTF-8 text") from None
    try:
        return parse_json(text)
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"{where} is not JSON that can be used: {error}") from None


def parse_json(text: str) -> Any:
    """Return one JSON value; raise ValueError for NaN, infinities, and a key that stands twice."""
    return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_no_duplicates)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name!r} stands twice")
        found[name] = value
    return found
