"""Writes the facts of months from the days that are closed: whole months, or nothing of them.

A month of the city is whole when every vehicle-day of it is closed; that of a company or a vehicle, when its
own are. What is not whole is not known: facts that stood are closed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from analytics.days import closing, months
from analytics.days.judged import Judged
from analytics.days.months import Sums
from analytics.days.reading import QUERIES
from analytics.exposure.vehicle_day import MEASURE_VERSION, Seen, Way
from analytics.facts import store
from analytics.facts.fact import Source
from analytics.facts.restating import Key
from fleet.units import to_datetime

if TYPE_CHECKING:
    from datetime import date

    import asyncpg

    from analytics.days.store import Job
    from analytics.facts.restating import Restatement, Said

CITY = "city"


class Missing(NamedTuple):
    """Vehicle-days of a span that are not closed."""

    #: By code of the vehicle; and the companies that had them.
    vehicles: dict[str, int]
    companies: frozenset[str]

    def is_whole(self, scope: str) -> bool:
        """Say whether all that belongs to a scope is closed."""
        kind, _, code = scope.partition(":")
        if kind == "vehicle":
            return code not in self.vehicles
        return code not in self.companies if kind == "company" else not self.vehicles


async def missing(connection: asyncpg.Connection, first: date, last: date) -> Missing:
    """Return what of a span of days is not closed."""
    rows = await connection.fetch(QUERIES["missing_days"], first, last, MEASURE_VERSION)
    return Missing(
        {row["vehicle"]: row["days"] for row in rows},
        frozenset(code for row in rows for code in row["companies"] or ()),
    )


async def sums(connection: asyncpg.Connection, first: date, last: date) -> dict[str, Sums]:
    """Return the sums of a span of days by scope: city, companies and vehicles."""
    rows = await connection.fetch(QUERIES["sums"], first, last)
    return {
        row["scope"]: Sums(
            *(row["days"], row["online"], row["driven"], row["drifting"]),
            *(_of(Seen, row), _of(Way, row), _of(Judged, row)),
        )
        for row in rows
    }


async def county_sums(
    connection: asyncpg.Connection, first: date, last: date
) -> dict[str, tuple[Way, Judged]]:
    """Return the sums of a span of days by county."""
    rows = await connection.fetch(QUERIES["county_sums"], first, last)
    return {row["scope"]: (_of(Way, row), _of(Judged, row)) for row in rows}


async def restate_due(connection: asyncpg.Connection, job: Job) -> dict[date, Restatement]:
    """Write the facts of the months that are over and of which a day has changed.

    Call it within `closing_alone`.
    """
    now_us = job.now_us()
    newest = to_datetime(now_us).date().replace(day=1)
    done = {}
    for row in await connection.fetch(QUERIES["months_due"], newest):
        last = months.next_month(row["month"]) - timedelta(days=1)
        if closing.is_over(last, now_us, job.terms.horizon_us(now_us)):
            done[row["month"]] = await _restate(connection, row["month"], last, job)
    return done


async def _restate(connection: asyncpg.Connection, month: date, last: date, job: Job) -> Restatement:
    async with connection.transaction():
        said = await _facts(connection, month, last)
        now = to_datetime(job.now_us())
        standing = await store.month_facts(connection, as_of=now, first=month, last=month)
        given = {each.key for each in said}
        keys = {
            Key(fact.month, fact.scope, fact.measure) for fact in standing if fact.source is Source.MEASURED
        }
        restated = await store.record(connection, said, now, gone=keys - given)
        await connection.execute(QUERIES["month_done"], month)
    return restated


async def _facts(connection: asyncpg.Connection, month: date, last: date) -> list[Said]:
    """Return the facts of all scopes of which the month is whole."""
    open_days = await missing(connection, month, last)
    found = {
        scope: of for scope, of in (await sums(connection, month, last)).items() if open_days.is_whole(scope)
    }
    said = [fact for scope, of in found.items() for fact in months.facts(scope, month, of)]
    if CITY in found:
        for scope, (way, judged) in (await county_sums(connection, month, last)).items():
            said += months.county_facts(scope, month, way, judged, found[CITY])
    return said


def _of(kind: Any, row: asyncpg.Record) -> Any:
    return kind(**{name: row[name] for name in kind._fields})
