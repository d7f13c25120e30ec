"""The settler: judges ended and dirty segments again from the complete record, and replaces what live said.

The same engine is folded from a blank state over stored fixes, many vehicles side by side, in one
REPEATABLE READ snapshot; its verdict is written in the same transaction, and exactly the dirty rows
that were read are deleted. A segment that still runs is judged up to a horizon ago: there the settler
adds what live has missed, and leaves the hot path's rows alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import asyncpg
import numpy as np

from alerts import engine, matching, motion, replay, store, turn_records, turn_store
from alerts.episodes import Episode, collect
from alerts.store import QUERIES, FeedEntry
from alerts.stretches import Dirty, Segment, extended, first_stretch, inside
from alerts.transitions import Judgement, Rule, SegmentStarts
from fleet import tracks
from fleet.tracks import Span
from fleet.units import MICROSECONDS, to_datetime, to_us

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alerts.engine import Context
    from alerts.rulebook import Rulebooks
    from alerts.state import EngineState
    from alerts.stretches import Stretch
    from alerts.turn_records import Turn
    from fleet.columns import Fixes

#: Vehicles judged side by side in one transaction.
VEHICLES_AT_ONCE = 64
#: A segment that still runs is looked at again after this.
RUNNING_PAUSE_S = 60
DAY_US = 86_400 * MICROSECONDS
#: Give up a row that somebody else holds, and come back.
LOCK_TIMEOUT_MS = 2000
#: Checkpoints may be this old, so rest is believed only this much later.
CHECKPOINT_AGE_S = 60

_ALWAYS_US = -(2**62)

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

    def add(self, other: Settled) -> None:
        """Add what another round did."""
        self.vehicles += other.vehicles
        self.fixes += other.fixes
        self.segments += other.segments
        for verdict, count in other.verdicts.items():
            self.verdicts[verdict] = self.verdicts.get(verdict, 0) + count

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
            drain,
            paused,
            VEHICLES_AT_ONCE,
        )
        if not rows:
            return None
        vehicles = [row["vehicle_id"] for row in rows]
        while True:
            try:
                async with connection.transaction(isolation="repeatable_read"):
                    await connection.execute(f"set local lock_timeout = {LOCK_TIMEOUT_MS:d}")
                    return await self._settle(connection, vehicles, now_us, drain=drain)
            except _RETRY:
                continue  # the hot path holds a row, or has just written it: read again

    async def _settle(
        self, connection: asyncpg.Connection, vehicles: Sequence[int], now_us: int, *, drain: bool
    ) -> Settled:
        dirty = await _dirty_of(connection, vehicles)
        segments = await _segments_of(connection, vehicles, now_us, self.due_after(now_us), drain=drain)
        wanted = [
            stretch
            for vehicle in vehicles
            if (stretch := first_stretch(vehicle, segments.get(vehicle, []), dirty.get(vehicle, [])))
        ]
        # A drain takes fixes that lie ahead of the clock as well; no accepted fix is further ahead.
        ahead_us = 2 * DAY_US if drain else -round(self.horizon_s(now_us) * MICROSECONDS)
        settled, feed = Settled(), []
        while wanted:
            record = await self._judge(connection, wanted, now_us + ahead_us)
            settled.fixes += len(record.fixes)
            for stretch in (agreed := [stretch for stretch in wanted if record.agrees(stretch)]):
                rests = drain or self._rests(record.state, stretch.vehicle_id, now_us)
                part = record.part(stretch, rests=rests)
                if not rests and stretch.boundary_us is None:
                    self._paused_us[stretch.vehicle_id] = now_us + RUNNING_PAUSE_S * MICROSECONDS
                    known = [s.started_us for s in segments.get(stretch.vehicle_id, []) if s.ended_us is None]
                    if known and part.running_us not in known:
                        continue  # the hot path has yet to end its segment: settle when it has
                feed += await self._write(
                    connection, part, dirty.get(stretch.vehicle_id, []), settled, now_us
                )
            wanted = [extended(s, segments.get(s.vehicle_id, [])) for s in wanted if s not in agreed]
        await store.append_feed(connection, feed, now_us)
        return settled

    def _rests(self, state: EngineState, vehicle_id: int, now_us: int) -> bool:
        """Say whether the last segment of a folded record is over: motion would begin another."""
        slot = state.slots(np.array([vehicle_id], np.int32))[0]
        newest_us = max(int(state.motion["motion_us"][slot]), int(state.motion["segment_us"][slot]))
        if newest_us == motion.NEVER:
            return False  # nothing of it is old enough yet
        return to_datetime(now_us) - to_datetime(newest_us) >= self.due_after(now_us)

    async def _judge(
        self, connection: asyncpg.Connection, wanted: Sequence[Stretch], until_us: int
    ) -> _Record:
        spans = [
            Span(s.vehicle_id, s.from_us, until_us if s.boundary_us is None else s.boundary_us + 1)
            for s in wanted
        ]
        fixes = await tracks.read_spans(connection, spans)
        state, judgement = replay.fold(fixes, self.context)
        ended = engine.tick(state, replay.END_OF_TIME_US, self.context)
        rulebooks = self.context.rulebooks
        return _Record(
            fixes,
            state,
            judgement.segments,
            running=_Said.by(judgement, rulebooks),
            complete=_Said.by(Judgement.join([judgement, ended]), rulebooks),
            until_us=until_us,
        )

    async def _write(
        self,
        connection: asyncpg.Connection,
        part: _Part,
        dirty: Sequence[Dirty],
        settled: Settled,
        now_us: int,
    ) -> list[FeedEntry]:
        """Replace what is stored of one stretch by its settled judgement."""
        vehicle_id, from_us = part.stretch.vehicle_id, part.stretch.from_us
        stored = await store.episodes_between(connection, vehicle_id, from_us, part.end_us)
        # A rule that failed has said nothing, which is not to say that there was nothing.
        stored = [row for row in stored if row.rule not in part.unjudged]
        before = [row for row in stored if row.started_us < part.settled_until_us]
        after = [row for row in stored if row.started_us >= part.settled_until_us]
        settlements = matching.settle(before, part.settled.episodes)
        missed = matching.missed(after, part.running.episodes)
        feed = await store.write_settled(connection, settlements, self.context, now_us)
        feed += await store.write_settled(connection, missed, self.context, now_us, status="provisional")
        await self._write_turns(connection, part, now_us)
        await store.write_segments(
            connection,
            vehicle_id,
            from_us=from_us,
            until_us=part.settled_until_us,
            starts=part.segment_starts,
            follows_us=part.running_us if part.stretch.boundary_us is None else part.stretch.boundary_us,
            at_us=now_us,
        )
        done = inside(part.stretch, dirty, judged_until_us=part.end_us)
        await connection.execute(QUERIES["clean"], done)
        settled.vehicles += 1
        settled.segments += len(part.segment_starts)
        settled.count([*settlements, *missed])
        return feed

    async def _write_turns(self, connection: asyncpg.Connection, part: _Part, now_us: int) -> None:
        if Rule.RIGHT_TURN_FAST in part.unjudged:
            return
        stored = await turn_store.between(
            connection, part.stretch.vehicle_id, part.stretch.from_us, part.end_us
        )
        before = [row for row in stored if row.turn.entered_us < part.settled_until_us]
        after = [row for row in stored if row.turn.entered_us >= part.settled_until_us]
        settlements = turn_records.settle(before, part.settled.turns)
        missed = turn_records.missed(after, part.running.turns)
        await turn_store.write_settled(connection, settlements, self.context, now_us)
        await turn_store.write_settled(connection, missed, self.context, now_us, status="provisional")


class _Said(NamedTuple):
    """What the engine says of some record."""

    episodes: list[Episode]
    turns: list[Turn]

    @classmethod
    def by(cls, judgement: Judgement, rulebooks: Rulebooks) -> _Said:
        """Return what a judgement adds up to."""
        episodes = collect(judgement.transitions, rulebooks)
        return cls(episodes, turn_records.collect(judgement.turns, rulebooks))

    def of(self, vehicle_id: int, from_us: int, until_us: int) -> _Said:
        """Return what began with one vehicle in [from_us, until_us)."""
        return _Said(
            [e for e in self.episodes if e.vehicle_id == vehicle_id and from_us <= e.started_us < until_us],
            [t for t in self.turns if t.vehicle_id == vehicle_id and from_us <= t.entered_us < until_us],
        )


class _Record(NamedTuple):
    """What the complete record of some stretches shows."""

    fixes: Fixes
    state: EngineState
    segments: SegmentStarts
    #: If the record goes on after its last fix, and if nothing follows it.
    running: _Said
    complete: _Said
    until_us: int

    def starts(self, vehicle_id: int) -> list[int]:
        """Return when a vehicle's segments begin."""
        return sorted(self.segments.started_us[self.segments.vehicle_id == vehicle_id].tolist())

    def agrees(self, stretch: Stretch) -> bool:
        """Say whether the segment after the stretch still begins where it is stored to begin."""
        return stretch.boundary_us is None or stretch.boundary_us in self.starts(stretch.vehicle_id)

    def part(self, stretch: Stretch, *, rests: bool) -> _Part:
        """Return what is said of one stretch; of a vehicle on the move, its last segment stays open."""
        is_running = stretch.boundary_us is None and not rests
        end_us = self.until_us if stretch.boundary_us is None else stretch.boundary_us
        starts = [start for start in self.starts(stretch.vehicle_id) if start < end_us]
        settled_until_us = starts[-1] if is_running and starts else end_us
        return _Part(
            stretch,
            segment_starts=[start for start in starts if start < settled_until_us],
            settled=self.complete.of(stretch.vehicle_id, _ALWAYS_US, settled_until_us),
            running=self.running.of(stretch.vehicle_id, settled_until_us, replay.END_OF_TIME_US),
            unjudged=engine.unjudged(self.state),
            settled_until_us=settled_until_us,
            running_us=settled_until_us if is_running and starts else None,
            end_us=end_us,
        )


class _Part(NamedTuple):
    """The judgement of one stretch."""

    stretch: Stretch
    segment_starts: list[int]
    settled: _Said
    #: Of a segment that still runs, from `running_us` on.
    running: _Said
    #: Rules that failed on this record: their rows are left as they are.
    unjudged: frozenset[Rule]
    settled_until_us: int
    running_us: int | None
    end_us: int


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
