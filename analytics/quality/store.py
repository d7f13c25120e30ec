"""What is counted of each vehicle in the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from analytics.quality.figures import DRIFTS_FROM
from analytics.quality.sums import Sums
from fleet.db import Queries

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg

QUERIES = Queries(Path(__file__).with_name("queries.sql"))


class Vehicle(NamedTuple):
    """One vehicle of the registry, and what was counted of it. Names that nobody has given are empty."""

    vehicle: str
    company: str
    county: str
    model: str
    sums: Sums


async def read(connection: asyncpg.Connection, since: datetime, until: datetime) -> list[Vehicle]:
    """Return every vehicle that was filed before `until`, with what was counted in [since, until)."""
    return [_vehicle(dict(row)) for row in await connection.fetch(QUERIES["vehicles_measured"], since, until)]


def _vehicle(row: dict[str, Any]) -> Vehicle:
    names = {name: row.pop(name) for name in Vehicle._fields[:-1]}
    drifting = int(row["jumps"] >= DRIFTS_FROM)
    return Vehicle(**names, sums=Sums(**row, drifting=drifting))
