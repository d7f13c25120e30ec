"""Recorded drives: CSV and GPX tracks to columns, NDJSON recordings to messages.

A track is one vehicle's fixes, in the order of the file; a recording is what devices published and when
it arrived. `parse` is pure; `read` opens the file. Every error names file, line, column and remedy.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleet.trackfile.csvfile import parse_csv
from fleet.trackfile.drives import Recorded, Recording, Track, TrackError
from fleet.trackfile.gpx import parse_gpx
from fleet.trackfile.ndjson import format_recorded, parse_ndjson

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Recorded", "Recording", "Track", "TrackError", "format_recorded", "parse", "read"]

_PARSERS: dict[str, Callable[[str, bytes], Track | Recording]] = {
    ".csv": parse_csv,
    ".gpx": parse_gpx,
    ".ndjson": parse_ndjson,
    ".jsonl": parse_ndjson,
}


def parse(file: str, data: bytes) -> Track | Recording:
    """Return the drive that `data` holds; the ending of the name `file` says in which format.

    Raises
    ------
    TrackError
        If the ending is unknown or the data cannot be read.
    """
    parser = _PARSERS.get(Path(file).suffix.lower())
    if parser is None:
        endings = ", ".join(sorted(_PARSERS))
        raise TrackError(f"{file}: the ending says no format; Kerbsafe reads {endings}")
    return parser(file, data)


def read(path: str | Path) -> Track | Recording:
    """Open a file and return the drive in it.

    Raises
    ------
    TrackError
        If the file cannot be opened or read.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise TrackError(f"{path}: cannot be opened: {error.strerror}") from error
    return parse(str(path), data)
