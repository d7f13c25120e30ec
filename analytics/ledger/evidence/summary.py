"""What a vehicle did around an accident, in figures; None is what nobody can know from what is stored.

Of an accident of which only the day is known nothing is said but how much of the day is stored: every figure
belongs to a moment.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fleet.columns import Fixes

    Integers = NDArray[np.int64]

#: What is looked at: alarms in the half hour before, the track from ten minutes before to five after.
ALARMS_BEFORE_US = 30 * 60 * MICROSECONDS
TRACK_BEFORE_US, TRACK_AFTER_US = 10 * 60 * MICROSECONDS, 5 * 60 * MICROSECONDS
DUTY_BEFORE_US = 24 * 3600 * MICROSECONDS
#: A fix further away says nothing of the speed at the moment.
_NEAR_US = 15 * MICROSECONDS
_FASTEST_BEFORE_US = 60 * MICROSECONDS
#: A turn that ended so long before, or began so long after, is not that of the accident.
_TURN_AROUND_US = 30 * MICROSECONDS
#: Longer without a fix, and nobody knows whether it was driven.
_UNSEEN_US = 120 * MICROSECONDS
#: Rest that ends a time of driving (regulations of the road traffic law, art. 62).
_REST_US = 20 * 60 * MICROSECONDS
_DRIVES_DKMH = 50
_SIGN_AGE_US = 24 * 3600 * MICROSECONDS


class Turn(NamedTuple):
    """A settled right turn."""

    entered_us: int
    exited_us: int
    max_kmh: float
    #: Word of `right_turn.stop`; None: one need not stop there.
    stop: str | None
    #: Why it was not seen well enough; None: it was.
    reason: str | None


class Alarm(NamedTuple):
    """An episode, provisional or settled."""

    rule: str
    started_us: int
    severity: int
    settled: bool


class Sign(NamedTuple):
    """Something that says whether the right-hand camera works."""

    time_us: int
    works: bool


class Around(NamedTuple):
    """What is stored around a moment, of one vehicle."""

    at_us: int
    #: False: only the day is known, and `at_us` is its midnight.
    is_exact: bool
    #: From a day before, by time; whose positions may be doubted.
    fixes: Fixes
    turns: Sequence[Turn]
    alarms: Sequence[Alarm]
    #: Newest up to the moment; None: none in a day.
    sign: Sign | None
    #: Code of who was on duty; None: nobody has said.
    driver: str | None


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of one vehicle around an accident.

    Attributes
    ----------
    fixes
        Stored in the track that is drawn.
    fix_interval_s, longest_gap_s
        Median and longest time between them.
    speed_kmh, speed_s_away
        Of the fix nearest to the moment, within 15 s, and how far away it is.
    top_kmh_60s
        Highest in the minute before.
    turn
        `right_turn`; `none` if none was recorded around the moment; None without a moment or fixes.
    turn_kmh, turn_stop
        Highest speed in the turn, and whether it stopped where one must.
    alarms
        Rule, severity and seconds before the moment, of the half hour before.
    camera
        `armed`, `faulty`, or None: no sign in a day before.
    driven_24h_h, unseen_24h_h
        Hours at 5 km/h or more in the day before, at least; and hours of which nothing is stored.
    driven_since_rest_h
        Of these, since it last stood for 20 minutes, or was silent for as long.
    """

    is_exact: bool
    fixes: int
    fix_interval_s: float | None = None
    longest_gap_s: float | None = None
    speed_kmh: float | None = None
    speed_s_away: float | None = None
    top_kmh_60s: float | None = None
    turn: str | None = None
    turn_kmh: float | None = None
    turn_stop: str | None = None
    alarms: tuple[dict[str, Any], ...] = ()
    camera: str | None = None
    driver: str | None = None
    driven_24h_h: float | None = None
    unseen_24h_h: float | None = None
    driven_since_rest_h: float | None = None

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def summarise(around: Around) -> Summary:
    """Return the figures."""
    track = drawn(around)
    seconds = np.diff(track.time_us) / MICROSECONDS
    density: dict[str, Any] = {
        "fix_interval_s": _round(np.median(seconds)) if len(seconds) else None,
        "longest_gap_s": _round(seconds.max()) if len(seconds) else None,
    }
    if not around.is_exact:
        return Summary(False, len(track), driver=around.driver, **density)
    return Summary(
        True,
        len(track),
        **density,
        **_speeds(around),
        **_turn(around, track),
        alarms=_alarms(around),
        camera=_camera(around),
        driver=around.driver,
        **_duty(around),
    )


