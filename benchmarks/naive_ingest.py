"""The naive peer of ingest: what a careful programmer writes in an afternoon with the usual libraries.

    .venv/bin/python benchmarks/naive_ingest.py --dsn DSN --port PORT --table TABLE --messages N

aiomqtt receives at QoS 1, json reads each payload, asyncpg's executemany inserts 500 rows a transaction, on
uvloop. A reader and a writer share a queue, so that receiving goes on while the database works. No rules, no
screening, no registry (the vehicle's number stands in its code), and the broker is told "received" before
anything is stored, since that is what the library does. Prints one JSON object when N rows are in.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from datetime import datetime

import aiomqtt
import asyncpg
import uvloop

ROWS = 500
FLUSH_S = 0.5


def row(topic: str, payload: bytes) -> tuple[object, ...]:
    vehicle = int(topic.split("/")[3][1:])
    fix = json.loads(payload)
    return (
        vehicle,
        datetime.fromisoformat(fix["time"]),
        0,
        round(fix["lat"] * 1e6),
        round(fix["lon"] * 1e6),
        round(fix.get("odometer_km", -0.1) * 10),
        round(fix.get("speed_kmh", -0.1) * 10),
        fix.get("course_deg", -1),
        fix.get("altitude_m", -32768),
        fix.get("satellites", -1),
        round(fix.get("hdop", -0.1) * 10),
        fix.get("limit_kmh", -1),
        1 + 2 * fix["ignition"] if "ignition" in fix else 0,
    )


async def receive(client: aiomqtt.Client, queue: asyncio.Queue[tuple[object, ...]], messages: int) -> float:
    began_s, taken = 0.0, 0
    async for message in client.messages:
        began_s = began_s or time.perf_counter()
        assert isinstance(message.payload, bytes)
        await queue.put(row(str(message.topic), message.payload))
        taken += 1
        if taken == messages:
            break
    return began_s


async def store(
    connection: asyncpg.Connection, insert: str, queue: asyncio.Queue[tuple[object, ...]], messages: int
) -> None:
    stored = 0
    while stored < messages:
        rows = [await queue.get()]
        while len(rows) < ROWS:
            try:
                rows.append(queue.get_nowait())
            except asyncio.QueueEmpty:
                try:
                    rows.append(await asyncio.wait_for(queue.get(), FLUSH_S))
                except TimeoutError:
                    break
        await connection.executemany(insert, rows)
        stored += len(rows)


async def run(args: argparse.Namespace) -> float:
    connection = await asyncpg.connect(args.dsn)
    names = (
        "vehicle_id, time, batch_id, lat_udeg, lon_udeg, odometer_hm, speed_dkmh, course_deg, altitude_m, "
        "satellites, hdop_tenths, limit_kmh, flags"
    )
    marks = ", ".join(f"${n}" for n in range(1, 14))
    insert = f"insert into {args.table} ({names}) values ({marks}) on conflict do nothing"
    queue: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
    async with aiomqtt.Client("127.0.0.1", args.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe("kerbsafe/v1/+/+/fix", qos=1)
        print("ready", flush=True)
        storing = asyncio.create_task(store(connection, insert, queue, args.messages))
        began_s = await receive(client, queue, args.messages)
        await storing
    took_s = time.perf_counter() - began_s
    await connection.close()
    return args.messages / took_s


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--messages", type=int, required=True)
    args = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        per_s = runner.run(run(args))
    print(json.dumps({"messages_per_s": round(per_s)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
