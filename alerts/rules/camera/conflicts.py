"""Conflicts from the complete record: turns learn who watched and whom it saw, conflicts are episodes. Pure.

The hot path does the same with what it remembers (`alerts.live.sightings`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.rules.camera import blind_spot, camera_clock
from alerts.rules.camera.blind_spot import NO_TURN, Detections
from alerts.rules.camera.camera_clock import Offset, Track
from alerts.rules.right_turn import right_turn_fold
from alerts.words.limits import LimitSource
from alerts.words.transitions import Change, Judgement, Rule, Transitions
from alerts.words.turns import Kind, Reason, Seen, Stop, Turns
from fleet.columns import CameraEvents, FixFlag, HealthReports, Phase, Target
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from alerts.in_force.context import Context
    from alerts.in_force.rulebooks import Rulebooks
    from alerts.words.transitions import SegmentStarts
    from fleet.columns import Fixes

    Rows = NDArray[np.intp]

SEVERITY, CRITICAL = 3, 4
NO_GAPS = np.empty((0, 2), np.int64)
#: What belongs to a turn is sent so long before or after it at most, as far as it is not kept by the unit.
SENT_WITHIN_US = 60 * MICROSECONDS


class Sights(NamedTuple):
    """What cameras and units report."""

    camera: CameraEvents
    health: HealthReports
    #: When such reports may have been lost on the way, microseconds since 1970, one [from, until] a row.
    gaps_us: NDArray[np.int64] = NO_GAPS

    def __len__(self) -> int:
        return len(self.camera) + len(self.health)


NO_SIGHTS = Sights(CameraEvents.empty(), HealthReports.empty())


class Conflicts(NamedTuple):
    """Turns during which somebody was seen; equal lengths."""

    turns: Turns
    #: First and last report, how many were seen, the most vulnerable of them, and a picture if there is one.
    first_us: NDArray[np.int64]
    last_us: NDArray[np.int64]
    detections: NDArray[np.int64]
    target: NDArray[np.int16]
    evidence: NDArray[np.object_]

    def take(self, rows: Rows) -> Conflicts:
        """Return some of them."""
        return Conflicts(
            self.turns.take(rows),
            self.first_us[rows],
            self.last_us[rows],
            self.detections[rows],
            self.target[rows],
            self.evidence[rows],
        )


class Joined(NamedTuple):
    """The complete record after the join."""

    judgement: Judgement
    #: Detections that belong to a turn, to none, and reports of cameras whose clock is not believed.
    outcomes: Mapping[str, int]


#: Names of what becomes of detections.
OUTCOMES = ("joined", "without_turn", "not_believed")


def settled(turns: Turns, fixes: Fixes, sights: Sights, segments: SegmentStarts, context: Context) -> Joined:
    """Join all that is stored of some vehicles, each of their segments by itself.

    Detections of a camera whose clock cannot be believed belong to no turn, and in that segment nobody
    watched.
    """
    camera = blind_spot.of_right_side(sights.camera)
    clocks = _clocks(camera, fixes, segments, context)
    at = _segment_of(segments, camera.vehicle_id, camera.time_us)
    shift_us = np.array([clocks[s].us if s in clocks else 0 for s in at.tolist()], np.int64)
    sound = np.array([s not in clocks or clocks[s].is_sound for s in at.tolist()], np.bool_)
    camera = blind_spot.shifted(camera, shift_us).take(sound)
    seen = blind_spot.detections(camera, rules_at(camera.vehicle_id, camera.time_us, context))
    rules = context.rulebooks.numbers("blind_spot", turns.rulebook)
    of_turn = blind_spot.join(turns, seen, rules)
    is_armed = blind_spot.armed(turns, blind_spot.evidence(camera, sights.health), rules)
    unsound = {segment for segment, clock in clocks.items() if not clock.is_sound}
    if unsound:
        is_armed &= ~np.isin(_segment_of(segments, turns.vehicle_id, turns.entered_us), list(unsound))
    marked = mark(turns, is_armed, of_turn)
    found = gather(marked, seen, of_turn)
    belongs = int((of_turn != NO_TURN).sum())
    counts = belongs, len(of_turn) - belongs, int((~sound).sum())
    judgement = Judgement(episodes(found, context.rulebooks), turns=doubted(marked, sights.gaps_us))
    return Joined(judgement, dict(zip(OUTCOMES, counts, strict=True)))


def rules_at(vehicle_id: NDArray[np.int32], time_us: NDArray[np.int64], context: Context) -> NDArray[np.void]:
    """Return the numbers for each vehicle at a time; one row if they agree."""
    company_id, kind, _limit = context.facts.at(vehicle_id, time_us)
    return context.rulebooks.numbers("blind_spot", context.rulebooks.at(time_us, company_id, kind))


def mark(turns: Turns, is_armed: NDArray[np.bool_], of_turn: Rows) -> Turns:
    """Return the turns with who watched and how many were seen; a camera that saw somebody was armed."""
    many = np.bincount(of_turn[of_turn != NO_TURN], minlength=len(turns))[: len(turns)]
    armed = np.where(is_armed | (many > 0), Seen.YES, Seen.NO)
    return blind_spot.watched(turns, armed, many)


def doubted(turns: Turns, gaps_us: NDArray[np.int64]) -> Turns:
    """Return the turns with those that cannot be judged because what was seen of them may be lost.

    Whom no camera saw there is not known to be nobody; who was seen stays seen.
    """
    began_us, ended_us = turns.entered_us - SENT_WITHIN_US, turns.exited_us + SENT_WITHIN_US
    in_gap = np.zeros(len(turns), np.bool_)
    for from_us, until_us in gaps_us.tolist():
        in_gap |= (began_us <= until_us) & (ended_us >= from_us)
    in_gap &= turns.kind == Kind.TURN
    blind = in_gap & (turns.conflicts <= 0)
    reason = np.where(in_gap & (turns.reason == Reason.NONE), Reason.TRANSPORT_GAP, turns.reason)
    return replace(
        turns,
        reason=reason.astype(np.int16),
        armed=np.where(blind, Seen.UNKNOWN, turns.armed).astype(np.int16),
        conflicts=np.where(blind, Turns.unknown("conflicts"), turns.conflicts).astype(np.int32),
    )


def gather(turns: Turns, seen: Detections, of_turn: Rows) -> Conflicts:
    """Return the turns during which somebody was seen, with what was."""
    own = np.flatnonzero(of_turn != NO_TURN)
    own = own[np.lexsort((seen.first_us[own], of_turn[own]))]
    which, begins, many = np.unique(of_turn[own], return_index=True, return_counts=True)
    if not len(own):
        no_time, no_text = np.empty(0, np.int64), np.empty(0, object)
        return Conflicts(turns.take(own), no_time, no_time, no_time, np.empty(0, np.int16), no_text)
    # The lowest code that is known is the most vulnerable.
    target = np.where(seen.target[own] == Target.UNKNOWN, Target.VEHICLE + 1, seen.target[own])
    least = np.minimum.reduceat(target, begins)
    pictures = [next((e for e in part if e), "") for part in np.split(seen.evidence[own], begins[1:])]
    return Conflicts(
        turns.take(which),
        np.minimum.reduceat(seen.first_us[own], begins),
        np.maximum.reduceat(seen.last_us[own], begins),
        many.astype(np.int64),
        np.where(least > Target.VEHICLE, Target.UNKNOWN, least).astype(np.int16),
        np.array([*pictures, None], object)[:-1],
    )


def with_counts(conflicts: Conflicts) -> Conflicts:
    """Return conflicts whose turns say how many were seen; whoever saw somebody was armed."""
    turns = replace(
        conflicts.turns,
        armed=np.full(len(conflicts.turns), Seen.YES, np.int16),
        conflicts=conflicts.detections.astype(np.int32),
    )
    return conflicts._replace(turns=turns)


def episodes(
    conflicts: Conflicts, rulebooks: Rulebooks, again: NDArray[np.bool_] | None = None
) -> Transitions:
    """Return an opening and an ending for each conflict; `again` marks those that only end anew.

    Critical if the turn was too fast as well, or without the stop that was due.
    """
    turns = conflicts.turns
    if not len(turns):
        return Transitions.empty()
    opens = np.ones(len(turns), np.bool_) if again is None else ~again
    row = np.repeat(np.arange(len(turns)), 1 + opens)
    closes = np.r_[row[1:] != row[:-1], True]
    too_fast, no_stop = right_turn_fold.too_fast(turns, rulebooks), turns.stop == Stop.NOT_STOPPED
    rules = rulebooks.numbers("right_turn", turns.rulebook)
    measures = np.empty(len(row), object)
    of_turn = [_measures(conflicts, i, bool(too_fast[i]), bool(no_stop[i])) for i in range(len(turns))]
    measures[:] = [of_turn[i] for i in row.tolist()]
    return Transitions.build(
        vehicle_id=turns.vehicle_id[row],
        rule=Rule.CONFLICT,
        change=np.where(closes, Change.CLOSED, Change.OPENED),
        at_us=np.maximum(turns.at_us, conflicts.last_us)[row],
        started_us=conflicts.first_us[row],
        ended_us=np.where(closes, conflicts.last_us[row], -1),
        severity=np.where(too_fast | no_stop, CRITICAL, SEVERITY)[row],
        peak=turns.max_kmh[row],
        limit=np.broadcast_to(rules["limit_kmh"], turns.max_kmh.shape)[row],
        limit_source=LimitSource.RULEBOOK,
        rulebook=turns.rulebook[row],
        measures=measures,
    )


def _measures(conflicts: Conflicts, row: int, too_fast: bool, no_stop: bool) -> dict[str, object]:
    turns = conflicts.turns
    after_us = int(conflicts.first_us[row] - turns.entered_us[row])
    made: dict[str, object] = {
        "detections": int(conflicts.detections[row]),
        "target": Target(int(conflicts.target[row])).name.lower(),
        "after_entry_s": round(after_us / MICROSECONDS, 1),
        "course_change_deg": float(turns.course_change_deg[row]),
        "max_kmh": float(turns.max_kmh[row]),
    }
    made |= {name: True for name, is_so in (("too_fast", too_fast), ("no_stop", no_stop)) if is_so}
    evidence = conflicts.evidence[row]
    return made | ({"evidence": evidence} if evidence else {})


# ---------------------------------------------------------------- clocks


def _clocks(
    camera: CameraEvents, fixes: Fixes, segments: SegmentStarts, context: Context
) -> dict[int, Offset]:
    """Return how far cameras' clocks are ahead, by segment; those that are right, and unknown, left out."""
    telling = np.flatnonzero(tells_place(camera))
    rules = rules_at(segments.vehicle_id, segments.started_us, context)
    least = int(np.min(rules["clock_events"], initial=2**31))
    if len(telling) < least:
        return {}
    found = {}
    for segment, events in _grouped(camera, telling, segments, least):
        numbers = rules if rules.ndim == 0 else rules[segment]
        track = _track(fixes, int(segments.vehicle_id[segment]))
        clock = clock_of(camera.take(events), track, numbers)
        if clock != camera_clock.SOUND:
            found[segment] = clock
    return found


