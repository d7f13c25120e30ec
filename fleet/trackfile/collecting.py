"""From named texts to fixes: one way for every format. What is wrong is left out or unknown, and counted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from fleet import geo
from fleet.columns import Fixes
from fleet.language import Words
from fleet.trackfile.account import (
    BAD_DATUM,
    BAD_PLACE,
    BAD_TIME,
    HARDLY_ANYTHING,
    NO_FIX,
    NO_PLACE,
    NO_TIME,
    NOTHING,
    Account,
    Fault,
    Item,
    joined,
)
from fleet.trackfile.drives import Clock, Options, Place, Track, error_of, name_of, shown
from fleet.trackfile.times import in_zone, number, read_time, relative_us
from fleet.units import MICROSECONDS, to_datetime
from fleet.wire.v1 import quantising
from fleet.wire.v1.payloads import MAX_TIME_US, FixIn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from numpy.typing import NDArray

#: Fields of a fix that a file may give; signals are named as parts.
SIGNALS = ("right_indicator", "left_indicator", "brake")
FIELDS = (*(n for n in FixIn.__struct_fields__ if n not in {"time", "signals"}), *SIGNALS)
_FIELDS = frozenset(FIELDS)
_WORDS = {
    "datum": {
        "wgs84": "wgs84",
        "wgs1984": "wgs84",
        "gps": "wgs84",
        "epsg4326": "wgs84",
        "gcj02": "gcj02",
        "火星坐标": "gcj02",
        "火星坐标系": "gcj02",
        "bd09": "bd09",
        "bd09ll": "bd09",
        "百度坐标": "bd09",
        "百度坐标系": "bd09",
    },
    "load": dict.fromkeys(("empty", "空载", "空车"), "empty")
    | dict.fromkeys(("loaded", "重载", "重车", "满载"), "loaded"),
}
_YES = frozenset({"true", "1", "on", "yes", "开", "是"})
_NO = frozenset({"false", "0", "off", "no", "关", "否"})
_SWITCHES = frozenset({"ignition", *SIGNALS})
_REQUIRED = frozenset({"lat", "lon", "datum"})
#: Fixes that become columns at once.
_AT_ONCE = 10_000
#: A file with so many parts that are wrong, and so many for each that is right, is not read on. A receiver
#: that has no position for hours is not wrong.
_TOO_MANY, _TOO_MANY_EACH = 10_000, 10
#: Between two fixes of one vehicle: what its receiver may err, and what it may drive.
_ERROR_M, _FASTEST_MPS = 200.0, 70.0
#: So many steps, and so large a share of all, that nobody can have driven.
_JUMPS, _JUMPING = 5, 0.1
_NOT_WRONG = frozenset({NO_TIME, NO_PLACE, NO_FIX})
_BETWEEN = re.compile(r"[\s_\-:]+")


class Collector:
    """Collects the fixes of one vehicle from the parts of a file, in their order."""

    def __init__(
        self,
        file: str,
        item: Item,
        options: Options,
        *,
        zone: tzinfo | None = None,
        zone_words: Words | None = None,
    ) -> None:
        """`zone` is that of times without an offset, unless a person says another."""
        self.account = Account(file, item)
        self.decimal_comma = False
        self._options = options
        self._zone = options.timezone or zone
        self._zone_words = None if options.timezone else zone_words
        self._parts: list[Fixes] = []
        self._fixes: list[FixIn] = []
        self._times_us: list[int] = []
        self._seconds_missing = 0
        self._vehicle = ""
        self._wrong = 0

    def __len__(self) -> int:
        return self.account.read

    def leave_out(self, fault: Fault, place: Place, example: str = "") -> None:
        """Count a part that is not read; end where hardly anything else comes."""
        seen = Words(f": {shown(example)!r}", f"：{shown(example)!r}") if example else Words("", "")
        self.account.leave_out(fault, place.line, seen)
        self._wrong += fault not in _NOT_WRONG
        if self._wrong >= _TOO_MANY and self._wrong > _TOO_MANY_EACH * self.account.read:
            raise self._nothing()

    def of_one_vehicle(self, vehicle: str, place: Place) -> None:
        """Refuse a second vehicle: two in one file would be read as one that jumps."""
        if vehicle and self._vehicle not in {"", vehicle}:
            raise place.error(_SECOND.fill(now=shown(vehicle), before=shown(self._vehicle)))
        self._vehicle = vehicle or self._vehicle

    def add(self, time: str, values: Mapping[str, Any], place: Place, clock: Clock = "epoch") -> None:
        """Take one fix: its time, and texts or numbers by field; an empty text is unknown."""
        if not time:
            self.leave_out(NO_TIME, place)
            return
        time_us = relative_us(time) if clock == "relative" else self._time_us(time, place)
        if time_us is None:
            self.leave_out(BAD_TIME, place, time)
        elif (fix := self._fix(values, place)) is not None:
            self._fixes.append(fix)
            self._times_us.append(time_us)
            self.account.read += 1
            if len(self._fixes) >= _AT_ONCE:
                self._flush()

    def track(self, clock: Clock = "epoch") -> Track:
        """Return the track of all that was taken."""
        self._flush()
        if not self._parts:
            raise self._nothing()
        fixes = Fixes.concat(self._parts)
        if self._seconds_missing and len(np.unique(fixes.time_us)) < len(fixes):
            raise error_of(self.account.file, _NO_SECONDS)
        self._say_jumps(fixes)
        return Track(name_of(self.account.file), fixes, clock, self.account)

    def _say_jumps(self, fixes: Fixes) -> None:
        """Say that the positions are hardly those of one vehicle, of which nothing could be judged."""
        *_, impossible = steps(fixes.take(np.argsort(fixes.time_us, kind="stable")))
        jumps = int(np.count_nonzero(impossible))
        if jumps >= _JUMPS and jumps > _JUMPING * len(impossible):
            words = _MANY_JUMPS.fill(jumps=jumps, steps=len(impossible))
            self.account.decide("jumps", str(jumps), words)

    def _nothing(self) -> Exception:
        if not self.account.left_out:
            return error_of(self.account.file, _EMPTY)
        what = HARDLY_ANYTHING if self.account.read else NOTHING
        return error_of(self.account.file, what.fill(why=joined(self.account.sentences())))

    def _flush(self) -> None:
        if self._fixes:
            vehicle_id, time_us = np.zeros(len(self._fixes), np.int32), np.array(self._times_us, np.int64)
            self._parts.append(quantising.fixes(self._fixes, vehicle_id, time_us))
            self._fixes, self._times_us = [], []

    def _time_us(self, text: str, place: Place) -> int | None:
        read = read_time(text)
        if read is None:
            return None
        if read.unit is not None:
            if "time_unit" not in self.account.decided:
                words = _NUMBERS.fill(
                    unit=_UNITS[read.unit], first=f"{to_datetime(read.time_us):%Y-%m-%dT%H:%M:%SZ}"
                )
                self.account.decide("time_unit", read.unit, words)
            return read.time_us
        if not read.is_civil:
            return read.time_us
        if self._zone is None:
            raise place.error(_NO_OFFSET.fill(text=shown(text)))
        if self._zone_words is not None:
            self.account.decide("timezone", str(self._zone), self._zone_words)
        self._seconds_missing += not read.has_seconds
        time_us = in_zone(read.time_us, self._zone)
        return time_us if 0 <= time_us <= MAX_TIME_US else None

    def _fix(self, values: Mapping[str, Any], place: Place) -> FixIn | None:
        """Return the fix that values say, checked as the wire checks it; None where it must be left out."""
        given: dict[str, Any] = {}
        for name, value in values.items():
            if value == "" or name not in _FIELDS:
                continue
            read = self._value(name, value)
            if read is not None:
                given[name] = read
            elif name in _REQUIRED:
                self.leave_out(BAD_DATUM if name == "datum" else BAD_PLACE, place, str(value))
                return None
            else:
                self.account.take_as_unknown(name, place.line, _example(value))
        if "lat" not in given or "lon" not in given:
            self.leave_out(NO_PLACE, place)
            return None
        if self._options.datum is not None:
            given.setdefault("datum", self._options.datum)
        return self._checked(given, place)

    def _value(self, name: str, value: Any) -> Any:
        """Return a value as its field has it; None where it is none."""
        if not isinstance(value, str):
            return value
        if name in _WORDS:
            return _WORDS[name].get(_BETWEEN.sub("", value.casefold()))
        if name in _SWITCHES:
            word = value.casefold()
            return True if word in _YES else False if word in _NO else None
        found = number(value, decimal_comma=self.decimal_comma)
        return int(found) if name == "satellites" and found is not None and found.is_integer() else found

    def _checked(self, given: dict[str, Any], place: Place) -> FixIn | None:
        """Return the fix; a value out of its range is unknown, a position left out."""
        while True:
            signals = {name: given[name] for name in SIGNALS if name in given}
            try:
                return msgspec.convert({"time": 0, "signals": signals or None} | given, FixIn)
            except msgspec.ValidationError as error:
                name = _FAULTY.search(str(error))[1]  # type: ignore[index]  # msgspec says where
                if name in _REQUIRED:
                    self.leave_out(BAD_PLACE, place, f"{given[name]:g}")
                    return None
                self.account.take_as_unknown(name, place.line, _example(given.pop(name)))


def steps(fixes: Fixes) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return seconds and metres from each fix to the next, and whether no vehicle can have driven that."""
    step_s = np.diff(fixes.time_us) / MICROSECONDS
    step_m = geo.distance_m(fixes.lat_udeg[:-1], fixes.lon_udeg[:-1], fixes.lat_udeg[1:], fixes.lon_udeg[1:])
    return step_s, step_m, step_m > _ERROR_M + _FASTEST_MPS * step_s


