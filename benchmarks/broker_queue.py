"""What a message that waits costs Mosquitto: memory and disk, for a session that is away as ingest may be.

    .venv/bin/python benchmarks/broker_queue.py [--messages 300000] [--payload-bytes 140]

Memory is that of the broker's process after the last message less that before the first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

import mqtt5
import psutil
from broker_loss import MIN_ONCE, Wire

from kerbsafe import parts

#: Of many vehicles, each with a topic of a usual length.
TOPIC = "kerbsafe/v1/company-1/truck-{:04d}/fix"
VEHICLES = 5_000
#: Published before their acknowledgements are waited for.
WINDOW = 500
SAVED_WITHIN_S = 60.0


async def fill(port: int, messages: int, payload: bytes) -> None:
    """Queue messages for a reader that has gone."""
    reader = await Wire.open(port, "reader", lasting=True)
    reader.send(mqtt5.SubscribePacket(1, [mqtt5.TopicFilter("kerbsafe/#", max_qos=MIN_ONCE)]))
    await reader.next()
    reader.writer.close()
    device = await Wire.open(port, "device", lasting=False)
    for first in range(0, messages, WINDOW):
        count = min(WINDOW, messages - first)
        for number in range(count):
            topic = TOPIC.format((first + number) % VEHICLES)
            device.send(mqtt5.PublishPacket(topic, payload, qos=MIN_ONCE, packet_id=number + 1))
        for _ in range(count):
            await device.next()
    device.writer.close()


def broker_process() -> psutil.Process:
    """Return the process of the broker : the newest of its kind."""
    found = [process for process in psutil.process_iter(["name"]) if process.info["name"] == "mosquitto"]
    return max(found, key=psutil.Process.create_time)


def saved_bytes(folder: Path, least: int) -> int:
    """Wait until the queue has been saved whole."""
    deadline_s = time.monotonic() + SAVED_WITHIN_S
    while time.monotonic() < deadline_s:
        size = sum(path.stat().st_size for path in folder.glob("*.db"))
        if size >= least:
            return size
        time.sleep(0.2)
    raise TimeoutError(f"nothing of {least} bytes was saved within {SAVED_WITHIN_S:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=300_000)
    parser.add_argument("--payload-bytes", type=int, default=140)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with parts.mosquitto(parts.MosquittoOptions(persistence_dir=folder, autosave_s=5)) as broker:
            process = broker_process()
            before = process.memory_info().rss
            asyncio.run(fill(broker.port, args.messages, bytes(args.payload_bytes)))
            memory = process.memory_info().rss - before
            disk = saved_bytes(folder, args.messages * args.payload_bytes)
    figures = {"memory_bytes": memory / args.messages, "disk_bytes": disk / args.messages}
    print(json.dumps(vars(args) | {name: round(value) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
