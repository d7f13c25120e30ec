"""Whether the store holds what was sent, once, and says of it what an undisturbed run would say."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from alerts.episodes import turn_records
from alerts.episodes.episodes import collect
from alerts.knowledge import Knowledge
from alerts.live import replay
from alerts.rules.camera.conflicts import NO_SIGHTS, Sights
from alerts.words.transitions import OF_ARRIVAL
from fleet import tracks
from fleet.columns import CameraEvents, Fixes
from fleet.tracks import Span
from fleet.units import to_us
from kerbsafe.soak import QUERIES

if TYPE_CHECKING:
    import asyncpg

    from alerts.in_force.context import Context
    from kerbsafe.soak.course import Course

ALL_TIME_US = (0, 2**52)
#: What bytes without meaning are rejected as.
REASONS = frozenset({"not_utf8", "malformed_json", "empty_payload"})
_VEHICLES_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. All but the first group is 0 when all is well."""

    sent: int
    received: int
    duplicates: int
    rejected: int
    episodes: int
    turns: int

    unbalanced_batches: int
    #: Fixes that were sent and are not stored; that are stored with another content, or were never sent.
    missing: int
    altered: int
    #: Camera events that were sent and are not stored.
    camera_missing: int
    #: Observations that the ledger calls stored and that are not there, or the other way round.
    doubles: int
    #: Garbage that was not rejected, and rejects of something else.
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
    sent = _in_order(replace(course.fixes, vehicle_id=vehicle_id[course.fixes.vehicle_id]))
    stored = _in_order(await _stored(connection, vehicle_id))
    missing, altered = _compared(sent, stored)
    ledger = await connection.fetchrow(QUERIES["ledger"])
    rejects = {row["reason"]: row["observations"] for row in await connection.fetch(QUERIES["rejects"])}
    context = (await Knowledge.read(connection)).context
    camera = replace(course.camera, vehicle_id=vehicle_id[course.camera.vehicle_id])
    expected = expected_of(sent, context, camera)
    found = await _judged(connection)
    return Verdict(
        sent=len(sent),
        received=ledger["received"],
        duplicates=ledger["duplicates"],
        rejected=ledger["rejected"],
        episodes=sum(row[1] != "right_turn" for row in expected),
        turns=sum(row[1] == "right_turn" for row in expected),
        unbalanced_batches=ledger["unbalanced"],
        missing=missing,
        altered=altered,
        camera_missing=await _camera_missing(connection, camera),
        doubles=abs(ledger["stored"] - await connection.fetchval(QUERIES["observations"])),
        unexpected_rejects=max(0, course.garbage - ledger["rejected"])
        + sum(count for reason, count in rejects.items() if reason not in REASONS),
        judgements_missing=len(expected - found),
        judgements_wrong=len(found - expected),
        wrong_alerts=await connection.fetchval(QUERIES["wrong_alerts"]),
        unsettled=await connection.fetchval(QUERIES["unsettled"]),
    )


def expected_of(
    fixes: Fixes, context: Context, camera: CameraEvents = NO_SIGHTS.camera
) -> set[tuple[Any, ...]]:
    """Return what an undisturbed run ends in: the engine over all that was sent, complete and in order."""
    judgement = replay.settled(fixes, context, Sights(camera, NO_SIGHTS.health))
    episodes = {
        (e.vehicle_id, e.rule_name, e.mode, e.started_us, e.ended_us, e.peak, e.limit, "settled")
        for e in collect(judgement.transitions, context.rulebooks)
        if e.rule not in OF_ARRIVAL
    }
    turns = {
        (turn.vehicle_id, "right_turn", turn.entered_us, turn.exited_us, "settled")
        for turn in turn_records.collect(judgement.turns, context.rulebooks)
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
            row["peak"],
            row["limit_value"],
            row["status"],
        )
        for row in await connection.fetch(QUERIES["judged"], [rule.name.lower() for rule in OF_ARRIVAL])
    }
    turns = {
        (row["vehicle_id"], "right_turn", to_us(row["entered_at"]), to_us(row["exited_at"]), row["status"])
        for row in await connection.fetch(QUERIES["turns"])
    }
    return episodes | turns


async def _stored(connection: asyncpg.Connection, vehicle_id: np.ndarray) -> Fixes:
    parts = []
    for begin in range(0, len(vehicle_id), _VEHICLES_AT_ONCE):
        some = vehicle_id[begin : begin + _VEHICLES_AT_ONCE].tolist()
        parts.append(await tracks.read_spans(connection, [Span(one, *ALL_TIME_US) for one in some]))
    return Fixes.concat(parts)


async def _camera_missing(connection: asyncpg.Connection, sent: CameraEvents) -> int:
    rows = await connection.fetch(QUERIES["camera_events"])
    stored = {(row["vehicle_id"], to_us(row["time"]), row["event_id"]) for row in rows}
    keys = zip(sent.vehicle_id.tolist(), sent.time_us.tolist(), sent.event_id.tolist(), strict=True)
    return sum(key not in stored for key in keys)


def _in_order(fixes: Fixes) -> Fixes:
    return fixes.take(np.lexsort((fixes.time_us, fixes.vehicle_id)))


def _compared(sent: Fixes, stored: Fixes) -> tuple[int, int]:
    """Return how many fixes are missing, and how many are stored that were not sent so."""
    kinds = [("vehicle_id", "i4"), ("time_us", "i8")]
    keys = [_rows(fixes, kinds) for fixes in (sent, stored)]
    missing = int((~np.isin(keys[0], keys[1])).sum())
    whole = [_rows(fixes, list(Fixes.dtypes().items())) for fixes in (sent, stored)]
    altered = int((~np.isin(whole[1], whole[0])).sum())
    return missing, altered


def _rows(fixes: Fixes, kinds: list[tuple[str, str]]) -> np.ndarray:
    """Return rows as opaque values that can be compared."""
    rows = np.empty(len(fixes), np.dtype(kinds))
    for name, _ in kinds:
        rows[name] = getattr(fixes, name)
    return np.asarray(rows.view(f"V{rows.dtype.itemsize}") if len(rows) else rows.view("V1")[:0])
