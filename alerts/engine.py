"""The engine: moves every vehicle that reported one step, all at once in arrays.

Live, settled and replayed judgement are this one function over different fixes. It reads no clock and
no store. Several fixes of one vehicle are taken in rounds, in time order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from alerts import crew, driving, fencing, motion, overspeed, turning
from alerts.rules import fence, speeding
from alerts.transitions import OF_ARRIVAL, Judgement, Rule, SegmentStarts, Transitions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from alerts.motion import Moved
    from alerts.rulebook import Rulebooks
    from alerts.rules.turns import Turns
    from alerts.state import EngineState
    from fleet.columns import Fixes
    from fleet.duty import Unqualified


class Facts(Protocol):
    """What the registry says of vehicles, effective-dated."""

    def at(
        self, vehicle_id: NDArray[np.int32], time_us: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int16]]:
        """Return company id, kind (index into `rulebook.KINDS`) and limit (km/h, -1 the kind's) of each."""


class Context(NamedTuple):
    """What judgement depends on beside the fixes: data, versioned and effective-dated."""

    rulebooks: Rulebooks
    facts: Facts
    #: None: no fence is anywhere.
    fences: fence.Watch | None = None
    #: None: nobody is said to drive anything.
    unqualified: Unqualified | None = None


def advance(state: EngineState, fixes: Fixes, context: Context) -> Judgement:
    """Fold fixes into the state, in place, and return what changed.

    Every fix must be newer than its vehicle's watermark; order and number are free. Folding the same
    fixes in any number of calls, each vehicle's in time order, gives the same state and the same rows.
    """
    if not len(fixes):
        return nothing()
    slots = state.slots(fixes.vehicle_id)
    company_id, kind, vehicle_kmh = context.facts.at(fixes.vehicle_id, fixes.time_us)
    version = context.rulebooks.at(fixes.time_us, company_id, kind)
    places = _places(state, fixes, context)
    zone_kmh = None if places is None else places.zone_kmh
    limit_kmh, limit_source = _limits(fixes, version, kind, vehicle_kmh, zone_kmh, context.rulebooks)
    judged = []
    for index in _rounds(slots, fixes.time_us):
        one = _Round(
            slots[index],
            fixes.take(index),
            version[index],
            kind[index],
            limit_kmh[index],
            limit_source[index],
            None if places is None else places.take(index),
        )
        judged.append(_advance_round(state, one, context))
    return counting(Judgement.join(judged), context.rulebooks)


def joined(
    state: EngineState, judgement: Judgement, join: Callable[[Turns], Judgement], rulebooks: Rulebooks
) -> Judgement:
    """Return a judgement with what cameras say of its turns; should the join throw, without."""
    told = isolated(state, "conflict", join, judgement.turns)
    turns = told.turns if len(told.turns) >= len(judgement.turns) else judgement.turns
    if not len(told.transitions):
        return judgement._replace(turns=turns)
    changes = [part for part in (judgement.transitions, told.transitions) if len(part)]
    return counting(Judgement(Transitions.concat(changes), judgement.segments, turns), rulebooks)


def nothing() -> Judgement:
    """Return the judgement that nothing changed."""
    return Judgement(Transitions.empty())


def tick(state: EngineState, now_us: int, context: Context) -> Judgement:
    """Let time pass without fixes: end, in place, what silence ends."""
    version = context.rulebooks.at(np.array([now_us], np.int64))
    quiet_s = motion.gap_s(state.motion, context.rulebooks.numbers("motion", version))
    told = [
        isolated(state, "speeding", overspeed.tick, state, now_us, quiet_s),
        isolated(state, "right_turn", turning.tick, state, now_us, context),
        isolated(state, "fatigue", driving.tick, state, now_us, context),
        isolated(state, "unqualified", crew.tick, state, now_us, context),
    ]
    if context.fences is not None:
        told.append(isolated(state, "fence", fencing.tick, state, now_us, quiet_s, context.fences))
    return counting(Judgement.join(told), context.rulebooks)


def counting(judgement: Judgement, rulebooks: Rulebooks) -> Judgement:
    """Leave out the episodes of rules that are off."""
    changes = judgement.transitions
    counts = rulebooks.counts(changes.rulebook, changes.rule) if len(changes) else None
    return judgement if counts is None else judgement._replace(transitions=changes.take(counts))


class _Round(NamedTuple):
    """At most one fix a vehicle."""

    slots: NDArray[np.int32]
    fixes: Fixes
    version: NDArray[np.int32]
    kind: NDArray[np.int16]
    limit_kmh: NDArray[np.float64]
    limit_source: NDArray[np.int8]
    #: None where there are no fences, or where they could not be looked up.
    places: fencing.Places | None


def _rounds(slots: NDArray[np.int32], time_us: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Yield row numbers so that each vehicle occurs once in each, its earliest fix first."""
    order = np.lexsort((time_us, slots))
    ordered = slots[order]
    first = np.r_[True, ordered[1:] != ordered[:-1]]
    rank = np.arange(len(order)) - np.flatnonzero(first)[np.cumsum(first) - 1]
    by_rank = np.argsort(rank, kind="stable")
    yield from np.split(order[by_rank], np.cumsum(np.bincount(rank))[:-1])


def _places(state: EngineState, fixes: Fixes, context: Context) -> fencing.Places | None:
    """Look up all fixes in the fences; a look-up that throws counts as the failure of all that needs it."""
    if context.fences is None:
        return None
    try:
        return fencing.place(fixes, context.fences)
    except Exception as error:  # noqa: BLE001  # whatever a rule does, positions must go on being stored
        state.faults.add("fence", error)
        if len(context.fences.zones):
            state.faults.add("speeding", error)  # without its zones, what it says is not to be settled
        return None


def _limits(
    fixes: Fixes,
    version: NDArray[np.int32],
    kind: NDArray[np.int16],
    vehicle_kmh: NDArray[np.int16],
    zone_kmh: NDArray[np.float64] | None,
    rulebooks: Rulebooks,
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    class_kmh = np.where(vehicle_kmh > 0, vehicle_kmh, rulebooks.class_limit_kmh(version, kind))
    fix_kmh = np.where(fixes.limit_kmh > 0, fixes.limit_kmh, np.nan)
    hour_kmh = rulebooks.hour_limit_kmh(version, fixes.time_us)
    return speeding.limit_in_force(class_kmh, fix_kmh, zone_kmh, hour_kmh)


def _advance_round(state: EngineState, one: _Round, context: Context) -> Judgement:
    # Unlike indexing, `take` and `put` copy a row at once, not field by field.
    before = state.motion.take(one.slots)
    moved = motion.step(before, one.fixes, context.rulebooks.numbers("motion", one.version))
    state.motion.put(one.slots, moved.after)
    segments = SegmentStarts(one.fixes.vehicle_id[moved.begins], one.fixes.time_us[moved.begins])
    told = [isolated(state, name, rule, state, one, moved, context) for name, rule in _RULES.items()]
    return Judgement.join([Judgement(Transitions.empty(), segments), *told])


def _speeding(state: EngineState, one: _Round, moved: Moved, context: Context) -> Transitions:
    places = overspeed.Round(one.slots, one.fixes, moved, one.limit_kmh, one.limit_source, one.version)
    return overspeed.advance(state, places, context.rulebooks)


def _fatigue(state: EngineState, one: _Round, moved: Moved, context: Context) -> Transitions:
    there = driving.Round(one.slots, one.fixes, moved, one.version)
    return driving.advance(state, there, context.rulebooks)


def _unqualified(state: EngineState, one: _Round, moved: Moved, context: Context) -> Transitions:
    return crew.advance(state, driving.Round(one.slots, one.fixes, moved, one.version), context)


def _right_turns(state: EngineState, one: _Round, moved: Moved, context: Context) -> Judgement:
    places = turning.Round(one.slots, one.fixes, moved, one.version)
    return turning.advance(state, places, context)


def _fences(state: EngineState, one: _Round, moved: Moved, context: Context) -> Transitions:
    if context.fences is None or one.places is None:
        return Transitions.empty()
    there = fencing.Round(one.slots, one.fixes, moved, one.places, one.kind, one.version)
    return fencing.advance(state, there, context.fences, context.rulebooks)


#: All rules, in the order in which they are folded: each by itself, none knows another.
_RULES: Mapping[str, Callable[[EngineState, _Round, Moved, Context], Transitions | Judgement]] = {
    "speeding": _speeding,
    "right_turn": _right_turns,
    "fatigue": _fatigue,
    "unqualified": _unqualified,
    "fence": _fences,
}


#: What each of them judges, and besides the join of cameras with turns (`joined`) and the rules about arrival
#: (`alerts.reporting`): rows of these are left alone where the rule has failed.
JUDGED_BY: Mapping[str, frozenset[Rule]] = {
    "speeding": frozenset({Rule.SPEEDING}),
    "right_turn": frozenset({Rule.RIGHT_TURN_FAST, Rule.RIGHT_TURN_LATERAL, Rule.RIGHT_TURN_NO_STOP}),
    "conflict": frozenset({Rule.CONFLICT}),
    "fatigue": frozenset({Rule.FATIGUE}),
    "unqualified": frozenset({Rule.UNQUALIFIED}),
    **{rule.name.lower(): frozenset({rule}) for rule in sorted(OF_ARRIVAL)},
    "fence": frozenset({Rule.FORBIDDEN, Rule.LEFT_PERMITTED, Rule.DWELL, Rule.SITE}),
}


def unjudged(state: EngineState) -> frozenset[Rule]:
    """Return what cannot be said of the fixes folded into this state, since the rule for it threw."""
    return frozenset(rule for name in state.faults.rules for rule in JUDGED_BY[name])


def isolated(
    state: EngineState, name: str, rule: Callable[..., Transitions | Judgement], *arguments: Any
) -> Judgement:
    """Return what a rule says; one that throws says nothing, is counted, and does not stop the others."""
    try:
        told = rule(*arguments)
    except Exception as error:  # noqa: BLE001  # whatever a rule does, positions must go on being stored
        state.faults.add(name, error)
        return nothing()
    return told if isinstance(told, Judgement) else Judgement(told)
