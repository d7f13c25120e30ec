"""What is said of a right turn once it is decided: where it began and ended, how fast, how well it was seen.

Everything is measured on the remembered points of the path, a point every 5 m. The turn's arc is where the
course, taken over 10 m of path (or the unit's own, where it agrees), goes from a fifth to four fifths of the
change, extended to the whole of it.

    the path, north is up                   share of the change, point by point

                  exit   straight             1 |                 . . . .
            . . - -+- - - -o                    |             . '
          .  middle         after_m         0.8 | - - - - - + late
        . x                 (after_deg)         |         .
       .                                    0.5 | - - - x middle
       + entry   between_m                      |     .
       .                                    0.2 | - + early
       .  before_m                              |. '
       .  (before_deg)                        0 +------------------------- points
       o

    turned_deg = after_deg - before_deg, added up over between_m (`chords`)
    length     = (late - early) / 0.6        at least one point, at most 80 m
    reach      = length / 2                  at least 10 m: the conflict area of a junction
    entry      = middle - reach              exit = middle + reach
    radius     = length / turned_deg         lateral acceleration = v^2 / radius, of the fastest point of
                                             the arc, in units of g (`turn_speeds`)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.rules.right_turn import chords, turn_speeds
from alerts.rules.right_turn.chords import wrapped
from alerts.rules.right_turn.path import of_rows
from alerts.rules.right_turn.path_memory import POINTS, SPACING_M
from alerts.rules.right_turn.turn_path import Arc, Way, first, last, way_of
from alerts.words.turns import NO_JUNCTION, Kind, Reason, Seen, Stop, Turns
from fleet.columns import FixFlag
from fleet.geo import M_PER_UDEG
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.rules.right_turn.path import Bools, Floats, Parameters, Times
    from alerts.rules.right_turn.path_memory import Rows, Walked

    Ints = NDArray[np.int64]

#: The arc is measured between these shares of the change, where the course changes fast.
_FROM_SHARE, _HALF, _TO_SHARE = 0.2, 0.5, 0.8
#: A turn reaches at least this far before and behind its middle: the conflict area of a junction.
_MIN_POINTS = 10 / SPACING_M
#: And no arc is longer.
_MAX_POINTS = 80 / SPACING_M
#: A line after the turn is at least so many points long.
_MIN_AFTER = 2
#: And the line before it may lie so much earlier.
_EARLIER_POINTS = 15 // SPACING_M
#: A unit's course further from that of the positions is not trusted.
_AGREES_DEG = 45
#: Whoever stands for less has not stopped.
_STANDS_CS = 200
_US_PER_CS = 10_000
#: A turn as sharp as this is a clear one.
_CLEAR_DEG = 70
_SURE, _BY_SHARPNESS, _BY_STRAIGHTNESS = 0.5, 0.25, 0.25


def _arc(way: Way, before_deg: Floats, turned_deg: Floats, opens: Ints, closes: Ints) -> Arc:
    """Find where the course goes from `before_deg` through the turn, between two places of each row."""
    share = wrapped(_local_deg(way) - before_deg[:, None]) / turned_deg[:, None]
    place = np.arange(POINTS)
    half = first(way.known & (place >= opens[:, None]) & (share >= _HALF))
    low = np.maximum(last((share < _FROM_SHARE) & (place < half[:, None])) + 1, opens)
    high = first((share >= _TO_SHARE) & (place >= half[:, None]))
    high = np.minimum(high, np.maximum(closes, half + 1))
    early, late = _crossing(share, low, _FROM_SHARE), _crossing(share, high, _TO_SHARE)
    length = np.clip((late - early) / (_TO_SHARE - _FROM_SHARE), 1.0, _MAX_POINTS)
    middle = (early + late) / 2
    reach = np.maximum(length / 2, _MIN_POINTS)
    oldest = first(way.known)
    return Arc(np.maximum(middle - reach, oldest), middle, np.minimum(middle + reach, POINTS - 1), length)


def _local_deg(way: Way) -> Floats:
    """Return the course at each point, over the points beside it; NaN at both ends of the path."""
    local_deg = np.full(way.known.shape, np.nan)
    east_mm, north_mm = (along[:, 2:] - along[:, :-2] for along in (way.east_mm, way.north_mm))
    local_deg[:, 1:-1] = np.where(way.known[:, :-2], chords.course_deg(east_mm, north_mm), np.nan)
    agrees = (way.course_deg >= 0) & (np.abs(wrapped(way.course_deg - local_deg)) <= _AGREES_DEG)
    return np.where(agrees, way.course_deg, local_deg)


def _crossing(share: Floats, place: Ints, level: float) -> Floats:
    """Return where the share reaches `level` between each row's `place` and the one before."""
    row = np.arange(len(place))
    low, high = share[row, np.maximum(place - 1, 0)], share[row, place]
    crosses = (low < level) & (high >= level)
    back = np.divide(high - level, high - low, out=np.zeros(len(place)), where=crosses)
    return np.asarray(place - np.minimum(back, 1.0))