def tells_place(camera: CameraEvents) -> NDArray[np.bool_]:
    """Mark the reports that somebody appears and where the vehicle is."""
    return np.asarray((camera.phase != Phase.END) & ((camera.lat_udeg != 0) | (camera.lon_udeg != 0)))


def clock_of(camera: CameraEvents, track: Track, rules: NDArray[np.void]) -> Offset:
    """Return how far one camera's clock is ahead, from reports that name a place."""
    samples = samples_us(camera, track, rules)
    return camera_clock.offset(
        np.array(samples, np.float64),
        events=float(rules["clock_events"]),
        min_s=float(rules["clock_min_s"]),
        max_s=float(rules["clock_max_s"]),
    )


def samples_us(camera: CameraEvents, track: Track, rules: NDArray[np.void]) -> list[float]:
    """Return how far the clock was ahead at each report whose place tells; NaN where it was nowhere near."""
    search_us, place_m = round(float(rules["clock_search_s"]) * MICROSECONDS), float(rules["clock_place_m"])
    found = []
    places = zip(camera.time_us.tolist(), camera.lat_udeg.tolist(), camera.lon_udeg.tolist(), strict=True)
    for time_us, lat_udeg, lon_udeg in places:
        passed_us = camera_clock.passed_us(track.around(time_us, search_us), lat_udeg, lon_udeg, place_m)
        if passed_us is not None:
            found.append(time_us - passed_us)
    return found


