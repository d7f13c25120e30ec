"""Replay: the live engine folded over recorded fixes, complete and in order, or as they arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.engine import engine
from alerts.engine.state import EngineState
from alerts.live.arrivals import NOTHING_REFUSED, Refused
from alerts.live.live_state import LiveState
from alerts.live.timeliness import Timeliness, classify, crowded, spaced
from alerts.rules.camera import conflicts
from alerts.rules.camera.conflicts import NO_SIGHTS
from alerts.words.transitions import Judgement, Rule
from fleet.columns import Fixes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from alerts.in_force.context import Context
    from alerts.rules.camera.conflicts import Sights
    from alerts.words.turns import Turns

#: Later than any fix: a tick at this time ends all that is open.
END_OF_TIME_US = 2**62
#: Fixes of a vehicle that are folded in one go, a second or two of work.
STEPS_AT_ONCE = 500


class Arrival(NamedTuple):
    """A batch as the hot path received it; with nothing in it, it is a tick."""

    received_us: int
    fixes: Fixes = Fixes.empty()
    sights: Sights = NO_SIGHTS
    refused: Refused = NOTHING_REFUSED

    @property
    def is_tick(self) -> bool:
        """Nothing was received."""
        return not (len(self.fixes) or len(self.sights) or len(self.refused.vehicle_id))


class UniformFacts:
    """Facts of vehicles that no registry knows: one kind and one limit for all."""

    def __init__(self, kind: int = 0, limit_kmh: int = -1) -> None:
        self.kind = kind
        self.limit_kmh = limit_kmh

    def at(
        self, vehicle_id: NDArray[np.int32], time_us: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int16]]:
        """Return no company, and the kind and limit of every vehicle, whenever."""
        shape = np.broadcast_shapes(vehicle_id.shape, time_us.shape)
        return (
            np.full(shape, -1, np.int32),
            np.full(shape, self.kind, np.int16),
            np.full(shape, self.limit_kmh, np.int16),
        )


def settled(fixes: Fixes, context: Context, sights: Sights | None = None) -> Judgement:
    """Judge a whole record, each vehicle by itself and in time order; what is open at its end is lost.

    Without `sights` nothing is said of cameras: that there are none is something else.
    """
    state, judgement = fold(fixes, context)
    whole = Judgement.join([judgement, engine.tick(state, END_OF_TIME_US, context)])
    return whole if sights is None else with_conflicts(state, whole, fixes, sights, context)[0]


def with_conflicts(
    state: EngineState, judgement: Judgement, fixes: Fixes, sights: Sights, context: Context
) -> tuple[Judgement, Mapping[str, int]]:
    """Join the judgement of a complete record with what its cameras saw; return what became of that, too."""
    outcomes: dict[str, int] = {}

    def join(turns: Turns) -> Judgement:
        joined = conflicts.settled(turns, fixes, sights, judgement.segments, context)
        outcomes.update(joined.outcomes)
        return joined.judgement

    return engine.joined(state, judgement, join, context.rulebooks), outcomes


def fold(
    fixes: Fixes, context: Context, go_on: Callable[[], None] = lambda: None
) -> tuple[EngineState, Judgement]:
    """Judge a record from a blank state.

    Of several fixes of a vehicle at one time only the first, and no more in a second than say anything
    (`timeliness.spaced`). Between two goes `go_on` is called, which may raise to end it.
    """
    state = EngineState()
    order = np.lexsort((fixes.time_us, fixes.vehicle_id))
    vehicle_id, time_us = fixes.vehicle_id[order], fixes.time_us[order]
    again = np.r_[False, (vehicle_id[1:] == vehicle_id[:-1]) & (time_us[1:] == time_us[:-1])][: len(order)]
    order = order[~again]
    order = order[spaced(fixes.vehicle_id[order], fixes.time_us[order])]
    judged = []
    for rows in _goes(fixes.vehicle_id[order]):
        go_on()
        judged.append(engine.advance(state, fixes.take(order[rows]), context))
    return state, Judgement.join(judged)


def _goes(vehicle_id: NDArray[np.int32]) -> Iterator[NDArray[np.intp]]:
    """Yield rows, which are in order of vehicles and times, so that no vehicle has many of them in one go."""
    begins = np.flatnonzero(np.r_[True, vehicle_id[1:] != vehicle_id[:-1]][: len(vehicle_id)])
    sizes = np.diff(np.r_[begins, len(vehicle_id)])
    go = (np.arange(len(vehicle_id)) - np.repeat(begins, sizes)) // STEPS_AT_ONCE
    yield from np.split(np.argsort(go, kind="stable"), np.cumsum(np.bincount(go))[:-1])


def as_arrived(arrivals: Iterable[Arrival], context: Context) -> Judgement:
    """Judge batches one by one at the moment they were received, as the hot path did."""
    state = LiveState()
    return Judgement.join([arrive(state, arrival, context)[0] for arrival in arrivals])


def arrive(state: LiveState, arrival: Arrival, context: Context) -> tuple[Judgement, NDArray[np.int8]]:
    """Judge one batch live, in place; return what it says and the `Timeliness` of each fix."""
    judgement, timeliness = _advanced(state, arrival, context)
    told = [part for part in reported(state, arrival, timeliness, context) if len(part.transitions)]
    if not told:
        return judgement, timeliness
    arrived = engine.counting(Judgement.join(told), context.rulebooks)
    return Judgement.join([judgement, arrived]), timeliness


def reported(
    state: LiveState, arrival: Arrival, timeliness: NDArray[np.int8], context: Context
) -> Iterator[Judgement]:
    """Yield what the rules about arrival say of a batch, or of a tick, in place."""
    received_us, fixes, sights, refused = arrival
    reporting = state.reporting
    if arrival.is_tick:
        yield engine.isolated(state, "offline", reporting.tick, state, received_us, context)
        return
    vehicles = np.concatenate(
        [fixes.vehicle_id, sights.camera.vehicle_id, sights.health.vehicle_id, refused.vehicle_id]
    )
    yield engine.isolated(state, "offline", reporting.heard, state, vehicles, received_us, context)
    if len(fixes):
        yield engine.isolated(state, "offline", reporting.ignitions, state, fixes)
    if len(fixes) or refused.behind_s.any():
        dated = fixes, refused, received_us
        yield engine.isolated(state, "clock_drift", reporting.clocks, state, *dated, context)
        of = fixes, timeliness, refused, received_us
        yield engine.isolated(state, "not_watched_live", reporting.watched, state, *of, context)
    if len(sights.health):
        for rule in (Rule.CAMERA_FAULT, Rule.POWER_CUT):
            name = rule.name.lower()
            yield engine.isolated(state, name, reporting.reported, state, sights.health, rule, context)


def _advanced(state: LiveState, arrival: Arrival, context: Context) -> tuple[Judgement, NDArray[np.int8]]:
    received_us, fixes, sights, _refused = arrival
    if len(fixes):
        timeliness = timeliness_of(state, arrival, context)
        judgement = engine.advance(state, fixes.take(timeliness == Timeliness.LIVE), context)
    else:
        timeliness = np.empty(0, np.int8)
        judgement = engine.tick(state, received_us, context) if arrival.is_tick else engine.nothing()
    if not len(judgement.turns) and not len(sights):
        return judgement, timeliness

    def join(turns: Turns) -> Judgement:
        return state.sightings.arrive(state, turns, sights, received_us, context)

    return engine.joined(state, judgement, join, context.rulebooks), timeliness


def live_of_stored(
    batch_id: NDArray[np.int64],
    received_us: NDArray[np.int64],
    fixes: Fixes,
    context: Context,
) -> NDArray[np.bool_]:
    """Mark the stored fixes that the hot path judged live, in one go for any number of batches.

    Parameters
    ----------
    batch_id, received_us
        Of each fix; a higher id is a later batch.
    fixes
        Of each vehicle, all that are stored and newer than its watermark at some moment.

    A fix was live if its age allowed it and it was newer than its vehicle's watermark before its batch: that
    is the newest of the fixes of earlier batches whose age allowed it, for each of them moved the watermark
    or found it further on. Of what was too much at once the newest was judged (`timeliness.crowded`), so that
    the watermark is the same.
    """
    if not len(fixes):
        return np.zeros(0, np.bool_)
    live = context.rulebooks.numbers("live", context.rulebooks.at(received_us))
    no_watermark = np.full(len(fixes), np.iinfo(np.int64).min)
    aged = classify(
        fixes.time_us, no_watermark, received_us, horizon_s=live["horizon_s"], ahead_s=live["ahead_s"]
    )
    candidate = np.flatnonzero(aged == Timeliness.LIVE)
    keys = (fixes.time_us[candidate], batch_id[candidate], fixes.vehicle_id[candidate])
    order = candidate[np.lexsort(keys)]
    vehicle, time_us, batch = fixes.vehicle_id[order], fixes.time_us[order], batch_id[order]
    # Ranks make (vehicle, time) one growing integer, so that one running maximum serves all vehicles.
    times, rank = np.unique(time_us, return_inverse=True)
    newest = np.maximum.accumulate(vehicle.astype(np.int64) * (len(times) + 1) + rank + 1)
    begins = np.r_[True, (vehicle[1:] != vehicle[:-1]) | (batch[1:] != batch[:-1])][: len(order)]
    before = np.r_[-1, newest[:-1]][np.flatnonzero(begins)][np.cumsum(begins) - 1]
    place = before - vehicle.astype(np.int64) * (len(times) + 1)  # 0 or less: an earlier vehicle's
    earlier_us = np.where(place > 0, times[np.maximum(place, 1) - 1], np.iinfo(np.int64).min)
    mark = np.zeros(len(fixes), np.bool_)
    newer = time_us > earlier_us
    newer[newer] = ~crowded((np.cumsum(begins) - 1)[newer], time_us[newer])
    mark[order] = newer
    return mark


def timeliness_of(state: EngineState, arrival: Arrival, context: Context) -> NDArray[np.int8]:
    """Return the `Timeliness` of each fix of a batch before it is judged."""
    live, fixes = context.rulebooks.now("live", arrival.received_us), arrival.fixes
    timeliness = classify(
        fixes.time_us,
        state.watermark_us(fixes.vehicle_id),
        arrival.received_us,
        horizon_s=float(live["horizon_s"]),
        ahead_s=float(live["ahead_s"]),
    )
    is_live = np.flatnonzero(timeliness == Timeliness.LIVE)
    too_much = crowded(fixes.vehicle_id[is_live], fixes.time_us[is_live])
    timeliness[is_live[too_much]] = Timeliness.CROWDED
    return timeliness