def drawn(around: Around) -> Fixes:
    """Return the fixes of the track: those around the moment, or of the whole day."""
    from_us, until_us = span_us(around.at_us, is_exact=around.is_exact)
    time_us = around.fixes.time_us
    return around.fixes.take((time_us >= from_us) & (time_us < until_us))


def span_us(at_us: int, *, is_exact: bool) -> tuple[int, int]:
    """Return from when to when the track is that is looked at."""
    if is_exact:
        return at_us - TRACK_BEFORE_US, at_us + TRACK_AFTER_US
    return at_us, at_us + 24 * 3600 * MICROSECONDS


def digest(fixes: Fixes) -> bytes:
    """Return the SHA-256 of fixes in stored units: by column, little-endian, without the vehicle's id."""
    found = hashlib.sha256()
    for name, kind in fixes.dtypes().items():
        if name != "vehicle_id":
            found.update(
                np.ascontiguousarray(getattr(fixes, name), np.dtype(kind).newbyteorder("<")).tobytes()
            )
    return found.digest()


def _speeds(around: Around) -> dict[str, Any]:
    known = around.fixes.take(around.fixes.speed_dkmh >= 0)
    time_us, speed = known.time_us, known.speed_dkmh / 10
    before = (time_us > around.at_us - _FASTEST_BEFORE_US) & (time_us <= around.at_us)
    top = _round(speed[before].max()) if before.any() else None
    if not len(time_us):
        return {"top_kmh_60s": None}
    away_us = np.abs(time_us - around.at_us)
    nearest = int(away_us.argmin())
    if away_us[nearest] > _NEAR_US:
        return {"top_kmh_60s": top}
    return {
        "speed_kmh": _round(speed[nearest]),
        "speed_s_away": _round(away_us[nearest] / MICROSECONDS),
        "top_kmh_60s": top,
    }


def _turn(around: Around, track: Fixes) -> dict[str, Any]:
    near = [
        turn
        for turn in around.turns
        if turn.entered_us - _TURN_AROUND_US <= around.at_us <= turn.exited_us + _TURN_AROUND_US
    ]
    if not near:
        return {"turn": "none" if len(track) else None}
    turn = min(near, key=lambda turn: abs(turn.entered_us - around.at_us))
    stop = "not_evaluable" if turn.reason and turn.stop else turn.stop
    return {"turn": "right_turn", "turn_kmh": _round(turn.max_kmh), "turn_stop": stop}


def _alarms(around: Around) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "rule": one.rule,
            "severity": one.severity,
            "before_s": round((around.at_us - one.started_us) / MICROSECONDS),
            "settled": one.settled,
        }
        for one in sorted(around.alarms, key=lambda one: one.started_us)
    )


def _camera(around: Around) -> str | None:
    if around.sign is None or around.at_us - around.sign.time_us > _SIGN_AGE_US:
        return None
    return "armed" if around.sign.works else "faulty"


def _duty(around: Around) -> dict[str, Any]:
    """Return how long it was driven; time without fixes is neither driving nor rest, and said."""
    inside = (around.fixes.time_us >= around.at_us - DUTY_BEFORE_US) & (around.fixes.time_us <= around.at_us)
    fixes = around.fixes.take(inside)
    if len(fixes) < 2:  # noqa: PLR2004 - between two
        return {}
    took_us = np.diff(fixes.time_us)
    moving = fixes.speed_dkmh >= _DRIVES_DKMH
    drives = (moving[:-1] | moving[1:]) & (took_us <= _UNSEEN_US)
    driven_us = np.where(drives, took_us, 0)
    seen_us = int(np.where(took_us <= _UNSEEN_US, took_us, 0).sum())
    return {
        "driven_24h_h": _hours(int(driven_us.sum())),
        "unseen_24h_h": _hours(DUTY_BEFORE_US - seen_us),
        "driven_since_rest_h": _hours(int(driven_us[_since_rest(took_us, drives) :].sum())),
    }


def _since_rest(took_us: Integers, drives: NDArray[np.bool_]) -> int:
    """Return the step that follows the last rest: so long without driving, seen or not."""
    still_us = 0
    for step in range(len(took_us) - 1, -1, -1):
        still_us = 0 if drives[step] else still_us + int(took_us[step])
        if still_us >= _REST_US:
            return step + 1
    return 0


def _hours(us: int) -> float:
    return round(us / 3_600e6, 2)


def _round(value: Any) -> float:
    return round(float(value), 1)
