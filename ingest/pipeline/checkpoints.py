"""Checkpoints of the live engine: which vehicles are due for one, and how the memory is restored at start."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.engine import engine
from alerts.live import arrival_rules
from alerts.live.holds import Hold
from alerts.live.live_state import LiveState
from alerts.live.replay import live_of_stored
from alerts.live.sightings import remembered_us
from alerts.rules.camera.blind_spot import Evidence
from alerts.store import checkpoint_store, store, turn_store
from alerts.words.transitions import OF_ARRIVAL, Rule
from fleet import sights, tracks
from fleet.units import MICROSECONDS, to_datetime, to_us
from ingest.pipeline.newest import Newest
from ingest.pipeline.staging import QUERIES

if TYPE_CHECKING:
    import asyncpg
    from numpy.typing import NDArray

    from alerts.in_force.context import Context
    from alerts.live.holds import Changes

#: A reporting vehicle is checkpointed this often.
EVERY_S = 60
#: Spreads the vehicles over that time: consecutive multiples of the golden ratio lie far apart.
_GOLDEN = (5**0.5 - 1) / 2
#: No accepted time is further ahead of its reception.
DAY_US = 86_400 * MICROSECONDS


class Checkpoints:
    """Remembers in which minute each vehicle was saved last, and with which segment."""

    def __init__(self) -> None:
        self._minute = np.empty(0, np.int64)
        self._segment_us = np.empty(0, np.int64)

    def due(self, state: LiveState, vehicle_id: NDArray[np.int32], now_us: int) -> NDArray[np.int32]:
        """Return the slots to save with a batch, of the vehicles judged with it; count them as saved.

        A vehicle is due once a minute, and at once when it has begun a segment. Each has a minute of its own
        that begins at another moment, so that no batch carries all vehicles.
        """
        if not len(vehicle_id):
            return np.empty(0, np.int32)
        self._grow(len(state))
        slots = np.unique(state.slots(vehicle_id))
        minute = ((slots * _GOLDEN) % 1 + now_us / (EVERY_S * MICROSECONDS)).astype(np.int64)
        segment_us = state["motion"]["segment_us"][slots]
        changed = (minute != self._minute[slots]) | (segment_us != self._segment_us[slots])
        due: NDArray[np.int32] = slots[changed]
        self._minute[due], self._segment_us[due] = minute[changed], segment_us[changed]
        return due

    def _grow(self, size: int) -> None:
        missing = size - len(self._minute)
        if missing > 0:
            self._minute = np.concatenate([self._minute, np.full(missing, -1, np.int64)])
            self._segment_us = np.concatenate([self._segment_us, np.full(missing, -1, np.int64)])


class Restored(NamedTuple):
    """What a process knows when it begins."""

    state: LiveState
    newest: Newest


async def restore(connection: asyncpg.Connection, context: Context) -> Restored:
    """Return the live memory as it was after the last committed batch, and what is stored of its vehicles.

    Checkpoints are at most a minute old; what was judged since is folded again, silently. Where the engine
    has changed since the checkpoint, the whole segment is folded.
    """
    state, newest = LiveState(), Newest()
    saved = await checkpoint_store.load_states(connection)
    state.unpack(saved.vehicle_id[saved.is_current], saved.packed)
    since_us = np.where(saved.is_current, saved.watermark_us, saved.segment_us - 1)
    stored = await tracks.read_after(connection, saved.vehicle_id, since_us)
    newest.learn(saved.vehicle_id, saved.watermark_us)
    newest.learn(stored.fixes.vehicle_id, stored.fixes.time_us)
    live = live_of_stored(stored.batch_id, stored.received_us, stored.fixes, context)
    engine.advance(state, stored.fixes.take(live), context)
    ticked = await connection.fetchval(QUERIES["last_tick"])
    if ticked is not None:
        engine.tick(state, to_us(ticked), context)
    await _restore_sightings(connection, state, context)
    await _restore_reporting(connection, state, context)
    return Restored(state, newest)


async def _restore_reporting(connection: asyncpg.Connection, state: LiveState, context: Context) -> None:
    """Read back what goes on of the rules about arrival, what is about to, who was heard, who is parked."""
    newest = await connection.fetchval(QUERIES["newest_batch"])
    refused = (
        [] if newest is None else await connection.fetch(QUERIES["refused_since"], newest - timedelta(days=1))
    )
    state.reporting.restore(
        state,
        await store.open_episodes(connection, OF_ARRIVAL),
        {row["vehicle_id"]: to_us(row["received_at"]) for row in refused},
    )
    if newest is None:
        return
    state.reporting.resume(state, await load_holds(connection), to_us(newest), context)
    since = newest - 2 * timedelta(seconds=arrival_rules.longest_hold_s(state, to_us(newest), context))
    for row in await connection.fetch(QUERIES["ticks_since"], since):
        state.reporting.listened(to_us(row["received_at"]), context)
    last = await connection.fetch(
        QUERIES["newest_flags"], state.vehicle_id.tolist(), newest - timedelta(days=1)
    )
    state.reporting.note_ignitions(
        state,
        np.array([row["vehicle_id"] for row in last], np.int32),
        np.array([to_us(row["time"]) for row in last], np.int64),
        np.array([row["flags"] for row in last], np.int16),
    )


async def end_unfollowed(
    connection: asyncpg.Connection, state: LiveState, context: Context, now_us: int
) -> None:
    """End what the store says goes on and the memory knows nothing of, as another engine has raised it."""
    async with connection.transaction():
        feed = await store.lose_unfollowed(connection, state, context, now_us)
        await store.append_feed(connection, feed, now_us)


async def _restore_sightings(connection: asyncpg.Connection, state: LiveState, context: Context) -> None:
    """Read back the reports, turns and conflicts of the minutes before the newest batch: all are stored."""
    newest = await connection.fetchval(QUERIES["newest_batch"])
    if newest is None:
        return
    now_us = to_us(newest)
    from_us, until_us = now_us - remembered_us(now_us, context), now_us + DAY_US
    live, rules = (context.rulebooks.now(section, now_us) for section in ("live", "blind_spot"))
    late, ahead = (timedelta(seconds=float(live[name])) for name in ("horizon_s", "ahead_s"))
    armed = timedelta(seconds=float(rules["armed_s"]))
    reports = await sights.read_recent(connection, to_datetime(from_us), to_datetime(until_us), late, ahead)
    signs = Evidence(*await sights.newest_signs(connection, to_datetime(until_us), armed + timedelta(days=1)))
    recent = await turn_store.recent(connection, from_us, until_us, context)
    state.sightings.restore(signs, reports, recent.turns, recent.conflicts, context)


async def keep_holds(connection: asyncpg.Connection, changes: Changes) -> None:
    """Keep which conditions hold, and forget those that do no more."""
    if changes.kept:
        await connection.execute(
            QUERIES["keep_holds"],
            [hold.vehicle_id for hold in changes.kept],
            [hold.rule.name.lower() for hold in changes.kept],
            [to_datetime(hold.since_us) for hold in changes.kept],
            [to_datetime(hold.seen_us) for hold in changes.kept],
            [hold.peak for hold in changes.kept],
        )
    if changes.dropped:
        vehicles, rules = zip(*changes.dropped, strict=True)
        await connection.execute(QUERIES["drop_holds"], vehicles, [rule.name.lower() for rule in rules])


async def load_holds(connection: asyncpg.Connection) -> list[Hold]:
    """Return the conditions that hold."""
    return [
        Hold(
            row["vehicle_id"], Rule[row["rule"].upper()], to_us(row["since"]), to_us(row["seen"]), row["peak"]
        )
        for row in await connection.fetch(QUERIES["load_holds"])
    ]
