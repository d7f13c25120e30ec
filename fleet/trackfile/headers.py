"""The columns of a track as strangers name them, in Chinese and English, and the units in their names.

Case, blanks, underscores and full-width forms do not matter: `Speed (km/h)`, `speed_kmh` and
`速度（公里/小时）` are one name. A speed without a unit is read only where a Chinese name or the kind of file
says it: elsewhere it is an error, for a speed that is wrong by a factor is worse than none.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from fleet.language import Words
from fleet.trackfile.drives import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Value = TypeVar("Value")

#: Field -> what its column may be called, the best first. Written without blanks, `_`, `-`, `.`, `/`.
_NAMES = {
    "t_s": "ts",
    "time": "fixtime gpstime gpsdatetime 定位时间 gps时间 卫星时间 time datetime timestamp utctime timeutc "
    "utcdatetime utc时间 utc 时间 日期时间 北京时间 采集时间 记录时间 recordedat locationtime positiontime "
    "eventtime unixtime epoch devicetime 设备时间 上报时间 时间戳 servertime 接收时间 timestampms",
    "date": "date 日期 定位日期 gps日期 gpsdate",
    "lat": "lat latitude gpslat gpslatitude 纬度 北纬 gps纬度 wgs84纬度",
    "lon": "lon lng long longitude gpslon gpslng gpslongitude 经度 东经 gps经度 wgs84经度",
    "speed_kmh": "speed 速度 gps速度 卫星速度 定位速度 车速 行驶速度 时速 gpsspeed groundspeed velocity spd",
    "course_deg": "course heading bearing direction azimuth cog 方向 方向角 方位角 航向 航向角 方位 行驶方向",
    "altitude_m": "altitude elevation alt ele height 海拔 高程 高度 海拔高度",
    "odometer_km": "odometer mileage totaldistance 里程 总里程 累计里程 行驶里程 里程表",
    "satellites": "satellites sat sats satused satellitesused numsat nsat 卫星数 卫星数量 卫星颗数",
    "hdop": "hdop 水平精度因子",
    "limit_kmh": "limit speedlimit 限速 限速值 道路限速",
    "ignition": "ignition acc acc状态 点火 点火状态",
    "load": "load 载重状态 装载状态 空重车状态",
    "right_indicator": "rightindicator rightturnsignal 右转 右转灯 右转向灯",
    "left_indicator": "leftindicator leftturnsignal 左转 左转灯 左转向灯",
    "brake": "brake 刹车 制动 制动信号",
    "datum": "datum crs 坐标系",
    "valid": "valid 定位有效 是否定位 定位状态",
    "vehicle": "vehicle 车牌号 车牌号码 车牌 车辆 车号 车辆编号 plate licenseplate platenumber vehicleid "
    "vehicleno deviceid devicename device imei 设备号 终端号 设备编号 终端编号 终端手机号 sim卡号 unitid",
}
_FIELD = {name: (of, rank) for of, names in _NAMES.items() for rank, name in enumerate(names.split())}


def _each(names: str, value: Value) -> dict[str, Value]:
    return dict.fromkeys(names.split(), value)


_SPEEDS = (
    _each("kmh kph kmph kmhr kmhour km小时 公里小时 千米小时 公里每小时 千米每小时 公里时", 1.0)
    | _each("mps ms m秒 米秒 米每秒", 3.6)
    | _each("kn kt kts knot knots 节", 1.852)
    | _each("mph mih 英里小时", 1.609344)
    | _each("01kmh 110kmh", 0.1)  # as JT/T 808 counts
)
_METRES = _each("m meter meters metre metres 米", 1.0) | _each("ft feet 英尺", 0.3048)
_KILOMETRES = (
    _each("km 公里 千米", 1.0) | _each("m 米", 0.001) | _each("mi mile miles 英里", 1.609344) | {"01km": 0.1}
)
_DEGREES = _each("deg degree degrees ° 度", 1.0)
_ZONES = _each("utc gmt utc0", "UTC") | _each("utc+8 gmt+8 北京时间", "Asia/Shanghai")
#: Field -> unit -> what a value is multiplied with.
_UNITS: dict[str, dict[str, float]] = {
    "speed_kmh": _SPEEDS,
    "limit_kmh": _SPEEDS,
    "altitude_m": _METRES,
    "odometer_km": _KILOMETRES,
    "course_deg": _DEGREES,
    "lat": _DEGREES,
    "lon": _DEGREES,
    "time": dict.fromkeys((*_ZONES, "s", "ms", "秒", "毫秒"), 1.0),
}
#: Fields that are read in known units alone; where none is named, Chinese names mean km/h and km.
_UNIT_MATTERS = frozenset({"speed_kmh", "limit_kmh", "odometer_km", "altitude_m"})
#: Names that a person gives to `--speed-unit`.
SPEED_UNITS = {"kmh": "km/h", "mps": "m/s", "kn": "kn", "mph": "mph"}

_CHINESE = re.compile("[\u4e00-\u9fff]")
_BRACKETS = re.compile(r"(.*?)[(\[{<]\s*(.*?)\s*[)\]}>]\s*")
_BETWEEN = re.compile(r"[\s_\-./:*\\]+")


class Kind(NamedTuple):
    """A kind of file that is known by its columns, and what it leaves unsaid."""

    name: str
    columns: frozenset[str]
    speed_unit: str | None
    zone: str | None


_KINDS = (
    Kind("Traccar", frozenset({"fixtime", "devicetime", "servertime"}), "kn", None),
    Kind(
        "GPSLogger (mendhak)", frozenset({"provider", "bearing", "elevation", "ageofdgpsdata"}), "mps", None
    ),
    Kind("GPS Logger (BasicAirData)", frozenset({"datetime", "satused", "satinview"}), "mps", "UTC"),
)


class Column(NamedTuple):
    """A column that is read."""

    position: int
    name: str
    field: str
    #: What its numbers are multiplied with; None: its unit is not known.
    factor: float | None
    #: Of several columns of one field the lowest is read.
    rank: int


@dataclass(slots=True)
class Header:
    """What the names of columns say."""

    names: list[str]
    #: Field -> its column.
    columns: dict[str, Column] = field(default_factory=dict)
    #: Everything that is wrong with them.
    problems: list[Words] = field(default_factory=list)
    kind: Kind | None = None
    #: Of times without an offset, where names or the kind of file say it, and what says it.
    zone: str | None = None
    zone_said_by: Words | None = None
    #: The unit of a speed whose column does not say it.
    speed_unit: str | None = None

    @property
    def is_complete(self) -> bool:
        """There are times and places."""
        return {"lat", "lon"} <= self.columns.keys() and bool({"t_s", "time"} & self.columns.keys())

    def left_aside(self) -> list[str]:
        """Return the names of the columns that are not read."""
        read = {column.position for column in self.columns.values()}
        return [name for index, name in enumerate(self.names) if index not in read and name.strip()]


def understand(names: Sequence[str], speed_unit: str | None = None) -> Header:
    """Return what the names of columns say; `speed_unit` is a person's word on a speed without one."""
    keys = {_key(name) for name in names}
    kind = next((kind for kind in _KINDS if kind.columns <= keys), None)
    header = Header(list(names), kind=kind)
    found: dict[str, list[Column]] = {}
    for index, name in enumerate(names):
        if (column := _column(header, index, name)) is not None:
            found.setdefault(column.field, []).append(column)
    if "time" not in found and "date" in found:
        found["time"] = [column._replace(field="time") for column in found.pop("date")]
    header.columns = {of: min(each, key=_preference) for of, each in found.items()}
    header.problems += [_TWICE.fill(name=shown(name)) for name in _twice(header, found)]
    _settle_zone(header)
    _settle_units(header, speed_unit)
    return header


