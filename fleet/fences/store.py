"""Fences and passes out of the registry's tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleet.db import Queries
from fleet.fences.passes import Passes, PassVersion
from fleet.fences.versions import FenceVersion
from fleet.registry import Fence, FenceKind, Pass
from fleet.schedule import parse_schedule
from fleet.units import to_us

if TYPE_CHECKING:
    from typing import Any

    import asyncpg

    from fleet.schedule import Schedule

QUERIES = Queries(Path(__file__).with_name("queries.sql"))


async def load_fences(connection: asyncpg.Connection) -> list[FenceVersion]:
    """Read every version of every fence. `Fences` of them takes a second a thousand: not in an event loop."""
    return [
        FenceVersion(
            row["fence_id"],
            to_us(row["valid_from"]),
            Fence(
                code=row["code"],
                kind=FenceKind(row["kind"]),
                geometry=row["geometry"],
                name=row["name"],
                limit_kmh=row["limit_kmh"],
                schedule=_schedule(row["schedule"]),
                max_dwell_s=row["max_dwell_s"],
                retired=row["retired"],
            ),
        )
        for row in await connection.fetch(QUERIES["fence_versions"])
    ]


async def load_passes(connection: asyncpg.Connection) -> Passes:
    """Read every version of every pass."""
    return Passes(
        PassVersion(
            row["pass_id"],
            to_us(row["valid_from"]),
            row["vehicle_id"],
            row["fence_id"],
            Pass(
                code=row["code"],
                vehicle=row["vehicle"],
                fence=row["fence"],
                starts_at=row["starts_at"],
                ends_at=row["ends_at"],
                schedule=_schedule(row["schedule"]),
            ),
        )
        for row in await connection.fetch(QUERIES["pass_versions"])
    )


def _schedule(windows: list[dict[str, Any]] | None) -> Schedule | None:
    return None if windows is None else parse_schedule(windows)
