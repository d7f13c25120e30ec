"""The live engine's memories in the database: saved, and loaded at start.

Functions take an open connection, run in the caller's transaction and never commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.engine.state import ENGINE_VERSION, fits
from alerts.store.store import QUERIES
from fleet.units import to_datetime, to_us

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg
    from numpy.typing import NDArray

    from alerts.engine.state import EngineState


class Checkpoints(NamedTuple):
    """The saved memories of all vehicles, as columns."""

    vehicle_id: NDArray[np.int32]
    watermark_us: NDArray[np.int64]
    segment_us: NDArray[np.int64]
    #: Marks those that this version of the engine wrote; of the others, fold the segment instead.
    is_current: NDArray[np.bool_]
    #: Of the current ones, in order.
    packed: list[bytes]


class PackedStates(NamedTuple):
    """Memories as they were at one moment, a column a list: the engine may go on while they are saved."""

    vehicle_id: list[int]
    watermark: list[datetime]
    segment_started_at: list[datetime]
    last_motion_at: list[datetime | None]
    state: list[bytes]


def pack_states(state: EngineState, slots: NDArray[np.int32]) -> PackedStates:
    """Return the memories of `slots` as they are now."""
    motion = state["motion"][slots]
    return PackedStates(
        vehicle_id=state.vehicle_id[slots].tolist(),
        watermark=[to_datetime(time_us) for time_us in motion["watermark_us"].tolist()],
        segment_started_at=[to_datetime(time_us) for time_us in motion["segment_us"].tolist()],
        last_motion_at=[
            None if time_us < 0 else to_datetime(time_us) for time_us in motion["motion_us"].tolist()
        ],
        state=[state.pack(slot) for slot in slots.tolist()],
    )


async def save_states(connection: asyncpg.Connection, packed: PackedStates, batch_id: int) -> None:
    """Checkpoint vehicles, as of `batch_id`."""
    if packed.vehicle_id:
        await connection.execute(
            QUERIES["save_states"],
            packed.vehicle_id,
            ENGINE_VERSION,
            batch_id,
            packed.watermark,
            packed.segment_started_at,
            packed.last_motion_at,
            packed.state,
        )


async def load_states(connection: asyncpg.Connection) -> Checkpoints:
    """Return all checkpoints."""
    rows = await connection.fetch(QUERIES["load_states"])
    return Checkpoints(
        vehicle_id=np.array([row["vehicle_id"] for row in rows], np.int32),
        watermark_us=np.array([to_us(row["watermark"]) for row in rows], np.int64),
        segment_us=np.array([to_us(row["segment_started_at"]) for row in rows], np.int64),
        is_current=np.array([_is_current(row) for row in rows], np.bool_),
        packed=[row["state"] for row in rows if _is_current(row)],
    )


def _is_current(row: asyncpg.Record) -> bool:
    return row["engine_version"] == ENGINE_VERSION and fits(row["state"])
