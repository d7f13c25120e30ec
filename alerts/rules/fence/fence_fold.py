"""Fences folded into the memory of many vehicles at once, and the changes as transitions. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alerts.folding import motion
from alerts.folding.memory import Layout
from alerts.folding.rounds import Places
from alerts.in_force.layers import VEHICLE_KINDS
from alerts.in_force.watch import Watch
from alerts.rules.fence import fence_episodes, relations, stays
from alerts.rules.fence.fence_episodes import NO_PASS
from alerts.rules.fence.samples import Samples
from alerts.words.limits import LimitSource
from alerts.words.transitions import Ongoing, Rule, Transitions
from fleet.units import to_datetime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from alerts.folding.memory import Memory
    from alerts.folding.rounds import Round
    from alerts.in_force.context import Context
    from alerts.in_force.rulebooks import Rulebooks
    from fleet.columns import Fixes

    Rows = NDArray[np.intp]

_MIXER = VEHICLE_KINDS.index("mixer")
#: Versions that hold since ever are not told with a date.
_FIRST_DATE_US = 0


def _in_use(records: NDArray[np.void]) -> NDArray[np.bool_]:
    return np.asarray(records["phase"] != stays.FREE)


NUMBERS = {"fence": relations.PARAMETERS}
#: Most vehicles are in few fences.
MEMORY = {"fence_heads": Layout(stays.blank_heads), "fence_stays": Layout(stays.blank_stays, _in_use)}


def place(fixes: Fixes, watch: Watch) -> Places:
    """Find out which fences fixes are in: all of a batch at once, since that is cheaper than in rounds."""
    lat_udeg, lon_udeg, time_us = fixes.lat_udeg, fixes.lon_udeg, fixes.time_us
    cells = watch.stays.cells(lat_udeg, lon_udeg)
    signature = watch.stays.signatures(lat_udeg, lon_udeg, time_us, cells)
    return Places(cells, signature, relations.zone_limit_kmh(watch, lat_udeg, lon_udeg, time_us))


def advance(memory: Memory, one: Round, context: Context) -> Transitions:
    """Fold one round into the memory, in place; return what changed."""
    watch, rulebooks = context.fences, context.rulebooks
    if watch is None or one.places is None:
        return Transitions.empty()
    told = [_end_with_segment(memory, one, watch)]
    rows = np.flatnonzero(one.moved.trusted)
    slots, samples = one.slots[rows], _samples(one, one.places, rows, rulebooks)
    rules = rulebooks.numbers("fence", one.version[rows])
    # NumPy copies structured rows as they are when it takes and puts them, but field by field in indexing.
    heads = memory["fence_heads"].take(slots)
    after = relations.moved(heads, samples)
    changing, may_cross = relations.changing(heads, samples, watch, rules)
    if len(changing):
        few = rules[changing] if rules.ndim else rules
        there = memory["fence_stays"].take(slots[changing], axis=0)
        outcome = relations.step(heads.take(changing), there, samples.take(changing), may_cross, watch, few)
        after.put(changing, outcome.heads)
        memory["fence_stays"][slots[changing]] = outcome.stays
        at = rows[changing][outcome.changes["row"]]
        told.append(describe(outcome.changes, one.fixes.vehicle_id[at], one.fixes.time_us[at], watch))
    memory["fence_heads"].put(slots, after)
    return Transitions.concat([part for part in told if len(part)])


def tick(memory: Memory, now_us: int, context: Context) -> Transitions:
    """End, in place, what is open in fences of vehicles that have been silent for a gap."""
    watch = context.fences
    if watch is None:
        return Transitions.empty()
    gap_s = motion.gap_s(memory["motion"], context.rulebooks.now("motion", now_us))
    slots = np.flatnonzero(relations.silent(memory["fence_heads"], now_us, gap_s))
    if not len(slots):
        return Transitions.empty()
    changes = _lose(memory, slots)
    vehicle_id = memory.vehicle_id[slots[changes["row"]]]
    return describe(changes, vehicle_id, np.full(len(changes), now_us), watch)


def _lose(memory: Memory, slots: NDArray[np.integer[Any]]) -> NDArray[np.void]:
    outcome = relations.lose(memory["fence_heads"].take(slots), memory["fence_stays"].take(slots, axis=0))
    memory["fence_heads"].put(slots, outcome.heads)
    memory["fence_stays"][slots] = outcome.stays
    return outcome.changes


def _end_with_segment(memory: Memory, one: Round, watch: Watch) -> Transitions:
    """Lose what is open where a segment begins; clear the memory there."""
    begins = np.flatnonzero(one.moved.begins)
    if not len(begins):
        return Transitions.empty()
    changes = _lose(memory, one.slots[begins])
    at = begins[changes["row"]]
    return describe(changes, one.fixes.vehicle_id[at], one.fixes.time_us[at], watch)


def _samples(one: Round, places: Places, rows: Rows, rulebooks: Rulebooks) -> Samples:
    everybody = len(rows) == len(one.fixes)
    fixes = one.fixes if everybody else one.fixes.take(rows)
    places = places if everybody else places.take(rows)
    version = one.version[rows]
    rest_us = one.moved.after["rest_us"]
    return Samples(
        vehicle_id=fixes.vehicle_id,
        time_us=fixes.time_us,
        lat_udeg=fixes.lat_udeg,
        lon_udeg=fixes.lon_udeg,
        cells=places.cells,
        signature=places.signature,
        hdop_tenths=fixes.hdop_tenths,
        gap_s=one.moved.gap_s[rows],
        cut=one.moved.cut[rows],
        is_mixer=one.kind[rows] == _MIXER,
        flags=fixes.flags,
        stands=(rest_us if everybody else rest_us[rows]) != motion.NEVER,
        rulebook=version,
        rulebook_from_us=rulebooks.valid_from_us[version],
    )


def describe(
    changes: NDArray[np.void],
    vehicle_id: NDArray[np.int32],
    at_us: NDArray[np.int64],
    watch: Watch,
) -> Transitions:
    """Return the transitions of changes, decided at `at_us`."""
    source = np.where(changes["own_limit"], LimitSource.FENCE, LimitSource.CLASS)
    return Transitions.build(
        vehicle_id=vehicle_id,
        rule=changes["rule"],
        change=changes["change"],
        at_us=at_us,
        started_us=changes["started_us"],
        ended_us=changes["ended_us"],
        severity=changes["severity"],
        peak=np.round(changes["peak"], 1),
        limit=changes["limit"],
        limit_source=source,
        rulebook=changes["rulebook"],
        measures=_measures(changes, watch),
    )


def ongoing(memory: Memory, context: Context) -> Iterator[Ongoing]:
    """Yield the episodes that are open, each about its fence."""
    if context.fences is None:
        return iter(())
    slots, place = np.nonzero(memory["fence_stays"]["phase"])
    there = memory["fence_stays"][slots, place]
    which, rule, started_us = fence_episodes.ongoing(there)
    vehicle_id = memory.vehicle_id[slots[which]].tolist()
    codes = _codes(there[which], context.fences)
    return map(Ongoing, vehicle_id, map(Rule, rule.tolist()), started_us.tolist(), codes)


def _codes(of: NDArray[np.void], watch: Watch) -> list[str]:
    """Return the codes of the fences of stays or changes."""
    version = watch.fences.find(of["fence_id"].astype(np.int32), of["valid_from_us"])
    return [
        watch.fences.codes[index] if index >= 0 else f"#{fence_id}"
        for index, fence_id in zip(version.tolist(), of["fence_id"].tolist(), strict=True)
    ]


def _measures(changes: NDArray[np.void], watch: Watch) -> NDArray[np.object_]:
    """Name fence, version and pass, and what makes the judgement less sure."""
    measures = np.empty(len(changes), object)
    for row, (change, code) in enumerate(zip(changes, _codes(changes, watch), strict=True)):
        measures[row] = {"fence": code} | _details(change, watch)
    return measures


def _details(change: np.void, watch: Watch) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if change["valid_from_us"] >= _FIRST_DATE_US:
        details["fence_valid_from"] = to_datetime(change["valid_from_us"]).isoformat()
    if change["pass_index"] != NO_PASS:
        details["pass"] = watch.passes.codes[change["pass_index"]]
    if change["interval_s"] > 0:
        details["crossed"] = True
        details["interval_s"] = round(float(change["interval_s"]), 3)
        details["confidence"] = "high" if change["sure"] else "low"
    if change["found"] and change["rule"] != Rule.SITE:
        details["seen_after_silence" if change["rule"] == Rule.LEFT_PERMITTED else "found_inside"] = True
    return details