class Ended(NamedTuple):
    """Turns that are over, as the readings showed them; equal lengths."""

    row: Rows
    #: Numbers of the points where the reading was highest, and from which on the vehicle went straight.
    peak: Ints
    straight: Ints
    #: Time of the fix or tick that decides, and when the turn was not over yet.
    at_us: Times
    turning_us: Times


class Told(NamedTuple):
    """What is said of turns that looked over."""

    turns: Turns
    #: Rows whose course has not changed enough after all: what looked like the end may be the middle.
    too_little: Rows


def figures(walked: Walked, ended: Ended, rules: Parameters) -> Told:
    """Describe turns by the points that their vehicles remember; rules are one, or one a turn.

    Those whose course change, by the unit's own courses where they can be trusted, is outside the limits,
    or that no truck can have driven so, are left out.
    """
    if not len(ended.row):
        return Told(Turns.empty(), ended.row)
    chord = chords.lay(walked, ended.row, ended.peak, rules)
    turned_deg = _turned_deg(walked, chord, ended, rules)
    is_enough = turned_deg >= rules["turn_from_deg"]
    enough = np.flatnonzero(is_enough)
    ended_of = Ended._make(values[enough] for values in ended)
    chord_of = chords.Chords._make(values[enough] for values in chord)
    turns = _describe(walked, ended_of, chord_of, turned_deg[enough], of_rows(rules, enough))
    return Told(turns, ended.row[~is_enough])


def _describe(
    walked: Walked, ended: Ended, chord: chords.Chords, turned_deg: Floats, rules: Parameters
) -> Turns:
    """Return what is said of turns whose course has changed enough, without those that were none."""
    if not len(ended.row):
        return Turns.empty()
    way = way_of(walked, ended.row)
    lines = chords.points(rules["after_m"]) + chords.points(rules["between_m"])
    opens, closes = ended.peak - lines - 1 - way.base, ended.straight - way.base
    arc = _arc(way, chord.before_deg, turned_deg, opens, closes)
    speeds = turn_speeds.measure(way, arc, turned_deg, rules)
    sampling = _sampling(way, arc, speeds.disagrees, rules)
    turns = Turns.build(
        vehicle_id=ended.row,
        at_us=ended.at_us,
        kind=_kind(speeds.figures, sampling, rules),
        entry_course_deg=np.rint(chord.before_deg).astype(np.int64) % 360,
        course_change_deg=np.round(turned_deg, 1),
        confidence=_confidence(turned_deg, chord, rules),
        rulebook=Turns.unknown("rulebook"),
        **_place(walked, ended, way, arc),
        **speeds.figures,
        **sampling,
    )
    whole_deg = turned_deg + _turned_before_deg(walked, chord, ended, rules)
    is_turn = (whole_deg <= rules["turn_to_deg"]) & (_took_s(way, arc) <= rules["within_s"])
    return turns.take(is_turn & (turns.lateral_g <= rules["impossible_g"]))


