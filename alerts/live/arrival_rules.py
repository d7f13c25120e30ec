"""The rules about arrival as the rulebook and people have them: numbers, and changes as transitions. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts.words.limits import LimitSource
from alerts.words.transitions import Change, Rule, Transitions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alerts.engine.state import EngineState
    from alerts.in_force.context import Context

SEVERITY = {
    Rule.CAMERA_FAULT: 2,
    Rule.POWER_CUT: 3,
    Rule.OFFLINE: 2,
    Rule.CLOCK_DRIFT: 1,
    Rule.NOT_WATCHED_LIVE: 2,
}


class Figures(NamedTuple):
    """When episodes began, their worst, and when they ended; equal lengths."""

    since_us: NDArray[np.int64]
    peak: NDArray[np.float64]
    #: None: the episode begins.
    ended_us: NDArray[np.int64] | None = None


def transitions(
    rule: Rule,
    vehicle_id: NDArray[np.int32],
    figures: Figures,
    measures: Sequence[dict[str, Any]],
    at_us: NDArray[np.int64] | int,
    context: Context,
) -> Transitions:
    """Return that episodes of vehicles begin or end; equal lengths."""
    if not len(vehicle_id):
        return Transitions.empty()
    company_id, kind, _limit = context.facts.at(vehicle_id, figures.since_us)
    row = context.rulebooks.at(figures.since_us, company_id, kind)
    told = np.empty(len(vehicle_id), object)
    told[:] = measures
    ends = figures.ended_us is not None
    return Transitions.build(
        vehicle_id=vehicle_id,
        rule=np.full(len(vehicle_id), rule),
        change=np.full(len(vehicle_id), Change.CLOSED if ends else Change.OPENED),
        at_us=np.broadcast_to(at_us, vehicle_id.shape),
        started_us=figures.since_us,
        ended_us=figures.ended_us if ends else np.full(len(vehicle_id), -1),
        severity=np.full(len(vehicle_id), SEVERITY[rule]),
        peak=figures.peak,
        limit=_limit_of(rule, row, context),
        limit_source=np.full(len(vehicle_id), LimitSource.RULEBOOK),
        rulebook=row,
        measures=told,
    )


def numbers(
    section: str, vehicle_id: NDArray[np.int32], at_us: NDArray[np.int64] | int, context: Context
) -> NDArray[np.void]:
    """Return the numbers of a section of the rulebook that are in force for vehicles at a time."""
    at = np.broadcast_to(np.asarray(at_us, np.int64), vehicle_id.shape)
    company_id, kind, _limit = context.facts.at(vehicle_id, at)
    return context.rulebooks.numbers(section, context.rulebooks.at(at, company_id, kind))


def longest_hold_s(state: EngineState, at_us: int, context: Context) -> float:
    """Return for how long a vehicle must be silent at most until that is told, seconds."""
    return float(np.max(numbers("offline", state.vehicle_id, at_us, context)["hold_s"], initial=0.0))


def holds_s(
    rule: Rule, vehicle_id: NDArray[np.int32], at_us: NDArray[np.int64], context: Context
) -> NDArray[np.float64]:
    """Return for how long a condition must hold; silence is judged by ticks, and reports hold at once."""
    if rule not in {Rule.CLOCK_DRIFT, Rule.NOT_WATCHED_LIVE}:
        return np.zeros(1)
    return np.asarray(numbers(rule.name.lower(), vehicle_id, at_us, context)["hold_s"], np.float64)


def _limit_of(rule: Rule, row: NDArray[np.int32], context: Context) -> NDArray[np.float64]:
    """Return what the rule allows, in its unit; 0 where nothing is allowed."""
    name = {Rule.OFFLINE: "hold_s", Rule.CLOCK_DRIFT: "limit_s", Rule.NOT_WATCHED_LIVE: "hold_s"}.get(rule)
    if name is None:
        return np.zeros(len(row))
    allowed = context.rulebooks.numbers(rule.name.lower(), row)[name]
    return np.broadcast_to(np.asarray(allowed, np.float64), row.shape)
