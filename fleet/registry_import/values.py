"""One cell of a registry file to one value. A cell that cannot be read raises `CellError` with the remedy.

Cells come as text (CSV), as numbers, dates and booleans (XLSX) or as JSON values.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from fleet.datum import DATUMS
from fleet.kinds import FenceKind, VehicleKind
from fleet.language import Words
from fleet.printable import find_unseen
from fleet.registry_import.plates import read_plate
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
#: Day 0 of Excel's numbers, from March 1900 on.
_EXCEL_DAY_0 = date(1899, 12, 30)
_EXCEL_DAYS = range(36526, 73051)
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?|(20\d\d)(\d\d)(\d\d)")
_MIDNIGHT = re.compile(r"[T ]0?0:00(:00)?(\.0+)?$")
#: "60 km/h"
_SPEED_UNIT = re.compile(r"\s*(km/h|kmh|kph|公里/小时|公里|千米/小时|码)$", re.IGNORECASE)
#: What Excel makes of a long number that it is not told to keep as text.
_DIGITS_LOST = re.compile(r"[\d.]+E\+\d+", re.IGNORECASE)
#: `="0001"`: how Excel is told to keep text that looks like a number.
_EXCEL_TEXT = re.compile(r'="(.*)"')
#: What a cell is read as whose formula has no value.
NOT_CALCULATED = "#FORMULA?"
_EXCEL_ERROR = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!)")
_CHINESE = "[\u3400-\u9fff]"
_BLANK_IN_NAME = re.compile(rf"(?<={_CHINESE})\s+(?={_CHINESE})")
_TWO_PEOPLE = re.compile(rf"{_CHINESE}\s*[、/;,]\s*{_CHINESE}")
#: The class of a vehicle licence: many kinds of truck share one, so that it does not say what is carried.
_LICENCE_CLASS = re.compile(r"[重中轻微]型.*(货车|作业车|牵引车|挂车|汽车)")
_MOMENT = re.compile(r"(\S+?)[T ](\d{1,2}:\d\d(?::\d\d)?)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)?", re.IGNORECASE)

VEHICLE_KINDS: Mapping[VehicleKind, tuple[str, ...]] = {
    VehicleKind.MIXER: (
        *("搅拌车", "混凝土搅拌车", "混凝土搅拌运输车", "搅拌运输车", "水泥搅拌车", "砼车", "砼搅拌车"),
        *("砼罐车", "混凝土车", "混凝土罐车", "商砼车", "商混车", "mixer_truck", "concrete_mixer"),
    ),
    VehicleKind.BULK_CEMENT: (
        *("散装水泥车", "散装水泥运输车", "水泥罐车", "水泥车", "散装水泥罐车", "散装罐车", "散装车"),
        *("粉罐车", "粉粒物料车", "粉粒物料运输车", "bulk_cement_truck", "cement_tanker"),
    ),
    VehicleKind.MORTAR: (
        *("砂浆车", "砂浆运输车", "预拌砂浆车", "预拌砂浆运输车", "干混砂浆车", "干混砂浆运输车"),
        *("湿拌砂浆车", "mortar_truck"),
    ),
    VehicleKind.SILO_CARRIER: ("背罐车", "砂浆背罐车", "运罐车", "筒仓运输车"),
    VehicleKind.PUMP: ("泵车", "混凝土泵车", "臂架泵车", "车载泵", "天泵", "pump_truck", "concrete_pump"),
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
    """Read text: at most 200 characters, all of them seen; whole numbers lose their `.0`."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise CellError(Words("must be text", "应为文本"))
    if isinstance(raw, float):
        raw = int(raw) if raw.is_integer() else raw
    try:
        found = str(raw).strip()
    except ValueError:  # an integer of thousands of digits
        raise CellError(_TOO_LONG) from None
    found = _EXCEL_TEXT.sub(r"\1", found)
    if len(found) > _LONGEST_TEXT:
        raise CellError(_TOO_LONG)
    if (place := find_unseen(found)) is not None:
        raise CellError(_UNSEEN.fill(place=place + 1, code=f"U+{ord(found[place]):04X}"))
    if "\ufffd" in found:
        raise CellError(_DAMAGED)
    if found == NOT_CALCULATED:
        raise CellError(_NOT_CALCULATED)
    if _EXCEL_ERROR.fullmatch(found):
        raise CellError(
            Words("is an error of the spreadsheet; mend the formula", "是表格的公式错误；请先改正")
        )
    return found


_TOO_LONG = Words(f"must be at most {_LONGEST_TEXT} characters", f"最多 {_LONGEST_TEXT} 个字符")
_UNSEEN = Words(
    "must have no line breaks, other control characters or characters that nobody sees; number {place} is "
    "{code}; type it again",
    "不得含换行、控制字符或不可见字符；第 {place} 个字符是 {code}；请重新输入",
)
_NOT_CALCULATED = Words(
    "is a formula that was never calculated; open the file in Excel and save it",
    "是未计算过的公式；请用 Excel 打开并保存",
)
_DAMAGED = Words(
    "has a character that was damaged on the way; save the file as UTF-8 again",
    "含有损坏的字符；请重新另存为 UTF-8",
)


def code(raw: object) -> str:
    """Read a code or login: 1 to 64 of A-Z a-z 0-9 _ -; full-width characters are taken for these."""
    found = unicodedata.normalize("NFKC", text(raw))
    if not is_code(found):
        raise CellError(
            Words(
                "must be 1 to 64 of the characters A-Z a-z 0-9 _ - (a code is not the plate)",
                "应为 1 至 64 个字符，只用 A-Z a-z 0-9 _ -（代码不是车牌号）",
            )
        )
    return found