def _kind(
    speeds: dict[str, NDArray[np.generic]], sampling: dict[str, NDArray[np.generic]], rules: Parameters
) -> NDArray[np.int64]:
    """Return what each is: of one that was seen badly, a radius says nothing."""
    is_wide = speeds["radius_m"] > rules["junction_radius_m"]
    is_fast = speeds["min_kmh"] >= rules["bend_kmh"]
    is_seen = ~np.isin(sampling["reason"], (Reason.COARSE, Reason.GAP))
    return np.where(is_wide & is_fast & is_seen, Kind.BEND, Kind.TURN)


def _turned_deg(walked: Walked, chord: chords.Chords, ended: Ended, rules: Parameters) -> Floats:
    """Return the course change, by the unit's own courses where they agree with the lines.

    The line after the turn may have been laid before the vehicle went straight: then the one from there on
    tells more.
    """
    reach, newest = chords.points(rules["after_m"]), walked.head["newest"][ended.row].astype(np.int64)
    begins = np.minimum(ended.straight - 1, newest - _MIN_AFTER)
    ends = np.minimum(newest, begins + np.maximum(reach, _MIN_AFTER))
    after_deg = chords.between_deg(walked, ended.row, begins, ends)
    grown_deg = np.maximum(wrapped(after_deg - chord.after_deg), 0.0)
    after_deg = chord.after_deg + grown_deg
    oldest, off_deg = newest - (POINTS - 1), []
    before = ended.peak - reach - chords.points(rules["between_m"]) - _MIN_AFTER
    for place, line_deg in ((before, chord.before_deg), ((begins + ends) // 2, after_deg)):
        course = walked.get("course_deg", ended.row, np.clip(place, oldest, newest))
        off_deg.append(np.where(course >= 0, wrapped(course - line_deg), np.nan))
    trusted = (np.abs(off_deg) <= _AGREES_DEG).all(axis=0)
    return np.asarray(chord.turned_deg + grown_deg + np.where(trusted, off_deg[1] - off_deg[0], 0.0))


def _turned_before_deg(walked: Walked, chord: chords.Chords, ended: Ended, rules: Parameters) -> Floats:
    """Return what had been turned to the right before the line before the turn; 0 where that is unknown.

    Of a vehicle that turns back on a wide street the line lies on the arc already.
    """
    line, spanned = chords.points(rules["before_m"]), chords.points(rules["after_m"] + rules["between_m"])
    ends = ended.peak - spanned - _EARLIER_POINTS
    begins = np.maximum(ends - line, walked.head["first"][ended.row])
    earlier_deg = chords.between_deg(walked, ended.row, begins, ends)
    known = ends - begins >= chords.points(rules["min_before_m"])
    return np.where(known, np.maximum(wrapped(chord.before_deg - earlier_deg), 0.0), 0.0)


def _took_s(way: Way, arc: Arc) -> Floats:
    """Return how long the turn took, without slow motion and standing."""
    held_cs = np.where(way.between(arc.entry, np.ceil(arc.exit)), way.held_cs, 0).sum(axis=1)
    passed_us = way.at(way.us, arc.exit) - way.at(way.us, arc.entry)
    return np.asarray(passed_us / MICROSECONDS - held_cs / 100)


def _confidence(turned_deg: Floats, chord: chords.Chords, rules: Parameters) -> Floats:
    """Return how clearly the way shows a turn: 0.5 at the threshold, 1 sharp and between straight lines."""
    from_deg, least = rules["turn_from_deg"], rules["straight_share"]
    sharp = np.clip((turned_deg - from_deg) / np.maximum(_CLEAR_DEG - from_deg, 1), 0, 1)
    straight = np.clip((chord.straight - least) / np.maximum(1 - least, 0.01), 0, 1)
    confidence = _SURE + _BY_SHARPNESS * sharp + _BY_STRAIGHTNESS * straight
    return np.asarray(np.round(confidence, 2))


def _place(walked: Walked, ended: Ended, way: Way, arc: Arc) -> dict[str, NDArray[np.generic]]:
    """Return when the turn began and ended, and where its middle lies.

    Who stands on the first half of it enters it when he moves on.
    """
    stands = way.between(arc.entry, arc.middle) & (way.standing_cs >= _STANDS_CS)
    before_us = np.roll(way.us, 1, axis=1)
    moves_on_us = np.where(stands, before_us + way.standing_cs * _US_PER_CS, 0).max(axis=1)
    entered_us = np.maximum(np.rint(way.at(way.us, arc.entry)).astype(np.int64), moves_on_us)
    exited_us = np.rint(way.at(way.us, arc.exit)).astype(np.int64)
    corner = {name: walked.head[name][ended.row] for name in ("east_mm", "north_mm", "lat_udeg", "lon_udeg")}
    north_m = (way.at(way.north_mm, arc.middle) - corner["north_mm"]) / 1000
    east_m = (way.at(way.east_mm, arc.middle) - corner["east_mm"]) / 1000
    lat_udeg = corner["lat_udeg"] + north_m / M_PER_UDEG
    east_udeg = east_m / (M_PER_UDEG * np.cos(np.deg2rad(lat_udeg / 1e6)))
    return {
        "entered_us": entered_us,
        "exited_us": np.maximum(exited_us, ended.turning_us),
        "lat_udeg": np.rint(lat_udeg).astype(np.int32),
        "lon_udeg": np.rint(corner["lon_udeg"] + east_udeg).astype(np.int32),
        "path_m": np.round((arc.exit - arc.entry) * SPACING_M, 1),
    }


def _sampling(way: Way, arc: Arc, disagrees: Bools, rules: Parameters) -> dict[str, NDArray[np.generic]]:
    """Return how the turn was seen, what the unit signalled, and whether all that is enough to judge it."""
    turning = way.between(arc.entry, np.ceil(arc.exit))
    longest_s = np.where(turning, way.longest_cs, 0).max(axis=1) / 100
    interval_s = _median(way.interval_cs, turning) / 100
    coarse, gap = interval_s > rules["evaluable_interval_s"], longest_s > rules["evaluable_gap_s"]
    coming = way.between(arc.entry - rules["approach_m"] / SPACING_M, arc.exit)
    signals = np.bitwise_or.reduce(np.where(coming, way.signals, 0), axis=1)
    return {
        "interval_s": np.round(interval_s, 2),
        "longest_s": np.round(longest_s, 2),
        "indicator": _seen(signals, FixFlag.RIGHT_INDICATOR_KNOWN, FixFlag.RIGHT_INDICATOR_ON),
        "loaded": _seen(signals, FixFlag.LOAD_KNOWN, FixFlag.LOADED),
        "junction": np.full(len(coarse), NO_JUNCTION),
        "stop": np.full(len(coarse), Stop.NOT_ASKED),
        "reason": np.select(
            [coarse, gap, disagrees], [Reason.COARSE, Reason.GAP, Reason.SPEED_DISAGREES], Reason.NONE
        ),
    }


def _median(values: NDArray[np.generic], mask: Bools) -> Floats:
    ordered = np.sort(np.where(mask, values, np.inf), axis=1)
    row, count = np.arange(len(ordered)), mask.sum(axis=1)
    middle = (ordered[row, np.maximum(count - 1, 0) // 2] + ordered[row, count // 2]) / 2
    return np.asarray(middle)


def _seen(signals: NDArray[np.int16], known_bit: int, on_bit: int) -> NDArray[np.int64]:
    is_on = (signals & on_bit) != 0
    is_known = (signals & known_bit) != 0
    return np.where(is_on, Seen.YES, np.where(is_known, Seen.NO, Seen.UNKNOWN))
