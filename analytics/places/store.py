"""Turning places in the database: turns of a span by place; new places are kept if asked for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alerts.rulebook.rulebook_store import newest_rulebook
from analytics.places.figures import PlacedTurns, survey
from analytics.places.place import Place
from fleet.db import Queries

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg

    from analytics.places.figures import Survey

QUERIES = Queries(Path(__file__).with_name("queries.sql"))
_TYPES = {
    "vehicle_id": "i4",
    "lat_udeg": "i4",
    "lon_udeg": "i4",
    "course_deg": "i2",
    "evaluable": "?",
    "armed": "?",
    "conflicts": "i8",
}


async def present(connection: asyncpg.Connection) -> datetime:
    """Return now: wall time, or what the clock of a sandbox shows."""
    now: datetime = await connection.fetchval(QUERIES["present"])
    return now


async def read(
    connection: asyncpg.Connection, since: datetime, until: datetime, *, found_at: datetime | None = None
) -> tuple[Survey, int]:
    """Return the places of [since, until), and how many turns of it are not settled yet.

    With `found_at` new places are kept as founded then; without it they have the names they would get.
    """
    async with connection.transaction():
        if found_at is not None:
            await connection.execute(QUERIES["lock_places"])
        known = [Place(**dict(row)) for row in await connection.fetch(QUERIES["known_places"])]
        rows = await connection.fetch(QUERIES["turns_of_places"], since, until)
        waiting: int = await connection.fetchval(QUERIES["unsettled_turns"], since, until)
        rules = (await newest_rulebook(connection)).numbers["blind_spot"]
        turns = PlacedTurns(
            **{name: np.array([row[name] for row in rows], dtype) for name, dtype in _TYPES.items()}
        )
        surveyed, placed = await asyncio.to_thread(
            survey, turns, known, share=rules["quiet_share"], expected=rules["quiet_expected"]
        )
        if found_at is not None:
            await _keep(connection, placed.places[placed.known :], found_at)
    return surveyed, waiting


async def _keep(connection: asyncpg.Connection, founded: list[Place], at: datetime) -> None:
    if founded:
        names = ("code", "lat_udeg", "lon_udeg", "entry_course_deg")
        columns = [[getattr(place, name) for place in founded] for name in names]
        await connection.execute(QUERIES["found_places"], *columns, at)
