"""Tracks as GPX 1.0 and 1.1.

Read with the expat of the standard library, and any document type declaration is refused: without one
there are no entities, so neither expansion nor external references. (`defusedxml` does the same, but has
had no release since 2021.)
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING
from xml.parsers import expat

import numpy as np

from fleet import textfile
from fleet.language import Words
from fleet.trackfile.account import NO_FIX, POINTS
from fleet.trackfile.collecting import Collector, steps
from fleet.trackfile.drives import NOTHING_SAID, Options, Place, Track, decode_text, error_of, shown
from fleet.trackfile.times import number
from fleet.units import KMH_PER_MPS

if TYPE_CHECKING:
    from fleet.columns import Fixes

#: Elements of a track point, and the field that each gives.
_OWN = {
    "time": "time",
    "ele": "altitude_m",
    "speed": "speed",
    "course": "course_deg",
    "sat": "satellites",
    "hdop": "hdop",
    "fix": "fix",
}
#: Those that may stand in its extensions instead: Garmin's TrackPointExtension, OsmAnd, loggers.
_EXTENDED = {"speed": "speed", "course": "course_deg", "bearing": "course_deg", "heading": "course_deg"}
#: What an attribute `unit` of a speed may say, and km/h of one.
_UNITS = {
    "m/s": KMH_PER_MPS,
    "mps": KMH_PER_MPS,
    "km/h": 1.0,
    "kmh": 1.0,
    "kph": 1.0,
    "mph": 1.609344,
    "kn": 1.852,
}
#: No GPX nests deeper, extensions included.
_DEEPEST = 50
_PLACES = ("wpt", "rtept")
_DECLARED = re.compile(rb"""\A\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
#: Steps between two parts of a file that no vehicle can have driven, from which on they are two vehicles.
_IMPOSSIBLE_STEPS = 3


def parse_gpx(file: str, data: bytes, options: Options = NOTHING_SAID) -> Track:
    """Return the track points of a GPX file, all segments of all tracks one behind the other.

    Speeds are metres per second (GPX 1.0, Garmin's TrackPointExtension 2) unless an attribute `unit` says
    otherwise; times without an offset are UTC, as GPX says. Points that cannot be read are left out, counted.
    """
    reader = _Reader(file, options)
    try:
        reader.parser.Parse(_utf8(file, data, reader, options), True)
    except expat.ExpatError as error:
        what = _BROKEN.fill(why=expat.ErrorString(error.code))
        if not len(reader.collector):
            raise Place(file, error.lineno).error(what) from error
        reader.collector.account.decide("cut", str(error.lineno), _CUT.fill(line=error.lineno, what=what))
    if not len(reader.collector) and not reader.collector.account.left_out:
        _refuse_places(file, reader.found)
    track = reader.collector.track()
    _refuse_two_vehicles(file, track.fixes, reader.parts)
    return track


def _utf8(file: str, data: bytes, reader: _Reader, options: Options) -> bytes:
    """Return the document as UTF-8: expat reads few encodings, and few files of China are in them."""
    declared = _DECLARED.match(data)
    name = declared[1].decode().lower().replace("_", "-") if declared else ""
    encoding = options.encoding or (name if name in textfile.ENCODINGS and name != "utf-8" else None)
    if encoding == "utf-16" and not options.encoding:
        encoding = None  # the mark says which
    text = decode_text(file, data, encoding)
    reader.collector.account.say_encoding(text)
    return text.text.encode("utf-8", "replace")


