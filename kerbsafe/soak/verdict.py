"""Whether the store holds what was sent, once, and says of it what an undisturbed run would say."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts.episodes import turn_records
from alerts.episodes.episodes import collect
from alerts.knowledge import Knowledge
from alerts.live import replay
from alerts.rules.camera.conflicts import NO_SIGHTS, Sights
from alerts.words.transitions import OF_ARRIVAL
from fleet import tracks
from fleet.columns import Fixes
from fleet.tracks import Span
from fleet.units import MICROSECONDS, to_us
from kerbsafe.soak import QUERIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import asyncpg
    from numpy.typing import NDArray

    from alerts.in_force.context import Context
    from fleet.columns import CameraEvents
    from kerbsafe.soak.course import Course

ALL_TIME_US = (0, 2**52)
#: What bytes without meaning are rejected as, and what is dated far ahead.
REASONS = frozenset({"not_utf8", "malformed_json", "empty_payload"})
FUTURE = "future"
#: What a gap tells of may have been due so long before it: a device that connects again is late by that.
DUE_BEFORE_US = 10 * MICROSECONDS
_VEHICLES_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. All but the first group is 0 when all is well."""

    sent: int
    received: int
    duplicates: int
    rejected: int
    episodes: int
    conflicts: int
    turns: int
    #: How often it was told that the broker may have lost messages, and what is missing of those times.
    gaps: int
    lost_and_told: int

    unbalanced_batches: int
    #: Fixes that were sent and are not stored, though no gap tells of them; that are stored with another
    #: content, or were never sent.
    missing: int
    altered: int
    #: The same of camera events.
    camera_missing: int
    camera_altered: int
    #: Observations that the ledger calls stored and that are not there, or the other way round.
    doubles: int
    #: What had to be rejected and was not, and rejects of something else.
    unexpected_rejects: int
    #: Episodes and turns of an undisturbed run that are not there, and those that should not be.
    judgements_missing: int
    judgements_wrong: int
    #: Alerts that wait for a person though their episode was withdrawn.
    wrong_alerts: int
    unsettled: int

    @property
    def faults(self) -> dict[str, int]:
        """What is wrong; empty if all is well."""
        names = list(asdict(self))
        wrong = names[names.index("unbalanced_batches") :]
        return {name: getattr(self, name) for name in wrong if getattr(self, name)}


async def judge(connection: asyncpg.Connection, course: Course) -> Verdict:
    """Compare the store, drained by the settler, with a course. Reads only."""
    rows = await connection.fetch(QUERIES["vehicles"], course.codes)
    vehicle_id = np.array([row["vehicle_id"] for row in rows], np.int32)
    gaps_us = await read_gaps(connection)
    sent = replace(course.fixes, vehicle_id=vehicle_id[course.fixes.vehicle_id])
    fixes = _compared(sent, await _stored(connection, vehicle_id), course.fixes_at_us, gaps_us)
    seen = replace(course.camera, vehicle_id=vehicle_id[course.camera.vehicle_id])
    camera = await _compared_camera(connection, seen, gaps_us)
    ledger = await connection.fetchrow(QUERIES["ledger"])
    rejects = {row["reason"]: row["observations"] for row in await connection.fetch(QUERIES["rejects"])}
    context = (await Knowledge.read(connection)).context
    sights = Sights(seen.take(camera.kept), NO_SIGHTS.health, gaps_us)
    expected = expected_of(sent.take(fixes.kept), context, sights)
    found = await _judged(connection)
    return Verdict(
        sent=len(sent),
        received=ledger["received"],
        duplicates=ledger["duplicates"],
        rejected=ledger["rejected"],
        episodes=sum(row[1] != "right_turn" for row in expected),
        conflicts=sum(row[1] == "conflict" for row in expected),
        turns=sum(row[1] == "right_turn" for row in expected),
        gaps=len(gaps_us),
        lost_and_told=fixes.told + camera.told,
        unbalanced_batches=ledger["unbalanced"],
        missing=fixes.missing,
        altered=fixes.altered,
        camera_missing=camera.missing,
        camera_altered=camera.altered,
        doubles=abs(ledger["stored"] - await connection.fetchval(QUERIES["observations"])),
        unexpected_rejects=_unexpected(rejects, course, lossless=not len(gaps_us)),
        judgements_missing=len(expected - found),
        judgements_wrong=len(found - expected),
        wrong_alerts=await connection.fetchval(QUERIES["wrong_alerts"]),
        unsettled=await connection.fetchval(QUERIES["unsettled"]),
    )


async def read_gaps(connection: asyncpg.Connection) -> NDArray[np.int64]:
    """Return when messages may have been lost on their way, one [from, until] a row."""
    rows = await connection.fetch(QUERIES["gaps"])
    return np.array([(to_us(row["from_at"]), to_us(row["until_at"])) for row in rows], np.int64).reshape(
        -1, 2
    )


def _unexpected(rejects: Mapping[str, int], course: Course, *, lossless: bool) -> int:
    """Return how many rejects are too few, or of something else."""
    meaningless = sum(count for reason, count in rejects.items() if reason in REASONS)
    future = rejects.get(FUTURE, 0)
    others = sum(rejects.values()) - meaningless - future
    if not course.refused:
        others, future = others + future, 0
    if not lossless:
        return others
    return others + max(0, course.garbage - meaningless) + max(0, course.refused - future)


