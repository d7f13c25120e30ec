"""Closes days in the database: read in one snapshot, measured beside it, written with the touches it saw.

A transaction closes some vehicles of a day. It deletes exactly the touches of its own snapshot, so that what
is committed meanwhile has the day looked at again; what is broken off was never there. One process closes at
a time (`closing_alone`).
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from analytics.days import closing, judged, measuring, reading
from analytics.days.closing import ClosedDay, Due, Known, Wait
from analytics.days.judged import Judged
from analytics.days.reading import QUERIES
from analytics.exposure.vehicle_day import MEASURE_VERSION, Seen, Way
from fleet.db import is_outage, said
from fleet.units import to_datetime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import date, datetime

    import asyncpg

    from analytics.days.measuring import Terms
    from analytics.exposure.vehicle_day import VehicleDay

_log = structlog.get_logger("days")

#: Vehicles closed in one transaction: some seconds of work, and as much is lost when it is broken off.
VEHICLES_AT_ONCE = 24
#: The next version is known later than the one that it follows, though the clock may not have moved.
_NEXT = timedelta(microseconds=1)
_DAY_COLUMNS = (
    *("vehicle_id", "day", "known_from", "measure_version", "company_id"),
    *(*Seen._fields, *Way._fields, *Judged._fields, "odometer_mm", "positions_mm", "odometer_fault"),
)
_COUNTY_COLUMNS = ("vehicle_id", "day", "known_from", "county_id", *Way._fields, *Judged._fields)


class Job(NamedTuple):
    """How days are closed: by what, and what time it is, microseconds since 1970."""

    terms: Terms
    now_us: Callable[[], int]


@dataclass(slots=True)
class Closed:
    """What came of closing a day, or several."""

    #: Vehicle-days that have a new version; and those looked at again that say the same as before.
    changed: int = 0
    unchanged: int = 0
    fixes: int = 0
    waits: dict[int, Wait] = field(default_factory=dict)
    #: Vehicles that could not be closed, and why; the others were.
    failed: dict[int, str] = field(default_factory=dict)

    def add(self, other: Closed) -> None:
        """Add what came of other vehicles of the day."""
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.fixes += other.fixes
        self.waits |= other.waits
        self.failed |= other.failed


class Overview(NamedTuple):
    """What is to be done of a day."""

    day: date
    due: Due


async def look(connection: asyncpg.Connection, day: date, job: Job, *, again: bool = False) -> Overview:
    """Say what is due of a day, and what waits."""
    now_us = job.now_us()
    over = closing.is_over(day, now_us, job.terms.horizon_us(now_us))
    known = await reading.known(connection, day, again=again)
    stored = await reading.are_stored(connection, day)
    return Overview(day, closing.due(known, over=over, stored=stored, again=again))


@asynccontextmanager
async def closing_alone(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Wait until nobody else closes days, and keep others waiting until the end of the block."""
    await connection.execute(QUERIES["lock_days"])
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute(QUERIES["unlock_days"])


