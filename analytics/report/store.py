"""What a report reads from the database besides the ledger, baselines and policies. Nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from analytics.facts.fact import MonthFact, Source
from analytics.facts.measures import Measure
from analytics.report.report_input import COMPANY, COUNTY
from fleet.db import Queries
from fleet.language import Words

if TYPE_CHECKING:
    from datetime import date, datetime

    import asyncpg

QUERIES = Queries(Path(__file__).with_name("queries.sql"))


async def read_facts(
    connection: asyncpg.Connection, known_by: datetime, first: date, last: date
) -> list[MonthFact]:
    """Return the facts of months as they were known over time, those restated since among them."""
    return [
        MonthFact(
            row["scope"],
            row["month"],
            Measure(row["measure"]),
            row["value"],
            row["coverage"],
            Source(row["source"]),
            row["known_from"],
            row["known_to"],
        )
        for row in await connection.fetch(QUERIES["facts"], known_by, first, last)
    ]


async def read_names(connection: asyncpg.Connection, at: datetime) -> dict[str, Words]:
    """Return what people call companies and counties, by scope."""
    companies = await connection.fetch(QUERIES["companies"])
    counties = await connection.fetch(QUERIES["counties"], at)
    rows = [*((COMPANY, row) for row in companies), *((COUNTY, row) for row in counties)]
    return {prefix + row["code"]: Words(row["name"], row["name"]) for prefix, row in rows}
