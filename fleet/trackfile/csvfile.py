"""Tracks as CSV: a header line, then a fix a line, as loggers, platforms and spreadsheets write them.

The header is found below titles and comments, the separator by what makes the header one (`sep=` names it),
and columns by their common names in Chinese and English (`fleet.trackfile.headers`).
"""

from __future__ import annotations

import csv
import re
from datetime import UTC
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from fleet.language import Words, listed
from fleet.schedule import CIVIL_ZONE
from fleet.trackfile.account import DAMAGED, LINES, NO_FIX, NOT_CSV, OTHER_LENGTH
from fleet.trackfile.collecting import FIELDS, Collector
from fleet.trackfile.drives import NOTHING_SAID, Options, Place, Track, decode_text, error_of, shown
from fleet.trackfile.headers import SPEED_UNITS, Header, is_own_name, understand
from fleet.trackfile.times import is_time_of_day, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SEPARATORS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_BLANK = re.compile(r"\s*(?:\r\n|\n|\r)|\s+\Z")
_END = re.compile(r"\r\n|\n|\r")
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\n|\r|\Z)")
#: Lines within which the header stands, and physical lines that a quoted value may span.
_HEADER_WITHIN, _QUOTED_WITHIN = 20, 10
#: No track has more columns, and no line of one is longer.
_MAX_COLUMNS, _LONGEST_LINE = 1_000, 1 << 16
#: No file has more lines; what is longer than this many fixes has none in most of them.
_MAX_LINES = 5_000_000
#: Values of a column that says whether the receiver had a position.
_NOT_VALID = frozenset({"false", "0", "v", "no", "否", "无效", "未定位"})
_NAMED = 40


class _Head(NamedTuple):
    place: Place
    separator: str
    header: Header
    #: Lines above it that are not read.
    above: int


def parse_csv(file: str, data: bytes, options: Options = NOTHING_SAID) -> Track:
    """Return the track in a CSV file.

    Lines that cannot be read are left out and counted. What is wrong with the columns is one error that names
    all of it.
    """
    text = decode_text(file, data, options.encoding)
    if text.text.count("\n") > _MAX_LINES:
        raise error_of(file, _TOO_MANY_LINES)
    lines = _lines(file, text.text)
    head = _find_head(file, list(islice(_lines(file, text.text), _HEADER_WITHIN)), options.speed_unit)
    header = head.header
    _check(head)
    zone = {"UTC": UTC, "Asia/Shanghai": CIVIL_ZONE, None: None}[header.zone]
    zone_words = _ZONE.fill(zone=header.zone, why=header.zone_said_by)
    collector = Collector(file, LINES, options, zone=zone, zone_words=zone_words)
    collector.decimal_comma = head.separator != ","
    collector.account.say_encoding(text)
    _say_columns(collector, head, options)
    for place, line in lines:
        if place.line > head.place.line:
            _take(collector, head, place, line)
    return collector.track("relative" if _clock(header) == "t_s" else "epoch")


def _clock(header: Header) -> str:
    return "time" if "time" in header.columns else "t_s"


def _lines(file: str, text: str) -> Iterator[tuple[Place, str]]:
    """Yield the lines that are not blank; one in which a quoted value breaks is whole."""
    at, number_of_line = 0, 0
    while at < len(text):
        if (blank := _BLANK.match(text, at)) is not None:
            number_of_line += len(_END.findall(blank[0]))
            at = blank.end()
            continue
        found = _LINE.match(text, at)
        line, after, span = found[1], found.end(), 1  # type: ignore[index,union-attr]  # it always matches
        while line.count('"') % 2 and span < _QUOTED_WITHIN and after < len(text):
            more = _LINE.match(text, after)
            line, after, span = f"{line}\n{more[1]}", more.end(), span + 1  # type: ignore[index,union-attr]
        if line.count('"') % 2:  # never closed: the line alone is at fault
            line, after, span = found[1], found.end(), 1  # type: ignore[index,union-attr]
        yield Place(file, number_of_line + 1), line
        at, number_of_line = after, number_of_line + span


def _cells(line: str, separator: str) -> list[str]:
    """Return the values of a line; raises csv.Error."""
    if '"' not in line:
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator, strict=True), [])


def _find_head(file: str, lines: Sequence[tuple[Place, str]], speed_unit: str | None) -> _Head:
    """Return the first line that names times and places; if none does, the one that names most."""
    separators: tuple[str, ...] = _SEPARATORS
    best: _Head | None = None
    above = 0
    for place, line in lines:
        if len(line) > _LONGEST_LINE:
            raise place.error(_TOO_LONG)
        if best is None and (named := _SEP_LINE.fullmatch(line)):
            separators = (named[1],)
            continue
        for separator in separators:
            header = _header(line, separator, place, speed_unit)
            if best is None or len(header.columns) > len(best.header.columns):
                best = _Head(place, separator, header, above)
        if best is not None and best.header.is_complete:
            break
        above += not line.startswith("#")
    if best is None:
        raise error_of(file, _EMPTY)
    return best


def _header(line: str, separator: str, place: Place, speed_unit: str | None) -> Header:
    try:
        names = [name.strip() for name in _cells(line.lstrip("# \t"), separator)]
    except csv.Error:
        names = []
    if len(names) > _MAX_COLUMNS:
        raise place.error(_TOO_WIDE.fill(count=f"{len(names):,}"))
    while names and not names[-1]:
        names.pop()
    return understand(names, speed_unit)


