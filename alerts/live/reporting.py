"""The rules about arrival, as batches and ticks come in: memory of all vehicles by slot. Pure.

`alerts.rules.device` says what the rules have in common. Silence is judged only after ticks have come without
a break for as long as it must last: a process that listens ticks; an outage of ours is not a silent fleet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alerts.live.arrival_rules import SEVERITY, Figures, holds_s, numbers, transitions
from alerts.live.arrivals import BEHIND_S, in_rounds
from alerts.live.holds import AGAIN_US, Kept
from alerts.live.timeliness import Timeliness
from alerts.rules import device
from alerts.rules.device import Told
from alerts.words.transitions import Rule, Transitions
from fleet.columns import CameraState, FixFlag
from fleet.units import MICROSECONDS
from fleet.wire.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from alerts.engine.state import EngineState
    from alerts.in_force.context import Context
    from alerts.live.arrivals import Refused, StillOpen
    from alerts.live.holds import Hold
    from fleet.columns import Fixes, HealthReports


_FAULTS = (CameraState.COVERED, CameraState.NO_SIGNAL, CameraState.STORAGE)
#: A tick says that we have been listening for as long as the least gap of a drive (`gap_s`). Nobody listened
#: between two of them for what lies between beyond that; for so long at most nobody is called silent for it.
DEAF_US = 60 * MICROSECONDS
_NEVER_US = np.iinfo(np.int64).min


class Reporting:
    """What the live engine remembers of when and how units report: a slot a vehicle, as in `EngineState`."""

    def __init__(self) -> None:
        self.memory = {rule: device.blank(0) for rule in SEVERITY}
        #: When each vehicle was heard last.
        self._heard_us = np.empty(0, np.int64)
        #: Time of the newest fix, and whether its ignition was off.
        self._newest_us = np.empty(0, np.int64)
        self._is_off = np.empty(0, np.bool_)
        self._fault = np.empty(0, np.int16)
        #: Of those whose fixes are refused for their time, by how much that is behind ours at least.
        self._behind_s = np.empty(0, np.float64)
        self._listening_us = self._ticked_us = _NEVER_US
        #: What the store knows of conditions that hold and are no episodes yet.
        self.kept = Kept()

    def restore(
        self,
        state: EngineState,
        still_open: Iterable[StillOpen],
        refused_us: Mapping[int, int],
    ) -> None:
        """Take back what a process knew that has ended.

        Parameters
        ----------
        still_open
            Episodes that go on.
        refused_us
            When something of vehicles was refused last.
        """
        self._grow(len(state))
        self._heard_us = np.maximum(self._heard_us, state["motion"]["watermark_us"])
        for vehicle_id, at_us in refused_us.items():
            slot = self._slots(state, np.array([vehicle_id], np.int32))
            self._heard_us[slot] = np.maximum(self._heard_us[slot], at_us)
        for one in still_open:
            slot = self._slots(state, np.array([one.vehicle_id], np.int32))
            row = self.memory[one.rule][slot]
            row["since_us"] = row["seen_us"] = one.started_us
            if one.rule == Rule.NOT_WATCHED_LIVE:
                row["seen_us"] = np.maximum(one.started_us, self._heard_us[slot])
            row["peak"], row["is_open"] = one.peak, True
            self.memory[one.rule][slot] = row
            if fault := one.measures.get("fault"):
                self._fault[slot] = CameraState[fault.upper()]
            self._behind_s[slot] = BEHIND_S.get(one.measures.get("rejected", ""), self._behind_s[slot])

    def resume(self, state: EngineState, holds: Iterable[Hold], newest_us: int, context: Context) -> None:
        """Go on with conditions that held when a process ended, but for those that it was about to forget.

        Parameters
        ----------
        newest_us
            When that process received anything last.
        """
        for hold in holds:
            slot = self._slots(state, np.array([hold.vehicle_id], np.int32))
            self.kept.know(int(slot[0]), hold)
            row = self.memory[hold.rule][slot]
            silent_s = (newest_us - hold.seen_us - AGAIN_US) / MICROSECONDS
            hold_s = numbers("not_watched_live", state.vehicle_id[slot], newest_us, context)["hold_s"]
            is_over = hold.rule == Rule.NOT_WATCHED_LIVE and silent_s > float(np.max(hold_s))
            if not is_over and not row["is_open"][0]:
                row["since_us"], row["seen_us"], row["peak"] = hold.since_us, hold.seen_us, hold.peak
                self.memory[hold.rule][slot] = row

    def heard(
        self, state: EngineState, vehicle_id: NDArray[np.int32], at_us: int, context: Context
    ) -> Transitions:
        """Take in who was heard; return whose silence is over."""
        is_heard = np.zeros(int(vehicle_id.max(initial=0)) + 1, np.bool_)
        is_heard[vehicle_id] = True  # ids are small and dense
        slots = self._slots(state, np.flatnonzero(is_heard).astype(np.int32))
        at = np.full(len(slots), at_us, np.int64)
        self._heard_us[slots] = at_us
        nothing = np.zeros(len(slots), np.bool_)
        told = Told(at, nothing, ~nothing, np.zeros(len(slots)))
        silence_s = (at_us - self.memory[Rule.OFFLINE]["since_us"][slots]) / MICROSECONDS
        return self._step(state, Rule.OFFLINE, slots, told._replace(peak=silence_s), context)

    def reported(
        self, state: EngineState, health: HealthReports, rule: Rule, context: Context
    ) -> Transitions:
        """Take in what units say of camera or power."""
        changes = []
        for rows in in_rounds(health):
            slots = self._slots(state, health.vehicle_id[rows])
            if rule == Rule.CAMERA_FAULT:
                camera = health.camera[rows]
                holds, clears = np.isin(camera, _FAULTS), camera == CameraState.OK
                known = self.memory[rule]["is_open"][slots]
                self._fault[slots] = np.where(holds & ~known, camera, self._fault[slots])
            else:
                holds, clears = health.power[rows] == 0, health.power[rows] == 1
            told = Told(health.time_us[rows], holds, clears, np.zeros(len(rows)))
            changes.append(self._step(state, rule, slots, told, context))
        return Transitions.concat([part for part in changes if len(part)])

    def clocks(
        self, state: EngineState, fixes: Fixes, refused: Refused, received_us: int, context: Context
    ) -> Transitions:
        """Take in how near to their own time fixes have arrived, those included that were refused for it."""
        misdated = refused.behind_s != 0
        behind_s = np.r_[(received_us - fixes.time_us) / MICROSECONDS, refused.behind_s[misdated]]
        slots, place = self._unique(state, np.r_[fixes.vehicle_id, refused.vehicle_id[misdated]])
        apart_s = np.full(len(slots), np.inf)
        np.minimum.at(apart_s, place, np.abs(behind_s))
        begins = self.memory[Rule.CLOCK_DRIFT]["since_us"][slots] == device.NEVER
        self._behind_s[slots[begins]] = 0.0
        self._behind_s[slots[place[len(fixes) :]]] = refused.behind_s[misdated]
        limit_s = numbers("clock_drift", state.vehicle_id[slots], received_us, context)["limit_s"]
        at = np.full(len(slots), received_us, np.int64)
        told = Told(at, apart_s > limit_s, apart_s <= limit_s, np.asarray(np.round(apart_s, 1)))
        return self._step(state, Rule.CLOCK_DRIFT, slots, told, context)

    def watched(
        self,
        state: EngineState,
        fixes: Fixes,
        timeliness: NDArray[np.int8],
        refused: Refused,
        received_us: int,
        context: Context,
    ) -> Transitions:
        """Take in of whom a fix could be judged live."""
        misdated = refused.vehicle_id[refused.behind_s != 0]
        slots, place = self._unique(state, np.r_[fixes.vehicle_id, misdated])
        is_live = np.zeros(len(slots), np.bool_)
        is_live[place[: len(fixes)][timeliness == Timeliness.LIVE]] = True
        at = np.full(len(slots), received_us, np.int64)
        since_us = self.memory[Rule.NOT_WATCHED_LIVE]["since_us"][slots]
        unwatched_s = np.where(since_us == device.NEVER, 0.0, (at - since_us) / MICROSECONDS)
        told = Told(at, ~is_live, is_live, np.asarray(np.round(unwatched_s, 1)))
        return self._step(state, Rule.NOT_WATCHED_LIVE, slots, told, context)

    def ignitions(self, state: EngineState, fixes: Fixes) -> Transitions:
        """Take in whose ignition was off at the newest fix; that changes nothing yet."""
        self.note_ignitions(state, fixes.vehicle_id, fixes.time_us, fixes.flags)
        return Transitions.empty()

    def note_ignitions(
        self,
        state: EngineState,
        vehicle_id: NDArray[np.int32],
        at_us: NDArray[np.int64],
        flags: NDArray[np.integer],
    ) -> None:
        """Take in the ignitions of fixes."""
        order = np.argsort(at_us, kind="stable")
        slots, time_us, flags = self._slots(state, vehicle_id)[order], at_us[order], flags[order]
        is_off = (flags & (FixFlag.IGNITION_KNOWN | FixFlag.IGNITION_ON)) == FixFlag.IGNITION_KNOWN
        newer = time_us >= self._newest_us[slots]
        self._newest_us[slots[newer]] = time_us[newer]  # of several, the last stays: the newest
        self._is_off[slots[newer]] = is_off[newer]

    def listened(self, ticked_us: int, context: Context) -> None:
        """Take in that there was a tick, of this process or of one before it."""
        gap_us = round(float(context.rulebooks.now("motion", ticked_us)["gap_s"]) * MICROSECONDS)
        if ticked_us - self._ticked_us > gap_us + DEAF_US:
            self._listening_us = ticked_us
        self._ticked_us = ticked_us

    def tick(self, state: EngineState, now_us: int, context: Context) -> Transitions:
        """Judge silence; nothing can be said of it until ticks have come for as long as it must last."""
        self.listened(now_us, context)
        if not len(state):
            return Transitions.empty()
        self._grow(len(state))
        rules = numbers("offline", state.vehicle_id, now_us, context)
        memory = self.memory[Rule.OFFLINE]
        silent_s = (now_us - self._heard_us) / MICROSECONDS
        silent = (self._heard_us > 0) & ~self._is_off & ~memory["is_open"]
        silent &= (silent_s > rules["hold_s"]) & (
            (now_us - self._listening_us) / MICROSECONDS >= rules["hold_s"]
        )
        in_service = (self._heard_us >= self._listening_us) | (silent_s <= rules["max_s"])
        slots = np.flatnonzero(silent & in_service)
        memory["since_us"][slots] = self._heard_us[slots]
        memory["is_open"][slots] = True
        figures = Figures(memory["since_us"][slots], np.round(silent_s[slots], 1))
        opened = self._transitions(state, Rule.OFFLINE, slots, figures, now_us, context)
        return Transitions.concat(
            [part for part in (opened, self._fell_silent(state, now_us, context)) if len(part)]
        )

    def _fell_silent(self, state: EngineState, now_us: int, context: Context) -> Transitions:
        """End what nobody could watch where there is nothing to watch any more."""
        memory = self.memory[Rule.NOT_WATCHED_LIVE]
        rules = numbers("not_watched_live", state.vehicle_id, now_us, context)
        silent_s = (now_us - memory["seen_us"]) / MICROSECONDS
        slots = np.flatnonzero((memory["since_us"] != device.NEVER) & (silent_s > rules["hold_s"]))
        ended = slots[memory["is_open"][slots]]
        figures = Figures(memory["since_us"][ended], memory["peak"][ended], memory["seen_us"][ended])
        told = self._transitions(state, Rule.NOT_WATCHED_LIVE, ended, figures, now_us, context)
        memory["since_us"][slots], memory["is_open"][slots] = device.NEVER, False
        return told

    # ------------------------------------------------------------ common to all of them

    def _step(
        self, state: EngineState, rule: Rule, slots: NDArray[np.int32], told: Told, context: Context
    ) -> Transitions:
        before = self.memory[rule].take(slots)
        if not told.holds.any() and (before["since_us"] == device.NEVER).all():
            return Transitions.empty()  # as nearly always
        hold_s = holds_s(rule, state.vehicle_id[slots], told.at_us, context)
        after, outcome = device.step(before, told, hold_s)
        self.memory[rule][slots] = after
        changes = []
        for mask, ends in ((outcome.opened, False), (outcome.closed, True)):
            rows = np.flatnonzero(mask)
            if len(rows):
                peak = np.maximum(outcome.peak[rows], told.peak[rows]) if ends else outcome.peak[rows]
                figures = Figures(outcome.since_us[rows], peak, told.at_us[rows] if ends else None)
                changes.append(
                    self._transitions(state, rule, slots[rows], figures, told.at_us[rows], context)
                )
        return Transitions.concat(changes)

    def _transitions(
        self,
        state: EngineState,
        rule: Rule,
        slots: NDArray[np.integer],
        figures: Figures,
        at_us: NDArray[np.int64] | int,
        context: Context,
    ) -> Transitions:
        measures = [self._measures(rule, slot) for slot in slots.tolist()]
        return transitions(rule, state.vehicle_id[slots], figures, measures, at_us, context)

    def _measures(self, rule: Rule, slot: int) -> dict[str, Any]:
        if rule == Rule.CAMERA_FAULT:
            return {"fault": CameraState(int(self._fault[slot])).name.lower()}
        behind_s = self._behind_s[slot]
        if rule not in {Rule.CLOCK_DRIFT, Rule.NOT_WATCHED_LIVE} or behind_s == 0:
            return {}
        return {"rejected": str(Reason.TOO_OLD if behind_s > 0 else Reason.FUTURE)}

    def _unique(
        self, state: EngineState, vehicle_id: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.integer[Any]]]:
        """Return the slots of a batch, each once, and of which of them each fix is."""
        slots = self._slots(state, vehicle_id)
        is_heard = np.zeros(len(state), np.bool_)
        is_heard[slots] = True
        unique = np.flatnonzero(is_heard).astype(np.int32)
        place = np.empty(len(state), np.int32)
        place[unique] = np.arange(len(unique))
        return unique, place[slots]

    def _slots(self, state: EngineState, vehicle_id: NDArray[np.int32]) -> NDArray[np.int32]:
        slots = state.slots(vehicle_id)
        self._grow(len(state))
        return slots

    def _grow(self, size: int) -> None:
        missing = size - len(self._heard_us)
        if missing <= 0:
            return
        for rule, memory in self.memory.items():
            self.memory[rule] = np.concatenate([memory, device.blank(missing)])
        self._heard_us = np.concatenate([self._heard_us, np.full(missing, device.NEVER)])
        self._newest_us = np.concatenate([self._newest_us, np.full(missing, device.NEVER)])
        self._is_off = np.concatenate([self._is_off, np.zeros(missing, np.bool_)])
        self._fault = np.concatenate([self._fault, np.zeros(missing, np.int16)])
        self._behind_s = np.concatenate([self._behind_s, np.zeros(missing)])