async def close(
    connection: asyncpg.Connection,
    day: date,
    job: Job,
    *,
    again: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Closed:
    """Close what can be closed of a day; call it within `closing_alone`.

    `progress` is told how many vehicles are done, and of how many.
    """
    found = await look(connection, day, job, again=again)
    vehicles = [one.vehicle_id for one in found.due.vehicles]
    total = Closed(waits=dict(found.due.waits))
    for begin in range(0, len(vehicles), VEHICLES_AT_ONCE):
        some = vehicles[begin : begin + VEHICLES_AT_ONCE]
        total.add(await _close_some(connection, day, some, job, again=again))
        if progress is not None:
            progress(begin + len(some), len(vehicles))
    return total


async def _close_some(
    connection: asyncpg.Connection, day: date, vehicles: Sequence[int], job: Job, *, again: bool
) -> Closed:
    """Close some vehicles of a day together; where one fails each by itself: the others are closed."""
    try:
        return await _close_together(connection, day, vehicles, job, again=again)
    except Exception as error:
        if connection.is_closed() or is_outage(error):
            raise
        if len(vehicles) == 1:
            _log.exception("a vehicle-day cannot be closed", day=str(day), vehicle_id=vehicles[0])
            return Closed(failed={vehicles[0]: f"{type(error).__name__}: {said(error)}"})
    total = Closed()
    for vehicle in vehicles:
        total.add(await _close_some(connection, day, [vehicle], job, again=again))
    return total


async def _close_together(
    connection: asyncpg.Connection, day: date, vehicles: Sequence[int], job: Job, *, again: bool
) -> Closed:
    """Close some vehicles of a day in one transaction."""
    total = Closed()
    async with connection.transaction(isolation="repeatable_read"):
        # Asked once more: what was due may have become late data in between, and the snapshot begins here.
        known = await reading.known(connection, day, vehicles, again=again)
        stored = await reading.are_stored(connection, day)
        due = closing.due(known, over=True, stored=stored, again=again)
        total.waits = dict(due.waits)
        own = [one.vehicle_id for one in due.vehicles]
        before = await reading.standing(connection, day, own)
        days = {vehicle_id: one.closed.driven for vehicle_id, one in before.items()}
        days |= await _measured(connection, day, due.measure, job, total)
        counted = judged.count(own, await _judgements(connection, own, day, job))
        found = [
            ClosedDay.of(days[vehicle_id], counted[vehicle_id], job.terms.company_id(vehicle_id, day))
            for vehicle_id in own
        ]
        new = [one for one in found if not _stands(before.get(one.vehicle_id), one)]
        await _write(connection, day, new, before, job.now_us())
        await connection.execute(
            QUERIES["clean_touches"], [touch for one in known for touch in _read(one, due)]
        )
    total.changed, total.unchanged = len(new), len(found) - len(new)
    return total


def _read(one: Known, due: Due) -> Sequence[int]:
    """Return the touches that are dealt with; who waits keeps them."""
    return () if one.vehicle_id in due.waits else one.touches


def _stands(standing: reading.Standing | None, found: ClosedDay) -> bool:
    return standing is not None and standing.measure_version == MEASURE_VERSION and standing.closed == found


async def _judgements(
    connection: asyncpg.Connection, vehicles: Sequence[int], day: date, job: Job
) -> judged.Judgements:
    return measuring.judgements(
        await reading.turns(connection, vehicles, day),
        await reading.episodes(connection, vehicles, day),
        job.terms,
    )


async def _measured(
    connection: asyncpg.Connection, day: date, due: Sequence[Known], job: Job, total: Closed
) -> dict[int, VehicleDay]:
    """Measure vehicles one by one in a thread; meanwhile the fixes of the next one are read."""
    found: list[VehicleDay] = []
    ahead: asyncio.Task[VehicleDay] | None = None
    for one in due:
        fixes = await reading.fixes(connection, one.vehicle_id, day)
        total.fixes += len(fixes)
        if ahead is not None:
            found.append(await ahead)
        ahead = asyncio.create_task(
            asyncio.to_thread(measuring.driven, one.vehicle_id, day, fixes, job.terms)
        )
    if ahead is not None:
        found.append(await ahead)
    return {one.vehicle_id: one for one in found}


async def _write(
    connection: asyncpg.Connection,
    day: date,
    new: Sequence[ClosedDay],
    before: dict[int, reading.Standing],
    now_us: int,
) -> None:
    """Add versions, and end those that they follow."""
    if not new:
        return
    followed = [one.vehicle_id for one in new if one.vehicle_id in before]
    known_from = max(
        to_datetime(now_us), *(before[vehicle].known_from + _NEXT for vehicle in followed), to_datetime(0)
    )
    if followed:
        await connection.execute(QUERIES["close_versions"], day, followed, known_from)
    await connection.copy_records_to_table(
        "vehicle_day", records=[_row(one, known_from) for one in new], columns=_DAY_COLUMNS
    )
    counties = [row for one in new for row in _county_rows(one, known_from)]
    if counties:
        await connection.copy_records_to_table(
            "vehicle_day_county", records=counties, columns=_COUNTY_COLUMNS
        )
    await connection.execute(QUERIES["mark_month"], day.replace(day=1))


def _row(one: ClosedDay, known_from: datetime) -> tuple[Any, ...]:
    return (
        *(one.vehicle_id, one.day, known_from, MEASURE_VERSION, one.company_id),
        *(*one.seen, *one.way, *one.judged),
        *((None, None, None) if one.odometer is None else one.odometer),
    )


def _county_rows(one: ClosedDay, known_from: datetime) -> list[tuple[Any, ...]]:
    return [
        (one.vehicle_id, one.day, known_from, county, *way, *counted)
        for county, (way, counted) in one.counties.items()
    ]
