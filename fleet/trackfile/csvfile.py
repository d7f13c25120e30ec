"""Tracks as CSV: a header line, then a fix a line; `t_s` or `time`, `lat`, `lon`, and what else is known."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from fleet.trackfile.drives import (
    FIELDS,
    SIGNALS,
    Place,
    Track,
    TrackError,
    decode_text,
    to_fix,
    to_relative_us,
    to_time_us,
    to_track,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Names that are near to ours, and what to write instead. Units stand in names, so a guess could be wrong.
_MEANT = {
    "latitude": "lat",
    "lng": "lon",
    "long": "lon",
    "longitude": "lon",
    "timestamp": "time",
    "datetime": "time",
    "speed": "speed_kmh (converted to km/h)",
    "speed_mps": "speed_kmh (converted to km/h)",
    "course": "course_deg",
    "heading": "course_deg",
    "bearing": "course_deg",
    "altitude": "altitude_m",
    "elevation": "altitude_m",
    "odometer": "odometer_km",
    "limit": "limit_kmh",
    "speed_limit": "limit_kmh",
}


def parse_csv(file: str, data: bytes) -> Track:
    """Return the track in a CSV file.

    Columns that Kerbsafe has no use for are ignored; a name near to one of ours is an error, because a
    speed that is silently unknown is worse than none.
    """
    rows = _rows(file, decode_text(file, data))
    place, header = next(rows, (Place(file, 1), []))
    names = [name.strip() for name in header]
    clock_column = _check_header(place, names)
    fixes, times_us, vehicle = [], [], None
    for at, cells in rows:
        if len(cells) != len(names):
            raise at.error(f"has {len(cells)} values, the header {len(names)}")
        texts = dict(zip(names, cells, strict=True))
        vehicle = _same_vehicle(vehicle, texts.get("vehicle"), at)
        text = texts[clock_column].strip()
        convert = to_relative_us if clock_column == "t_s" else to_time_us
        times_us.append(convert(text, at, clock_column))
        fixes.append(to_fix(texts, at))
    return to_track(file, fixes, times_us, "relative" if clock_column == "t_s" else "epoch")


def _same_vehicle(before: str | None, now: str | None, at: Place) -> str | None:
    """Return the vehicle that a line names; two in one file would be read as one that jumps."""
    if before not in {None, now}:
        raise at.error(f"{now!r} after {before!r}: a file holds one vehicle; make a file of each", "vehicle")
    return now


def _rows(file: str, text: str) -> Iterator[tuple[Place, list[str]]]:
    """Yield the lines that are not blank, each with its place."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Place(file, reader.line_num).error(f"is not CSV: {error}") from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield Place(file, reader.line_num), cells


def _check_header(place: Place, names: list[str]) -> str:
    """Return the name of the column that holds the time."""
    for name in names:
        if name.lower() in _MEANT:
            raise place.error(f"name it {_MEANT[name.lower()]}", name)
        if names.count(name) > 1:
            raise place.error("stands there twice", name)
    clocks = [name for name in ("time", "t_s") if name in names]
    missing = [name for name in ("lat", "lon") if name not in names]
    if not clocks:
        missing.insert(0, "time (or t_s, seconds)")
    if missing:
        raise _missing(place, names, missing)
    return clocks[0]


def _missing(place: Place, names: list[str], missing: list[str]) -> TrackError:
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        return place.error("values are not separated by commas: save it with commas")
    known = ", ".join((*FIELDS[2:], *SIGNALS))
    found = ", ".join(names)[:200] or "nothing"
    return place.error(
        f"the header has no column {', '.join(missing)}; it has {found}. "
        f"Needed: time or t_s, lat, lon; may be: {known}"
    )
