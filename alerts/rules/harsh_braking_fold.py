"""Harsh braking folded into the memory of many vehicles: an episode that is told when it is over. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts.folding.memory import Layout
from alerts.rules import harsh_braking
from alerts.words.limits import LimitSource
from alerts.words.transitions import Change, Rule, Transitions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from alerts.folding.memory import Memory
    from alerts.folding.rounds import Round
    from alerts.in_force.context import Context
    from alerts.in_force.rulebooks import Rulebooks
    from alerts.words.transitions import Ongoing

NUMBERS = {"harsh_braking": harsh_braking.PARAMETERS}
MEMORY = {"harsh_braking": Layout(harsh_braking.blank)}
_OPEN_US = -1


def advance(memory: Memory, one: Round, context: Context) -> Transitions:
    """Fold one round into the memory, in place; return who has braked."""
    before, moved = memory["harsh_braking"].take(one.slots), one.moved
    samples = harsh_braking.Samples(
        time_us=one.fixes.time_us,
        speed_kmh=np.where(moved.derived, np.nan, moved.speed_kmh),
        begins=moved.begins | moved.cut,
        rulebook=one.version,
    )
    outcome = harsh_braking.step(before, samples, context.rulebooks.numbers("harsh_braking", one.version))
    memory["harsh_braking"].put(one.slots, outcome.after)
    rows = np.flatnonzero(outcome.braked)
    if not len(rows):
        return Transitions.empty()
    vehicle_id, at_us = one.fixes.vehicle_id[rows], one.fixes.time_us[rows]
    return _transitions(vehicle_id, at_us, outcome.before[rows], context.rulebooks)


def tick(_: Memory, __: int, ___: Context) -> Transitions:
    """Say nothing: without a fix that confirms it, nobody has braked."""
    return Transitions.empty()


def ongoing(_: Memory, __: Context) -> Iterator[Ongoing]:
    """Yield nothing: what goes on is told when it is over."""
    return iter(())


def _transitions(
    vehicle_id: NDArray[np.int32], at_us: NDArray[np.int64], braked: NDArray[np.void], rulebooks: Rulebooks
) -> Transitions:
    """Return an opening and an ending for each, side by side."""
    row = np.repeat(np.arange(len(braked)), 2)
    closes = np.arange(len(row)) % 2 == 1
    figures = braked[row]
    rules = rulebooks.numbers("harsh_braking", figures["rulebook"])
    measures = np.empty(len(row), object)
    measures[:] = [
        {"from_kmh": round(fast, 1), "to_kmh": round(slow, 1)}
        for fast, slow in zip(figures["from_kmh"].tolist(), figures["last_kmh"].tolist(), strict=True)
    ]
    grave = figures["peak_g"] >= rules["grave_g"]
    return Transitions.build(
        vehicle_id=vehicle_id[row],
        rule=Rule.HARSH_BRAKING,
        change=np.where(closes, Change.CLOSED, Change.OPENED),
        at_us=at_us[row],
        started_us=figures["since_us"],
        ended_us=np.where(closes, figures["last_us"], _OPEN_US),
        severity=np.where(grave, harsh_braking.GRAVE, harsh_braking.SEVERITY),
        peak=np.round(figures["peak_g"], 3),
        limit=np.broadcast_to(rules["limit_g"], row.shape),
        limit_source=LimitSource.RULEBOOK,
        rulebook=figures["rulebook"],
        measures=measures,
    )
