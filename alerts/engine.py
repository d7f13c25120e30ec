"""The engine: moves every vehicle that reported one step, all at once in arrays.

Live, settled and replayed judgement are this one function over different fixes. It reads no clock and
no store. Several fixes of one vehicle are taken in rounds, in time order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from alerts import fencing, motion
from alerts.rules import fence, speeding
from alerts.transitions import Change, Judgement, Rule, SegmentStarts, Transitions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from alerts.rulebook import Rulebooks
    from alerts.state import EngineState
    from fleet.columns import Fixes


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


def advance(state: EngineState, fixes: Fixes, context: Context) -> Judgement:
    """Fold fixes into the state, in place, and return what changed.

    Every fix must be newer than its vehicle's watermark; order and number are free. Folding the same
    fixes in any number of calls, each vehicle's in time order, gives the same state and the same rows.
    """
    if not len(fixes):
        return nothing()
    slots = state.slots(fixes.vehicle_id)
    version = context.rulebooks.at(fixes.time_us)
    _company, kind, vehicle_kmh = context.facts.at(fixes.vehicle_id, fixes.time_us)
    limit_kmh, limit_source = _limits(fixes, version, kind, vehicle_kmh, context)
    judged = []
    for index in _rounds(slots, fixes.time_us):
        one = _Round(
            slots[index],
            fixes.take(index),
            version[index],
            kind[index],
            limit_kmh[index],
            limit_source[index],
        )
        judged.append(_advance_round(state, one, context))
    return Judgement.join(judged)


def nothing() -> Judgement:
    """Return the judgement that nothing changed."""
    return Judgement(Transitions.empty(), SegmentStarts.empty())


def tick(state: EngineState, now_us: int, context: Context) -> Judgement:
    """Let time pass without fixes: end, in place, what silence ends."""
    version = context.rulebooks.at(np.array([now_us], np.int64))
    quiet_s = motion.gap_s(state.motion, context.rulebooks.numbers("motion", version))
    slots = np.flatnonzero(speeding.silent(state.speeding, now_us, quiet_s))
    episodes = state.speeding[slots]
    lost = _transitions(
        Change.LOST, state.vehicle_id[slots], np.full(len(slots), now_us), episodes, episodes["last_us"]
    )
    state.speeding[slots] = speeding.blank(1)[0]
    told = [lost]
    if context.fences is not None:
        told.append(fencing.tick(state, now_us, quiet_s, context.fences))
    return Judgement(Transitions.concat(told), SegmentStarts.empty())


class _Round(NamedTuple):
    """At most one fix a vehicle."""

    slots: NDArray[np.int32]
    fixes: Fixes
    version: NDArray[np.int32]
    kind: NDArray[np.int16]
    limit_kmh: NDArray[np.float64]
    limit_source: NDArray[np.int8]


def _rounds(slots: NDArray[np.int32], time_us: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Yield row numbers so that each vehicle occurs once in each, its earliest fix first."""
    order = np.lexsort((time_us, slots))
    ordered = slots[order]
    first = np.r_[True, ordered[1:] != ordered[:-1]]
    rank = np.arange(len(order)) - np.flatnonzero(first)[np.cumsum(first) - 1]
    by_rank = np.argsort(rank, kind="stable")
    yield from np.split(order[by_rank], np.cumsum(np.bincount(rank))[:-1])


