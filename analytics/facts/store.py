"""Facts of months in the database: read as of a time, restated, never changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from analytics.facts.fact import MonthFact, Source
from analytics.facts.measures import Measure
from analytics.facts.restating import FactError, Key, require_sound, restate
from fleet.db import Queries

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date, datetime

    import asyncpg

    from analytics.facts.restating import Restatement, Said

QUERIES = Queries(Path(__file__).with_name("queries.sql"))


class Teller(NamedTuple):
    """Who says what is not measured, and where it stands; both stay on record."""

    who: str
    origin: str


_NOBODY = Teller("", "")


async def month_facts(
    connection: asyncpg.Connection,
    *,
    as_of: datetime,
    first: date,
    last: date,
    scopes: Collection[str] | None = None,
    measures: Collection[Measure] | None = None,
) -> list[MonthFact]:
    """Return the facts that held at a time, by month, scope and measure.

    Parameters
    ----------
    connection
        Any.
    as_of
        The time at which they were known.
    first, last
        Months that begin from the one day to the other, both included.
    scopes, measures
        Only these; None means all.
    """
    rows = await connection.fetch(
        QUERIES["month_facts"],
        as_of,
        first,
        last,
        None if scopes is None else list(scopes),
        None if measures is None else list(measures),
    )
    return [_fact(row) for row in rows]


async def declare(
    connection: asyncpg.Connection, said: Sequence[Said], teller: Teller, now: datetime
) -> Restatement:
    """Record in one transaction what people declare, or a generator of examples made; return what changed.

    Raises
    ------
    FactError
        If a figure is none, is given twice, or is one that is measured; nothing is recorded then.
    """
    if not teller.who:
        raise FactError("who declares this? It stays on record")
    if any(each.source is Source.MEASURED for each in said):
        raise FactError("what is measured comes from settled days alone")
    require_sound(said)
    async with connection.transaction():
        return await record(connection, said, now, teller=teller)


async def record(
    connection: asyncpg.Connection,
    said: Sequence[Said],
    now: datetime,
    *,
    gone: Iterable[Key] = (),
    teller: Teller = _NOBODY,
) -> Restatement:
    """Record facts in the caller's transaction; `gone` are figures that are not known any more."""
    await connection.execute(QUERIES["lock_facts"])
    lost = list(gone)
    keys = {each.key for each in said}.union(lost)
    rows = await connection.fetch(QUERIES["standing"], *_columns(keys)) if keys else []
    standing = {Key(fact.month, fact.scope, fact.measure): fact for fact in map(_fact, rows)}
    found = restate(said, standing, now, gone=lost)
    if found.closed:
        await connection.execute(QUERIES["close_facts"], *_columns(found.closed), found.known_from)
    for source in Source:
        added = sorted((each for each in found.added if each.source is source), key=lambda each: each.key)
        if added:
            await connection.execute(
                QUERIES["add_facts"],
                *_columns(each.key for each in added),
                [each.value for each in added],
                [each.coverage for each in added],
                source,
                found.known_from,
                *teller,
            )
    return found


def _columns(keys: Iterable[Key]) -> tuple[list[date], list[str], list[str]]:
    ordered = sorted(keys)
    return [key.month for key in ordered], [key.scope for key in ordered], [key.measure for key in ordered]


def _fact(row: asyncpg.Record) -> MonthFact:
    return MonthFact(
        row["scope"],
        row["month"],
        Measure(row["measure"]),
        row["value"],
        row["coverage"],
        Source(row["source"]),
        row["known_from"],
        row["known_to"],
    )
