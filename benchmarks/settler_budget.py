"""How long a city waits for the settler while one unit has stored days of fixes, and what the worker takes.

    .venv/bin/python benchmarks/settler_budget.py [--fixes 2400000] [--trucks 50] [--watch-s 60]

One unit's fixes, a second apart up to two hours ago, and an hour of each of some trucks are stored as
back-fill. Then a worker runs: looked at are its metrics, its resident memory and its transactions. When the
trucks are settled, and `--watch-s` later, or after `--patience-s`, it is told to stop, whatever it does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet import db
from fleet.binary_copy import POSTGRES_EPOCH_US, copy_row, copy_stream
from fleet.columns import Fixes
from fleet.entities import Company, Vehicle
from fleet.installation import make_days_ahead
from fleet.kinds import VehicleKind
from fleet.migrate import migrate
from fleet.registry import load_directory, register
from fleet.units import MICROSECONDS, to_datetime
from kerbsafe import parts
from kerbsafe.bench.probes import Probes, rss_mib
from kerbsafe.bench.traffic import COMPANY, LIMIT_KMH, Traffic

if TYPE_CHECKING:
    import asyncpg

HOUR_S, ENDED_S = 3_600, 7_200
#: Fixes a part of back-fill, each with a dirty row, as ingest commits them.
PART = 1_000
LOOK_S = 0.5
COLUMNS = {"batch_id": "i8", **Fixes.dtypes()}
UNFINISHED = """
select count(distinct vehicle_id) from (
    select vehicle_id from dirty union all select vehicle_id from segment where settled_at is null
) as waiting where vehicle_id = any($1::int[])
"""
LONGEST_IDLE = """
select coalesce(max(extract(epoch from clock_timestamp() - state_change)), 0)::float8 from pg_stat_activity
where application_name = 'kerbsafe worker' and state like 'idle in transaction%'
"""


async def store(connection: asyncpg.Connection, driven: Traffic, now_us: int) -> list[int]:
    """Register the trucks of some traffic and store their fixes as back-fill; return their ids."""
    vehicles = [
        Vehicle(code=code, company=COMPANY, kind=VehicleKind.MIXER, limit_kmh=LIMIT_KMH)
        for code in driven.codes
    ]
    await register(connection, Company(code=COMPANY), vehicles)
    known = (await load_directory(connection, now_us)).vehicles
    ids = np.array([known[code] for code in driven.codes], np.int32)
    fixes = driven.fixes()
    fixes = replace(fixes, vehicle_id=ids[fixes.vehicle_id])
    batch_id = await connection.fetchval(
        """insert into batch (received_at, source, messages, received, stored, duplicates, rejected, judged)
        values ($1, 'history', 1, $2, $2, 0, 0, 0) returning batch_id""",
        to_datetime(now_us),
        len(fixes),
    )
    columns = {name: getattr(fixes, name) for name in fixes.dtypes()}
    columns["time_us"] = fixes.time_us - POSTGRES_EPOCH_US
    stream = copy_stream({"batch_id": np.full(len(fixes), batch_id), **columns}, copy_row(COLUMNS))
    names = ["time" if name == "time_us" else name for name in COLUMNS]
    await connection.copy_to_table("fix", source=stream, columns=names, format="binary")
    for vehicle in ids.tolist():
        times = np.sort(fixes.time_us[fixes.vehicle_id == vehicle])
        await connection.execute(
            """insert into dirty (vehicle_id, time, until, marked_at) select $1, since, till, $4
            from unnest($2::timestamptz[], $3::timestamptz[]) as part (since, till)""",
            vehicle,
            [to_datetime(at) for at in times[::PART].tolist()],
            [
                to_datetime(at)
                for at in [*times[PART - 1 :: PART].tolist(), times[-1]][: -(-len(times) // PART)]
            ],
            to_datetime(now_us),
        )
    return ids.tolist()


async def watch(
    connection: asyncpg.Connection, worker: parts.Process, trucks: list[int], watch_s: float, until_s: float
) -> dict[str, Any]:
    """Look at a worker until the trucks have been settled for so long, or patience ends; then stop it."""
    began_s, waited_s = time.monotonic(), None
    idle_s, rss, backlog = 0.0, 0.0, []
    probes = Probes(worker.port)
    while time.monotonic() - began_s < until_s:
        await asyncio.sleep(LOOK_S)
        at_s = round(time.monotonic() - began_s, 1)
        samples = await asyncio.to_thread(probes.read)
        rss = max(rss, rss_mib(samples))
        idle_s = max(idle_s, await connection.fetchval(LONGEST_IDLE))
        shown = [
            samples[name]
            for name in ("kerbsafe_settler_backlog_seconds", "kerbsafe_settler_aside_vehicles")
            if name in samples
        ]
        if not backlog or at_s >= backlog[-1][0] + 10:
            backlog.append((at_s, *(round(value, 1) for value in shown)))
        if waited_s is None and not await connection.fetchval(UNFINISHED, trucks):
            waited_s = at_s
            until_s = min(until_s, at_s + watch_s)
    asked_s = time.monotonic()
    worker.part.signal(signal.SIGTERM)
    await asyncio.to_thread(worker.part.wait)
    return {
        "trucks_waited_s": waited_s,
        "rss_peak_mib": rss,
        "longest_idle_in_transaction_s": round(idle_s, 2),
        "stopped_after_s": round(time.monotonic() - asked_s, 2),
        "seconds_backlog_aside": backlog,
    }


async def measure(args: argparse.Namespace, folder: Path, dsn: str) -> dict[str, Any]:
    """Store, run a worker, watch it."""
    now_us = time.time_ns() // 1000
    connection = await db.connect(dsn, application="bench")
    await migrate(connection)
    await make_days_ahead(connection, now_us)
    until_us = now_us - ENDED_S * MICROSECONDS
    await store(connection, Traffic(1, args.fixes, until_us - args.fixes * MICROSECONDS), now_us)
    city = Traffic(args.trucks, HOUR_S, until_us - HOUR_S * MICROSECONDS, seed=2, first=1)
    ids = await store(connection, city, now_us + MICROSECONDS)
    await connection.execute("vacuum analyze")
    await asyncio.sleep(6)
    settings = {"KERBSAFE_DSN": dsn, "KERBSAFE_LOG_LEVEL": "warning"}
    with parts.kerbsafe_process("worker", settings=settings, log_path=folder / "worker.log") as worker:
        seen = await watch(connection, worker, ids, args.watch_s, args.patience_s)
        return {"fixes": args.fixes, "trucks": args.trucks} | seen


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fixes", type=int, default=2_400_000)
    parser.add_argument("--trucks", type=int, default=50)
    parser.add_argument("--watch-s", type=float, default=60.0)
    parser.add_argument("--patience-s", type=float, default=2_000.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, parts.timescaledb(durable=True) as server:
        found = measure(args, Path(folder), server.dsn)
        print(json.dumps(asyncio.run(found), indent=2))


if __name__ == "__main__":
    main()
