"""One fix a vehicle against its stays: changed versions and rulebooks, relations, episodes, crossings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.folding.records import copied
from alerts.rules.fence import fence_episodes as episodes
from alerts.rules.fence import stays as memory
from alerts.rules.fence.begin import begin_inside, begin_outside
from alerts.rules.fence.fence_episodes import FORBIDDEN, NO_PASS, PERMITTED, SITE
from alerts.rules.fence.scene import Scene, put_limits
from alerts.rules.fence.stays import FREE, INSIDE, LEFT, NEVER, Placed, Relation
from alerts.words.transitions import Change
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.in_force.watch import Watch
    from alerts.rules.fence.samples import Parameters, Samples
    from fleet.fences.index import Memberships
    from fleet.fences.versions import Versions

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Rows = NDArray[np.intp]
    Times = NDArray[np.int64]

_ROW_SHIFT = 32


class Judged(NamedTuple):
    """The stays after the fixes, when each vehicle must be looked at again, and what changed."""

    stays: NDArray[np.void]
    due_us: Times
    changes: NDArray[np.void]


def judge(
    heads: NDArray[np.void],
    stays: NDArray[np.void],
    samples: Samples,
    here: Memberships,
    may_cross: Bools,
    watch: Watch,
    rules: Parameters,
) -> Judged:
    """Fold one fix a vehicle; `here` are the fences that each is in, `may_cross` the ways to look at."""
    scene = Scene(heads, samples, here, watch, rules)
    stays = copied(stays)
    known = memory.taken_out(stays)
    found = heads["time_us"] == NEVER
    changes, claimed = _relate(scene, known, found)
    memory.put_back(stays, known)
    begin_inside(scene, stays, ~claimed)
    begin_outside(scene, stays, found)
    present = memory.taken_out(stays)
    changes += _tell(scene, present)
    memory.put_back(stays, present)
    due_us = np.full(len(heads), memory.IDLE_US)
    np.minimum.at(due_us, present.row, _due_us(scene, present))
    changes += _crossed(scene, np.flatnonzero(may_cross), known, present)
    return Judged(stays, due_us, episodes.in_order(changes))


def _keys(row: Rows, fence_id: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return one sortable number for each vehicle and fence."""
    return np.asarray(row.astype(np.int64) << _ROW_SHIFT | fence_id)


def _relate(scene: Scene, known: Placed, found: Bools) -> tuple[list[NDArray[np.void]], Bools]:
    """Fold the fixes into the stays, in place; return what ended, and which of `here` have a stay.

    Who was outside a permitted fence that is no longer in force is to be `found` where it is, in place.
    """
    row, stay = known.row, known.stay
    fences, here = scene.watch.fences, scene.here
    own = fences.find(stay["fence_id"], stay["valid_from_us"])
    place, inside = _matches(_keys(here.row, fences.fence_id[here.version]), _keys(row, stay["fence_id"]))
    inside &= stay["phase"] != LEFT
    changes = _end_versions(scene, known, own, inside, found)
    own = _renew(scene, known, own, place, inside)
    changes += _end_rulebooks(scene, known, own)

    hold_us = scene.rule("hold_s", row) * MICROSECONDS
    time_us = scene.samples.time_us[row]
    ask = np.flatnonzero(memory.may_leave(stay, inside, time_us, hold_us))
    beyond = _is_beyond(scene, ask, row, own, scene.margin_m(row[ask]))
    stands = np.flatnonzero(beyond & scene.samples.stands[row])
    stays_put = scene.samples.stands[row]
    stays_put[stands] = ~_is_beyond(scene, stands, row, own, scene.rule("stand_m", row[stands]))[stands]
    stand_us = scene.rule("stand_s", row) * MICROSECONDS
    hold = memory.Hold(hold_us, np.where(stays_put, np.maximum(stand_us, hold_us), hold_us), stays_put)
    stay["found"][inside & (stay["kind"] == PERMITTED)] = False  # it was found outside, or not at all
    exits = memory.relate(stay, inside, beyond, time_us, hold) == Relation.EXIT
    changes += episodes.ends(Change.CLOSED, exits, row, stay, stay["outside_us"])
    episodes.leave(stay, exits)
    claimed = np.zeros(len(here.row), np.bool_)
    claimed[place[inside & (stay["phase"] != FREE) & (stay["phase"] != LEFT)]] = True
    return changes, claimed