class _Reader:
    """Collects the track points while expat reads."""

    def __init__(self, file: str, options: Options) -> None:
        self.file = file
        self.collector = Collector(file, POINTS, options, zone=UTC)
        #: Elements that hold places, by name.
        self.found: Counter[str] = Counter()
        #: Index of the first fix of each segment, and what it is called.
        self.parts: list[tuple[int, str]] = []
        self._track = ""
        self._depth = 0
        self._point: dict[str, str] | None = None
        #: Elements that are open within the point.
        self._within: list[str] = []
        self._unit = ""
        self._text: list[str] = []
        self._place = Place(file, 1)
        self.parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text.append

    def _here(self) -> Place:
        return Place(self.file, self.parser.CurrentLineNumber)

    def _doctype(self, *_: object) -> None:
        raise self._here().error(_DOCTYPE)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._text.clear()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._here().error(_TOO_DEEP)
        local = _local(name)
        if self._point is not None:
            self._within.append(local)
            self._unit = attributes.get("unit", attributes.get("units", ""))
        elif local == "trkpt":
            self._place = self._here()
            self._within = []
            self._point = {key: attributes[key].strip() for key in ("lat", "lon") if key in attributes}
        elif local == "trk":
            self.found["trk"] += 1
            self._track = f"track {self.found['trk']}"
        elif local == "trkseg":
            self.parts.append((len(self.collector), self._track))
        elif local in _PLACES:
            self.found[local] += 1

    def _end(self, name: str) -> None:
        local, text = _local(name), "".join(self._text).strip()
        self._text.clear()
        self._depth -= 1
        if self._point is None:
            if local == "name" and self._track and text and not self.parts_of_track():
                self._track = text
            return
        if not self._within:
            self._finish(self._point)
            self._point = None
            return
        self._within.pop()
        field = self._field(local)
        if field is not None and text:
            self._point.setdefault(field, self._kmh(text) if field == "speed" else text)

    def parts_of_track(self) -> int:
        """Return how many segments of the present track have begun."""
        return sum(name == self._track for _, name in self.parts)

    def _field(self, local: str) -> str | None:
        """Return the field that an element of the point gives, where it stands."""
        if not self._within:
            return _OWN.get(local)
        return _EXTENDED.get(local) if self._within[0] == "extensions" else None

    def _kmh(self, text: str) -> str:
        mps = number(text)
        factor = _UNITS.get(self._unit.strip().lower()) if self._unit else KMH_PER_MPS
        return text if mps is None else f"{text} {self._unit}" if factor is None else repr(mps * factor)

    def _finish(self, point: dict[str, str]) -> None:
        if point.get("fix") == "none":
            self.collector.leave_out(NO_FIX, self._place)
            return
        if "speed" in point:
            point["speed_kmh"] = point["speed"]
        self.collector.add(point.get("time", ""), point, self._place)


def _local(name: str) -> str:
    """Return an element's name without its namespace."""
    return name.rpartition(" ")[2]


def _refuse_places(file: str, found: Counter[str]) -> None:
    """Say what a file without track points holds instead, if it does."""
    for element, words in zip(_PLACES, (_WAYPOINTS, _ROUTE), strict=True):
        if found[element]:
            raise error_of(file, words.fill(count=found[element]))


def _refuse_two_vehicles(file: str, fixes: Fixes, parts: list[tuple[int, str]]) -> None:
    """Refuse parts between which, in the order of time, one vehicle would have to jump to and fro."""
    if len(parts) < 2:  # noqa: PLR2004
        return
    part = np.searchsorted([first for first, _ in parts], np.arange(len(fixes)), side="right") - 1
    order = np.lexsort((part, fixes.time_us))
    part, rows = part[order], fixes.take(order)
    step_s, step_m, impossible = steps(rows)
    impossible &= part[1:] != part[:-1]
    if np.count_nonzero(impossible) < _IMPOSSIBLE_STEPS:
        return
    at = int(np.flatnonzero(impossible)[0])
    names = [shown(parts[of][1]) for of in (part[at], part[at + 1])]
    if names[0] == names[1]:
        names = [
            f"{name}, segment {of + 1}" for name, of in zip(names, (part[at], part[at + 1]), strict=True)
        ]
    raise error_of(
        file, _TWO.fill(one=names[0], other=names[1], away=f"{step_m[at]:,.0f}", after=f"{step_s[at]:g}")
    )


_BROKEN = Words("is not well-formed XML: {why}", "不是完整的 XML：{why}")
_CUT = Words(
    "the file ends in line {line} ({what}); what stands before is read",
    "文件到第 {line} 行为止（{what}）；之前的内容已读入",
)
_TOO_DEEP = Words("nests elements too deeply: this is not GPX", "元素嵌套过深：这不是 GPX")
_DOCTYPE = Words(
    "has a document type declaration, which is not read; remove it",
    "含有文档类型声明（DOCTYPE），不予读取；请删去",
)
_WAYPOINTS = Words(
    "holds places (waypoints: {count}), not a drive; give a recorded track (<trk>)",
    "是地点（航点 {count} 个），不是行驶轨迹；请提供录制的轨迹（<trk>）",
)
_ROUTE = Words(
    "holds a planned route ({count} points), not a drive; give a recorded track (<trk>)",
    "是规划的路线（{count} 个点），不是行驶轨迹；请提供录制的轨迹（<trk>）",
)
_TWO = Words(
    "holds two vehicles: {one!r} and {other!r} are {away} m apart within {after} s; make a file of each",
    "含有两辆车：{one!r} 与 {other!r} 在 {after} 秒内相距 {away} 米；请按车辆拆分文件",
)
