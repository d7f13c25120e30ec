"""Checkpoints of the live engine: which vehicles are due for one, and how the memory is restored at start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts import engine, store
from alerts.replay import Arrival, timeliness_of
from alerts.state import EngineState
from alerts.timeliness import Timeliness
from fleet import tracks
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    import asyncpg
    from numpy.typing import NDArray

    from alerts.engine import Context
    from fleet.columns import Fixes

#: A reporting vehicle is checkpointed at most this often.
EVERY_S = 60


class Checkpoints:
    """Remembers when each vehicle was saved last."""

    def __init__(self) -> None:
        self._saved_us = np.empty(0, np.int64)
        self._segment_us = np.empty(0, np.int64)

    def due(self, state: EngineState, judged: Fixes, now_us: int) -> NDArray[np.int32]:
        """Return the slots to save with this batch, and count them as saved.

        A vehicle is due a minute after it was saved last, and at once when it has begun a segment.
        Vehicles come due at different moments, so that no batch carries all of them.
        """
        if not len(judged):
            return np.empty(0, np.int32)
        self._grow(len(state))
        slots = np.unique(state.slots(judged.vehicle_id))
        segment_us = state.motion["segment_us"][slots]
        old = now_us - self._saved_us[slots] >= EVERY_S * MICROSECONDS
        due: NDArray[np.int32] = slots[old | (segment_us != self._segment_us[slots])]
        self._saved_us[due] = now_us
        self._segment_us[due] = state.motion["segment_us"][due]
        return due

    def _grow(self, size: int) -> None:
        missing = size - len(self._saved_us)
        if missing > 0:
            self._saved_us = np.concatenate([self._saved_us, np.zeros(missing, np.int64)])
            self._segment_us = np.concatenate([self._segment_us, np.full(missing, -1, np.int64)])


async def restore(connection: asyncpg.Connection, context: Context) -> EngineState:
    """Return the live memory as it was after the last committed batch.

    Checkpoints are at most a minute old; what was judged since is folded again, silently, batch by batch
    as it arrived. Where the engine has changed since the checkpoint, the whole segment is folded.
    """
    state = EngineState()
    checkpoints = await store.load_states(connection)
    packed = [(c.vehicle_id, c.state) for c in checkpoints if c.state is not None]
    state.unpack(np.array([vehicle for vehicle, _ in packed], np.int32), [row for _, row in packed])
    stored = await tracks.read_after(
        connection,
        [c.vehicle_id for c in checkpoints],
        [c.watermark_us if c.state is not None else c.segment_us - 1 for c in checkpoints],
    )
    starts = np.flatnonzero(np.r_[True, stored.batch_id[1:] != stored.batch_id[:-1]][: len(stored.batch_id)])
    for rows in np.split(np.arange(len(stored.batch_id)), starts[1:]):
        if len(rows):
            arrival = Arrival(int(stored.received_us[rows[0]]), stored.fixes.take(rows))
            live = timeliness_of(state, arrival, context) == Timeliness.LIVE
            engine.advance(state, arrival.fixes.take(live), context)
    return state