def _grouped(
    camera: CameraEvents, rows: Rows, segments: SegmentStarts, least: int
) -> Iterator[tuple[int, Rows]]:
    """Yield each segment that has at least so many of the reports, with them."""
    at = _segment_of(segments, camera.vehicle_id[rows], camera.time_us[rows])
    for segment, many in zip(*np.unique(at, return_counts=True), strict=True):
        if segment >= 0 and many >= least:
            yield int(segment), rows[at == segment]


def _track(fixes: Fixes, vehicle_id: int) -> Track:
    """Return where one vehicle was; its fixes may stand in any order."""
    has_position = (fixes.flags & FixFlag.NO_POSITION) == 0
    own = np.flatnonzero((fixes.vehicle_id == vehicle_id) & has_position)
    own = own[np.argsort(fixes.time_us[own], kind="stable")]
    return Track(fixes.time_us[own], fixes.lat_udeg[own], fixes.lon_udeg[own])


def _segment_of(
    segments: SegmentStarts, vehicle_id: NDArray[np.int32], time_us: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the index of the segment that holds each time; -1 before the first."""
    order = np.lexsort((segments.started_us, segments.vehicle_id))
    by_vehicle, starts = segments.vehicle_id[order], segments.started_us[order]
    found = np.full(len(vehicle_id), -1, np.int64)
    for vehicle in np.unique(vehicle_id).tolist():
        low, high = np.searchsorted(by_vehicle, [vehicle, vehicle + 1])
        own = np.flatnonzero(vehicle_id == vehicle)
        place = np.searchsorted(starts[low:high], time_us[own], side="right") - 1
        found[own[place >= 0]] = order[low + place[place >= 0]]
    return found