def expected_of(fixes: Fixes, context: Context, sights: Sights = NO_SIGHTS) -> set[tuple[Any, ...]]:
    """Return what an undisturbed run ends in: the engine over what was sent, complete and in order."""
    judgement = replay.settled(fixes, context, sights)
    episodes = {
        (e.vehicle_id, e.rule_name, e.mode, e.started_us, e.ended_us, e.severity, e.peak, e.limit, "settled")
        for e in collect(judgement.transitions, context.rulebooks)
        if e.rule not in OF_ARRIVAL
    }
    turns = {
        (t.vehicle_id, "right_turn", t.entered_us, t.exited_us, t.reason, t.armed, t.conflicts, "settled")
        for t in turn_records.collect(judgement.turns, context.rulebooks)
    }
    return episodes | turns


async def _judged(connection: asyncpg.Connection) -> set[tuple[Any, ...]]:
    """Return what stands; rules of arrival judge the disturbance itself."""
    episodes = {
        (
            row["vehicle_id"],
            row["rule"],
            row["mode"],
            to_us(row["started_at"]),
            None if row["ended_at"] is None else to_us(row["ended_at"]),
            row["severity"],
            row["peak"],
            row["limit_value"],
            row["status"],
        )
        for row in await connection.fetch(QUERIES["judged"], [rule.name.lower() for rule in OF_ARRIVAL])
    }
    turns = {
        (
            row["vehicle_id"],
            "right_turn",
            to_us(row["entered_at"]),
            to_us(row["exited_at"]),
            row["reason"],
            row["armed"],
            row["conflicts"],
            row["status"],
        )
        for row in await connection.fetch(QUERIES["turns"])
    }
    return episodes | turns


async def _stored(connection: asyncpg.Connection, vehicle_id: np.ndarray) -> Fixes:
    parts = []
    for begin in range(0, len(vehicle_id), _VEHICLES_AT_ONCE):
        some = vehicle_id[begin : begin + _VEHICLES_AT_ONCE].tolist()
        parts.append(await tracks.read_spans(connection, [Span(one, *ALL_TIME_US) for one in some]))
    return Fixes.concat(parts)


class _Compared(NamedTuple):
    """What became of observations."""

    #: (sent,) of those that were sent: they are stored, or should be.
    kept: NDArray[np.bool_]
    #: Not stored: of a time that a gap tells of, and of none.
    told: int
    missing: int
    #: Stored otherwise than they were sent, or never sent.
    altered: int


def _compared(sent: Fixes, stored: Fixes, due_us: NDArray[np.int64], gaps_us: NDArray[np.int64]) -> _Compared:
    """Compare fixes; `due_us` is when each was to be sent."""
    kinds = [("vehicle_id", "i4"), ("time_us", "i8")]
    keys = [_rows(fixes, kinds) for fixes in (sent, stored)]
    whole = [_rows(fixes, list(Fixes.dtypes().items())) for fixes in (sent, stored)]
    altered = int((~np.isin(whole[1], whole[0])).sum())
    return counted(np.isin(keys[0], keys[1]), due_us, gaps_us, altered)


async def _compared_camera(
    connection: asyncpg.Connection, sent: CameraEvents, gaps_us: NDArray[np.int64]
) -> _Compared:
    rows = await connection.fetch(QUERIES["camera_events"])
    names = ("vehicle_id", "time_us", "event_id", "side", "target", "phase")
    columns = (getattr(sent, name).tolist() for name in names)
    whole = list(zip(*columns, strict=True))
    stored = {(row["vehicle_id"], to_us(row["time"]), *tuple(row)[2:]) for row in rows}
    keys = {row[:3] for row in stored}
    is_stored = np.array([row[:3] in keys for row in whole], np.bool_)
    return counted(is_stored, sent.time_us, gaps_us, len(stored - set(whole)))


def counted(
    stored: NDArray[np.bool_], due_us: NDArray[np.int64], gaps_us: NDArray[np.int64], altered: int
) -> _Compared:
    """Tell what is missing of a time that a gap tells of from the rest."""
    told = ~stored & is_told(due_us, gaps_us)
    return _Compared(~told, int(told.sum()), int((~stored & ~told).sum()), altered)


def is_told(due_us: NDArray[np.int64], gaps_us: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark what was due at a time that a gap tells of."""
    told = np.zeros(len(due_us), np.bool_)
    for from_us, until_us in gaps_us.tolist():
        told |= (due_us >= from_us - DUE_BEFORE_US) & (due_us <= until_us)
    return told


def _rows(fixes: Fixes, kinds: list[tuple[str, str]]) -> np.ndarray:
    """Return rows as opaque values that can be compared."""
    rows = np.empty(len(fixes), np.dtype(kinds))
    for name, _ in kinds:
        rows[name] = getattr(fixes, name)
    return np.asarray(rows.view(f"V{rows.dtype.itemsize}") if len(rows) else rows.view("V1")[:0])
