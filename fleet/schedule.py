"""Weekly windows in local civil time, for fences and passes: "mon-fri 07:00-09:00; sat 22:00-06:00".

A window that ends at or before its start runs past midnight and belongs to the day it starts on.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.errors import KerbsafeError
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

#: Asia/Shanghai: eight hours ahead of UTC, without summer time since 1991.
CIVIL_ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = tuple(range(1, 8))
MINUTES_OF_DAY = 24 * 60
MINUTES_OF_WEEK = 7 * MINUTES_OF_DAY
#: 1970 began at 08:00 civil time on a Thursday: minutes since the Monday before.
_EPOCH_MINUTE = 3 * MINUTES_OF_DAY + 8 * 60
_DAYS = {
    **{name: day for day, name in enumerate(DAY_NAMES, 1)},
    **{f"{prefix}{name}": day for prefix in ("周", "星期") for day, name in enumerate("一二三四五六日", 1)},
    "周天": 7,
    "星期天": 7,
}
_WINDOW = re.compile(r"(?:(\S+) )?(\d{1,2}:\d\d) ?[-~至到] ?(\d{1,2}:\d\d)")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|(24):(00)")
_REMEDY = "write windows like `mon-fri 07:00-09:00; sat 22:00-06:00` or `daily 06:00-22:00`"


class ScheduleError(KerbsafeError):
    """A schedule that cannot be read."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A time of day on some days of the week."""

    #: 1 Monday to 7 Sunday, ascending.
    days: tuple[int, ...]
    #: "HH:MM" civil time; `end` may be "24:00".
    start: str
    end: str

    def to_json(self) -> dict[str, Any]:
        """Return the form that the store keeps."""
        return {"days": list(self.days), "from": self.start, "to": self.end}


Schedule = tuple[Window, ...]


def parse_schedule(raw: object) -> Schedule:
    """Read windows from text, or from the list of objects `{days, from, to}` that the store keeps."""
    if isinstance(raw, str):
        pieces = [piece.strip() for piece in unicodedata.normalize("NFKC", raw).split(";")]
        return _checked([_window_from_text(piece) for piece in pieces if piece])
    if isinstance(raw, list):
        return _checked([_window_from_json(item) for item in raw])
    raise ScheduleError(f"a schedule is text or a list: {_REMEDY}")


def to_json(schedule: Schedule | None) -> list[dict[str, Any]] | None:
    """Return the stored form of a schedule; None is always."""
    return None if schedule is None else [window.to_json() for window in schedule]


def minutes_of_week(schedule: Schedule) -> NDArray[np.bool_]:
    """Return, for each minute of the civil week from Monday 00:00, whether a window holds it."""
    held = np.zeros(MINUTES_OF_WEEK, np.bool_)
    for window in schedule:
        start, end = _minute_of_day(window.start), _minute_of_day(window.end)
        length = (end - start - 1) % MINUTES_OF_DAY + 1
        for day in window.days:
            first = (day - 1) * MINUTES_OF_DAY + start
            held[np.arange(first, first + length) % MINUTES_OF_WEEK] = True
    return held


def minute_of_week(time_us: ArrayLike) -> NDArray[np.int64]:
    """Return which minute of the civil week it is at each time (microseconds since 1970), any shape."""
    minutes = np.asarray(time_us, np.int64) // (60 * MICROSECONDS)
    return np.asarray((minutes + _EPOCH_MINUTE) % MINUTES_OF_WEEK)


def _minute_of_day(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _checked(windows: Sequence[Window]) -> Schedule:
    if not windows:
        raise ScheduleError(f"a schedule has at least one window: {_REMEDY}")
    if any(window.start == "24:00" for window in windows):
        raise ScheduleError("a window starts at 00:00 of the next day, not at 24:00")
    return tuple(sorted(windows))


def _window_from_text(piece: str) -> Window:
    match = _WINDOW.fullmatch(re.sub(r"\s+", " ", piece.casefold()))
    if match is None:
        raise ScheduleError(f"not a window of the week: {_REMEDY}")
    return Window(_days_from_text(match[1] or "daily"), _clock(match[2]), _clock(match[3]))


def _days_from_text(text: str) -> tuple[int, ...]:
    if text in {"daily", "每天", "每日"}:
        return EVERY_DAY
    days: set[int] = set()
    for part in re.split(r"[,、，]", text):
        ends = [_DAYS.get(name) for name in re.split(r"[-~至到]", part)]
        if None in ends or len(ends) not in {1, 2}:
            raise ScheduleError(f"days are mon to sun or 周一 to 周日: {_REMEDY}")
        first, last = int(ends[0] or 0), int(ends[-1] or 0)
        days.update((first - 1 + step) % 7 + 1 for step in range((last - first) % 7 + 1))
    return tuple(sorted(days))


def _window_from_json(item: object) -> Window:
    match item:
        case {"days": list() as days, "from": str() as start, "to": str() as end, **rest} if not rest:
            if not days or any(type(day) is not int or day not in EVERY_DAY for day in days):
                raise ScheduleError("days of a window are numbers from 1 (Monday) to 7 (Sunday)")
            return Window(tuple(sorted(set(days))), _clock(start), _clock(end))
        case _:
            raise ScheduleError('a window is an object {"days": [1, 2], "from": "07:00", "to": "09:00"}')


def _clock(text: str) -> str:
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ScheduleError("times of day are 00:00 to 24:00")
    return f"{int(match[1] or match[3]):02d}:{match[2] or match[4]}"