def is_own_name(column: Column) -> bool:
    """Say whether a column is called as its field is, but for case and blanks."""
    return _key(column.name) == _key(column.field)


def _preference(column: Column) -> tuple[bool, int, int]:
    return column.factor is None, column.rank, column.position


def _column(header: Header, index: int, name: str) -> Column | None:
    """Return the column of a name that is known; note a unit that is not."""
    text = unicodedata.normalize("NFKC", name).strip()
    bracketed = _BRACKETS.fullmatch(text)
    base, unit = (_key(bracketed[1]), _key(bracketed[2])) if bracketed else _split(_key(text))
    if base not in _FIELD:
        return None
    of, rank = _FIELD[base]
    units = _UNITS.get(of, {})
    if unit in units:
        return Column(index, name, of, units[unit], rank)
    if of not in _UNIT_MATTERS or (unit == "" and of == "altitude_m"):
        return Column(index, name, of, 1.0, rank)
    if unit == "":
        return Column(index, name, of, 1.0 if _CHINESE.search(name) else None, rank)
    if of in {"speed_kmh", "limit_kmh"}:
        header.problems.append(_NO_UNIT.fill(name=shown(name), units=", ".join(SPEED_UNITS.values())))
    return None


def _split(key: str) -> tuple[str, str]:
    """Return name and unit of a name without brackets: `speedkmh` is a speed in km/h."""
    if key in _FIELD:
        return key, ""
    for length in range(min(len(key) - 1, _LONGEST_UNIT), 0, -1):
        base, unit = key[:-length], key[-length:]
        if base in _FIELD and unit in _UNITS.get(_FIELD[base][0], {}):
            return base, unit
    return key, ""


