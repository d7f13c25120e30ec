"""The settler: judges ended and dirty segments again from the complete record, and replaces what live said.

The same engine is folded from a blank state over stored fixes, many vehicles side by side, in one
REPEATABLE READ snapshot; its verdict is written in the same transaction, and exactly the dirty rows
that were read are deleted. Of a segment that still runs, what began more than a horizon ago is judged:
there the settler adds what live has missed, and leaves the hot path's rows alone. What it has added and
goes on it follows: a new dirty row has it look again, until it has ended.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import numpy as np

from alerts import matching, motion, store, stored, turn_records, turn_store
from alerts.record import Part, Reach, Record
from alerts.store import QUERIES, FeedEntry, SettledSegments
from alerts.stretches import Dirty, Segment, extended, first_stretch, inside
from alerts.transitions import OF_ARRIVAL, Rule
from fleet import tracks
from fleet.columns import Fixes
from fleet.tracks import Span
from fleet.units import MICROSECONDS, to_datetime, to_us

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from alerts.context import Context
    from alerts.state import EngineState
    from alerts.stretches import Stretch

#: Vehicles judged side by side in one transaction: the more there are, the less each costs. Their fixes are
#: read by so many vehicles, until there are enough: an hour of 200 trucks is judged in one go.
VEHICLES_AT_ONCE, VEHICLES_READ, FIXES_AT_ONCE = 1024, 64, 750_000
#: After a conflict with the hot path, this share of the vehicles is tried.
FEWER = 4
#: A segment that still runs is looked at again after this, and after this share of its length: whoever is
#: late for ever has it judged from its beginning each time.
RUNNING_PAUSE_S, RUNNING_PAUSE_SHARE = 60, 0.05
#: While a vehicle uploads, it is left alone until it pauses, or has waited for so long: each piece would
#: have its whole segment judged again.
UPLOAD_PAUSE, UPLOAD_PATIENCE = timedelta(seconds=5), timedelta(seconds=60)
DAY_US = 86_400 * MICROSECONDS
#: Give up a row that somebody else holds, and come back.
LOCK_TIMEOUT_MS = 2000
#: Checkpoints may be this old, so rest is believed only this much later.
CHECKPOINT_AGE_S = 60

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
    segments: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    #: What cameras saw, by what became of it (`conflicts.OUTCOMES`).
    detections: dict[str, int] = field(default_factory=dict)

    def add(self, other: Settled) -> None:
        """Add what another round did."""
        self.vehicles += other.vehicles
        self.fixes += other.fixes
        self.segments += other.segments
        for verdict, count in other.verdicts.items():
            self.verdicts[verdict] = self.verdicts.get(verdict, 0) + count
        self.count_detections(other.detections)

    def count_detections(self, outcomes: Mapping[str, int]) -> None:
        """Count what became of what cameras saw."""
        for outcome, count in outcomes.items():
            self.detections[outcome] = self.detections.get(outcome, 0) + count

    def count(self, settlements: Sequence[matching.Settlement]) -> None:
        """Count the verdicts of some settlements."""
        for settlement in settlements:
            self.verdicts[settlement.verdict] = self.verdicts.get(settlement.verdict, 0) + 1


class Settler:
    """Settles round by round. Holds nothing but which running segments were looked at lately."""

    def __init__(self, context: Callable[[], Context]) -> None:
        self._context = context
        #: Vehicle -> event time until which it is left alone.
        self._paused_us: dict[int, int] = {}

    @property
    def context(self) -> Context:
        """The registry and the rulebooks as they are known now."""
        return self._context()

    def horizon_s(self, now_us: int) -> float:
        """Return how old a record must be for the settler to trust that it is complete."""
        version = self.context.rulebooks.at(np.array([now_us], np.int64))
        return float(self.context.rulebooks.numbers("live", version)["horizon_s"])

    def due_after(self, now_us: int) -> timedelta:
        """Return how long a vehicle must have been at rest before its last segment is settled."""
        version = self.context.rulebooks.at(np.array([now_us], np.int64))
        rest_s = float(self.context.rulebooks.numbers("motion", version)["rest_s"])
        return timedelta(seconds=rest_s + self.horizon_s(now_us) + CHECKPOINT_AGE_S)

    async def round(
        self, connection: asyncpg.Connection, now_us: int, *, drain: bool = False
    ) -> Settled | None:
        """Settle what has waited longest; None when nothing waits. `drain` settles all, whatever its age."""
        self._paused_us = {v: until for v, until in self._paused_us.items() if until > now_us}
        paused = [] if drain else list(self._paused_us)
        rows = await connection.fetch(
            QUERIES["work"],
            to_datetime(now_us),
            timedelta(seconds=self.horizon_s(now_us)),
            self.due_after(now_us),
            UPLOAD_PAUSE,
            UPLOAD_PATIENCE,
            drain,
            paused,
            VEHICLES_AT_ONCE,
        )
        if not rows:
            return None
        vehicles = [row["vehicle_id"] for row in rows]
        while True:
            left_alone: dict[int, int] = {}
            try:
                async with connection.transaction(isolation="repeatable_read"):
                    await connection.execute(f"set local lock_timeout = {LOCK_TIMEOUT_MS:d}")
                    settled = await self._settle(connection, vehicles, now_us, left_alone, drain=drain)
            except _RETRY:
                # The hot path holds a row, or has just written it: read again, of fewer vehicles.
                if len(vehicles) == 1 and not drain:
                    self._paused_us[vehicles[0]] = now_us + RUNNING_PAUSE_S * MICROSECONDS
                    return Settled()
                vehicles = vehicles[: max(1, len(vehicles) // FEWER)]
            else:
                self._paused_us |= left_alone
                return settled

    async def _settle(
        self,
        connection: asyncpg.Connection,
        vehicles: Sequence[int],
        now_us: int,
        left_alone: dict[int, int],
        *,
        drain: bool,
    ) -> Settled:
        """Settle vehicles in the present transaction; `left_alone` notes whom not to look at, until when."""
        dirty = await _dirty_of(connection, vehicles)
        segments = await _segments_of(connection, vehicles, now_us, self.due_after(now_us), drain=drain)
        wanted = [
            stretch
            for vehicle in vehicles
            if (stretch := first_stretch(vehicle, segments.get(vehicle, []), dirty.get(vehicle, [])))
        ]
        # A drain takes fixes that lie ahead of the clock as well; no accepted fix is further ahead.
        horizon_us = round(self.horizon_s(now_us) * MICROSECONDS)
        reach = (
            Reach(now_us + 2 * DAY_US, now_us + 2 * DAY_US) if drain else Reach(now_us - horizon_us, now_us)
        )
        settled, parts = Settled(), list[Part]()
        wanted, fixes = await _read_some(connection, wanted, reach.seen_us)
        while wanted:
            # Seconds of work for a city: meanwhile the process answers, and can be told to stop.
            spans = _spans(wanted, reach.seen_us)
            seen = await stored.read_sights(connection, spans, self.context.rulebooks, now_us)
            record = await asyncio.to_thread(Record.judge, fixes, seen, self.context, reach)
            settled.fixes += len(record.fixes)
            settled.count_detections(record.state.sightings.outcomes)
            for stretch in (agreed := [stretch for stretch in wanted if record.agrees(stretch)]):
                rests = drain or self._rests(record.state, stretch.vehicle_id, now_us)
                part = record.part(stretch, rests=rests)
                if not rests and stretch.boundary_us is None:
                    left_alone[stretch.vehicle_id] = now_us + _pause_us(stretch, now_us)
                    known = [s.started_us for s in segments.get(stretch.vehicle_id, []) if s.ended_us is None]
                    if known and part.running_us not in known:
                        continue  # the hot path has yet to end its segment: settle when it has
                parts.append(part)
            done = set(agreed)
            wanted = [extended(s, segments.get(s.vehicle_id, [])) for s in wanted if s not in done]
            fixes = await tracks.read_spans(connection, _spans(wanted, reach.seen_us))
        # Only now, and at once: the hot path may have to wait for rows that we have written.
        feed = await self._write(connection, parts, dirty, settled, now_us)
        running = [part.stretch.vehicle_id for part in parts if part.is_running]
        for vehicle_id in await store.follow_added(connection, running, now_us):
            left_alone[vehicle_id] = now_us + RUNNING_PAUSE_S * MICROSECONDS
        await store.append_feed(connection, feed, now_us)
        return settled

    def _reach(self, now_us: int, *, drain: bool) -> Reach:
        """Return how far records are read."""
        if drain:
            # Fixes that lie ahead of the clock as well; no accepted fix is further ahead.
            return Reach(now_us + 2 * DAY_US, now_us + 2 * DAY_US)
        return Reach(now_us - round(self.horizon_s(now_us) * MICROSECONDS), now_us)

    def _rests(self, state: EngineState, vehicle_id: int, now_us: int) -> bool:
        """Say whether the last segment of a folded record is over: motion would begin another."""
        slot = state.slots(np.array([vehicle_id], np.int32))[0]
        newest_us = max(int(state["motion"]["motion_us"][slot]), int(state["motion"]["segment_us"][slot]))
        if newest_us == motion.NEVER:
            return False  # nothing of it is old enough yet
        return to_datetime(now_us) - to_datetime(newest_us) >= self.due_after(now_us)

    async def _write(
        self,
        connection: asyncpg.Connection,
        parts: Sequence[Part],
        dirty: Mapping[int, Sequence[Dirty]],
        settled: Settled,
        now_us: int,
    ) -> list[FeedEntry]:
        """Replace what is stored of stretches by their settled judgement, all of them at once."""
        spans = [Span(p.stretch.vehicle_id, p.stretch.from_us, p.seen_us) for p in parts]
        standing = await store.episodes_between(connection, spans)
        settlements: list[matching.Settlement] = []
        missed: list[matching.Settlement] = []
        for part in parts:
            # A rule that failed has said nothing, which is not to say that there was nothing.
            rows = [
                r
                for r in standing.get(part.stretch.vehicle_id, ())
                if r.rule not in part.unjudged | OF_ARRIVAL
            ]
            before = [row for row in rows if row.started_us < part.settled_until_us]
            after = [row for row in rows if row.started_us >= part.settled_until_us]
            settlements += matching.settle(before, part.settled.episodes)
            missed += matching.missed(after, part.running.episodes)
        feed = await store.write_settled(connection, settlements, self.context, now_us)
        feed += await store.write_settled(connection, missed, self.context, now_us, status="provisional")
        await self._write_turns(connection, parts, spans, now_us)
        await store.write_segments(
            connection,
            [
                SettledSegments(s.vehicle_id, s.from_us, p.settled_until_us, p.segment_starts, p.follows_us)
                for s, p in zip(spans, parts, strict=True)
            ],
            now_us,
        )
        done = [
            id_
            for part in parts
            for id_ in inside(
                part.stretch, dirty.get(part.stretch.vehicle_id, ()), judged_until_us=part.end_us
            )
        ]
        await connection.execute(QUERIES["clean"], done)
        settled.vehicles += len(parts)
        settled.segments += sum(len(part.segment_starts) for part in parts)
        settled.count([*settlements, *missed])
        return feed

    async def _write_turns(
        self, connection: asyncpg.Connection, parts: Sequence[Part], spans: Sequence[Span], now_us: int
    ) -> None:
        standing = await turn_store.between(connection, spans)
        settlements, missed = [], []
        for part in parts:
            if part.unjudged & {Rule.RIGHT_TURN_FAST, Rule.CONFLICT}:
                continue
            rows = standing.get(part.stretch.vehicle_id, ())
            before = [row for row in rows if row.turn.entered_us < part.settled_until_us]
            after = [row for row in rows if row.turn.entered_us >= part.settled_until_us]
            settlements += turn_records.settle(before, part.settled.turns)
            missed += turn_records.missed(after, part.running.turns)
        await turn_store.write_settled(connection, settlements, self.context, now_us)
        await turn_store.write_settled(connection, missed, self.context, now_us, status="provisional")


def _pause_us(stretch: Stretch, now_us: int) -> int:
    """Return how long a vehicle on the move is left alone."""
    return max(RUNNING_PAUSE_S * MICROSECONDS, round((now_us - stretch.from_us) * RUNNING_PAUSE_SHARE))


def _spans(wanted: Sequence[Stretch], until_us: int) -> list[Span]:
    return [
        Span(s.vehicle_id, s.from_us, until_us if s.boundary_us is None else s.boundary_us + 1)
        for s in wanted
    ]


async def _read_some(
    connection: asyncpg.Connection, wanted: Sequence[Stretch], until_us: int
) -> tuple[list[Stretch], Fixes]:
    """Read stretches until there are enough fixes; return those that were read. The others wait."""
    taken: list[Stretch] = []
    parts: list[Fixes] = []
    while len(taken) < len(wanted) and sum(map(len, parts)) < FIXES_AT_ONCE:
        group = wanted[len(taken) : len(taken) + VEHICLES_READ]
        taken += group
        parts.append(await tracks.read_spans(connection, _spans(group, until_us)))
    return taken, Fixes.concat(parts)


async def _dirty_of(connection: asyncpg.Connection, vehicles: Sequence[int]) -> dict[int, list[Dirty]]:
    found: dict[int, list[Dirty]] = {}
    for row in await connection.fetch(QUERIES["dirty_of"], vehicles):
        dirty = Dirty(row["dirty_id"], to_us(row["time"]), to_us(row["until"]))
        found.setdefault(row["vehicle_id"], []).append(dirty)
    return found


async def _segments_of(
    connection: asyncpg.Connection, vehicles: Sequence[int], now_us: int, due_after: timedelta, *, drain: bool
) -> dict[int, list[Segment]]:
    found: dict[int, list[Segment]] = {}
    for row in await connection.fetch(QUERIES["segments_of"], vehicles, to_datetime(now_us), due_after):
        ended_us = None if row["ended_at"] is None else to_us(row["ended_at"])
        at_rest = row["at_rest"] or (drain and ended_us is None)
        segment = Segment(to_us(row["started_at"]), ended_us, row["settled"], at_rest)
        found.setdefault(row["vehicle_id"], []).append(segment)
    return found