def _limits(
    fixes: Fixes,
    version: NDArray[np.int32],
    kind: NDArray[np.int16],
    vehicle_kmh: NDArray[np.int16],
    context: Context,
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    class_kmh = np.where(vehicle_kmh > 0, vehicle_kmh, context.rulebooks.class_limit_kmh(version, kind))
    fix_kmh = np.where(fixes.limit_kmh > 0, fixes.limit_kmh, np.nan)
    zone_kmh = None
    if context.fences is not None:
        zone_kmh = fence.zone_limit_kmh(context.fences, fixes.lat_udeg, fixes.lon_udeg, fixes.time_us)
    return speeding.limit_in_force(class_kmh, fix_kmh, zone_kmh)


def _advance_round(state: EngineState, one: _Round, context: Context) -> Judgement:
    rulebooks = context.rulebooks
    moved = motion.step(state.motion[one.slots], one.fixes, rulebooks.numbers("motion", one.version))
    state.motion[one.slots] = moved.after
    segments = SegmentStarts(one.fixes.vehicle_id[moved.begins], one.fixes.time_us[moved.begins])

    before = state.speeding[one.slots]
    ended = _end_with_segment(before, moved.begins, one.fixes)
    samples = speeding.Samples(
        time_us=one.fixes.time_us,
        speed_kmh=moved.speed_kmh,
        limit_kmh=one.limit_kmh,
        limit_source=one.limit_source,
        moved_m=moved.moved_m,
        gap_s=moved.gap_s,
        rulebook=one.version,
        rulebook_from_us=rulebooks.valid_from_us[one.version],
    )
    outcome = speeding.step(before, samples, rulebooks.numbers("speeding", one.version))
    state.speeding[one.slots] = outcome.after
    told = [ended, *_describe(outcome, one.fixes)]
    if context.fences is not None:
        places = fencing.Round(one.slots, one.fixes, moved, one.kind, one.version)
        told.append(fencing.advance(state, places, context.fences, rulebooks))
    return Judgement(Transitions.concat(told), segments)


def _end_with_segment(before: NDArray[np.void], begins: NDArray[np.bool_], fixes: Fixes) -> Transitions:
    """Lose what is open where a segment begins, since nothing was known for long; clear the memory there."""
    lost = begins & before["is_open"]
    ended = _transitions(
        Change.LOST, fixes.vehicle_id[lost], fixes.time_us[lost], before[lost], before["last_us"][lost]
    )
    before[begins] = speeding.blank(1)[0]
    return ended


def _describe(outcome: speeding.Outcome, fixes: Fixes) -> list[Transitions]:
    """Return the transitions of one round, endings before openings."""
    open_us = np.full(len(fixes), -1, np.int64)
    changes = (
        (Change.LOST, outcome.lost, outcome.before, outcome.before["last_us"]),
        (Change.RULE_CHANGE, outcome.rule_change, outcome.before, outcome.rule_change_us),
        (Change.CLOSED, outcome.closed, outcome.figures, outcome.figures["clear_since_us"]),
        (Change.UPDATED, outcome.updated, outcome.figures, open_us),
        (Change.OPENED, outcome.opened, outcome.figures, open_us),
    )
    return [
        _transitions(change, fixes.vehicle_id[mask], fixes.time_us[mask], episodes[mask], ended_us[mask])
        for change, mask, episodes, ended_us in changes
        if mask.any()
    ]


def _transitions(
    change: Change,
    vehicle_id: NDArray[np.int32],
    at_us: NDArray[np.int64],
    episodes: NDArray[np.void],
    ended_us: NDArray[np.int64],
) -> Transitions:
    above_s = np.maximum(episodes["above_s"], 1e-9)
    mean_excess = np.where(
        episodes["above_s"] > 0, episodes["excess_kmh_s"] / above_s, episodes["last_excess_kmh"]
    )
    measures = np.empty(len(episodes), object)
    for i, (excess, above, way) in enumerate(
        zip(mean_excess.tolist(), episodes["above_s"].tolist(), episodes["distance_m"].tolist(), strict=True)
    ):
        measures[i] = {
            "mean_excess_kmh": round(excess, 1),
            "above_limit_s": round(above, 3),
            "distance_m": round(way),
        }
    return Transitions.build(
        vehicle_id=vehicle_id,
        rule=np.full(len(episodes), Rule.SPEEDING),
        change=np.full(len(episodes), change),
        at_us=at_us,
        started_us=episodes["over_since_us"],
        ended_us=ended_us,
        severity=episodes["severity"],
        peak=np.round(episodes["peak_kmh"], 1),
        limit=episodes["peak_limit_kmh"],
        limit_source=episodes["peak_source"],
        rulebook=episodes["rulebook"],
        measures=measures,
    )
