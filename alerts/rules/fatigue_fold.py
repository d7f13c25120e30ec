"""Fatigue folded into the memory of many vehicles at once, its changes as transitions. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts.folding.memory import Layout
from alerts.folding.records import open_episodes
from alerts.rules import fatigue
from alerts.words.limits import LimitSource
from alerts.words.transitions import Change, Rule, Transitions
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from alerts.folding.memory import Memory
    from alerts.folding.rounds import Round
    from alerts.in_force.context import Context
    from alerts.in_force.rulebooks import Rulebooks
    from alerts.words.transitions import Ongoing

NUMBERS = {"fatigue": fatigue.PARAMETERS}
MEMORY = {"fatigue": Layout(fatigue.blank)}


def advance(memory: Memory, one: Round, context: Context) -> Transitions:
    """Fold one round into the memory, in place; return what changed."""
    rulebooks, before = context.rulebooks, memory["fatigue"].take(one.slots)
    samples = fatigue.Samples(
        one.fixes.time_us,
        one.moved.after["rest_us"],
        rulebooks.numbers("motion", one.version)["rest_s"],
        one.moved.begins,
        one.version,
    )
    outcome = fatigue.step(before, samples, rulebooks.numbers("fatigue", one.version))
    memory["fatigue"].put(one.slots, outcome.after)
    if not (outcome.closed.any() or outcome.opened.any() or outcome.updated.any()):
        return Transitions.empty()
    vehicle_id, at_us = one.fixes.vehicle_id, one.fixes.time_us
    return Transitions.concat(
        [
            _transitions(change, vehicle_id[rows], at_us[rows], figures[rows], rulebooks)
            for change, mask, figures in (
                (Change.CLOSED, outcome.closed, outcome.before),
                (Change.OPENED, outcome.opened, outcome.after),
                (Change.UPDATED, outcome.updated, outcome.after),
            )
            if len(rows := np.flatnonzero(mask))
        ]
    )


def tick(memory: Memory, now_us: int, context: Context) -> Transitions:
    """End, in place, the episodes of vehicles that have been silent for as long as begins a segment."""
    known = memory["fatigue"]
    if not (known["opened_us"] != fatigue.NEVER).any():
        return Transitions.empty()
    silence_s = context.rulebooks.now("motion", now_us)["silence_s"]
    rows = np.flatnonzero(fatigue.silent(known, now_us, silence_s))
    at_us, figures = np.full(len(rows), now_us), known[rows]
    told = _transitions(Change.LOST, memory.vehicle_id[rows], at_us, figures, context.rulebooks)
    known[rows] = fatigue.blank(1)[0]
    known["last_us"][rows] = figures["last_us"]
    return told


def ongoing(memory: Memory, _: Context) -> Iterator[Ongoing]:
    """Yield the episodes that are open."""
    is_open = memory["fatigue"]["opened_us"] != fatigue.NEVER
    return open_episodes(memory, "fatigue", Rule.FATIGUE, is_open, "opened_us")


def _transitions(
    change: Change,
    vehicle_id: NDArray[np.int32],
    at_us: NDArray[np.int64],
    episodes: NDArray[np.void],
    rulebooks: Rulebooks,
) -> Transitions:
    if not len(episodes):
        return Transitions.empty()
    no_end = np.full(len(episodes), -1)
    ended_us = np.maximum(episodes["driving_us"], episodes["opened_us"])
    limit_s = rulebooks.numbers("fatigue", episodes["rulebook"])["drive_s"]
    measures = np.empty(len(episodes), object)
    measures[:] = [{} for _ in episodes]
    return Transitions.build(
        vehicle_id=vehicle_id,
        rule=np.full(len(episodes), Rule.FATIGUE),
        change=np.full(len(episodes), change),
        at_us=at_us,
        started_us=episodes["opened_us"],
        ended_us=ended_us if change in {Change.CLOSED, Change.LOST} else no_end,
        severity=episodes["severity"],
        peak=np.round(episodes["driven_us"] / MICROSECONDS),
        limit=np.broadcast_to(limit_s, (len(episodes),)),
        limit_source=np.full(len(episodes), LimitSource.RULEBOOK),
        rulebook=episodes["rulebook"],
        measures=measures,
    )
