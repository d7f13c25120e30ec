"""Two observations with one key: whatever column differs, it is a conflict; the one received nearer stays.

The columns stand by name in a dozen SQL statements. One that a statement forgot would turn changed data into
a "duplicate" while the ledger still adds up; so each is tried alone, and each is read back by every query.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fleet import sights, tracks
from fleet.columns import CameraEvents, Columns, Fixes, HealthReports
from fleet.tracks import Span
from fleet.units import MICROSECONDS, to_datetime
from ingest.pipeline.screen import Screened
from ingest.pipeline.staging import BatchWrite, Validity
from ingest.pipeline.writer import lay_out, store
from tests.integration.bench import NOW_US

if TYPE_CHECKING:
    from ingest.pipeline.writer import Stored
    from tests.integration.bench import Bench

#: An observation in which no two columns of one type have the same value.
FIX: dict[str, Any] = {
    "vehicle_id": 1,
    "lat_udeg": 30_700_001,
    "lon_udeg": 120_700_002,
    "speed_dkmh": 503,
    "course_deg": 104,
    "altitude_m": 15,
    "odometer_hm": 1_006,
    "satellites": 17,
    "hdop_tenths": 8,
    "limit_kmh": 69,
    "flags": 10,
}
CAMERA: dict[str, Any] = {
    "vehicle_id": 1,
    "event_id": "e1",
    "side": 1,
    "target": 2,
    "phase": 0,
    "lat_udeg": 30_700_001,
    "lon_udeg": 120_700_002,
    "speed_dkmh": 103,
    "evidence": "clip-1",
}
HEALTH: dict[str, Any] = {"vehicle_id": 1, "camera": 1, "power": 0, "gnss": -1, "firmware": "1.0"}

KINDS: dict[type[Columns], tuple[dict[str, Any], str, set[str]]] = {
    Fixes: (FIX, "fix", {"vehicle_id", "time_us"}),
    CameraEvents: (CAMERA, "camera_event", {"vehicle_id", "time_us", "event_id"}),
    HealthReports: (HEALTH, "device_health", {"vehicle_id", "time_us"}),
}
COLUMNS = [(kind, name) for kind, (_, _, key) in KINDS.items() for name in kind.dtypes() if name not in key]
PATIENCE = Validity(timedelta(seconds=120), timedelta(seconds=60), timedelta(hours=24))


def one(kind: type[Columns], **changed: object) -> Columns:
    return kind.build(**({"time_us": NOW_US} | KINDS[kind][0] | changed))


def other_than(value: Any) -> Any:
    """A value that sorts before the other and can be stored in its place."""
    return f"0{value}" if isinstance(value, str) else value - 1 if value > 0 else value + 1


async def receive(bench: Bench, columns: Columns, after_s: float) -> Stored:
    """Store a batch of its own, received so long after it was measured, through the stage."""
    received_us = NOW_US + round(after_s * MICROSECONDS)
    given = {type(columns): columns}
    parts = [given.get(kind, kind.empty()) for kind in (Fixes, CameraEvents, HealthReports)]
    message = [np.zeros(len(part), np.intp) for part in parts]
    screened = Screened(parts[0], message[0], parts[1], message[1], parts[2], message[2], [], 1, 0, [])
    nothing = np.zeros(len(parts[0]), np.bool_)
    async with bench.connection.transaction():
        batch_id: int = await bench.connection.fetchval(
            "insert into batch (batch_id, received_at, source) values "
            "((select coalesce(max(batch_id), 0) + 1 from batch), $1, 'live') returning batch_id",
            to_datetime(received_us),
        )
        moment = BatchWrite(bench.connection, batch_id, received_us, PATIENCE)
        return await store(moment, screened, lay_out(screened.fixes, nothing, nothing, batch_id))


def column_in_store(name: str) -> str:
    return "time" if name == "time_us" else name


@pytest.mark.parametrize(("kind", "name"), COLUMNS, ids=lambda given: getattr(given, "__name__", given))
async def test_differing_in_one_column_is_a_conflict_and_the_nearer_one_stays(
    bench: Bench, kind: type[Columns], name: str
) -> None:
    given, table, _ = KINDS[kind]
    first, other = given[name], other_than(given[name])
    stored = [
        await receive(bench, one(kind), after_s=20),
        await receive(bench, one(kind), after_s=15),
        await receive(bench, one(kind, **{name: other}), after_s=30),
        await receive(bench, one(kind, **{name: other}), after_s=10),
    ]
    assert [(part.stored, part.duplicates, len(part.rejects)) for part in stored] == [
        (1, 0, 0),
        (0, 1, 0),  # the same again
        (0, 0, 1),  # farther: it is rejected
        (0, 0, 1),  # nearer: it replaces the other, which is rejected
    ]
    assert {reject.reason for part in stored for reject in part.rejects} == {"conflicting_duplicate"}
    assert other != first
    assert await bench.rows(f"select {column_in_store(name)} from {table}") == [(other,)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
async def test_of_two_received_as_near_the_smaller_content_stays_in_either_order(
    bench: Bench, kind: type[Columns]
) -> None:
    given, table, key = KINDS[kind]
    for name in (name for name in kind.dtypes() if name not in key):
        smaller, larger = sorted((given[name], other_than(given[name])))
        for first, second in ((smaller, larger), (larger, smaller)):
            await receive(bench, one(kind, **{name: first}), after_s=5)
            await receive(bench, one(kind, **{name: second}), after_s=5)
            assert await bench.rows(f"select {name} from {table}") == [(smaller,)], name
            await bench.connection.execute(f"delete from {table}")


async def test_every_column_of_a_fix_is_read_back_as_it_was_stored(bench: Bench) -> None:
    await receive(bench, one(Fixes), after_s=1)
    span = Span(1, NOW_US - 1, NOW_US + 1)
    ids, before = np.array([1], np.int32), np.array([NOW_US - 1], np.int64)
    hour = timedelta(hours=1)
    arrivals = await tracks.read_arrivals(
        bench.connection, [1], to_datetime(NOW_US) - hour, to_datetime(NOW_US) + hour
    )
    read = {
        "read_spans": await tracks.read_spans(bench.connection, [span]),
        "read_after": (await tracks.read_after(bench.connection, ids, before)).fixes,
        "read_arrivals": arrivals[0][1],
    }
    for query, fixes in read.items():
        found = {name: getattr(fixes, name).tolist() for name in Fixes.dtypes()}
        assert found == {name: [value] for name, value in ({"time_us": NOW_US} | FIX).items()}, query


async def test_every_column_of_camera_and_health_is_read_back_as_it_was_stored(bench: Bench) -> None:
    await receive(bench, one(CameraEvents), after_s=1)
    await receive(bench, one(HealthReports), after_s=2)
    hour = timedelta(hours=1)
    since, until = to_datetime(NOW_US) - hour, to_datetime(NOW_US) + hour
    in_spans = await sights.read_spans(bench.connection, [Span(1, NOW_US - 1, NOW_US + 1)], hour)
    arrived = (await sights.read_arrivals(bench.connection, [1], since, until)).values()
    for events, reports in (in_spans, tuple(kind.concat(parts) for kind, parts in _columns_of(arrived))):
        for read, given in ((events, CAMERA), (reports, HEALTH)):
            found = {name: getattr(read, name).tolist() for name in type(read).dtypes()}
            assert found == {name: [value] for name, value in ({"time_us": NOW_US} | given).items()}


def _columns_of(arrived: Any) -> list[tuple[type[Columns], list[Any]]]:
    return [
        (kind, [parts[place] for parts in arrived])
        for place, kind in enumerate((CameraEvents, HealthReports))
    ]
