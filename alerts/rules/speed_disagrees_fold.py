"""Reported speeds that positions contradict, folded into the memory of many vehicles at once. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts.folding.memory import Layout
from alerts.folding.records import open_episodes
from alerts.rules import speed_disagrees
from alerts.words.limits import LimitSource
from alerts.words.transitions import Change, Rule, Transitions
from fleet.quality import reported_speed_kmh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from alerts.folding.memory import Memory
    from alerts.folding.rounds import Round
    from alerts.in_force.context import Context
    from alerts.words.transitions import Ongoing

NUMBERS = {"speed_disagrees": speed_disagrees.PARAMETERS}
MEMORY = {"speed_disagrees": Layout(speed_disagrees.blank)}


def advance(memory: Memory, one: Round, context: Context) -> Transitions:
    """Fold one round into the memory, in place; return what changed."""
    before, moved = memory["speed_disagrees"].take(one.slots), one.moved
    reported_kmh = reported_speed_kmh(one.fixes)
    wrong = moved.derived & ~np.isnan(reported_kmh)
    if not (wrong.any() or (before["since_us"] != speed_disagrees.NEVER).any()):
        return Transitions.empty()
    samples = speed_disagrees.Samples(
        one.fixes.time_us, reported_kmh, moved.speed_kmh, wrong, moved.begins, one.version
    )
    rules = context.rulebooks.numbers("speed_disagrees", one.version)
    outcome = speed_disagrees.step(before, samples, rules)
    memory["speed_disagrees"].put(one.slots, outcome.after)
    vehicle_id, at_us = one.fixes.vehicle_id, one.fixes.time_us
    changes = (
        (Change.LOST, outcome.lost, before),
        (Change.CLOSED, outcome.closed, outcome.before),
        (Change.OPENED, outcome.opened, outcome.after),
    )
    return Transitions.concat(
        [
            _transitions(change, vehicle_id[rows], at_us[rows], figures[rows])
            for change, mask, figures in changes
            if len(rows := np.flatnonzero(mask))
        ]
    )


def tick(memory: Memory, now_us: int, context: Context) -> Transitions:
    """End, in place, the episodes of vehicles that have been silent for as long as begins a segment."""
    known = memory["speed_disagrees"]
    if not known["is_open"].any():
        return Transitions.empty()
    silence_s = context.rulebooks.now("motion", now_us)["silence_s"]
    rows = np.flatnonzero(speed_disagrees.silent(known, now_us, silence_s))
    figures = known[rows]
    known[rows] = speed_disagrees.blank(1)[0]
    return _transitions(Change.LOST, memory.vehicle_id[rows], np.full(len(rows), now_us), figures)


def ongoing(memory: Memory, _: Context) -> Iterator[Ongoing]:
    """Yield the episodes that are open."""
    known = memory["speed_disagrees"]
    return open_episodes(memory, "speed_disagrees", Rule.SPEED_DISAGREES, known["is_open"], "since_us")


def _transitions(
    change: Change, vehicle_id: NDArray[np.int32], at_us: NDArray[np.int64], episodes: NDArray[np.void]
) -> Transitions:
    if not len(episodes):
        return Transitions.empty()
    measures = np.empty(len(episodes), object)
    measures[:] = [
        {"reported_kmh": round(told, 1), "positions_kmh": round(driven, 1)}
        for told, driven in zip(
            episodes["reported_kmh"].tolist(), episodes["positions_kmh"].tolist(), strict=True
        )
    ]
    return Transitions.build(
        vehicle_id=vehicle_id,
        rule=Rule.SPEED_DISAGREES,
        change=change,
        at_us=at_us,
        started_us=episodes["since_us"],
        ended_us=-1 if change == Change.OPENED else episodes["until_us"],
        severity=speed_disagrees.SEVERITY,
        peak=np.round(episodes["apart_kmh"], 1),
        limit=0.0,
        limit_source=LimitSource.RULEBOOK,
        rulebook=episodes["rulebook"],
        measures=measures,
    )
