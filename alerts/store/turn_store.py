"""Right turns in the database; like `store`, on the caller's connection and in its transaction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts.episodes.pairing import Verdict
from alerts.episodes.turn_records import FIELDS, StoredTurn, Turn, collect, columns
from fleet.db import Queries
from fleet.tracks import columns_of_spans
from fleet.units import to_datetime, to_us

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence

    import asyncpg

    from alerts.episodes.turn_records import TurnSettlement
    from alerts.in_force.context import Context
    from alerts.words.turns import Turns
    from fleet.tracks import Span

QUERIES = Queries(Path(__file__).with_name("turns.sql"))

_TIMES = {"entered_us": "entered_at", "exited_us": "exited_at"}
_FIGURES = tuple(name for name in FIELDS if name not in _TIMES)
#: The store keeps single precision; figures have fewer decimals than this.
_DECIMALS = 3


async def write_live(connection: asyncpg.Connection, turns: Turns, context: Context, decided_us: int) -> None:
    """Write what the hot path found provisionally."""
    if len(turns):
        found = collect(turns, context.rulebooks)
        await _write(connection, [turn.id for turn in found], found, context, decided_us)


async def between(connection: asyncpg.Connection, spans: Sequence[Span]) -> dict[int, list[StoredTurn]]:
    """Return the turns that were entered in spans, by vehicle; one span a vehicle."""
    found: dict[int, list[StoredTurn]] = {}
    for row in await connection.fetch(QUERIES["turns_between"], *columns_of_spans(spans)):
        settled_as = None if row["settled_as"] is None else Verdict(row["settled_as"])
        stored = StoredTurn(row["turn_id"], _turn(row), row["status"], settled_as)
        found.setdefault(row["vehicle_id"], []).append(stored)
    return found


class Recent(NamedTuple):
    """What was judged of the last minutes, as it stands."""

    turns: Turns
    #: Vehicle, beginning and end of each conflict, microseconds since 1970.
    conflicts: list[tuple[int, int, int]]


async def recent(connection: asyncpg.Connection, from_us: int, until_us: int, context: Context) -> Recent:
    """Return the turns that ended, and the conflicts that began, in [from_us, until_us)."""
    span = to_datetime(from_us), to_datetime(until_us)
    turns = [_turn(row) for row in await connection.fetch(QUERIES["recent_turns"], *span)]
    told = await connection.fetch(QUERIES["recent_conflicts"], *span)
    return Recent(
        columns(turns, context),
        [(row["vehicle_id"], to_us(row["started_at"]), to_us(row["ended_at"])) for row in told],
    )


async def write_settled(
    connection: asyncpg.Connection,
    settlements: Sequence[TurnSettlement],
    context: Context,
    at_us: int,
    *,
    status: str = "settled",
) -> None:
    """Write what settling decided."""
    judged = [(s.id, s.turn, str(s.verdict)) for s in settlements if s.turn is not None]
    if judged:
        ids, turns, verdicts = (list(column) for column in zip(*judged, strict=True))
        await _write(connection, ids, turns, context, at_us, status=status, verdicts=verdicts)
    gone = [s.id for s in settlements if s.turn is None]
    if gone:
        await connection.execute(QUERIES["withdraw_turns"], gone, to_datetime(at_us))


async def _write(
    connection: asyncpg.Connection,
    ids: Sequence[uuid.UUID],
    turns: Sequence[Turn],
    context: Context,
    at_us: int,
    *,
    status: str = "provisional",
    verdicts: Sequence[str] | None = None,
) -> None:
    vehicle_id = np.array([turn.vehicle_id for turn in turns], np.int32)
    entered_us = np.array([turn.entered_us for turn in turns], np.int64)
    company_id, _kind, _limit = context.facts.at(vehicle_id, entered_us)
    at = to_datetime(at_us).isoformat()
    rows = [
        {
            "turn_id": str(turn_id),
            "company_id": None if company < 0 else company,
            **{column: to_datetime(getattr(turn, name)).isoformat() for name, column in _TIMES.items()},
            **{name: getattr(turn, name) for name in _FIGURES},
            "outcome": turn.outcome,
            "status": status,
            "settled_as": None if verdicts is None else verdicts[index],
            "revision": 1,
            "decided_at": at,
            "settled_at": None if verdicts is None else at,
        }
        for index, (turn_id, turn, company) in enumerate(zip(ids, turns, company_id.tolist(), strict=True))
    ]
    await connection.execute(QUERIES["write_turns"], rows)


def _turn(row: asyncpg.Record) -> Turn:
    figures: dict[str, Any] = {name: to_us(row[column]) for name, column in _TIMES.items()}
    for name in _FIGURES:
        value = row[name]
        figures[name] = round(value, _DECIMALS) if isinstance(value, float) else value
    return Turn(**figures)
