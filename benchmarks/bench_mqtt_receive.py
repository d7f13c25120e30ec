"""How fast `ingest.mqtt.mqtt_log` receives and acknowledges, and what a message costs it in CPU.

    .venv/bin/python benchmarks/bench_mqtt_receive.py [--commit-ms 10] [--loop asyncio] [--json]

Mosquitto, a publisher in a process of its own (QoS 1, encoded beforehand with the same codec, raw asyncio)
and the receiver share the machine. `--commit-ms` makes the receiver wait before it releases each batch, as
a database would. Nothing is decoded.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import sys
import time
from typing import TYPE_CHECKING, TypeVar

import mqtt5
import uvloop

from ingest.mqtt.mqtt_link import Address
from ingest.mqtt.mqtt_log import MqttLog, MqttOptions
from kerbsafe.parts import MosquittoOptions, mosquitto

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from multiprocessing.synchronize import Event

PAYLOAD = (
    b'{"time":"2026-03-02T08:15:%02dZ","lat":31.2304,"lon":121.4737,'
    b'"speed_kmh":41.5,"course_deg":271,"ignition":true}'
)
WINDOW = 4_000
T = TypeVar("T")
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}


def encode(count: int, connections: int) -> list[list[bytes]]:
    """The packets of each connection, in pieces of a quarter window."""
    pieces: list[list[bytes]] = []
    for c in range(connections):
        packets = [
            mqtt5.PublishPacket(
                f"kerbsafe/v1/acme/T{c}-{i % 1000:04d}/fix",
                PAYLOAD % (i % 60),
                qos=mqtt5.QoS.AT_LEAST_ONCE,
                packet_id=i % 65_535 + 1,
            ).write()
            for i in range(count // connections)
        ]
        step = WINDOW // 4
        pieces.append([b"".join(packets[i : i + step]) for i in range(0, len(packets), step)])
    return pieces


async def publish(port: int, name: str, pieces: list[bytes], count: int) -> None:
    """Publish on one connection with at most WINDOW messages unacknowledged."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(mqtt5.ConnectPacket(name, clean_start=True, keep_alive=60).write())
    buffer = await reader.read(4096)
    _, size = mqtt5.read(memoryview(buffer))
    unread, acknowledged, sent, step = len(buffer) - size, 0, 0, WINDOW // 4
    for piece in pieces:
        while sent - acknowledged > WINDOW - step:
            unread += len(await reader.read(65_536))
            acknowledged, unread = acknowledged + unread // 4, unread % 4  # a PUBACK is 4 bytes
        writer.write(piece)
        sent += min(step, count - sent)
    while acknowledged < count:
        unread += len(await reader.read(65_536))
        acknowledged, unread = acknowledged + unread // 4, unread % 4
    writer.close()


def publisher(port: int, count: int, connections: int, go: Event, loop: str) -> None:
    """Encode, wait for the start, publish."""
    pieces = encode(count, connections)
    go.wait()

    async def all_of_them() -> None:
        share = count // connections
        await asyncio.gather(*(publish(port, f"bench-{i}", p, share) for i, p in enumerate(pieces)))

    run(all_of_them(), loop)


async def receive(port: int, count: int, commit_s: float, go: Event) -> dict[str, float]:
    """Receive `count` messages, acknowledge them by batch, and say what it took."""
    options = MqttOptions(
        Address("127.0.0.1", port), client_id=f"bench-{time.time_ns()}", session_expiry_s=60
    )
    sizes: list[int] = []
    async with MqttLog(options, now_us=lambda: time.time_ns() // 1000) as log:
        await log.wait_connected()
        go.set()
        began_s = cpu_s = 0.0
        async for batch in log.batches():
            if not sizes:
                began_s, cpu_s = time.perf_counter(), time.process_time()
            sizes.append(len(batch.messages))
            if commit_s:
                await asyncio.sleep(commit_s)
            log.release(batch)
            if sum(sizes) >= count:
                break
        took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    return {
        "messages_per_s": round(count / took_s),
        "cpu_us_per_message": round(cpu_s / count * 1e6, 2),
        "batches": len(sizes),
        "messages_per_batch": round(count / len(sizes)),
        "redelivered": log.counters["live"].redelivered,
    }


def run(main: Coroutine[None, None, T], loop: str) -> T:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(main)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--commit-ms", type=float, default=0.0)
    parser.add_argument("--loop", choices=LOOPS, default="uvloop")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    go = context.Event()
    with mosquitto(MosquittoOptions()) as broker:
        sender = context.Process(
            target=publisher, args=(broker.port, args.messages, args.connections, go, args.loop), daemon=True
        )
        sender.start()
        result = run(receive(broker.port, args.messages, args.commit_ms / 1000, go), args.loop)
        sender.join()
    if args.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:>20} {value:,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
