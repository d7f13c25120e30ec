"""Fences and passes out of the registry's tables."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fleet.db import Queries
from fleet.entities import Fence, Pass
from fleet.fences.passes import Passes, PassVersion
from fleet.fences.versions import Fences, FenceVersion
from fleet.kinds import FenceKind
from fleet.schedule import parse_schedule
from fleet.units import to_us

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    import asyncpg

    from fleet.schedule import Schedule

QUERIES = Queries(Path(__file__).with_name("queries.sql"))


class Loaded(NamedTuple):
    """Every version of the fences and passes."""

    fences: Fences
    passes: Passes


async def fences_edition(connection: asyncpg.Connection) -> str:
    """Return a text that changes whenever a fence or a pass does."""
    return str(await connection.fetchval(QUERIES["fences_edition"]))


async def load_fences(connection: asyncpg.Connection) -> Loaded | None:
    """Read every version of the fences and passes; None if there never was a fence.

    A thousand large polygons are read within a second, outside the event loop.
    """
    fences = await connection.fetch(QUERIES["fence_versions"])
    if not fences:
        return None
    passes = await connection.fetch(QUERIES["pass_versions"])
    return await asyncio.to_thread(_read, fences, passes)


def _read(fences: Iterable[asyncpg.Record], passes: Iterable[asyncpg.Record]) -> Loaded:
    return Loaded(Fences(read_versions(fences)), Passes(_pass(row) for row in passes))


def read_versions(rows: Iterable[asyncpg.Record]) -> list[FenceVersion]:
    """Return versions of fences out of rows of `fence_versions`."""
    return [_fence(row) for row in rows]


def _fence(row: asyncpg.Record) -> FenceVersion:
    fence = Fence(
        code=row["code"],
        kind=FenceKind(row["kind"]),
        geometry=json.loads(row["geometry"]),
        name=row["name"],
        limit_kmh=row["limit_kmh"],
        schedule=_schedule(row["schedule"]),
        max_dwell_s=row["max_dwell_s"],
        retired=row["retired"],
    )
    return FenceVersion(row["fence_id"], to_us(row["valid_from"]), fence)


def _pass(row: asyncpg.Record) -> PassVersion:
    allowed = Pass(
        code=row["code"],
        vehicle=row["vehicle"],
        fence=row["fence"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        schedule=_schedule(row["schedule"]),
    )
    return PassVersion(row["pass_id"], to_us(row["valid_from"]), row["vehicle_id"], row["fence_id"], allowed)


def _schedule(windows: list[dict[str, Any]] | None) -> Schedule | None:
    return None if windows is None else parse_schedule(windows)