def _check(head: _Head) -> None:
    """Raise everything that is wrong with the columns, at once."""
    header = head.header
    missing = [name for name in ("lat", "lon") if name not in header.columns]
    if not {"time", "t_s"} & header.columns.keys():
        missing.insert(0, "time")
    problems = list(header.problems)
    if missing:
        found = (
            listed(Words(shown(name), shown(name)) for name in header.names[:_NAMED])
            if header.names
            else _NONE
        )
        fields = ", ".join(name for name in FIELDS if name not in {"lat", "lon"})
        problems.append(_MISSING.fill(missing=", ".join(missing), found=found, fields=fields))
    if problems:
        raise head.place.error(Words("; ".join(p.en for p in problems), "；".join(p.zh for p in problems)))


def _say_columns(collector: Collector, head: _Head, options: Options) -> None:
    """Say what was understood of a header that is not in our own words."""
    header, account = head.header, collector.account
    if head.above:
        account.decide("header", str(head.place.line), _ABOVE.fill(line=head.place.line))
    renamed = [column for column in header.columns.values() if not is_own_name(column)]
    if not (renamed or header.left_aside()):
        return
    read = [Words(f"{shown(c.name)} as {c.field}", f"{shown(c.name)}={c.field}") for c in renamed] or [_OURS]
    aside = [Words(shown(name), shown(name)) for name in header.left_aside()[:_NAMED]]
    words = _COLUMNS.fill(columns=listed(read)).then(
        _ASIDE.fill(names=listed(aside)) if aside else Words("", "")
    )
    account.decide("columns", ", ".join(f"{shown(c.name)}={c.field}" for c in renamed), words)
    speed = header.columns.get("speed_kmh")
    if speed is not None and header.speed_unit is not None and options.speed_unit is None and header.kind:
        unit = SPEED_UNITS[header.speed_unit]
        account.decide(
            "speed_unit", unit, _SPEED.fill(name=shown(speed.name), unit=unit, kind=header.kind.name)
        )


def _take(collector: Collector, head: _Head, place: Place, line: str) -> None:
    """Take one line."""
    if line.startswith("#"):
        return
    if len(line) > _LONGEST_LINE or "\ufffd" in line or "\0" in line:
        collector.leave_out(DAMAGED, place)
        return
    names, columns = head.header.names, head.header.columns
    try:
        cells = _cells(line, head.separator)
    except csv.Error as error:
        collector.leave_out(NOT_CSV, place, str(error))
        return
    while len(cells) > len(names) and not cells[-1].strip():
        cells.pop()
    if len(cells) != len(names):
        collector.leave_out(OTHER_LENGTH, place)
        return
    texts = {of: cells[column.position].strip() for of, column in columns.items()}
    if texts.get("valid", "").casefold() in _NOT_VALID:
        collector.leave_out(NO_FIX, place)
        return
    collector.of_one_vehicle(texts.get("vehicle", ""), place)
    clock = _clock(head.header)
    time = texts[clock]
    if "date" in texts and is_time_of_day(time):
        time = f"{texts['date']} {time}"
    values = _in_our_units(texts, head.header, decimal_comma=collector.decimal_comma)
    collector.add(time, values, place, "relative" if clock == "t_s" else "epoch")


def _in_our_units(texts: dict[str, str], header: Header, *, decimal_comma: bool) -> dict[str, str | float]:
    """Return the values with those of other units converted; what is no number stays a text."""
    values: dict[str, str | float] = dict(texts)
    for of, column in header.columns.items():
        if column.factor not in {1.0, None}:
            found = number(texts[of], decimal_comma=decimal_comma)
            values[of] = texts[of] if found is None else found * (column.factor or 1.0)
    return values


_EMPTY = Words("holds no fixes", "没有定位点")
_TOO_MANY_LINES = Words(f"has more than {_MAX_LINES:,} lines; split it", f"超过 {_MAX_LINES:,} 行；请拆分")
_NONE = Words("nothing", "空")
_TOO_LONG = Words(
    f"is longer than {_LONGEST_LINE:,} characters, which no line of a track is: this is not a recorded drive",
    f"超过 {_LONGEST_LINE:,} 个字符，不会是轨迹：这不是录制的行程",
)
_TOO_WIDE = Words(
    "has {count} columns, which no track has: this is not a recorded drive",
    "有 {count} 列，不会是轨迹：这不是录制的行程",
)
_MISSING = Words(
    "the header has no column {missing}; it has {found}. Needed: time (or t_s, seconds), lat, lon; "
    "may be: {fields}, or their usual names in Chinese and English",
    "表头缺少 {missing} 列；现有：{found}。必需：time（时间）或 t_s（秒）、lat（纬度）、lon（经度）；"
    "可选：{fields}，或常用的中英文列名",
)
_ABOVE = Words(
    "the header is in line {line}; the lines above it are not read", "表头在第 {line} 行；其上各行不读"
)
_OURS = Words("those with our names", "与本系统同名的列")
_COLUMNS = Words("columns read: {columns}", "读入的列：{columns}")
_ASIDE = Words("; left aside: {names}", "；不用的列：{names}")
_SPEED = Words("{name} is read in {unit}: a file of {kind}", "“{name}”按 {unit} 读入：{kind} 的文件")
_ZONE = Words(
    "times without an offset are read as {zone} ({why}); if they are not, say --timezone",
    "没有时区的时间按 {zone} 读入（{why}）；若不是，请用 --timezone 指明",
)
