"""The engine: moves every vehicle that reported one step, all at once in arrays.

    fixes, in any order
      --by vehicle, earliest first-->  rounds: each vehicle at most once in each
      --`motion.step`-->               moved: is the position believed, where does a segment begin, how fast
      --each rule of `RULES`-->        transitions (opened, updated, closed, lost), and turns

A vehicle has one row in each rule's memory (`state`). A rule reads its own row and the round, and writes its
own row: so rules can be added, switched off, and fail one by one. Where a segment begins the rows are blank
again: what was before has no say. `tick` is time that passes without fixes; it ends what silence ends.

Live, settled and replayed judgement are these two functions over different fixes: they read no clock and no
store. The same fixes give the same rows however they are cut into calls; a restart, a replay and the settler
rest on that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alerts.engine.rule_table import RULES
from alerts.folding import motion
from alerts.folding.rounds import Round
from alerts.rules import speeding
from alerts.rules.fence import fence_fold
from alerts.words.transitions import OF_ARRIVAL, Judgement, Rule, SegmentStarts, Transitions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from alerts.engine.state import EngineState
    from alerts.folding.motion import Moved
    from alerts.folding.rounds import Places
    from alerts.in_force.context import Context
    from alerts.in_force.rulebooks import Rulebooks
    from alerts.words.turns import Turns
    from fleet.columns import Fixes


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
        given = fixes.take(index)
        moved = _move(state, slots[index], given, version[index], context)
        one = Round(
            slots[index],
            given,
            moved,
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
    told = [isolated(state, name, rule.tick, state, now_us, context) for name, rule in RULES.items()]
    return counting(Judgement.join(told), context.rulebooks)


def counting(judgement: Judgement, rulebooks: Rulebooks) -> Judgement:
    """Leave out the episodes of rules that are off."""
    changes = judgement.transitions
    counts = rulebooks.counts(changes.rulebook, changes.rule) if len(changes) else None
    return judgement if counts is None else judgement._replace(transitions=changes.take(counts))


def _rounds(slots: NDArray[np.int32], time_us: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Yield row numbers so that each vehicle occurs once in each, its earliest fix first."""
    order = np.lexsort((time_us, slots))
    ordered = slots[order]
    first = np.r_[True, ordered[1:] != ordered[:-1]]
    rank = np.arange(len(order)) - np.flatnonzero(first)[np.cumsum(first) - 1]
    by_rank = np.argsort(rank, kind="stable")
    yield from np.split(order[by_rank], np.cumsum(np.bincount(rank))[:-1])


def _places(state: EngineState, fixes: Fixes, context: Context) -> Places | None:
    """Look up all fixes in the fences; a look-up that throws counts as the failure of all that needs it."""
    if context.fences is None:
        return None
    try:
        return fence_fold.place(fixes, context.fences)
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


def _move(
    state: EngineState,
    slots: NDArray[np.int32],
    fixes: Fixes,
    version: NDArray[np.int32],
    context: Context,
) -> Moved:
    """Fold how vehicles move, in place. Unlike indexing, `take` and `put` copy a row at once."""
    moved = motion.step(state["motion"].take(slots), fixes, context.rulebooks.numbers("motion", version))
    state["motion"].put(slots, moved.after)
    return moved


def _advance_round(state: EngineState, one: Round, context: Context) -> Judgement:
    begins = one.moved.begins
    segments = SegmentStarts(one.fixes.vehicle_id[begins], one.fixes.time_us[begins])
    told = [isolated(state, name, rule.advance, state, one, context) for name, rule in RULES.items()]
    return Judgement.join([Judgement(Transitions.empty(), segments), *told])


#: What each judges, and besides the join of cameras with turns (`joined`) and the rules about arrival
#: (`alerts.live.reporting`): rows of these are left alone where the rule has failed.
JUDGED_BY: Mapping[str, frozenset[Rule]] = {
    **{name: rule.judges for name, rule in RULES.items()},
    "conflict": frozenset({Rule.CONFLICT}),
    **{rule.name.lower(): frozenset({rule}) for rule in sorted(OF_ARRIVAL)},
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