def _example(value: Any) -> Words:
    text = shown(value) if isinstance(value, str) else f"{value:g}"
    return Words(f": {text!r}", f"：{text!r}")


_FAULTY = re.compile(r"at `\$\.(?:signals\.)?(\w+)`")
_UNITS = {
    "s": Words("seconds", "秒"),
    "ms": Words("milliseconds", "毫秒"),
    "us": Words("microseconds", "微秒"),
    "ns": Words("nanoseconds", "纳秒"),
}
_NUMBERS = Words(
    "times are read as {unit} since 1970; the first is {first}",
    "时间按 1970 年以来的{unit}读入；第一个是 {first}",
)
_NO_OFFSET = Words(
    "the time {text!r} has no offset from UTC; say --timezone Asia/Shanghai, or --timezone UTC",
    "时间 {text!r} 没有时区；请用 --timezone Asia/Shanghai（北京时间）或 --timezone UTC 指明",
)
_NO_SECONDS = Words(
    "several fixes have one time, for the times have no seconds; write them as 2026-03-02 08:00:01 "
    "(in Excel: format yyyy-mm-dd hh:mm:ss, then save again)",
    "时间没有秒，多个点的时间相同；请写成 2026-03-02 08:00:01"
    "（Excel：单元格格式设为 yyyy-mm-dd hh:mm:ss 后另存）",
)
_SECOND = Words(
    "the vehicle is {now!r} after {before!r}: a file holds one vehicle; make a file of each",
    "车辆先是 {before!r}，此处是 {now!r}：一个文件只放一辆车；请按车辆拆分文件",
)
_MANY_JUMPS = Words(
    "{jumps} of {steps} steps between positions are farther than a vehicle drives in that time: is this one "
    "vehicle, and are latitude and longitude where they belong?",
    "{steps} 步中有 {jumps} 步远于车辆在该时间内能行驶的距离：这是同一辆车吗？经纬度列是否正确？",
)
_EMPTY = Words("holds no fixes", "没有定位点")
