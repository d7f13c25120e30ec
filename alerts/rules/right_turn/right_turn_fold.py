"""Right turns folded into the memory of many vehicles: turns as rows, dangerous ones as episodes. Pure.

A dangerous turn is an episode that opens and closes at once, when the turn is decided: [entered, exited).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from alerts.folding.memory import Layout
from alerts.rules.right_turn import path, path_memory, right_turn
from alerts.rules.speeding import severity
from alerts.words.limits import LimitSource
from alerts.words.transitions import Change, Judgement, Rule, Transitions
from alerts.words.turns import NO_JUNCTION, Kind, Reason, Seen, Stop, Turns
from fleet.columns import FixFlag
from fleet.fences.versions import FENCE_KINDS
from fleet.kinds import FenceKind
from fleet.quality import reported_speed_kmh

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from alerts.folding.memory import Memory
    from alerts.folding.rounds import Round
    from alerts.in_force.context import Context
    from alerts.in_force.rulebooks import Rulebooks
    from alerts.in_force.watch import Watch
    from alerts.words.transitions import Ongoing

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

_OPEN_US = -1
_SITE = FENCE_KINDS.index(FenceKind.SITE)
_SIGNALS = np.int16(
    FixFlag.RIGHT_INDICATOR_KNOWN | FixFlag.RIGHT_INDICATOR_ON | FixFlag.LOAD_KNOWN | FixFlag.LOADED
)


NUMBERS = {"right_turn": right_turn.PARAMETERS}
ORDERED = (
    ("right_turn.min_before_m", "right_turn.before_m"),
    ("right_turn.standing_kmh", "right_turn.moving_kmh"),
    ("right_turn.evaluable_interval_s", "right_turn.evaluable_gap_s"),
    ("right_turn.lateral_loaded_g", "right_turn.lateral_g"),
)
MEMORY = {"turns": Layout(right_turn.blank), "rings": Layout(path_memory.blank_rings)}


def advance(memory: Memory, one: Round, context: Context) -> Judgement:
    """Fold one round into the memory, in place; return the turns that it decides."""
    rules = context.rulebooks.numbers("right_turn", one.version)
    # Unlike indexing, `take` and `put` copy a row at once, not field by field.
    before = right_turn.Memory(memory["turns"].take(one.slots), memory["rings"], one.slots)
    outcome = right_turn.step(before, _samples(one), one.moved.begins, rules)
    memory["turns"].put(one.slots, outcome.after)
    return judge(outcome.turns, one.fixes.vehicle_id, context)


def tick(memory: Memory, now_us: int, context: Context) -> Judgement:
    """Decide, in place, the turns for which nothing more is awaited, as of each vehicle's newest fix."""
    if not len(memory):
        return NOTHING
    at_us = np.full(len(memory), now_us, np.int64)
    row = _rows(memory.vehicle_id, memory["motion"]["watermark_us"], context)
    known = right_turn.Memory(memory["turns"], memory["rings"], np.arange(len(memory)))
    rules = context.rulebooks.numbers("right_turn", row)
    return judge(right_turn.end_overdue(known, at_us, rules), memory.vehicle_id, context)


def ongoing(_: Memory, __: Context) -> Iterator[Ongoing]:
    """Yield nothing: a turn is an episode when it is over."""
    return iter(())


def _rows(vehicle_id: NDArray[np.int32], time_us: NDArray[np.int64], context: Context) -> NDArray[np.int32]:
    """Return the row of the rulebooks for each vehicle at a time."""
    company_id, kind, _limit = context.facts.at(vehicle_id, time_us)
    return context.rulebooks.at(time_us, company_id, kind)


def judge(turns: Turns, vehicle_id: NDArray[np.int32], context: Context) -> Judgement:
    """Return the turns of rows as turns of vehicles, and what was dangerous about them.

    A turn inside a site is none of the street's. One that was not seen well enough is no danger, and no
    proof of the contrary either.
    """
    if not len(turns):
        return NOTHING
    rulebooks, watch = context.rulebooks, context.fences
    vehicle_id = vehicle_id[turns.vehicle_id]
    turns = replace(turns, vehicle_id=vehicle_id, rulebook=_rows(vehicle_id, turns.entered_us, context))
    codes: Sequence[str] = [""] * len(turns)
    if watch is not None:
        turns, codes = locate(turns, rulebooks, watch)
    rules, evaluable = rulebooks.numbers("right_turn", turns.rulebook), turns.reason == Reason.NONE
    is_loaded = turns.loaded == Seen.YES
    lateral_g = np.where(is_loaded, rules["lateral_loaded_g"], rules["lateral_g"])
    at_junction = turns.radius_m <= rules["junction_radius_m"]
    no_stop = turns.stop == Stop.NOT_STOPPED
    told = [
        _episodes(turns, Rule.RIGHT_TURN_FAST, turns.max_kmh, rules["limit_kmh"], evaluable & at_junction),
        _episodes(turns, Rule.RIGHT_TURN_LATERAL, turns.lateral_g, lateral_g, evaluable),
        _episodes(turns, Rule.RIGHT_TURN_NO_STOP, turns.approach_kmh, rules["slow_kmh"], no_stop, codes),
    ]
    return Judgement(Transitions.concat([part for part in told if len(part)]), turns=turns)


