"""Speeding folded into the memory of many vehicles at once, its changes as transitions. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts.folding import motion
from alerts.folding.memory import Layout
from alerts.folding.records import open_episodes
from alerts.rules import speeding
from alerts.words.transitions import Change, Rule, Transitions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from alerts.folding.memory import Memory
    from alerts.folding.rounds import Round
    from alerts.in_force.context import Context
    from alerts.words.transitions import Ongoing
    from fleet.columns import Fixes

NUMBERS = {"speeding": speeding.PARAMETERS}
MEMORY = {"speeding": Layout(speeding.blank)}


def advance(memory: Memory, one: Round, context: Context) -> Transitions:
    """Fold one round into the memory, in place; return what changed."""
    rulebooks, before = context.rulebooks, memory["speeding"].take(one.slots)
    ended = _end_with_segment(before, one)
    samples = speeding.Samples(
        time_us=one.fixes.time_us,
        speed_kmh=one.moved.speed_kmh,
        derived=one.moved.derived,
        limit_kmh=one.limit_kmh,
        limit_source=one.limit_source,
        moved_m=one.moved.moved_m,
        gap_s=one.moved.gap_s,
        rulebook=one.version,
        rulebook_from_us=rulebooks.valid_from_us[one.version],
    )
    outcome = speeding.step(before, samples, rulebooks.numbers("speeding", one.version))
    memory["speeding"].put(one.slots, outcome.after)
    return Transitions.concat([ended, *_describe(outcome, one.fixes)])


def tick(memory: Memory, now_us: int, context: Context) -> Transitions:
    """End, in place, what is open of vehicles that have been silent for a gap."""
    gap_s = motion.gap_s(memory["motion"], context.rulebooks.now("motion", now_us))
    slots = np.flatnonzero(speeding.silent(memory["speeding"], now_us, gap_s))
    episodes = memory["speeding"][slots]
    memory["speeding"][slots] = speeding.blank(1)[0]
    at_us = np.full(len(slots), now_us)
    return _transitions(Change.LOST, memory.vehicle_id[slots], at_us, episodes, episodes["last_us"])


def ongoing(memory: Memory, _: Context) -> Iterator[Ongoing]:
    """Yield the episodes that are open."""
    return open_episodes(memory, "speeding", Rule.SPEEDING, memory["speeding"]["is_open"], "over_since_us")


def _end_with_segment(before: NDArray[np.void], one: Round) -> Transitions:
    """Lose what is open where a segment begins, since nothing was known for long; clear the memory there."""
    begins = one.moved.begins
    lost = begins & before["is_open"]
    vehicle_id, at_us = one.fixes.vehicle_id[lost], one.fixes.time_us[lost]
    ended = _transitions(Change.LOST, vehicle_id, at_us, before[lost], before["last_us"][lost])
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
    if not len(episodes):
        return Transitions.empty()
    above_s = np.maximum(episodes["above_s"], 1e-9)
    mean_excess = np.where(
        episodes["above_s"] > 0, episodes["excess_kmh_s"] / above_s, episodes["last_excess_kmh"]
    )
    measures = np.empty(len(episodes), object)
    columns = (mean_excess, *(episodes[name] for name in ("above_s", "distance_m", "peak_derived")))
    for i, (excess, above, way, derived) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
        measures[i] = {
            "mean_excess_kmh": round(excess, 1),
            "above_limit_s": round(above, 3),
            "distance_m": round(way),
        } | ({"speed_source": "positions"} if derived else {})
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
