"""Evidence in the database: what vehicles recorded around an accident, kept as it was stored then."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.ledger.documents import told
from analytics.ledger.evidence.drawing import draw
from analytics.ledger.evidence.summary import (
    ALARMS_BEFORE_US,
    DUTY_BEFORE_US,
    Alarm,
    Around,
    Sign,
    Turn,
    digest,
    drawn,
    span_us,
    summarise,
)
from fleet import sights, tracks
from fleet.columns import CameraState
from fleet.db import Queries
from fleet.tracks import Span
from fleet.units import to_datetime, to_us

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import asyncpg

    from analytics.ledger.accident import Facts, Moment
    from analytics.ledger.history import Writer

QUERIES = Queries(Path(__file__).with_name("queries.sql"))
_SIGN_AGE = timedelta(hours=24)


async def collect(
    connection: asyncpg.Connection, code: str, version: int, facts: Facts, by: Writer
) -> list[str]:
    """Look at what each registered vehicle of an accident recorded, and keep what there is.

    Returns the codes of the vehicles of which positions are stored. Of the others nothing is kept, and they
    are looked at again with the next account.
    """
    found = []
    for name in sorted({vehicle.vehicle for vehicle in facts.fleet if vehicle.vehicle}):
        vehicle = await connection.fetchrow(QUERIES["vehicle"], name, facts.occurred.at)
        around = await _around(connection, vehicle["vehicle_id"], vehicle["driver"], facts.occurred)
        from_us, until_us = span_us(around.at_us, is_exact=around.is_exact)
        await _hold(connection, name, to_datetime(from_us), to_datetime(until_us), f"accident {code}", by)
        track = drawn(around)
        if not len(track):
            continue
        await connection.execute(
            QUERIES["add"],
            code,
            version,
            vehicle["vehicle_id"],
            by.recorded_at,
            by.who,
            to_datetime(from_us),
            to_datetime(until_us),
            digest(track),
            summarise(around).document(),
            draw(track, around.at_us if around.is_exact else None),
        )
        found.append(name)
    return found


async def _hold(
    connection: asyncpg.Connection, vehicle: str, begin: datetime, end: datetime, reason: str, by: Writer
) -> None:
    """Keep the tracks from being purged: THE PLACE where `fleet.archive` is to be asked for a legal hold.

    Until it is, they are kept as long as all others; `sha256` tells whether they are unchanged.
    """
    del connection, vehicle, begin, end, reason, by


async def _around(
    connection: asyncpg.Connection, vehicle_id: int, driver: str | None, occurred: Moment
) -> Around:
    at_us = to_us(occurred.at)
    from_us, until_us = span_us(at_us, is_exact=occurred.is_exact)
    since_us = at_us - DUTY_BEFORE_US if occurred.is_exact else from_us
    fixes = await tracks.read_spans(connection, [Span(vehicle_id, since_us, until_us)])
    if not occurred.is_exact:
        return Around(at_us, occurred.is_exact, fixes, (), (), None, driver)
    turns = await connection.fetch(QUERIES["turns"], vehicle_id, to_datetime(from_us), to_datetime(until_us))
    alarms = await connection.fetch(
        QUERIES["alarms"], vehicle_id, to_datetime(at_us - ALARMS_BEFORE_US), occurred.at
    )
    return Around(
        at_us,
        occurred.is_exact,
        fixes,
        [
            Turn(
                to_us(row["entered_at"]), to_us(row["exited_at"]), row["max_kmh"], row["stop"], row["reason"]
            )
            for row in turns
        ],
        [
            Alarm(row["rule"], to_us(row["started_at"]), row["severity"], row["status"] == "settled")
            for row in alarms
        ],
        await _sign(connection, vehicle_id, at_us),
        driver,
    )


async def _sign(connection: asyncpg.Connection, vehicle_id: int, at_us: int) -> Sign | None:
    """Return the newest that says whether the camera works, up to the moment; of two at once, the fault."""
    camera, health = await sights.read_spans(connection, [Span(vehicle_id, at_us, at_us + 1)], _SIGN_AGE)
    known = health.take(health.camera != CameraState.UNKNOWN)
    signs = [Sign(at, works=True) for at in camera.time_us.tolist()]
    signs += [
        Sign(at, state == CameraState.OK)
        for at, state in zip(known.time_us.tolist(), known.camera.tolist(), strict=True)
    ]
    return max(signs, key=lambda sign: (sign.time_us, not sign.works), default=None)


async def read_evidence(
    connection: asyncpg.Connection | asyncpg.Pool, code: str, as_of: datetime
) -> list[dict[str, Any]]:
    """Return the newest evidence of each vehicle of an accident, as JSON has it."""
    rows: Sequence[asyncpg.Record] = await connection.fetch(QUERIES["newest"], code, as_of)
    return [
        {
            "evidence_id": row["evidence_id"],
            "vehicle": row["vehicle"],
            "version": row["version"],
            "made_at": told(row["made_at"]),
            "from": told(row["from_at"]),
            "until": told(row["until_at"]),
            "sha256": row["sha256"].hex(),
            "summary": row["summary"],
            "has_drawing": row["has_drawing"],
        }
        for row in rows
    ]


async def read_drawing(
    connection: asyncpg.Connection | asyncpg.Pool, code: str, evidence_id: int
) -> str | None:
    """Return a drawing of an accident; None: there is none of this number."""
    drawing: str | None = await connection.fetchval(QUERIES["drawing"], code, evidence_id)
    return drawing
