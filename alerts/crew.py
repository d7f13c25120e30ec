"""Drivers without a valid qualification in the engine: the rule folded into many vehicles at once. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts.rules import qualification
from alerts.rules.speeding import LimitSource
from alerts.transitions import Change, Rule, Transitions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.driving import Round
    from alerts.engine import Context
    from alerts.state import EngineState
    from fleet.duty import Unqualified


def advance(state: EngineState, one: Round, context: Context) -> Transitions:
    """Fold one round into the memory, in place."""
    duty = context.unqualified
    if duty is None:
        return Transitions.empty()
    before = state.crew.take(one.slots)
    if duty.is_empty and (before["opened_us"] == qualification.NEVER).all():
        return Transitions.empty()
    vehicle_id, at_us = one.fixes.vehicle_id, one.fixes.time_us
    samples = qualification.Samples(
        at_us,
        duty.at(vehicle_id, at_us),
        one.moved.after["rest_us"],
        context.rulebooks.numbers("motion", one.version)["rest_s"],
        one.moved.begins,
        one.version,
    )
    outcome = qualification.step(before, samples)
    state.crew.put(one.slots, outcome.after)
    changes = (
        (Change.CLOSED, outcome.closed, outcome.before),
        (Change.OPENED, outcome.opened, outcome.after),
    )
    return Transitions.concat(
        [
            _transitions(change, vehicle_id[rows], at_us[rows], figures[rows], duty)
            for change, mask, figures in changes
            if len(rows := np.flatnonzero(mask))
        ]
    )


def tick(state: EngineState, now_us: int, context: Context) -> Transitions:
    """End, in place, the episodes of vehicles that have been silent for as long as begins a segment."""
    if context.unqualified is None or not (state.crew["opened_us"] != qualification.NEVER).any():
        return Transitions.empty()
    version = context.rulebooks.at(np.array([now_us], np.int64))
    silence_s = context.rulebooks.numbers("motion", version)["silence_s"]
    rows = np.flatnonzero(qualification.silent(state.crew, now_us, silence_s))
    if not len(rows):
        return Transitions.empty()
    at_us, figures = np.full(len(rows), now_us), state.crew[rows]
    told = _transitions(Change.LOST, state.vehicle_id[rows], at_us, figures, context.unqualified)
    state.crew[rows] = qualification.blank(1)[0]
    return told


def _transitions(
    change: Change,
    vehicle_id: NDArray[np.int32],
    at_us: NDArray[np.int64],
    episodes: NDArray[np.void],
    duty: Unqualified,
) -> Transitions:
    measures = np.empty(len(episodes), object)
    measures[:] = [{"driver": duty.codes.get(driver, "")} for driver in episodes["driver"].tolist()]
    no_end, ended_us = np.full(len(episodes), -1), np.maximum(episodes["driving_us"], episodes["opened_us"])
    nothing = np.zeros(len(episodes))
    return Transitions.build(
        vehicle_id=vehicle_id,
        rule=np.full(len(episodes), Rule.UNQUALIFIED),
        change=np.full(len(episodes), change),
        at_us=at_us,
        started_us=episodes["opened_us"],
        ended_us=no_end if change == Change.OPENED else ended_us,
        severity=np.full(len(episodes), qualification.SEVERITY),
        peak=nothing,
        limit=nothing,
        limit_source=np.full(len(episodes), LimitSource.RULEBOOK),
        rulebook=episodes["rulebook"],
        measures=measures,
    )
