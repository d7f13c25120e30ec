"""What the live engine remembers of cameras: recent reports and turns, and who was known to watch. Pure.

    turn   --> remembered --+                        +--> nothing is with the turn: it is told as it is
                            +-- joined, by vehicle --+--> somebody is: a conflict, opened or updated
    report --> remembered --+                        +--> already told so: nothing is said again

Whichever side of a conflict comes second, the batch that brings it judges it. Reports are moved to the clock
of the fixes first, by the places that they name; one that was told to be with a turn stays with it. Whether a
camera was armed is read from its newest sign when the turn arrives. Turns and reports are forgotten when
nothing that is still judged live can belong to them. All is provisional until the settler has seen the whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.live.timeliness import Timeliness, classify
from alerts.rules.camera import blind_spot, camera_clock, conflicts
from alerts.rules.camera.blind_spot import NO_TURN
from alerts.rules.camera.camera_clock import Track
from alerts.rules.right_turn.path_memory import POINTS
from alerts.words.transitions import Judgement, Transitions
from alerts.words.turns import Seen, Turns
from fleet.columns import CameraEvents
from fleet.geo import M_PER_UDEG
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alerts.engine.state import EngineState
    from alerts.in_force.context import Context
    from alerts.rules.camera.blind_spot import Detections, Evidence
    from alerts.rules.camera.conflicts import Conflicts, Sights

#: A camera that reports more than this in a few minutes is broken: the newest reports are kept.
MAX_REPORTS = 64
#: A turn is decided so much later than it was entered, at most; longer ones wait for the settler.
DECIDED_US = 120 * MICROSECONDS
#: What was said of an id holds for reports no farther apart.
SAME_US = 10 * MICROSECONDS
_NEVER_US = np.iinfo(np.int64).min


class Told(NamedTuple):
    """What was said of the conflict of one turn."""

    first_us: int
    last_us: int
    event_ids: frozenset[str]


class Sightings:
    """Memory of all vehicles."""

    def __init__(self) -> None:
        self._reports: dict[int, CameraEvents] = {}
        #: Vehicle -> batches of turns with the rows that are its own, earliest first.
        self._turns: dict[int, list[tuple[Turns, int]]] = {}
        #: Vehicle -> entry of a turn -> what was said.
        self._told: dict[int, dict[int, Told]] = {}
        #: Vehicle -> how far its camera's clock was ahead, by report, and the segment in which that was seen.
        self._ahead_us: dict[int, tuple[int, dict[tuple[str, int], float]]] = {}
        #: By vehicle id, which are small and dense: the newest sign that the camera works, or does not.
        self._sign_us = np.empty(0, np.int64)
        self._works = np.empty(0, np.bool_)
        self._forgot_us = _NEVER_US

    def arrive(
        self, state: EngineState, turns: Turns, sights: Sights, received_us: int, context: Context
    ) -> Judgement:
        """Take in what a batch has brought; return its turns, older ones that changed, and conflicts.

        Reports too old or ahead of the clock are signs of life, and otherwise wait for the settler.
        """
        right = blind_spot.of_right_side(sights.camera)
        self._take_signs(blind_spot.evidence(right, sights.health))
        fresh = right.take(is_live(right.time_us, received_us, context)) if len(right) else right
        self._take_reports(fresh)
        turns = self._take_turns(turns, context)
        reporting = set(turns.vehicle_id.tolist()) & self._reports.keys()
        touched = reporting | (set(fresh.vehicle_id.tolist()) & self._turns.keys())
        judgement = self._judge(state, turns, sorted(touched), context)
        self._forget(received_us, context)
        return judgement

    def restore(
        self,
        signs: Evidence,
        reports: CameraEvents,
        turns: Turns,
        told: Sequence[tuple[int, int, int]],
        context: Context,
    ) -> None:
        """Take back what a process knew that has ended; `told` are vehicle, beginning and end of conflicts.

        How far clocks are ahead is learned again.
        """
        self._take_signs(signs)
        self._take_reports(blind_spot.of_right_side(reports))
        self._remember(turns)
        rules = context.rulebooks.numbers("blind_spot", turns.rulebook)
        right = blind_spot.of_right_side(reports)
        seen = blind_spot.detections(right, conflicts.rules_at(right.vehicle_id, right.time_us, context))
        of_turn = blind_spot.join(turns, seen, rules)
        vehicle_id, first_us, last_us = zip(*told, strict=True) if told else ((), (), ())
        known = blind_spot.Detections.build(
            vehicle_id=vehicle_id, first_us=first_us, last_us=last_us, target=[0] * len(told)
        )
        for row, turn in enumerate(blind_spot.join(turns, known, rules).tolist()):
            if turn != NO_TURN:
                ids = frozenset(seen.event_id[of_turn == turn].tolist())
                self._tell(told[row][0], int(turns.entered_us[turn]), Told(*told[row][1:], ids))

    # ------------------------------------------------------------ taking in

    def _take_signs(self, signs: Evidence) -> None:
        if not len(signs.time_us):
            return
        missing = int(signs.vehicle_id.max()) + 1 - len(self._sign_us)
        if missing > 0:
            missing += len(self._sign_us)  # doubling: vehicles that are new come one by one
            self._sign_us = np.concatenate([self._sign_us, np.full(missing, _NEVER_US)])
            self._works = np.concatenate([self._works, np.zeros(missing, np.bool_)])
        order = np.lexsort((~signs.works, signs.time_us))
        vehicle_id, time_us, works = (column[order] for column in signs)
        newer = time_us >= self._sign_us[vehicle_id]
        # Of several, the last stays: the newest, and of two at one time the fault.
        self._sign_us[vehicle_id[newer]] = time_us[newer]
        self._works[vehicle_id[newer]] = works[newer]

    def _take_reports(self, reports: CameraEvents) -> None:
        for vehicle in np.unique(reports.vehicle_id).tolist():
            own = reports.take(reports.vehicle_id == vehicle)
            known = self._reports.get(vehicle)
            both = own if known is None else CameraEvents.concat([known, own])
            self._reports[vehicle] = both.take(slice(-MAX_REPORTS, None))

    def _take_turns(self, turns: Turns, context: Context) -> Turns:
        """Remember turns; return them with who watched."""
        if not len(turns):
            return turns
        rules = context.rulebooks.numbers("blind_spot", turns.rulebook)
        is_known = turns.vehicle_id < len(self._sign_us)
        place = np.where(is_known, turns.vehicle_id, 0)
        works = np.zeros(len(turns), np.bool_)
        if len(self._sign_us):
            # Not the difference: `never` is as far from now as a number can be.
            since_us = turns.entered_us - np.rint(rules["armed_s"] * MICROSECONDS).astype(np.int64)
            works = is_known & self._works[place] & (self._sign_us[place] >= since_us)
        armed = np.where(works, Seen.YES, Seen.NO)
        marked = blind_spot.watched(turns, armed, np.zeros(len(turns), np.int32))
        self._remember(marked)
        return marked

    def _remember(self, turns: Turns) -> None:
        for row, vehicle in enumerate(turns.vehicle_id.tolist()):
            self._turns.setdefault(vehicle, []).append((turns, row))

    # ------------------------------------------------------------ judging

    def _judge(self, state: EngineState, turns: Turns, touched: Sequence[int], context: Context) -> Judgement:
        if not touched:
            return Judgement(Transitions.empty(), turns=turns)
        recent = Turns.concat(
            [batch.take(slice(row, row + 1)) for vehicle in touched for batch, row in self._turns[vehicle]]
        )
        seen = self._detections(state, touched, context)
        rules = context.rulebooks.numbers("blind_spot", recent.rulebook)
        of_turn = self._as_told(recent, seen, blind_spot.join(recent, seen, rules))
        found, again = self._news(conflicts.gather(recent, seen, of_turn), seen, of_turn, recent)
        if not len(found.turns):
            return Judgement(Transitions.empty(), turns=turns)
        same = {(v, t) for v, t in zip(*_names(found.turns), strict=True)}
        others = [name not in same for name in zip(*_names(turns), strict=True)]
        told = conflicts.episodes(found, context.rulebooks, again)
        rest = turns.take(np.array(others, np.bool_)) if len(turns) else turns
        return Judgement(told, turns=Turns.concat([rest, found.turns]) if len(rest) else found.turns)

    def _detections(self, state: EngineState, touched: Sequence[int], context: Context) -> Detections:
        """Return what the cameras of some vehicles have seen lately, by the clock of the fixes."""
        corrected = []
        for vehicle in touched:
            reports = self._reports[vehicle]
            rules = conflicts.rules_at(reports.vehicle_id[:1], reports.time_us[:1], context)
            clock = self._clock(state, reports, rules if rules.ndim == 0 else rules[0])
            if clock.is_sound:
                corrected.append(blind_spot.shifted(reports, clock.us))
        camera = CameraEvents.concat(corrected)
        return blind_spot.detections(camera, conflicts.rules_at(camera.vehicle_id, camera.time_us, context))

    def _clock(
        self, state: EngineState, reports: CameraEvents, rules: NDArray[np.void]
    ) -> camera_clock.Offset:
        """Return how far a camera's clock is ahead, by its reports in the present segment so far."""
        vehicle = int(reports.vehicle_id[0])
        slot = int(state.slots(reports.vehicle_id[:1])[0])
        segment_us = int(state["motion"]["segment_us"][slot])
        known_of, ahead_us = self._ahead_us.get(vehicle, (segment_us, {}))
        if known_of != segment_us:
            ahead_us = {}
        telling = reports.take(conflicts.tells_place(reports))
        track = _track(state, slot)
        for row in range(len(telling)):
            one = telling.take(slice(row, row + 1))
            name = (str(one.event_id[0]), int(one.time_us[0]))
            if name not in ahead_us:
                found = conflicts.samples_us(one, track, rules)
                # The track is short: what is not near it may have been near it before.
                if found and not np.isnan(found[0]):
                    ahead_us[name] = found[0]
        ahead_us = dict(list(ahead_us.items())[-MAX_REPORTS:])
        self._ahead_us[vehicle] = (segment_us, ahead_us)
        return camera_clock.offset(
            np.array(list(ahead_us.values()), np.float64),
            events=float(rules["clock_events"]),
            min_s=float(rules["clock_min_s"]),
            max_s=float(rules["clock_max_s"]),
        )

    def _as_told(self, recent: Turns, seen: Detections, of_turn: NDArray[np.intp]) -> NDArray[np.intp]:
        """Leave detections with the turn that they were said to belong to."""
        row_of = {name: row for row, name in enumerate(zip(*_names(recent), strict=True))}
        columns = (seen.vehicle_id, seen.event_id, seen.first_us, seen.last_us)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for row, (vehicle, event_id, first_us, last_us) in enumerate(rows):
            for entered_us, told in self._told.get(vehicle, {}).items():
                apart_us = max(first_us - told.last_us, told.first_us - last_us)
                if event_id in told.event_ids and apart_us <= SAME_US:  # units use their ids again
                    of_turn[row] = row_of.get((vehicle, entered_us), of_turn[row])
        return of_turn

    def _news(
        self, found: Conflicts, seen: Detections, of_turn: NDArray[np.intp], recent: Turns
    ) -> tuple[Conflicts, NDArray[np.bool_]]:
        """Return the conflicts that were not said, or not so, and which of them were said otherwise."""
        row_of = {name: row for row, name in enumerate(zip(*_names(recent), strict=True))}
        first_us, last_us, many = found.first_us.copy(), found.last_us.copy(), found.detections.copy()
        is_news, again = np.ones(len(many), np.bool_), np.zeros(len(many), np.bool_)
        for row, name in enumerate(zip(*_names(found.turns), strict=True)):
            ids = frozenset(seen.event_id[of_turn == row_of[name]].tolist())
            told = self._told.get(name[0], {}).get(name[1])
            if told is not None:
                ids |= told.event_ids
                first_us[row], last_us[row] = told.first_us, max(told.last_us, int(last_us[row]))
                many[row] = max(len(ids), int(many[row]))
                again[row] = True
                is_news[row] = ids != told.event_ids or last_us[row] != told.last_us
            if is_news[row]:
                self._tell(*name, Told(int(first_us[row]), int(last_us[row]), ids))
        found = found._replace(first_us=first_us, last_us=last_us, detections=many)
        rows = np.flatnonzero(is_news)
        return conflicts.with_counts(found.take(rows)), again[rows]

    def _tell(self, vehicle: int, entered_us: int, told: Told) -> None:
        self._told.setdefault(vehicle, {})[entered_us] = told

    # ------------------------------------------------------------ forgetting

    def _forget(self, now_us: int, context: Context) -> None:
        """Forget, now and then, what nothing can belong to any more."""
        keep_us = remembered_us(now_us, context)
        if self._forgot_us > _NEVER_US and now_us - self._forgot_us < keep_us // 2:
            return
        self._forgot_us, since_us = now_us, now_us - keep_us
        for vehicle, turns in list(self._turns.items()):
            self._turns[vehicle] = [(batch, row) for batch, row in turns if batch.exited_us[row] >= since_us]
        for vehicle, reports in list(self._reports.items()):
            self._reports[vehicle] = reports.take(reports.time_us >= since_us)
        for vehicle, told in list(self._told.items()):
            self._told[vehicle] = {entered: one for entered, one in told.items() if entered >= since_us}
        for memory in (self._turns, self._reports, self._told):
            for vehicle in [vehicle for vehicle, kept in memory.items() if not len(kept)]:
                del memory[vehicle]


