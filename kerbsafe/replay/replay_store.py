"""Replaying what is stored, and comparing it with what was raised: `kerbsafe replay --from --to`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts.episodes import comparison
from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebooks
from alerts.knowledge import Knowledge
from alerts.live import replay
from alerts.store import store, stored, turn_store
from fleet import tracks
from fleet.db import Queries
from fleet.tracks import Span
from fleet.units import to_datetime, to_us
from kerbsafe.replay import replay_rows
from kerbsafe.rulebook import alert_budget
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    import asyncpg
    from numpy.typing import NDArray

    from alerts.episodes.comparison import Difference
    from alerts.episodes.episodes import Episode
    from alerts.episodes.turn_records import Turn
    from alerts.in_force.rulebooks import Rulebook
    from alerts.in_force.watch import Watch
    from alerts.live.replay import Arrival
    from alerts.words.transitions import Judgement
    from fleet.directory import Directory

    Found = tuple[list[Episode], list[Turn]]

QUERIES = Queries(Path(__file__).with_name("replay.sql"))
#: No accepted fix is further ahead of the clock, nor older on arrival when it is judged at once.
_AHEAD, _LONGEST_HORIZON = timedelta(days=2), timedelta(hours=1)


class Wanted(NamedTuple):
    """What to replay."""

    since: datetime
    until: datetime
    #: Code; None: all.
    vehicle: str | None
    is_as_arrived: bool
    #: Compare with the rows in the `store`, or with what `live` said; None: do not.
    compare: str | None
    #: Instead of what is in force; None: what is.
    rules: Rulebook | None
    fences: Watch | None


async def rows(wanted: Wanted) -> list[dict[str, Any]]:
    """Return what was found, or what differs, as rows to print."""
    async with database("replay") as connection:
        knowledge = await Knowledge.read(connection)
        directory = knowledge.directory()
        vehicles = _vehicles(wanted, directory)
        context = context_of(wanted.rules, wanted.fences, knowledge, directory)
        stage = _Stage(connection, context, wanted)
        spans = await stage.whole_segments(vehicles, to_datetime(knowledge.now_us()) + _AHEAD)
        found = await stage.replayed(spans, as_arrived=wanted.is_as_arrived)
        if wanted.compare is None:
            made = [_row(one, directory) for one in replay_rows.in_order(found)]
        else:
            made = [_difference(one, directory) for one in await stage.differences(spans, found)]
    duration_s = (wanted.until - wanted.since).total_seconds()
    return made + alert_budget.budget(found[0], len(vehicles), duration_s)


def _vehicles(wanted: Wanted, directory: Directory) -> list[int]:
    if wanted.vehicle is None:
        return sorted(directory.vehicles.values())
    return [directory.vehicle_id(wanted.vehicle)]


def context_of(
    rules: Rulebook | None, watch: Watch | None, knowledge: Knowledge, directory: Directory
) -> Context:
    """Return what is judged by: what is in force, but for a rulebook or fences that are given."""
    rulebooks = knowledge.rulebooks
    if rules is not None:
        rulebooks = Rulebooks([rules], {code: id_ for id_, code in directory.companies.items()})
    fences = knowledge.context.fences if watch is None else watch
    return Context(rulebooks, knowledge.context.facts, fences, knowledge.context.unqualified)


def _row(found: Episode | Turn, directory: Directory) -> dict[str, Any]:
    code = directory.vehicle_code(found.vehicle_id)
    return replay_rows.row(found, code, code, 0)


def _difference(one: Difference, directory: Directory) -> dict[str, Any]:
    code = directory.vehicle_code(one.row.vehicle_id)
    return replay_rows.difference(one, code, code)


class _Stage(NamedTuple):
    """A database, what to judge by, and what was asked for."""

    connection: asyncpg.Connection
    context: Context
    wanted: Wanted

    async def whole_segments(self, vehicles: Sequence[int], latest: datetime) -> list[Span]:
        """Return the time of each vehicle in which every segment that meets what was asked for lies whole."""
        latest = max(latest, self.wanted.until)
        arguments = vehicles, self.wanted.since, self.wanted.until, latest
        found = await self.connection.fetch(QUERIES["whole_segments"], *arguments)
        return [Span(row["vehicle"], to_us(row["since"]), to_us(row["till"])) for row in found]

    async def replayed(self, spans: Sequence[Span], *, as_arrived: bool) -> Found:
        """Judge the spans; return what begins in the time that was asked for."""
        judgement = await (self._as_arrived(spans) if as_arrived else self._settled(spans))
        judged, turns = replay_rows.collect(judgement, self.context.rulebooks)
        return (
            [one for one in judged if self._is_wanted(one.started_us)],
            [one for one in turns if self._is_wanted(one.entered_us)],
        )

    def _is_wanted(self, time_us: int) -> bool:
        return to_us(self.wanted.since) <= time_us < to_us(self.wanted.until)

    async def _settled(self, spans: Sequence[Span]) -> Judgement:
        # With the first fix of what follows, as the settler reads it: that ends a segment.
        whole = [span._replace(until_us=span.until_us + 1) for span in spans]
        now_us = to_us(self.wanted.until)
        seen = await stored.read_sights(self.connection, whole, self.context.rulebooks, now_us)
        return replay.settled(await tracks.read_spans(self.connection, whole), self.context, seen)

    async def _as_arrived(self, spans: Sequence[Span]) -> Judgement:
        if not spans:
            return replay.as_arrived((), self.context)
        vehicles = [span.vehicle_id for span in spans]
        since = to_datetime(min(span.from_us for span in spans))
        until = to_datetime(max(span.until_us for span in spans)) + _LONGEST_HORIZON
        arrivals = await stored.read_arrivals(self.connection, vehicles, since, until)
        begins_us = np.zeros(max(vehicles) + 1, np.int64)
        begins_us[vehicles] = [span.from_us for span in spans]
        return replay.as_arrived(_from(arrivals, begins_us), self.context)

    async def differences(self, spans: Sequence[Span], found: Found) -> list[Difference]:
        """Compare with what is stored, or with what live said."""
        judged, turns = found
        if self.wanted.compare == "live":
            before, turns_before = await self.replayed(spans, as_arrived=True)
            both = comparison.between(before, judged), comparison.turns_between(turns_before, turns)
        else:
            ignore = frozenset() if self.wanted.rules is None else frozenset({"rulebook"})
            asked = [span._replace(**self._asked()) for span in spans]
            rows = await store.episodes_between(self.connection, asked)
            turn_rows = await turn_store.between(self.connection, asked)
            episodes = [row for own in rows.values() for row in own]
            entered = [row for own in turn_rows.values() for row in own]
            if self.wanted.is_as_arrived:
                both = (
                    comparison.with_raised(episodes, judged, ignore),
                    comparison.turns_raised(entered, turns, ignore),
                )
            else:
                both = (
                    comparison.with_episodes(episodes, judged, ignore),
                    comparison.turns(entered, turns, ignore),
                )
        return [*both[0], *both[1]]

    def _asked(self) -> dict[str, int]:
        return {"from_us": to_us(self.wanted.since), "until_us": to_us(self.wanted.until)}


def _from(arrivals: Iterable[Arrival], begins_us: NDArray[np.int64]) -> Iterator[Arrival]:
    """Leave out what is older than the segment that each vehicle is in where the replay begins.

    A batch of which nothing remains is left out whole: it must not become a tick.
    """
    for arrival in arrivals:
        fixes = arrival.fixes
        kept = fixes.take(fixes.time_us >= begins_us[fixes.vehicle_id])
        if len(kept) or not len(fixes) or len(arrival.sights):
            yield arrival._replace(fixes=kept)