def _twice(header: Header, found: dict[str, list[Column]]) -> Iterator[str]:
    for of, columns in found.items():
        chosen = header.columns.get(of)
        if chosen is not None and [_key(column.name) for column in columns].count(_key(chosen.name)) > 1:
            yield chosen.name


def _settle_zone(header: Header) -> None:
    """Find what says the zone of times without an offset: their column, the kind of file, or the language."""
    if (column := header.columns.get("time")) is None:
        return
    text = unicodedata.normalize("NFKC", column.name).strip()
    bracketed = _BRACKETS.fullmatch(text)
    said = _ZONES.get(_key(bracketed[2])) if bracketed else None
    said = said or _ZONE_OF.get(_key(text)) or _ZONES.get(_split(_key(text))[1])
    if said is not None:
        header.zone, header.zone_said_by = said, _OF_COLUMN.fill(name=shown(column.name))
    elif header.kind is not None and header.kind.zone is not None:
        header.zone, header.zone_said_by = header.kind.zone, _OF_KIND.fill(kind=header.kind.name)
    elif _CHINESE.search("".join(header.names)):
        header.zone, header.zone_said_by = "Asia/Shanghai", _OF_LANGUAGE


def _settle_units(header: Header, speed_unit: str | None) -> None:
    """Give a speed without a unit that of the person or of the kind of file; note what stays unknown."""
    said = speed_unit or (header.kind.speed_unit if header.kind else None)
    for of in ("speed_kmh", "limit_kmh"):
        column = header.columns.get(of)
        if column is None or column.factor is not None:
            continue
        if said is None or (of == "limit_kmh" and speed_unit is None):
            units = ", ".join(SPEED_UNITS)
            header.problems.append(_UNITLESS.fill(name=shown(column.name), of=of, units=units))
            continue
        header.speed_unit = said
        header.columns[of] = column._replace(factor=_SPEEDS[said])
    if (odometer := header.columns.get("odometer_km")) is not None and odometer.factor is None:
        del header.columns["odometer_km"]


def _key(name: str) -> str:
    """Return a name as it is compared."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", name).strip().strip("\ufeff").casefold())


_LONGEST_UNIT = max(len(unit) for units in _UNITS.values() for unit in units)
#: Names of times that say the zone.
_ZONE_OF = _each("utc utc时间 utctime timeutc utcdatetime", "UTC") | _each("北京时间", "Asia/Shanghai")
_OF_COLUMN = Words("the column {name}", "列名“{name}”")
_OF_KIND = Words("a file of {kind}", "{kind} 的文件")
_OF_LANGUAGE = Words("its header is Chinese", "表头是中文")
_TWICE = Words("{name} stands there twice", "“{name}”出现两次")
_NO_UNIT = Words(
    "{name} has a unit that is not known; speeds may be in {units}",
    "“{name}”的单位无法识别；速度可用 {units}",
)
_UNITLESS = Words(
    "{name} does not say its unit; say --speed-unit ({units}), or name it {of}",
    "“{name}”没有单位；请用 --speed-unit 指明（{units}），或改名为 {of}",
)