def is_live(time_us: NDArray[np.int64], received_us: int, context: Context) -> NDArray[np.bool_]:
    """Mark what is judged the moment it arrives: neither too old nor ahead of the clock."""
    live = context.rulebooks.now("live", received_us)
    timeliness = classify(
        time_us,
        np.full(len(time_us), _NEVER_US),
        received_us,
        horizon_s=float(live["horizon_s"]),
        ahead_s=float(live["ahead_s"]),
    )
    return np.asarray(timeliness == Timeliness.LIVE)


def remembered_us(now_us: int, context: Context) -> int:
    """Return for how long reports and turns are remembered."""
    live, rules = (context.rulebooks.now(section, now_us) for section in ("live", "blind_spot"))
    held_s = sum(float(rules[name]) for name in ("before_s", "after_s", "detection_s", "clock_max_s"))
    return DECIDED_US + round((float(live["horizon_s"]) + held_s) * MICROSECONDS)


def _names(turns: Turns) -> tuple[list[int], list[int]]:
    return turns.vehicle_id.tolist(), turns.entered_us.tolist()


def _track(state: EngineState, slot: int) -> Track:
    """Return where a vehicle was on the way that it remembers."""
    head, ring = state["turns"][slot]["path"], state["rings"][slot]
    oldest = max(int(head["first"]), int(head["newest"]) - POINTS + 1)
    place = np.arange(oldest, int(head["newest"]) + 1) % POINTS
    north_m, east_m = (
        (ring[name][place].astype(np.int64) - int(head[name])) / 1000 for name in ("north_mm", "east_mm")
    )
    lat_udeg = head["lat_udeg"] + north_m / M_PER_UDEG
    east_udeg = east_m / (M_PER_UDEG * np.cos(np.deg2rad(lat_udeg / 1e6)))
    return Track(
        ring["us"][place],
        np.rint(lat_udeg).astype(np.int32),
        np.rint(head["lon_udeg"] + east_udeg).astype(np.int32),
    )