def reference(raw: object) -> str:
    """Read what names a company, vehicle or driver: its code, or its name or plate, which is no code."""
    found = text(raw)
    normal = unicodedata.normalize("NFKC", found)
    return normal if is_code(normal) else found


def person(raw: object) -> str:
    """Read the name of one person; blanks within a Chinese name are for looks."""
    found = _BLANK_IN_NAME.sub("", text(raw))
    if _TWO_PEOPLE.search(unicodedata.normalize("NFKC", found)):
        raise CellError(Words("names two people; give each a row", "写了两个人；请每人一行"))
    return found


def phone(raw: object) -> str:
    """Read a telephone: text, in which blanks are for looks."""
    found = "".join(unicodedata.normalize("NFKC", text(raw)).split())
    if _DIGITS_LOST.fullmatch(found):
        raise CellError(
            Words(
                "has lost digits in Excel; format the column as text and write it again",
                "号码已被 Excel 截断；请把该列设为文本后重新填写",
            )
        )
    return found


def plate(raw: object) -> str:
    """Read a number plate."""
    return read_plate(text(raw))


def says_no_kind(raw: object) -> bool:
    """Say whether the kind of a vehicle is the class of its licence, which does not say what it carries."""
    return isinstance(raw, str) and _LICENCE_CLASS.fullmatch(raw.strip()) is not None


def _whole_number(raw: object, lowest: int, highest: int, unit: Words) -> int:
    try:
        number = float(unicodedata.normalize("NFKC", text(raw)))
    except ValueError:
        number = float("nan")
    if not (number.is_integer() and lowest <= number <= highest):
        words = Words(
            "must be a whole number of {unit} from {lowest} to {highest}",
            "应为 {lowest} 至 {highest} 的整数（{unit}）",
        )
        raise CellError(words.fill(unit=unit, lowest=lowest, highest=highest))
    return int(number)


def limit_kmh(raw: object) -> int:
    """Read a speed limit, whole km/h."""
    bare = _SPEED_UNIT.sub("", unicodedata.normalize("NFKC", raw).strip()) if isinstance(raw, str) else raw
    return _whole_number(bare, *_LIMITS_KMH, Words("km/h", "km/h"))


def dwell_s(raw: object) -> int:
    """Read the longest stay, whole seconds."""
    return _whole_number(raw, 1, _LONGEST_DWELL_S, Words("seconds", "秒"))


def _word(raw: object, words: Mapping[Word, tuple[str, ...]]) -> Word:
    """Read one of the words, by its name or one of its synonyms."""
    found = unicodedata.normalize("NFKC", text(raw)).casefold().replace(" ", "_").replace("-", "_")
    for word, synonyms in words.items():
        if found == name_of(word) or found in synonyms:
            return word
    names = [name_of(word) for word in words]
    chinese = [(synonyms or (name_of(word),))[0] for word, synonyms in words.items()]
    raise CellError(Words(f"must be one of {', '.join(names)}", f"应为以下之一：{'、'.join(chinese)}"))


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
        raise CellError(Words("must be true or false", "应为 是 或 否"))
    return found in _YES


def schedule(raw: object) -> Schedule:
    """Read weekly windows in civil time."""
    try:
        return parse_schedule(raw if isinstance(raw, list) else text(raw))
    except ScheduleError as error:
        chinese = "时段无法识别，应如：周一至周五 07:00-09:00; 周六 22:00-06:00"
        raise CellError(Words(str(error), chinese)) from None


def day(raw: object) -> date:
    """Read a civil day: 2026-01-31, 2026/1/31, 2026.1.31, 20260131, 2026年1月31日, or Excel's number."""
    found = raw.date() if isinstance(raw, datetime) else raw
    if not isinstance(found, date):
        found = _day_from_text(unicodedata.normalize("NFKC", text(raw)))
    if found is None or not _FIRST_YEAR <= found.year < _LAST_YEAR:
        words = Words(
            "must be a day like 2026-01-31, from {first} to {last}",
            "应为日期，如 2026-01-31，{first} 至 {last} 年",
        )
        raise CellError(words.fill(first=_FIRST_YEAR, last=_LAST_YEAR - 1))
    return found


def _day_from_text(found: str) -> date | None:
    found = _MIDNIGHT.sub("", found)
    if found.isdecimal() and int(found[:9]) in _EXCEL_DAYS and len(found) < len("20260131"):
        return _EXCEL_DAY_0 + timedelta(days=int(found))
    match = _DATE.fullmatch(found)
    try:
        return date(*(int(part) for part in match.groups() if part)) if match else None
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
    if (match[3] or "").strip("0"):
        raise CellError(
            Words(
                "must be a whole second, like 2026-01-31T08:00:00+08:00, without a fraction",
                "应为整秒，如 2026-01-31T08:00:00+08:00，不带小数",
            )
        )
    clock = match[2] if match[2].index(":") > 1 else f"0{match[2]}"
    offset = (match[4] or "+08:00").upper().replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(f"{day(match[1]).isoformat()}T{clock}{offset}").astimezone(UTC)
    except ValueError:
        raise CellError(
            Words(
                "must be a time like 2026-01-31 08:00 (civil time) or 2026-01-31T08:00+08:00",
                "应为时间，如 2026-01-31 08:00（北京时间）或 2026-01-31T08:00+08:00",
            )
        ) from None
