"""The settler: judges ended and dirty segments again from the complete record, and replaces what live said.

    due vehicles --`unsettled.read`, one snapshot--> fixes, sights, and the rows that stand
                 --`Record.judge`, in a thread-----> what the complete record shows
                 --`decide`, pure------------------> what becomes of each row
                 --`settling.write`----------------> the rows; the dirty rows that were read are gone

    a stretch turns out not to end where it was cut: read again, with one more segment
    something of a vehicle was written in between: given up, it stays due and is looked at again

The same engine is folded from a blank state over stored fixes, many vehicles side by side. No transaction is
open while anything is judged: reading is one, writing another, and that deletes exactly the dirty rows that
were read, so that what came later is still due. Of a segment that still runs, what began more
than a horizon ago is judged: there the settler adds what live has missed, and leaves the hot path's rows
alone. What it has added and goes on it follows: a new dirty row has it look again, until it has ended.

A vehicle with more fixes, or more reports of its camera, than the others can wait for is set aside (`aside`):
it is judged by itself, in a lane of its own, while the others go on.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg

from alerts.settling import settling, unsettled
from alerts.settling.aside import Aside
from alerts.settling.decision import RUNNING_PAUSE_S, Terms, decide
from alerts.settling.record import Record
from alerts.settling.stretches import Stretch
from alerts.store.store import QUERIES
from fleet.units import MICROSECONDS, to_datetime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from alerts.episodes.matching import Settlement
    from alerts.in_force.context import Context
    from alerts.settling.decision import Decided, Decision
    from alerts.settling.unsettled import Reading

    #: `Record.judge`, or what a test puts in its place.
    Judge = Callable[..., Record]

#: Vehicles judged side by side in one round: the more there are, the less each costs.
VEHICLES_AT_ONCE = 1024
#: While a vehicle uploads, it is left alone until it pauses, or has waited for so long: each piece would
#: have its whole segment judged again.
UPLOAD_PAUSE, UPLOAD_PATIENCE = timedelta(seconds=5), timedelta(seconds=60)

_RETRY = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
)


@dataclass(slots=True)
class Settled:
    """What one round did."""

    vehicles: int = 0
    fixes: int = 0
    #: What cameras and units reported.
    reports: int = 0
    segments: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    #: What cameras saw, by what became of it (`conflicts.OUTCOMES`).
    detections: dict[str, int] = field(default_factory=dict)

    def add(self, other: Settled) -> None:
        """Add what another round did."""
        self.vehicles += other.vehicles
        self.fixes += other.fixes
        self.reports += other.reports
        self.segments += other.segments
        for verdict, count in other.verdicts.items():
            self.verdicts[verdict] = self.verdicts.get(verdict, 0) + count
        self.count_detections(other.detections)

    def count_detections(self, outcomes: Mapping[str, int]) -> None:
        """Count what became of what cameras saw."""
        for outcome, count in outcomes.items():
            self.detections[outcome] = self.detections.get(outcome, 0) + count

    def count(self, settlements: Sequence[Settlement]) -> None:
        """Count the verdicts of some settlements."""
        for settlement in settlements:
            self.verdicts[settlement.verdict] = self.verdicts.get(settlement.verdict, 0) + 1


class _OverError(Exception):
    """Nobody waits any longer for what is being judged."""


class Settler:
    """Settles round by round. Holds nothing but which vehicles are left alone for a while or set aside.

    `round` and `round_aside` may run side by side, each on a connection of its own: no vehicle is in both.
    """

    def __init__(
        self, context: Callable[[], Context], *, judge: Judge = Record.judge, aside: Aside | None = None
    ) -> None:
        self._context = context
        self._judge = judge
        #: Vehicle -> event time until which it is left alone.
        self._paused_us: dict[int, int] = {}
        self.aside = aside or Aside()

    def horizon(self, now_us: int) -> timedelta:
        """Return how old a record must be for the settler to trust that it is complete."""
        return _span(Terms.at(now_us, self._context(), drain=False).horizon_us)

    async def round(
        self, connection: asyncpg.Connection, now_us: int, *, drain: bool = False
    ) -> Settled | None:
        """Settle what has waited longest, of all that are not set aside; None when nothing waits.

        `drain` settles all, whatever its age.
        """
        terms = Terms.at(now_us, self._context(), drain=drain)
        vehicles = await self._due(connection, terms, VEHICLES_AT_ONCE, but=self.aside.vehicles)
        return (
            await self._settle(connection, vehicles, terms, most=self.aside.max_fixes) if vehicles else None
        )

    async def round_aside(
        self, connection: asyncpg.Connection, now_us: Callable[[], int], *, drain: bool = False
    ) -> Settled | None:
        """Settle one of those set aside, which has waited longest; None when none may be taken up."""
        terms = Terms.at(now_us(), self._context(), drain=drain)
        ready = self.aside.vehicles if drain else self.aside.ready(terms.now_us)
        vehicles = await self._due(connection, terms, 1, only=ready) if ready else []
        if not vehicles:
            return None
        settled = await self._settle(connection, vehicles, terms, most=None)
        size = max(settled.fixes, settled.reports)
        self.aside.judged(vehicles[0], size=size, began_us=terms.now_us, ended_us=now_us())
        return settled

    async def drained(
        self, connection: asyncpg.Connection, now_us: Callable[[], int]
    ) -> AsyncIterator[Settled]:
        """Settle all that is stored, whatever its age, round by round."""
        while True:
            done = await self.round(connection, now_us(), drain=True)
            done = done or await self.round_aside(connection, now_us, drain=True)
            if done is None:
                return
            yield done

    async def _due(
        self,
        connection: asyncpg.Connection,
        terms: Terms,
        most: int,
        *,
        but: Sequence[int] = (),
        only: Sequence[int] | None = None,
    ) -> list[int]:
        """Return the vehicles that have waited longest, without those that are to be left alone."""
        self._paused_us = {v: until for v, until in self._paused_us.items() if until > terms.now_us}
        rows = await connection.fetch(
            QUERIES["work"],
            to_datetime(terms.now_us),
            _span(terms.horizon_us),
            _span(terms.due_after_us),
            UPLOAD_PAUSE,
            UPLOAD_PATIENCE,
            terms.drain,
            [*but, *([] if terms.drain else self._paused_us)],
            only,
            most,
        )
        return [row["vehicle_id"] for row in rows]

    async def _settle(
        self, connection: asyncpg.Connection, vehicles: Sequence[int], terms: Terms, *, most: int | None
    ) -> Settled:
        """Read, judge and write; again with one more segment where a stretch was found not to end."""
        settled, disagreed = Settled(), dict[int, Stretch]()
        while vehicles:
            reading = await unsettled.read(connection, vehicles, disagreed, terms, most=most)
            for vehicle_id in reading.too_large:
                self.aside.add(vehicle_id)
            for vehicle_id in [*reading.too_large, *(s.vehicle_id for s in reading.stretches)]:
                disagreed.pop(vehicle_id, None)
            if not reading.stretches:
                break
            record, decision = await self._judged(reading, terms)
            settled.fixes += len(record.fixes)
            settled.reports += len(reading.sights)
            settled.count_detections(record.outcomes)
            await self._write(connection, reading, decision, terms, settled)
            disagreed |= {stretch.vehicle_id: stretch for stretch in decision.disagreed}
            vehicles = list(disagreed)
        return settled

    async def _judged(self, reading: Reading, terms: Terms) -> tuple[Record, Decision]:
        """Judge in a thread: meanwhile the process answers, and can be told to stop."""
        is_over = threading.Event()

        def go_on() -> None:
            if is_over.is_set():
                raise _OverError

        def judge() -> tuple[Record, Decision]:
            record = self._judge(reading.fixes, reading.sights, terms.context, terms.reach, go_on)
            return record, decide(record, reading.stretches, reading.segments, reading.standing, terms)

        try:
            return await asyncio.to_thread(judge)
        finally:
            is_over.set()

    async def _write(
        self,
        connection: asyncpg.Connection,
        reading: Reading,
        decision: Decision,
        terms: Terms,
        settled: Settled,
    ) -> None:
        """Write what was decided, each vehicle once; who is in the way of the hot path comes back."""
        self._paused_us |= decision.left_alone
        waiting = [sorted(decision.decided, key=lambda one: one.part.stretch.vehicle_id)]
        while waiting:
            some = waiting.pop()
            try:
                paused = await self._write_some(connection, reading, some, terms, settled)
            except _RETRY:
                # The hot path holds a row, or has just written it: try again, of fewer vehicles.
                half = len(some) // 2
                waiting += [some[half:], some[:half]] if half else []
                paused = [] if half else [one.part.stretch.vehicle_id for one in some]
            self._paused_us |= dict.fromkeys(paused, terms.now_us + RUNNING_PAUSE_S * MICROSECONDS)

    async def _write_some(
        self,
        connection: asyncpg.Connection,
        reading: Reading,
        decided: Sequence[Decided],
        terms: Terms,
        settled: Settled,
    ) -> list[int]:
        """Write in one transaction; return the vehicles that are to be looked at again, but not at once."""
        async with connection.transaction(isolation="repeatable_read"):
            await connection.execute(f"set local lock_timeout = {settling.LOCK_TIMEOUT_MS:d}")
            same = await settling.unchanged(connection, decided, reading, terms)
            added, followed = await settling.write(connection, same, reading, terms)
        settled.vehicles += len(same)
        settled.segments += sum(len(one.part.segment_starts) for one in same)
        for one in [*same, *added]:
            settled.count(one.episodes)
        kept = {one.part.stretch.vehicle_id for one in same}
        changed = (one.part.stretch.vehicle_id for one in decided)
        return [*followed, *(vehicle_id for vehicle_id in changed if vehicle_id not in kept)]


def _span(microseconds: int) -> timedelta:
    return timedelta(microseconds=microseconds)
