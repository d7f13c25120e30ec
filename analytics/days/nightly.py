"""The worker's nights: every day that can be is closed, and months that are whole are written.

What is due stands in the database alone (`closing`), so that a night that was missed, broken off or failed is
made up by the next: there is nothing to remember, and nothing is done twice.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from analytics.days import restating, store
from analytics.days.closing import Wait
from analytics.days.measuring import Terms
from analytics.days.reading import QUERIES
from analytics.days.store import Closed, Job
from fleet.db import is_outage, said
from fleet.schedule import CIVIL_ZONE
from fleet.stopping import rest, unless
from fleet.units import to_datetime
from fleet.wire.reasons import OLDEST_DAYS

if TYPE_CHECKING:
    from datetime import date

    import asyncpg

    from alerts.knowledge import Knowledge

#: Civil time at which a night's work begins: the day before is over, and so is the settler's horizon.
BEGINS = timedelta(hours=3)
#: How often to look at the clock, and how long to wait after a failure; real time.
LOOK_EVERY_S, RETRY_S = 30.0, 600.0

_log = structlog.get_logger("days")


class Metrics:
    """What Prometheus sees of it."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.closed = Counter(
            "kerbsafe_days_closed",
            "Vehicle-days closed, or closed again with other figures.",
            registry=registry,
        )
        self.failures = Counter(
            "kerbsafe_days_failures", "Nights of which something failed.", registry=registry
        )
        self.waiting = Gauge(
            "kerbsafe_days_waiting",
            "Vehicle-days that are over and could not be closed in the last night.",
            registry=registry,
        )


class Nightly:
    """Closes days night by night, on a connection of its own."""

    def __init__(self, connection: asyncpg.Connection, knowledge: Knowledge, metrics: Metrics) -> None:
        self._connection = connection
        self._knowledge = knowledge
        self._metrics = metrics
        #: The night that was worked through last; None: we have just been started.
        self._done: date | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Work night by night until told to stop; what is under way is broken off then, and made up later."""
        while not stopping.is_set():
            night = night_of(self._knowledge.now_us())
            if night != self._done:
                if await unless(stopping, self._night()):
                    self._done = night
                else:
                    await rest(stopping, RETRY_S)
            await rest(stopping, LOOK_EVERY_S)

    async def _night(self) -> bool:
        """Work through one night; say whether all of it was done."""
        run_id = await self._connection.fetchval(QUERIES["begin_run"], self._now())
        try:
            async with store.closing_alone(self._connection):
                done = await self._close()
            failure = next(iter(done.failed.values()), "")
        except Exception as error:
            if self._connection.is_closed() or is_outage(error):
                raise  # the process ends, and what is due is closed once it runs again
            _log.exception("closing days failed")
            done, failure = Closed(), f"{type(error).__name__}: {said(error)}"
        await self._connection.execute(QUERIES["end_run"], run_id, self._now(), done.changed, failure)
        self._metrics.failures.inc(bool(failure))
        return not failure

    async def _close(self) -> Closed:
        job = Job(await asyncio.to_thread(Terms.of, self._knowledge.context), self._knowledge.now_us)
        total, waiting = Closed(), 0
        yesterday = civil_day(job.now_us()) - timedelta(days=1)
        for ago in range(OLDEST_DAYS, -1, -1):
            done = await store.close(self._connection, yesterday - timedelta(days=ago), job)
            self._metrics.closed.inc(done.changed)
            total.add(done)
            waiting += sum(wait is not Wait.NOT_OVER for wait in done.waits.values()) + len(done.failed)
        self._metrics.waiting.set(waiting)
        await restating.restate_due(self._connection, job)
        return total

    def _now(self) -> datetime:
        return to_datetime(self._knowledge.now_us())


def civil_day(time_us: int) -> date:
    """Return the civil day of a time, microseconds since 1970."""
    return to_datetime(time_us).astimezone(CIVIL_ZONE).date()


def night_of(time_us: int) -> date:
    """Return the civil day in whose night we are: it begins at `BEGINS`."""
    return (to_datetime(time_us).astimezone(CIVIL_ZONE) - BEGINS).date()
