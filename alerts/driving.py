"""Fatigue in the engine: the rule folded into many vehicles at once. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.rules import fatigue
from alerts.rules.speeding import LimitSource
from alerts.transitions import Change, Rule, Transitions
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.engine import Context
    from alerts.motion import Moved
    from alerts.rulebook import Rulebooks
    from alerts.state import EngineState
    from fleet.columns import Fixes


class Round(NamedTuple):
    """At most one fix a vehicle, with what is known of it; equal lengths."""

    slots: NDArray[np.int32]
    fixes: Fixes
    moved: Moved
    #: Row of the rulebooks in force.
    version: NDArray[np.int32]


def advance(state: EngineState, one: Round, rulebooks: Rulebooks) -> Transitions:
    """Fold one round into the memory, in place."""
    before = state.fatigue.take(one.slots)
    samples = fatigue.Samples(
        one.fixes.time_us,
        one.moved.after["rest_us"],
        rulebooks.numbers("motion", one.version)["rest_s"],
        one.moved.begins,
        one.version,
    )
    outcome = fatigue.step(before, samples, rulebooks.numbers("fatigue", one.version))
    state.fatigue.put(one.slots, outcome.after)
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


def tick(state: EngineState, now_us: int, context: Context) -> Transitions:
    """End, in place, the episodes of vehicles that have been silent for as long as begins a segment."""
    if not (state.fatigue["opened_us"] != fatigue.NEVER).any():
        return Transitions.empty()
    version = context.rulebooks.at(np.array([now_us], np.int64))
    silence_s = context.rulebooks.numbers("motion", version)["silence_s"]
    rows = np.flatnonzero(fatigue.silent(state.fatigue, now_us, silence_s))
    at_us = np.full(len(rows), now_us)
    figures = state.fatigue[rows]
    told = _transitions(Change.LOST, state.vehicle_id[rows], at_us, figures, context.rulebooks)
    state.fatigue[rows] = fatigue.blank(1)[0]
    state.fatigue["last_us"][rows] = figures["last_us"]
    return told


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
