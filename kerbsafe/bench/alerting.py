"""The bench of latency: a sustained rate, half of it, and how long each alert takes to a console."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import msgspec
import numpy as np

from alerts.engine import engine
from alerts.knowledge import Knowledge
from alerts.live.live_state import LiveState
from alerts.words.transitions import Change, Judgement, Rule
from fleet.units import to_us
from kerbsafe import parts
from kerbsafe.bench import QUERIES, floor, publisher, stage, steering, traffic
from kerbsafe.bench.ingesting import FENCE_VERTICES, TIMEOUT_S, require_live

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg
    from numpy.typing import NDArray

#: Rounds with which the sustained rate is found, and the window then.
FLOOD_ROUNDS, FLOOD_WINDOW = 60, 30_000
HALF = 0.5
#: Alerts that were committed come to a console within this, or never.
LAST_S = 3.0
REPLAYED_AT_ONCE = 20_000

#: Vehicle code, rule, start in microseconds since 1970.
Key = tuple[str, str, int]


class Measured(NamedTuple):
    """What the run gave."""

    latency_ms: NDArray[np.float64]
    floor_ms: NDArray[np.float64]
    judged_live_share: float
    half_rate: float
    missing: int


class MissingError(RuntimeError):
    """Alerts were judged and never told."""


def measure(*, vehicles: int, fences: int, seconds: float) -> dict[str, Any]:
    """Return the figures of `kerbsafe bench latency`."""
    driven = traffic.Traffic(vehicles, FLOOD_ROUNDS, stage.wall_start_us())
    with stage.stage() as city_stage:
        city = asyncio.run(stage.found(city_stage, driven, fences=traffic.fences(fences, FENCE_VERTICES)))
        floor_ms = asyncio.run(_floor(city_stage))
        port = parts.free_port()
        with (
            city_stage.process("ingest"),
            city_stage.process("console", "--demo", "--port", str(port)),
        ):
            found = asyncio.run(_run(city_stage, city, port, seconds))
    measured = found._replace(floor_ms=floor_ms)
    require_live(measured.judged_live_share)
    if measured.missing:
        raise MissingError(f"{measured.missing} alerts were judged and did not come to the console")
    p99_ms = float(np.quantile(measured.latency_ms, 0.99))
    return {
        "p50_ms": round(float(np.quantile(measured.latency_ms, 0.5)), 1),
        "p99_ms": round(p99_ms, 1),
        "ratio_floor_p99": round(p99_ms / float(np.quantile(floor_ms, 0.99)), 2),
        "alerts": len(measured.latency_ms),
        "messages_per_s": round(measured.half_rate),
        "judged_live_share": round(measured.judged_live_share, 4),
    }


async def _floor(city_stage: stage.Stage) -> NDArray[np.float64]:
    async with city_stage.connect() as connection:
        return await floor.round_trip_and_commit_ms(connection, city_stage.broker.port)


async def _run(city_stage: stage.Stage, city: stage.City, port: int, seconds: float) -> Measured:
    async with city_stage.connect() as connection:
        rate = await _sustained_per_s(city_stage, city, connection)
        per_s = rate * HALF
        rounds = FLOOD_ROUNDS + max(1, round(per_s * seconds / city.traffic.vehicles))
        # The flood is the beginning of the same drive, so that what live remembers is what a replay does.
        city = replace(city, traffic=stage.with_rounds(city.traffic, rounds))
        job = _job(city_stage, city, first_round=FLOOD_ROUNDS, per_s=per_s)
        before = await connection.fetchval(QUERIES["last_batch"])
        async with _listening(port) as came_us:
            with publisher.publisher(job) as publishing:
                await asyncio.to_thread(publishing.wait_ready)
                await steering.run(connection, publishing, None, timeout_s=TIMEOUT_S)
                sent_us = await asyncio.to_thread(publishing.sent_us)
            await asyncio.sleep(LAST_S)
        batches = await connection.fetch(QUERIES["batches"], before)
        decided = await _decided(connection, city)
    begin = job.rows.start
    timed = {key: row - begin for key, row in decided.items() if row >= begin}
    latency_us = [came_us[key] - sent_us[row] for key, row in timed.items() if key in came_us]
    return Measured(
        np.array(latency_us) / 1e3,
        np.empty(0),
        sum(row["judged"] for row in batches) / sum(row["stored"] for row in batches),
        per_s,
        missing=len(timed) - len(latency_us),
    )


def _job(city_stage: stage.Stage, city: stage.City, **changes: Any) -> publisher.Job:
    broker = city_stage.broker
    return publisher.Job(city.traffic, broker.host, broker.port, city_stage.folder / "sent.npy", **changes)


async def _sustained_per_s(
    city_stage: stage.Stage, city: stage.City, connection: asyncpg.Connection
) -> float:
    """Return messages a second from the first publish to the last commit when the window is always full."""
    with publisher.publisher(_job(city_stage, city, until_round=FLOOD_ROUNDS)) as publishing:
        await asyncio.to_thread(publishing.wait_ready)
        await steering.run(connection, publishing, FLOOD_WINDOW, timeout_s=TIMEOUT_S)
        ended_us = time.time_ns() // 1000
        sent_us = await asyncio.to_thread(publishing.sent_us)
    return len(sent_us) / (ended_us - int(sent_us.min())) * 1e6


@asynccontextmanager
async def _listening(port: int) -> AsyncIterator[dict[Key, int]]:
    """Follow a console's alerts; the mapping tells when each opened there, microseconds since 1970."""
    came_us: dict[Key, int] = {}
    async with aiohttp.ClientSession() as session:
        address = f"http://127.0.0.1:{port}/api/v1/live?positions=false"
        async with session.ws_connect(address, max_msg_size=0) as socket:

            async def read() -> None:
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        _note(message.data, time.time_ns() // 1000, came_us)

            reading = asyncio.create_task(read())
            try:
                yield came_us
            finally:
                reading.cancel()


def _note(text: str, now_us: int, came_us: dict[Key, int]) -> None:
    message = msgspec.json.decode(text)
    for entry in message.get("entries", ()):
        if entry["change"] == "opened":
            alert = entry["alert"]
            started_us = to_us(datetime.fromisoformat(alert["started_at"]))
            came_us.setdefault((alert["vehicle"], alert["rule"], started_us), now_us)


async def _decided(connection: asyncpg.Connection, city: stage.City) -> dict[Key, int]:
    """Return the row of the traffic that decided each alert, by judging the traffic once more."""
    context = (await Knowledge.read(connection)).context
    fixes = city.traffic.fixes()
    vehicle_id = np.array(city.vehicle_id, np.int32)[fixes.vehicle_id]
    fixes = type(fixes)(
        **{name: getattr(fixes, name) for name in fixes.dtypes()} | {"vehicle_id": vehicle_id}
    )
    state = LiveState()
    judged = [
        engine.advance(state, fixes.take(slice(at, at + REPLAYED_AT_ONCE)), context)
        for at in range(0, len(fixes), REPLAYED_AT_ONCE)
    ]
    opened = Judgement.join(judged).transitions
    opened = opened.take(opened.change == Change.OPENED)
    alerted = {
        (row["code"], row["rule"], to_us(row["started_at"]))
        for row in await connection.fetch(QUERIES["alerted"])
    }
    codes = dict(zip(city.vehicle_id, city.traffic.codes, strict=True))
    # Times ascend with the rows, and no two are equal.
    rows = np.searchsorted(fixes.time_us, opened.at_us).tolist()
    columns = (opened.vehicle_id.tolist(), opened.rule.tolist(), opened.started_us.tolist(), rows)
    decided = {
        (codes[vehicle], Rule(rule).name.lower(), started_us): row
        for vehicle, rule, started_us, row in zip(*columns, strict=True)
    }
    return {key: row for key, row in decided.items() if key in alerted}