NOTHING = Judgement(Transitions.empty())


def too_fast(turns: Turns, rulebooks: Rulebooks) -> Bools:
    """Mark the turns at junctions that were seen well enough, and driven too fast."""
    rules = rulebooks.numbers("right_turn", turns.rulebook)
    at_junction = turns.radius_m <= rules["junction_radius_m"]
    return np.asarray((turns.reason == Reason.NONE) & at_junction & (turns.max_kmh > rules["limit_kmh"]))


def locate(turns: Turns, rulebooks: Rulebooks, watch: Watch) -> tuple[Turns, list[str]]:
    """Leave out turns inside sites; judge the stop of those in must-stop junctions, and name these."""
    at = turns.lat_udeg, turns.lon_udeg, turns.entered_us
    stays = watch.stays.inside(*at)
    in_site = np.zeros(len(turns), np.bool_)
    in_site[stays.row[watch.fences.kind[stays.version] == _SITE]] = True
    junction = np.full(len(turns), NO_JUNCTION, np.int32)
    if len(watch.junctions):
        inside = watch.junctions.inside(*at)
        # Of several, the first.
        junction[inside.row[::-1]] = inside.version[::-1]
    turns, junction = turns.take(~in_site), junction[~in_site]
    asked = junction != NO_JUNCTION
    fence_id, stop = np.full(len(turns), NO_JUNCTION, np.int32), np.full(len(turns), Stop.NOT_ASKED, np.int16)
    fence_id[asked] = watch.fences.fence_id[junction[asked]]
    stop[asked] = right_turn.stop_class(turns, rulebooks.numbers("right_turn", turns.rulebook))[asked]
    codes = [watch.fences.codes[version] if version >= 0 else "" for version in junction.tolist()]
    kind = np.where(asked, Kind.TURN, turns.kind).astype(np.int16)
    return replace(turns, kind=kind, junction=fence_id, stop=stop), codes


def _samples(one: Round) -> path.Samples:
    fixes = one.fixes
    return path.Samples(
        time_us=fixes.time_us,
        lat_udeg=fixes.lat_udeg,
        lon_udeg=fixes.lon_udeg,
        trusted=one.moved.trusted,
        cut=one.moved.cut,
        reported_kmh=reported_speed_kmh(fixes),
        speed_kmh=one.moved.speed_kmh,
        course_deg=fixes.course_deg,
        signals=fixes.flags & _SIGNALS,
    )


def _episodes(
    turns: Turns, rule: Rule, peak: Floats, limit: Floats, applies: Bools, codes: Sequence[str] = ()
) -> Transitions:
    """Return an opening and an ending for each turn above a limit that applies to it."""
    limit = np.broadcast_to(limit, peak.shape)
    dangerous = np.flatnonzero(applies & (peak > limit))
    if not len(dangerous):
        return Transitions.empty()
    # Opening and ending side by side: the order of transitions is that in which they are decided.
    row = np.repeat(dangerous, 2)
    closes = np.arange(len(row)) % 2 == 1
    return Transitions.build(
        vehicle_id=turns.vehicle_id[row],
        rule=rule,
        change=np.where(closes, Change.CLOSED, Change.OPENED),
        at_us=turns.at_us[row],
        started_us=turns.entered_us[row],
        ended_us=np.where(closes, turns.exited_us[row], _OPEN_US),
        severity=severity(peak[row] / limit[row] - 1),
        peak=np.round(peak[row], 3),
        limit=limit[row],
        limit_source=LimitSource.RULEBOOK,
        rulebook=turns.rulebook[row],
        measures=_measures(turns.take(row), [codes[index] for index in row.tolist()] if codes else ()),
    )


def _measures(turns: Turns, codes: Sequence[str]) -> NDArray[np.object_]:
    """Name the junction, and the figures of the turn that a person wants beside the peak."""
    names = ("course_change_deg", "entry_kmh", "min_kmh", "max_kmh", "radius_m", "lateral_g", "confidence")
    columns = [getattr(turns, name).tolist() for name in names]
    measures = np.empty(len(turns), object)
    for row, (loaded, *values) in enumerate(zip(turns.loaded.tolist(), *columns, strict=True)):
        made: dict[str, Any] = {"fence": codes[row]} if codes else {}
        made |= dict(zip(names, values, strict=True))
        measures[row] = made | ({} if loaded == Seen.UNKNOWN else {"loaded": loaded == Seen.YES})
    return measures
