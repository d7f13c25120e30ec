"""Recorded drives: CSV and GPX tracks to columns, NDJSON recordings to messages.

A track is one vehicle's fixes, in the order of the file; a recording is what devices published and when
it arrived. `parse` is pure; `read` opens the file. What is wrong in a file is left out and counted in its
account, as on the wire; an error is raised where nothing can be read, and names file, place and remedy.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fleet.language import Words
from fleet.trackfile.csvfile import parse_csv
from fleet.trackfile.drives import (
    NOTHING_SAID,
    Options,
    Recorded,
    Recording,
    Track,
    TrackError,
    error_of,
    shown,
)
from fleet.trackfile.gpx import parse_gpx
from fleet.trackfile.ndjson import format_recorded, parse_ndjson

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Options", "Recorded", "Recording", "Track", "TrackError", "format_recorded", "parse", "read"]


class _Format(NamedTuple):
    parse: Callable[[str, bytes, Options], Track | Recording]
    #: MiB; a longer file is none of a drive, or is to be split.
    largest: int


_CSV, _GPX, _NDJSON = _Format(parse_csv, 64), _Format(parse_gpx, 64), _Format(parse_ndjson, 2048)
_FORMATS = {
    ".csv": _CSV,
    ".tsv": _CSV,
    ".txt": _CSV,
    ".gpx": _GPX,
    ".ndjson": _NDJSON,
    ".jsonl": _NDJSON,
}
#: Within which the first line of a file of many lines ends.
_FIRST_LINE_WITHIN = 8 << 20


def parse(file: str, data: bytes, options: Options = NOTHING_SAID) -> Track | Recording:
    """Return the drive that `data` holds; the ending of the name `file` says in which format.

    Raises
    ------
    TrackError
        If the ending is unknown or nothing in the data can be read.
    """
    return _format(file).parse(file, data, options)


def read(path: str | Path, options: Options = NOTHING_SAID) -> Track | Recording:
    """Open a file and return the drive in it.

    Raises
    ------
    TrackError
        If the file cannot be opened or read.
    """
    file = shown(str(path), _LONGEST_PATH)
    form = _format(file)
    try:
        about = Path(path).stat()  # before it is opened, which would wait for the writer of a pipe
        if not stat.S_ISREG(about.st_mode):
            raise error_of(file, _NO_FILE)
        if about.st_size > form.largest << 20:
            raise error_of(file, _TOO_LARGE.fill(size=about.st_size >> 20, largest=form.largest))
        with Path(path).open("rb") as opened:
            data = opened.read(_FIRST_LINE_WITHIN)
            if (
                form is not _GPX
                and len(data) == _FIRST_LINE_WITHIN
                and b"\n" not in data
                and b"\r" not in data
            ):
                raise error_of(file, _ONE_LINE.fill(size=_FIRST_LINE_WITHIN >> 20))
            data += opened.read((form.largest << 20) - len(data))
    except OSError as error:
        raise error_of(file, _NOT_OPENED.fill(why=error.strerror or str(error))) from error
    return form.parse(file, data, options)


def _format(file: str) -> _Format:
    ending = Path(file).suffix.lower()
    if (form := _FORMATS.get(ending)) is not None:
        return form
    remedy = _REMEDIES.get(ending, Words("", ""))
    raise error_of(file, _NO_FORMAT.fill(endings=", ".join(sorted(_FORMATS))).then(remedy))


_LONGEST_PATH = 4096
_SAVE = Words("; save the sheet as `CSV UTF-8`", "；请在表格软件中另存为“CSV UTF-8”")
_CONVERT = Words("; convert it to GPX, for instance with GPSBabel", "；请转换为 GPX，例如用 GPSBabel")
_UNPACK = Words("; unpack it", "；请先解压")
_REMEDIES = (
    dict.fromkeys((".xlsx", ".xls", ".ods", ".et"), _SAVE)
    | dict.fromkeys((".kml", ".fit", ".tcx", ".nmea", ".igc", ".plt"), _CONVERT)
    | dict.fromkeys((".zip", ".gz", ".kmz", ".7z", ".rar"), _UNPACK)
)
_NO_FORMAT = Words(
    "the ending says no format; Kerbsafe reads {endings}", "扩展名不是可读的格式；可读：{endings}"
)
_NOT_OPENED = Words("cannot be opened: {why}", "无法打开：{why}")
_NO_FILE = Words(
    "is not a file on a disk; write the drive to one and name that", "不是磁盘上的文件；请先存成文件再指明"
)
_TOO_LARGE = Words(
    "has {size} MiB, a drive at most {largest}; split it",
    "有 {size} MiB，行程文件最大 {largest} MiB；请拆分",
)
_ONE_LINE = Words(
    "has no end of line within {size} MiB: this is not a recorded drive",
    "前 {size} MiB 没有换行：这不是录制的行程",
)