def _is_beyond(scene: Scene, ask: Rows, row: Rows, version: Versions, metres: Floats) -> Bools:
    """Mark those of the stays asked about whose vehicle is farther than so many metres outside."""
    beyond = np.zeros(len(row), np.bool_)
    if len(ask):
        at = row[ask]
        beyond[ask] = scene.watch.stays.is_beyond(
            version[ask], scene.samples.lat_udeg[at], scene.samples.lon_udeg[at], metres
        )
    return beyond


def _matches(sorted_keys: NDArray[np.int64], keys: NDArray[np.int64]) -> tuple[Rows, Bools]:
    """Return where each key is among the sorted ones, and whether it is there."""
    if not len(sorted_keys):
        return np.zeros(len(keys), np.intp), np.zeros(len(keys), np.bool_)
    place = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return place, np.asarray(sorted_keys[place] == keys)


def _end_versions(
    scene: Scene, known: Placed, own: Versions, inside: Bools, found: Bools
) -> list[NDArray[np.void]]:
    """End stays whose version of the fence is no longer in force, or whose hours are over."""
    row, stay = known.row, known.stay
    time_us = scene.samples.time_us[row]
    until_us = time_us.copy()
    until_us[own >= 0] = scene.watch.fences.until_us[own[own >= 0]]
    gone = time_us >= until_us
    over = ~gone
    over[over] = ~scene.watch.fences.in_force(own[over], time_us[over])
    if not (gone | over).any():
        return []
    ended_us = np.clip(until_us, scene.heads["time_us"][row], time_us)
    changes = episodes.ends(Change.RULE_CHANGE, gone, row, stay, ended_us)
    changes += episodes.ends(Change.CLOSED, over, row, stay, time_us)
    stays_on = gone & inside
    stay["since_us"][stays_on] = ended_us[stays_on]
    stay["found"][stays_on] = True
    found[row[gone & (stay["phase"] == LEFT)]] = True
    stay["phase"][(gone & ~inside) | over] = FREE
    return changes


def _renew(scene: Scene, known: Placed, own: Versions, place: Rows, inside: Bools) -> Versions:
    """Put stays under the version of the fence that the vehicle is in now; return each stay's version."""
    stay, fences = known.stay, scene.watch.fences
    now = scene.here.version[place] if len(scene.here.version) else own
    renewed = inside & (now != own) & (stay["phase"] != FREE)
    if not renewed.any():
        return own
    version = now[renewed]
    stay["valid_from_us"][renewed] = fences.valid_from_us[version]
    stay["kind"][renewed] = fences.kind[version]
    for name in ("outside_us", "beyond_us"):
        stay[name][renewed] = NEVER
    stay["covered"][renewed] = False
    own = np.where(renewed, now, own)
    put_limits(scene, known, renewed, own)
    return own


def _end_rulebooks(scene: Scene, known: Placed, own: Versions) -> list[NDArray[np.void]]:
    """End what is open under a rulebook that is no longer in force; it begins again under the new one."""
    row, stay = known.row, known.stay
    samples = scene.samples
    changed = (stay["rulebook"] != samples.rulebook[row]) & (stay["phase"] != FREE)
    if not changed.any():
        return []
    time_us = samples.time_us[row]
    ended_us = np.clip(samples.rulebook_from_us[row], scene.heads["time_us"][row], time_us)
    goes_on = changed & ((stay["open_us"] != NEVER) | stay["visiting"])
    changes = episodes.ends(Change.RULE_CHANGE, goes_on, row, stay, ended_us)
    stay["since_us"][goes_on] = ended_us[goes_on]
    stay["found"][goes_on & (stay["kind"] != PERMITTED)] = True
    put_limits(scene, known, changed & (stay["kind"] == SITE), own)
    stay["rulebook"][changed] = samples.rulebook[row[changed]]
    return changes


