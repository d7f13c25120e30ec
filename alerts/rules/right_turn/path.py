"""The way a vehicle has just driven: a point every 5 m of it, from positions alone.

A fix becomes a corner of the path if the vehicle moves and has come at least 5 m from the last corner:
in slow motion, or standing, no course is to be trusted, and the last one is held. Between corners the path
is straight; points are laid on it every 5 m of way, and remembered (`path_memory`). So every question about
the last 150 m is one about point numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.rules.right_turn.path_memory import NEVER, SPACING_M, UNSEEN
from fleet import geo
from fleet.units import KMH_PER_MPS, MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from alerts.rules.right_turn.path_memory import Rows, Walked

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Times = NDArray[np.int64]
    #: A row of the rule's parameters, or one a sample: both broadcast.
    Parameters = NDArray[np.void]

#: Points laid in one go: so many that the way before them is still remembered.
STRIDE = 12

_SPACING_MM = SPACING_M * 1000
#: Farther no truck comes in a few seconds: the positions have jumped, and the way there is not known.
_FARTHEST_MM = 1_000_000
_US_PER_CS = 10_000
_MAX_CS = 65_535
_MAX_KMH = 3_000

#: Numbers of one rulebook version: what they mean, and the lowest and highest that make sense.
PARAMETERS = {
    "moving_kmh": ("slower than this, no course is trusted and the last one is held", 1, 15),
    "standing_kmh": ("at or under this speed a vehicle stands", 0.5, 10),
    "break_s": ("after a longer interval without fixes the way driven is unknown", 3, 60),
    "break_m": ("if it led further than this", 5, 200),
}


class Samples(NamedTuple):
    """One fix a vehicle; equal lengths."""

    time_us: Times
    lat_udeg: NDArray[np.int32]
    lon_udeg: NDArray[np.int32]
    #: The position can be used: other fixes are left out.
    trusted: Bools
    #: It can, but the way to it is unknown.
    cut: Bools
    #: As the unit sent it, NaN where it did not, and as far as it is known at all.
    reported_kmh: Floats
    speed_kmh: Floats
    #: The unit's course, -1 unknown.
    course_deg: NDArray[np.int16]
    #: `FixFlag` bits that are to be remembered.
    signals: NDArray[np.int16]


class Seen(NamedTuple):
    """What is known of each fix beside its position; equal lengths."""

    east_mm: Floats  # from the corner
    north_mm: Floats
    length_mm: Floats
    since_us: Times  # since the fix before
    speed_dkmh: NDArray[np.int16]
    reported_dkmh: NDArray[np.int16]  # -1 unknown
    moves: Bools
    stands: Bools


class Pieces(NamedTuple):
    """Straight pieces of path, each from a corner to the next, and what was seen on them; equal lengths."""

    row: Rows
    #: Way, time, coordinates and speed at the beginning and at the end.
    distance_mm: tuple[Times, Times]
    time_us: tuple[Times, Times]
    east_mm: tuple[Times, Times]
    north_mm: tuple[Times, Times]
    dkmh: tuple[NDArray[np.int16], NDArray[np.int16]]
    course_deg: tuple[NDArray[np.int16], NDArray[np.int16]]
    interval_cs: NDArray[np.int64]
    longest_cs: NDArray[np.int64]
    signals: NDArray[np.int16]
    #: At fixes that are no corners: near its beginning, therefore.
    slowest_dkmh: NDArray[np.int16]
    fastest_dkmh: NDArray[np.int16]
    standing_cs: NDArray[np.uint16]
    held_cs: NDArray[np.uint16]


def of_rows(rules: Parameters, row: Rows) -> Parameters:
    """Return the numbers that hold for some rows."""
    return rules if rules.ndim == 0 else rules[row]


def extend(walked: Walked, samples: Samples, rules: Parameters) -> tuple[Rows, Pieces]:
    """Take one fix a vehicle into its memory, in place; each is newer than those before.

    Returns the rows whose path begins anew, since nothing is known of the way there, and the pieces that
    were added to the others: points are yet to be laid on them.
    """
    state = walked.head
    seen = _look(state, samples, rules)
    is_first = state["corner_us"] < 0
    lost = (seen.since_us > rules["break_s"] * MICROSECONDS) & (seen.length_mm > rules["break_m"] * 1000)
    begins = samples.trusted & (is_first | lost | samples.cut | (seen.length_mm > _FARTHEST_MM))
    is_corner = samples.trusted & ~begins & seen.moves & (seen.length_mm >= _SPACING_MM)
    anew, corner = np.flatnonzero(begins), np.flatnonzero(is_corner)
    _remember(state, np.flatnonzero(samples.trusted & ~begins & ~is_corner), samples, seen)
    pieces = _pieces(state, corner, samples, seen)
    for name, (_, until) in (
        ("distance_mm", pieces.distance_mm),
        ("east_mm", pieces.east_mm),
        ("north_mm", pieces.north_mm),
    ):
        state[name][corner] = until
    _turn_corner(state, np.concatenate([corner, anew]), samples, seen)
    _begin(walked, anew)
    state["last_us"] = np.where(samples.trusted, samples.time_us, state["last_us"])
    return anew, pieces


def _look(state: NDArray[np.void], samples: Samples, rules: Parameters) -> Seen:
    east_m, north_m = geo.offset_m(state["lat_udeg"], state["lon_udeg"], samples.lat_udeg, samples.lon_udeg)
    east_mm, north_mm = np.rint(east_m * 1000), np.rint(north_m * 1000)
    length_mm = np.rint(np.sqrt(east_mm * east_mm + north_mm * north_mm))
    corner_s = np.maximum(samples.time_us - state["corner_us"], 1) / MICROSECONDS
    implied_kmh = np.minimum(length_mm / corner_s * (KMH_PER_MPS / 1000), _MAX_KMH)
    dkmh = np.rint(np.where(np.isnan(samples.speed_kmh), implied_kmh, samples.speed_kmh) * 10)
    told_dkmh = np.where(np.isnan(samples.reported_kmh), NEVER, np.rint(samples.reported_kmh * 10))
    return Seen(
        east_mm=east_mm,
        north_mm=north_mm,
        length_mm=length_mm,
        since_us=np.where(state["last_us"] < 0, 0, samples.time_us - state["last_us"]),
        speed_dkmh=dkmh.astype(np.int16),
        reported_dkmh=told_dkmh.astype(np.int16),
        moves=dkmh >= rules["moving_kmh"] * 10,
        stands=dkmh <= rules["standing_kmh"] * 10,
    )


def _remember(state: NDArray[np.void], row: Rows, samples: Samples, seen: Seen) -> None:
    """Remember what is seen at fixes that are no corners."""
    since_cs = np.minimum(seen.since_us[row] // _US_PER_CS, _MAX_CS)
    for name, counts in (("standing_cs", seen.stands[row]), ("held_cs", ~seen.moves[row])):
        state[name][row] = np.minimum(state[name][row] + np.where(counts, since_cs, 0), _MAX_CS)
    for name, value, choose in (
        ("longest_cs", since_cs, np.maximum),
        ("slowest_dkmh", seen.speed_dkmh[row], np.minimum),
        # A speed taken from positions lags behind: while braking to a stop it is too high.
        ("fastest_dkmh", seen.reported_dkmh[row], np.maximum),
    ):
        state[name][row] = choose(state[name][row], value)
    state["signals"][row] |= samples.signals[row]
    state["fixes"][row] += 1


def _pieces(state: NDArray[np.void], row: Rows, samples: Samples, seen: Seen) -> Pieces:
    corner_us, until_us, since_us = state["corner_us"][row], samples.time_us[row], seen.since_us[row]
    distance_mm, east_mm, north_mm = (
        state[name][row].astype(np.int64) for name in ("distance_mm", "east_mm", "north_mm")
    )
    held_cs = state["held_cs"][row]
    mean_cs = (until_us - corner_us) // _US_PER_CS // (state["fixes"][row] + 1)
    return Pieces(
        row=row,
        distance_mm=(distance_mm, distance_mm + seen.length_mm[row].astype(np.int64)),
        # Whoever stood, stood at the corner: that time is not spent on the piece.
        time_us=(np.minimum(corner_us + held_cs.astype(np.int64) * _US_PER_CS, until_us), until_us),
        east_mm=(east_mm, east_mm + seen.east_mm[row].astype(np.int64)),
        north_mm=(north_mm, north_mm + seen.north_mm[row].astype(np.int64)),
        dkmh=(state["corner_dkmh"][row], seen.reported_dkmh[row]),
        course_deg=(state["corner_course_deg"][row], samples.course_deg[row]),
        interval_cs=np.minimum(mean_cs, _MAX_CS),
        longest_cs=np.minimum(np.maximum(state["longest_cs"][row], since_us // _US_PER_CS), _MAX_CS),
        signals=state["signals"][row] | samples.signals[row],
        slowest_dkmh=state["slowest_dkmh"][row],
        fastest_dkmh=state["fastest_dkmh"][row],
        standing_cs=state["standing_cs"][row],
        held_cs=held_cs,
    )


def _turn_corner(state: NDArray[np.void], row: Rows, samples: Samples, seen: Seen) -> None:
    """Make the fixes of some rows their newest corners."""
    for name, column in (
        ("corner_us", samples.time_us),
        ("lat_udeg", samples.lat_udeg),
        ("lon_udeg", samples.lon_udeg),
        ("corner_dkmh", seen.reported_dkmh),
        ("corner_course_deg", samples.course_deg),
    ):
        state[name][row] = column[row]
    state["fixes"][row] = 0
    for name, unseen in UNSEEN.items():
        state[name][row] = unseen


def _begin(walked: Walked, row: Rows) -> None:
    """Begin paths anew at their corners, with a point there; numbers go on."""
    if not len(row):
        return
    head, number = walked.head, walked.head["newest"][row].astype(np.int64) + 1
    head["first"][row] = head["newest"][row] = number
    head["distance_mm"][row] = number * _SPACING_MM
    at = walked.at(row, number)
    for name in ("us", "dkmh", "course_deg"):
        at.put(name, head[f"corner_{name}"][row])
    for name in ("east_mm", "north_mm"):
        at.put(name, head[name][row])
    at.put("interval_cs", 0)
    for name, unseen in UNSEEN.items():
        at.put(name, unseen)


class Points(NamedTuple):
    """New points, by row and then number; equal lengths."""

    row: Rows
    number: NDArray[np.int64]
    #: Which of its row's new points it is: 0 for the first.
    place: NDArray[np.int64]


def lay(walked: Walked, pieces: Pieces) -> Iterator[Points]:
    """Lay points on pieces, in place, at most `STRIDE` of a row at once; yield each lot when it is laid."""
    newest = walked.head["newest"]
    first = newest[pieces.row].astype(np.int64) + 1
    last = pieces.distance_mm[1] // _SPACING_MM
    while (count := np.clip(last - first + 1, 0, STRIDE)).any():
        piece = np.repeat(np.arange(len(count)), count)
        place = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
        number = first[piece] + place
        _lay(walked, pieces, piece, number)
        first += count
        newest[pieces.row] = first - 1
        yield Points(pieces.row[piece], number, place)


def _lay(walked: Walked, pieces: Pieces, piece: Rows, number: NDArray[np.int64]) -> None:
    at = walked.at(pieces.row[piece], number)
    from_mm, until_mm = (way[piece] for way in pieces.distance_mm)
    share = (number * _SPACING_MM - from_mm) / (until_mm - from_mm)
    for name, (start, end) in (
        ("us", pieces.time_us),
        ("east_mm", pieces.east_mm),
        ("north_mm", pieces.north_mm),
    ):
        from_value = start[piece]
        at.put(name, from_value + np.rint(share * (end[piece] - from_value)))
    for name, ends, whole_turn in (("dkmh", pieces.dkmh, 0), ("course_deg", pieces.course_deg, 360)):
        at.put(name, _between(ends, piece, share, whole_turn))
    for name in ("interval_cs", "longest_cs", "signals"):
        at.put(name, getattr(pieces, name)[piece])
    is_first = number * _SPACING_MM - from_mm <= _SPACING_MM
    for name in ("slowest_dkmh", "fastest_dkmh", "standing_cs", "held_cs"):
        at.put(name, np.where(is_first, getattr(pieces, name)[piece], UNSEEN[name]))


def _between(
    ends: tuple[NDArray[np.int16], NDArray[np.int16]], piece: Rows, share: Floats, whole_turn: int
) -> NDArray[np.int64]:
    """Return what the unit sent between two corners; -1 where it is unknown at either."""
    start, end = (values[piece].astype(np.int64) for values in ends)
    change = end - start
    if whole_turn:
        change = (change + whole_turn // 2) % whole_turn - whole_turn // 2
    value = start + np.rint(share * change).astype(np.int64)
    return np.where((start < 0) | (end < 0), NEVER, value % whole_turn if whole_turn else value)
