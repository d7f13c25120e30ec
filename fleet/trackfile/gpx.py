"""Tracks as GPX 1.0 and 1.1.

Read with the expat of the standard library, and any document type declaration is refused: without one
there are no entities, so neither expansion nor external references. (`defusedxml` does the same, but has
had no release since 2021.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from fleet.trackfile.drives import Place, Track, TrackError, to_fix, to_time_us, to_track
from fleet.units import KMH_PER_MPS

if TYPE_CHECKING:
    from fleet.wire.v1.payloads import FixIn

#: Elements of a track point, and the field that each gives. Garmin's TrackPointExtension (speed, course)
#: has the same local names as GPX 1.0.
_FIELDS = {
    "time": "time",
    "ele": "altitude_m",
    "speed": "speed_mps",
    "course": "course_deg",
    "sat": "satellites",
    "hdop": "hdop",
}


def parse_gpx(file: str, data: bytes) -> Track:
    """Return the track points of a GPX file, all segments of all tracks one behind the other.

    Speeds are metres per second (GPX 1.0, Garmin's TrackPointExtension 2); times without an offset are
    UTC, as GPX says.
    """
    reader = _Reader(file)
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        what = f"is not well-formed XML: {expat.ErrorString(error.code)}"
        raise Place(file, error.lineno).error(what) from error
    except (LookupError, ValueError) as error:
        raise TrackError(f"{file}: has an encoding that cannot be read; convert it to UTF-8") from error
    return to_track(file, reader.fixes, reader.times_us, "epoch")


class _Reader:
    """Collects the track points while expat reads."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.fixes: list[FixIn] = []
        self.times_us: list[int] = []
        self._point: dict[str, str] | None = None
        self._text: list[str] = []
        self._place = Place(file, 1)
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text.append

    def _here(self) -> Place:
        return Place(self.file, self.parser.CurrentLineNumber)

    def _doctype(self, *_: object) -> None:
        raise self._here().error("has a document type declaration, which is not read; remove it")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._text.clear()
        if _local(name) == "trkpt":
            self._place = self._here()
            self._point = {key: attributes[key] for key in ("lat", "lon") if key in attributes}

    def _end(self, name: str) -> None:
        local = _local(name)
        if self._point is None:
            return
        if local == "trkpt":
            self._finish(self._point)
            self._point = None
        elif local in _FIELDS:
            self._point[_FIELDS[local]] = "".join(self._text).strip()
        self._text.clear()

    def _finish(self, point: dict[str, str]) -> None:
        if not point.get("time"):
            raise self._place.error("the track point has no <time>; only recorded drives can be played")
        if point.get("speed_mps"):
            point["speed_kmh"] = self._kmh(point["speed_mps"])
        self.times_us.append(to_time_us(point["time"], self._place, "time", assume_utc=True))
        self.fixes.append(to_fix(point, self._place))

    def _kmh(self, mps: str) -> str:
        try:
            return repr(float(mps) * KMH_PER_MPS)
        except ValueError as error:
            raise self._place.error(f"{mps[:40]!r} is not a number", "speed") from error


def _local(name: str) -> str:
    """Return an element's name without its namespace."""
    return name.rpartition(" ")[2]