def _tell(scene: Scene, present: Placed) -> list[NDArray[np.void]]:
    """Tell what the stays amount to now, and remember in place what was told."""
    row, stay = present.row, present.stay
    samples, watch = scene.samples, scene.watch
    time_us = samples.time_us[row]
    passes = np.full(len(row), NO_PASS, np.int32)
    asked = np.flatnonzero((stay["kind"] == FORBIDDEN) & (stay["phase"] == INSIDE))
    if len(asked):
        vehicle_id = samples.vehicle_id[row[asked]]
        passes[asked] = watch.passes.find(vehicle_id, stay["fence_id"][asked], time_us[asked])
    return [
        *episodes.trespasses(row, stay, time_us, passes),
        *episodes.departures(row, stay, time_us),
        *episodes.visits(row, stay, time_us),
        *episodes.dwells(row, stay, time_us, scene.waits),
    ]


def _due_us(scene: Scene, present: Placed) -> Times:
    """Return when each stay must be looked at again, though its vehicle stays in the same fences."""
    row, stay, fences = present.row, present.stay, scene.watch.fences
    due_us = np.full(len(row), memory.ALWAYS_DUE_US)
    calm = np.flatnonzero((stay["phase"] == INSIDE) & (stay["outside_us"] == NEVER))
    due_us[calm] = np.minimum(episodes.due(stay[calm]), memory.NOT_DUE_US)
    may_be_covered = calm[stay["kind"][calm] == FORBIDDEN]
    vehicle_id = scene.samples.vehicle_id[row[may_be_covered]]
    covered = scene.watch.passes.known(vehicle_id, stay["fence_id"][may_be_covered])
    due_us[may_be_covered[covered]] = memory.ALWAYS_DUE_US
    # Of what was left, the grid does not tell when it is no longer in force.
    left = np.flatnonzero((stay["phase"] == LEFT) & (stay["open_us"] != NEVER))
    if len(left):
        version = fences.find(stay["fence_id"][left], stay["valid_from_us"][left])
        until_us = np.minimum(fences.until_us[version], memory.NOT_DUE_US)
        due_us[left] = np.where(fences.schedules.some[version], memory.ALWAYS_DUE_US, until_us)
    return due_us


def _crossed(scene: Scene, rows: Rows, before: Placed, present: Placed) -> list[NDArray[np.void]]:
    """Tell of ways between two fixes that met forbidden fences in which the vehicle has no stay."""
    heads, samples = scene.heads, scene.samples
    if not len(rows):
        return []
    crossings = scene.watch.stays.crossings(
        (heads["lat_udeg"][rows], heads["lon_udeg"][rows]),
        (samples.lat_udeg[rows], samples.lon_udeg[rows]),
        samples.time_us[rows],
    )
    if not len(crossings.row):
        return []
    row = rows[crossings.row]
    fence_id = scene.watch.fences.fence_id[crossings.version]
    counts = _is_deep(scene, row, crossings.version, crossings.inside_m)
    for placed in (before, present):
        counts &= ~np.isin(_keys(row, fence_id), _keys(placed.row, placed.stay["fence_id"]))
    covered = scene.watch.passes.find(samples.vehicle_id[row], fence_id, samples.time_us[row]) != NO_PASS
    counts &= ~covered
    row, version = row[counts], crossings.version[counts]
    since_us, interval_us = heads["time_us"][row], samples.time_us[row] - heads["time_us"][row]
    opened, closed = episodes.crossed(
        row,
        since_us + np.rint(crossings.first[counts] * interval_us).astype(np.int64),
        since_us + np.rint(crossings.last[counts] * interval_us).astype(np.int64),
        interval_us / MICROSECONDS,
        interval_us <= scene.rule("cross_sure_s", row) * MICROSECONDS,
    )
    for told in (opened, closed):
        told["fence_id"], told["rulebook"] = fence_id[counts], samples.rulebook[row]
        told["valid_from_us"] = scene.watch.fences.valid_from_us[version]
    return [opened, closed]


def _is_deep(scene: Scene, row: Rows, version: Versions, inside_m: Floats) -> Bools:
    """Mark the crossings that noise cannot explain: much of the way is inside, or both ends are far out."""
    heads, samples, index = scene.heads, scene.samples, scene.watch.stays
    deep = inside_m >= scene.rule("cross_m", row)
    ask = np.flatnonzero(~deep & (inside_m > 0))
    at, of, margin_m = row[ask], version[ask], scene.margin_m(row[ask])
    deep[ask] = index.is_beyond(of, heads["lat_udeg"][at], heads["lon_udeg"][at], margin_m) & index.is_beyond(
        of, samples.lat_udeg[at], samples.lon_udeg[at], margin_m
    )
    return deep
