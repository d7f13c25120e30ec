"""One cell of a registry file to one value. A cell that cannot be read raises `CellError` with the remedy.

Cells come as text (CSV), as numbers, dates and booleans (XLSX) or as JSON values.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from fleet.datum import DATUMS
from fleet.registry import FenceKind, VehicleKind
from fleet.registry_import.problem import CellError
from fleet.schedule import CIVIL_ZONE, Schedule, ScheduleError, parse_schedule
from fleet.wire.topics import is_code

if TYPE_CHECKING:
    from collections.abc import Mapping

Word = TypeVar("Word", VehicleKind, FenceKind, str)

_LONGEST_TEXT = 200
_LIMITS_KMH = (1, 200)
_LONGEST_DWELL_S = 30 * 86400
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_MOMENT = re.compile(r"(\S+?)[T ](\d{1,2}:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)?", re.IGNORECASE)

VEHICLE_KINDS: Mapping[VehicleKind, tuple[str, ...]] = {
    VehicleKind.MIXER: ("混凝土搅拌车", "搅拌车", "混凝土搅拌运输车"),
    VehicleKind.BULK_CEMENT: ("散装水泥车", "散装水泥运输车", "水泥罐车"),
    VehicleKind.MORTAR: ("砂浆车", "砂浆运输车", "预拌砂浆车"),
    VehicleKind.SILO_CARRIER: ("背罐车",),
    VehicleKind.PUMP: ("泵车", "混凝土泵车"),
    VehicleKind.OTHER: ("其他", "其它"),
}
FENCE_KINDS: Mapping[FenceKind, tuple[str, ...]] = {
    FenceKind.SITE: ("场站", "工地", "厂区"),
    FenceKind.FORBIDDEN: ("禁行区", "禁行"),
    FenceKind.PERMITTED: ("许可区", "允许区"),
    FenceKind.SPEED_ZONE: ("限速区", "限速"),
    FenceKind.MUST_STOP: ("右转必停", "必停路口"),
    FenceKind.DISTRICT: ("行政区", "区县"),
}
DATUM_NAMES: Mapping[str, tuple[str, ...]] = dict.fromkeys(DATUMS, ())
_YES, _NO = {"true", "yes", "1", "是"}, {"false", "no", "0", "否"}


def text(raw: object) -> str:
    """Read text: at most 200 characters without control characters; whole numbers lose their `.0`."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise CellError("must be text")
    if isinstance(raw, float):
        raw = int(raw) if raw.is_integer() else raw
    try:
        found = str(raw).strip()
    except ValueError:  # an integer of thousands of digits
        raise CellError(f"must be at most {_LONGEST_TEXT} characters") from None
    if len(found) > _LONGEST_TEXT:
        raise CellError(f"must be at most {_LONGEST_TEXT} characters")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in found):
        raise CellError("must have no line breaks or other control characters")
    return found


def code(raw: object) -> str:
    """Read a code or login: 1 to 64 of A-Z a-z 0-9 _ -."""
    found = text(raw)
    if not is_code(found):
        raise CellError("must be 1 to 64 of the characters A-Z a-z 0-9 _ - (a code is not the plate)")
    return found


def _whole_number(raw: object, lowest: int, highest: int, unit: str) -> int:
    try:
        number = float(unicodedata.normalize("NFKC", text(raw)))
    except ValueError:
        number = float("nan")
    if not (number.is_integer() and lowest <= number <= highest):
        raise CellError(f"must be a whole number of {unit} from {lowest} to {highest}")
    return int(number)


def limit_kmh(raw: object) -> int:
    """Read a speed limit, whole km/h."""
    return _whole_number(raw, *_LIMITS_KMH, "km/h")


def dwell_s(raw: object) -> int:
    """Read the longest stay, whole seconds."""
    return _whole_number(raw, 1, _LONGEST_DWELL_S, "seconds")


def _word(raw: object, words: Mapping[Word, tuple[str, ...]]) -> Word:
    """Read one of the words, by its name or one of its synonyms."""
    found = unicodedata.normalize("NFKC", text(raw)).casefold().replace(" ", "_").replace("-", "_")
    for word, synonyms in words.items():
        if found == name_of(word) or found in synonyms:
            return word
    raise CellError(f"must be one of {', '.join(name_of(word) for word in words)}")


def name_of(word: VehicleKind | FenceKind | str) -> str:
    """Return the name of a kind in files and in the store."""
    return word.word if isinstance(word, VehicleKind) else str(word)


def vehicle_kind(raw: object) -> VehicleKind:
    """Read a kind of vehicle."""
    return _word(raw, VEHICLE_KINDS)


def fence_kind(raw: object) -> FenceKind:
    """Read a kind of fence."""
    return _word(raw, FENCE_KINDS)


def datum(raw: object) -> str:
    """Read the name of a datum."""
    return _word(raw, DATUM_NAMES)


def yes_no(raw: object) -> bool:
    """Read a boolean."""
    found = str(raw).lower() if isinstance(raw, bool) else text(raw).casefold()
    if found not in _YES | _NO:
        raise CellError("must be true or false")
    return found in _YES


def schedule(raw: object) -> Schedule:
    """Read weekly windows in civil time."""
    try:
        return parse_schedule(raw if isinstance(raw, list) else text(raw))
    except ScheduleError as error:
        raise CellError(str(error)) from None


def day(raw: object) -> date:
    """Read a civil day: 2026-01-31, 2026/1/31 or 2026年1月31日, or the date of a spreadsheet's cell."""
    found = raw.date() if isinstance(raw, datetime) else raw
    if not isinstance(found, date):
        found = _day_from_text(text(raw))
    if found is None or not _FIRST_YEAR <= found.year < _LAST_YEAR:
        raise CellError(f"must be a day like 2026-01-31, from {_FIRST_YEAR} to {_LAST_YEAR - 1}")
    return found


def _day_from_text(found: str) -> date | None:
    match = _DATE.fullmatch(found)
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None


def beginning(raw: object) -> datetime:
    """Read when something begins: a moment, or a civil day, which begins at its midnight. Aware, UTC."""
    return _moment(raw) or _midnight(day(raw))


def end(raw: object) -> datetime:
    """Read when something ends: a moment, or a civil day, which ends at the next midnight. Aware, UTC."""
    return _moment(raw) or _midnight(day(raw)) + timedelta(days=1)


def _midnight(civil_day: date) -> datetime:
    return datetime(civil_day.year, civil_day.month, civil_day.day, tzinfo=CIVIL_ZONE).astimezone(UTC)


def _moment(raw: object) -> datetime | None:
    """Return the moment that a cell names, or None if it has no time of day. Without offset: civil time."""
    if isinstance(raw, datetime):
        day(raw)
        return (raw if raw.tzinfo else raw.replace(tzinfo=CIVIL_ZONE)).astimezone(UTC)
    match = None if isinstance(raw, date) else _MOMENT.fullmatch(text(raw))
    if match is None:
        return None
    clock = match[2] if match[2].index(":") > 1 else f"0{match[2]}"
    offset = (match[3] or "+08:00").upper().replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(f"{day(match[1]).isoformat()}T{clock}{offset}").astimezone(UTC)
    except ValueError:
        raise CellError(
            "must be a time like 2026-01-31 08:00 (civil time) or 2026-01-31T08:00+08:00"
        ) from None
