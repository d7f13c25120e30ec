"""Keeps the account of what the transport lost: gaps in the database, for all who ask what may be missing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from prometheus_client.core import GaugeMetricFamily

from fleet.db import Queries
from fleet.units import to_datetime, to_us
from ingest.mqtt import gaps
from ingest.mqtt.gaps import DROPPED, Gap, Known, Told, Up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import asyncpg
    from prometheus_client.metrics_core import Metric

QUERIES = Queries(Path(__file__).with_suffix(".sql"))
#: How often is looked, in real time: a gap begins at most this long before it did.
LOOK_S = 5.0

_log = structlog.get_logger("transport")


class TransportAccount:
    """Looks at the sessions and at what the broker drops, and notes what may be missing.

    Parameters
    ----------
    connection
        Ours alone.
    now_us
        The clock, microseconds since 1970.
    ups
        Takes away and returns how often each session came up since it was asked last.
    are_up
        Whether each session is up, by client id.
    told
        What the broker tells of itself; None while it does not.
    forgotten
        Set when a session came up that the broker did not know. Nobody but us can ever tell of it, so it is
        noted at once: a process that is killed meanwhile takes it along.
    """

    def __init__(
        self,
        connection: asyncpg.Connection,
        *,
        now_us: Callable[[], int],
        ups: Callable[[], Sequence[Up]],
        are_up: Callable[[], Mapping[str, bool]],
        told: Callable[[], Told | None],
        forgotten: asyncio.Event | None = None,
    ) -> None:
        self._connection = connection
        self._now_us = now_us
        self._ups, self._are_up, self._told = ups, are_up, told
        self._forgotten = forgotten or asyncio.Event()
        self._noted_s: dict[str, float] = {}

    async def keep(self, stopping: asyncio.Event) -> None:
        """Look until told to stop."""
        while not stopping.is_set():
            self._forgotten.clear()
            await self.look()
            await self._rest(stopping)

    async def _rest(self, stopping: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (stopping, self._forgotten)]
        await asyncio.wait(waits, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def look(self) -> list[Gap]:
        """Look once; return the gaps that were found and noted."""
        rows = await self._connection.fetch(QUERIES["known"])
        before = {row["name"]: Known(row["name"], to_us(row["known_at"]), row["dropped"]) for row in rows}
        now_us, told = self._now_us(), self._told()
        ups = self._ups()
        found: list[Gap] = []
        known: list[Known] = []
        for session, is_up in self._are_up().items():
            found += gaps.forgotten([up for up in ups if up.session == session], before.get(session))
            if is_up:
                known.append(Known(session, now_us))
        if told is not None:
            found += gaps.dropped(told, before.get(DROPPED), now_us)
            known.append(Known(DROPPED, now_us, told.dropped))
        async with self._connection.transaction():
            await self._note(found, known, now_us)
        for row in await self._connection.fetch(QUERIES["newest_gap"]):
            self._noted_s[row["source"]] = row["noted_s"]
        return found

    async def _note(self, found: Sequence[Gap], known: Sequence[Known], now_us: int) -> None:
        now = to_datetime(now_us)
        for gap in found:
            span = to_datetime(gap.from_us), to_datetime(gap.until_us)
            _log.error(
                "transport_gap",
                source=gap.source,
                session=gap.session,
                since=span[0].isoformat(),
                until=span[1].isoformat(),
                messages=gap.messages,
            )
            await self._connection.execute(
                QUERIES["note_gap"], gap.source, gap.session, *span, gap.messages, now
            )
            await self._connection.execute(QUERIES["judge_again"], *span, now)
        for one in known:
            await self._connection.execute(
                QUERIES["note_known"], one.name, to_datetime(one.known_us), one.dropped
            )

    def collect(self) -> Iterator[Metric]:
        """Yield when the newest gap was noted (called by prometheus-client)."""
        yield gap_metric(self._noted_s)


def gap_metric(noted_s: Mapping[str, float]) -> Metric:
    """Return when it was noted last that data may be missing, by source; absent where it never was."""
    family = GaugeMetricFamily(
        "kerbsafe_ingest_transport_gap_noted_timestamp_seconds",
        "When it was noted last that data may be missing, seconds since 1970; absent: never.",
        labels=["source"],
    )
    for source, at_s in noted_s.items():
        family.add_metric([source], at_s)
    return family
