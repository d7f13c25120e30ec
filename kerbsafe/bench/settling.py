"""The bench of settling: live traffic by itself, then beside an hour of back-fill; then a restart."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleet.installation import set_clock
from fleet.units import MICROSECONDS
from kerbsafe.bench import QUERIES, publisher, stage, traffic
from kerbsafe.bench.ingesting import FENCE_VERTICES, committed_at_us, require_live

if TYPE_CHECKING:
    import asyncpg
    from numpy.typing import NDArray

    from kerbsafe import parts
    from kerbsafe.bench.probes import Probes

LIVE_PER_S = 1_000
HOUR_S = 3_600
#: The hour that is uploaded ended so long before now: more than rest and horizon, so that it can be settled.
ENDED_S = 3_600
FENCES = 200
#: Live traffic by itself.
WARM_S, BASE_S = 12.0, 20.0
#: Live traffic in all; the back-fill must be settled by then.
LIVE_S = 230.0
RESTART_LIVE_S = 40.0
LOOK_S = 0.1
#: Between setting the clock and the first fix, and the age of a fix on arrival.
LEAD_S = 2.0


class NotSettledError(RuntimeError):
    """The back-fill was not settled in time."""


class Uploaded(NamedTuple):
    """What the back-fill took."""

    began_us: int
    ended_us: int
    #: Seconds that the worker spent settling.
    busy_s: float


def measure(*, trucks: int, active: int) -> dict[str, Any]:
    """Return the figures of `kerbsafe bench settle`."""
    interval_us = active * MICROSECONDS // LIVE_PER_S
    rounds = round((LIVE_S + RESTART_LIVE_S) * LIVE_PER_S / active)
    live = traffic.Traffic(active, rounds, stage.wall_start_us(), interval_us)
    hour_us = live.start_us - (HOUR_S + ENDED_S) * MICROSECONDS
    late = traffic.Traffic(trucks, HOUR_S, hour_us, seed=2, first=active)
    with stage.stage() as city_stage:
        fences = traffic.fences(FENCES, FENCE_VERTICES)
        asyncio.run(stage.found(city_stage, live, fences=fences))
        with city_stage.killable("ingest") as ingest, city_stage.process("worker") as worker:
            return asyncio.run(_run(city_stage, live, late, ingest, worker))


async def _run(
    city_stage: stage.Stage,
    live: traffic.Traffic,
    late: traffic.Traffic,
    ingest: parts.Process,
    worker: Probes,
) -> dict[str, Any]:
    async with city_stage.connect() as connection:
        city = await stage.populate(connection, live)
        uploading = await stage.populate(connection, late)
        broker = city_stage.broker
        until_round = round(LIVE_S * LIVE_PER_S / live.vehicles)
        job = publisher.Job(
            live,
            broker.host,
            broker.port,
            city_stage.folder / "live.npy",
            per_s=LIVE_PER_S,
            until_round=until_round,
        )
        upload = publisher.Backfill(late, broker.host, broker.port, city_stage.folder / "late.npy")
        with publisher.publisher(job) as sending, publisher.publisher(upload) as backfilling:
            await asyncio.to_thread(sending.wait_ready)
            await asyncio.to_thread(backfilling.wait_ready)
            await set_clock(
                connection, stage.clock_at(live.start_us + round(LEAD_S * MICROSECONDS), rate=1.0)
            )
            sending.allowed.value = len(job)
            sending.go()
            await asyncio.sleep(WARM_S + BASE_S)
            uploaded = await _upload(connection, backfilling, uploading, worker, deadline_s=LIVE_S - 50)
            sent_us = await asyncio.to_thread(sending.sent_us)
            await asyncio.sleep(1.0)
        sent = stage.City(stage.with_rounds(live, until_round), city.vehicle_id)
        batches = await connection.fetch(QUERIES["batches"], 0)
        ack_ms = (await committed_at_us(connection, sent, batches) - sent_us) / 1e3
        counts = await connection.fetchrow(QUERIES["stored_since"], "live", 0)
        restart_s = await _restart(
            connection, ingest, replace(job, first_round=until_round, until_round=None)
        )
    require_live(counts["judged"] / counts["stored"])
    return _figures(len(late), uploaded, sent_us, ack_ms, restart_s) | {
        "judged_live_share": round(counts["judged"] / counts["stored"], 4)
    }


async def _upload(
    connection: asyncpg.Connection,
    backfilling: publisher.Publisher,
    city: stage.City,
    worker: Probes,
    *,
    deadline_s: float,
) -> Uploaded:
    """Send the back-fill; return when it is stored and settled."""
    before = await asyncio.to_thread(worker.read)
    last_batch = await connection.fetchval(QUERIES["last_batch"])
    backfilling.allowed.value = len(backfilling.job)
    began_us = time.time_ns() // 1000
    backfilling.go()
    deadline = time.monotonic() + deadline_s
    while True:
        await asyncio.sleep(LOOK_S)
        stored = await connection.fetchval(QUERIES["stored_since"], "history", last_batch)
        waiting = await connection.fetchrow(QUERIES["unsettled"], city.vehicle_id)
        if stored == len(city.traffic) and not waiting["dirty"] and not waiting["segments"]:
            break
        if time.monotonic() > deadline:
            raise NotSettledError(
                f"after {deadline_s:.0f} s {stored} of {len(city.traffic)} fixes were stored, "
                f"{waiting['dirty']} dirty rows and {waiting['segments']} segments waited"
            )
    ended_us = time.time_ns() // 1000
    after = await asyncio.to_thread(worker.read)
    name = "kerbsafe_settler_busy_seconds_total"
    return Uploaded(began_us, ended_us, after[name] - before[name])


def _figures(
    fixes: int,
    uploaded: Uploaded,
    sent_us: NDArray[np.int64],
    ack_ms: NDArray[np.float64],
    restart_s: float,
) -> dict[str, Any]:
    base = (sent_us >= sent_us[0] + WARM_S * MICROSECONDS) & (sent_us < uploaded.began_us)
    during = (sent_us >= uploaded.began_us) & (sent_us < uploaded.ended_us)
    base_ms, live_ms = (float(np.quantile(ack_ms[part], 0.99)) for part in (base, during))
    return {
        "fixes_per_s": round(fixes / uploaded.busy_s),
        "stored_settled_s": round((uploaded.ended_us - uploaded.began_us) / MICROSECONDS, 1),
        "live_p99_ms": round(live_ms, 1),
        "live_p99_ratio": round(live_ms / base_ms, 2),
        "restart_s": round(restart_s, 2),
        "base_p99_ms": round(base_ms, 1),
    }


async def _restart(connection: asyncpg.Connection, ingest: parts.Process, job: publisher.Job) -> float:
    """Kill ingest while live traffic flows; return how long a new one takes until it has judged."""
    with publisher.publisher(job) as sending:
        await asyncio.to_thread(sending.wait_ready)
        sending.allowed.value = len(job)
        # The clock has gone on since the traffic ended: it goes back to where the fixes are.
        first_us = job.traffic.start_us + job.first_round * job.traffic.interval_us
        await set_clock(connection, stage.clock_at(first_us + round(LEAD_S * MICROSECONDS), rate=1.0))
        sending.go()
        await asyncio.sleep(WARM_S)
        await asyncio.to_thread(ingest.part.kill)
        last_batch = await connection.fetchval(QUERIES["last_batch"])
        began_s = time.monotonic()
        starting = asyncio.create_task(asyncio.to_thread(ingest.part.start))
        await _until_judging(connection, last_batch)
        restart_s = time.monotonic() - began_s
        await starting
    return restart_s


async def _until_judging(connection: asyncpg.Connection, last_batch: int) -> None:
    judging = False
    while not judging:
        await asyncio.sleep(LOOK_S / 10)
        judging = await connection.fetchval(QUERIES["judging"], last_batch)
