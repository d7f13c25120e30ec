"""Drivers without a valid qualification, folded into the memory of many vehicles at once. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts.folding.memory import Layout
from alerts.folding.records import open_episodes
from alerts.rules import qualification
from alerts.words.limits import LimitSource
from alerts.words.transitions import Change, Rule, Transitions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from alerts.folding.memory import Memory
    from alerts.folding.rounds import Round
    from alerts.in_force.context import Context
    from alerts.words.transitions import Ongoing
    from fleet.duty import Unqualified

NUMBERS: dict[str, dict[str, tuple[str, float, float]]] = {}  # a qualification is there, or not
MEMORY = {"crew": Layout(qualification.blank)}


def advance(memory: Memory, one: Round, context: Context) -> Transitions:
    """Fold one round into the memory, in place; return what changed."""
    duty = context.unqualified
    if duty is None:
        return Transitions.empty()
    before = memory["crew"].take(one.slots)
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
    memory["crew"].put(one.slots, outcome.after)
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


def tick(memory: Memory, now_us: int, context: Context) -> Transitions:
    """End, in place, the episodes of vehicles that have been silent for as long as begins a segment."""
    known = memory["crew"]
    if context.unqualified is None or not (known["opened_us"] != qualification.NEVER).any():
        return Transitions.empty()
    silence_s = context.rulebooks.now("motion", now_us)["silence_s"]
    rows = np.flatnonzero(qualification.silent(known, now_us, silence_s))
    if not len(rows):
        return Transitions.empty()
    at_us, figures = np.full(len(rows), now_us), known[rows]
    told = _transitions(Change.LOST, memory.vehicle_id[rows], at_us, figures, context.unqualified)
    known[rows] = qualification.blank(1)[0]
    return told


def ongoing(memory: Memory, _: Context) -> Iterator[Ongoing]:
    """Yield the episodes that are open."""
    is_open = memory["crew"]["opened_us"] != qualification.NEVER
    return open_episodes(memory, "crew", Rule.UNQUALIFIED, is_open, "opened_us")


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
