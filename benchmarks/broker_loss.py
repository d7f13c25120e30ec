"""What Mosquitto forgets, of what it had acknowledged, when it is killed: by how often it saves its queue.

    .venv/bin/python benchmarks/broker_loss.py [--autosave 1 5 30] [--kills 3] [--per-s 1000]

A reader with a session that survives is away, as ingest is while it restarts, or connected and acknowledging.
A device publishes at QoS 1 and counts what is acknowledged. Mosquitto is killed at a random moment after its
first save, started again, and the reader counts what it is given.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import tempfile
import time
from pathlib import Path

import mqtt5

from kerbsafe import parts

TOPIC = "loss/fix"
MIN_ONCE = mqtt5.QoS.AT_LEAST_ONCE
PAYLOAD_BYTES = 150
QUIET_S = 1.5


class Wire:
    """One MQTT 5 connection, a packet at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.buffer = reader, writer, b""

    @classmethod
    async def open(cls, port: int, name: str, *, lasting: bool) -> Wire:
        wire = cls(*await asyncio.open_connection("127.0.0.1", port))
        expiry_s = 3600 if lasting else 0
        wire.send(mqtt5.ConnectPacket(name, clean_start=not lasting, session_expiry_interval=expiry_s))
        await wire.next()
        return wire

    def send(self, packet: mqtt5.Packet) -> None:
        self.writer.write(packet.write())

    async def next(self) -> mqtt5.Packet:
        while True:
            try:
                packet, size = mqtt5.read(memoryview(self.buffer))
            except IndexError:
                data = await self.reader.read(1 << 16)
                if not data:
                    raise ConnectionResetError from None
                self.buffer += data
                continue
            self.buffer = self.buffer[size:]
            return packet


async def publish(port: int, per_s: float, acknowledged: set[int]) -> None:
    """Publish numbers until the broker is gone."""
    wire = await Wire.open(port, "device", lasting=False)

    async def listen() -> None:
        while True:
            packet = await wire.next()
            if isinstance(packet, mqtt5.PubAckPacket):
                acknowledged.add(packet.packet_id)

    listening = asyncio.create_task(listen())
    began_s, number = time.monotonic(), 0
    try:
        while not listening.done():
            while number < (time.monotonic() - began_s) * per_s:
                number += 1
                payload = str(number).encode().ljust(PAYLOAD_BYTES)
                wire.send(mqtt5.PublishPacket(TOPIC, payload, qos=MIN_ONCE, packet_id=number))
            await wire.writer.drain()
            await asyncio.sleep(0.005)
    finally:
        await asyncio.gather(listening, return_exceptions=True)


async def take(port: int, taken: set[int], *, until_quiet: bool) -> None:
    """Take and acknowledge until the broker is gone, or silent."""
    wire = await Wire.open(port, "reader", lasting=True)
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(QUIET_S):
                packet = await wire.next()
                if isinstance(packet, mqtt5.PublishPacket) and packet.packet_id is not None:
                    taken.add(int(packet.payload))
                    wire.send(mqtt5.PubAckPacket(packet.packet_id))
                continue
        if until_quiet:
            return


async def lost(broker: parts.Broker, run_s: float, per_s: float, *, away: bool) -> tuple[int, int]:
    """Return how many messages were acknowledged to the device, and how many of them nobody ever got."""
    wire = await Wire.open(broker.port, "reader", lasting=True)
    wire.send(mqtt5.SubscribePacket(1, [mqtt5.TopicFilter(TOPIC, max_qos=MIN_ONCE)]))
    await wire.next()
    wire.writer.close()
    acknowledged: set[int] = set()
    taken: set[int] = set()
    running = [asyncio.create_task(publish(broker.port, per_s, acknowledged))]
    if not away:
        running.append(asyncio.create_task(take(broker.port, taken, until_quiet=False)))
    await asyncio.sleep(run_s)
    await asyncio.to_thread(broker.kill)
    await asyncio.gather(*running, return_exceptions=True)
    await asyncio.to_thread(broker.restart)
    await take(broker.port, taken, until_quiet=True)
    return len(acknowledged), len(acknowledged - taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--autosave", type=int, nargs="+", default=[1, 5, 30], help="seconds")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--per-s", type=float, default=1000.0)
    args = parser.parse_args()
    dice = random.Random(1)  # noqa: S311
    for autosave_s in args.autosave:
        for away in (True, False):
            found = []
            for _ in range(args.kills):
                with tempfile.TemporaryDirectory() as folder:
                    options = parts.MosquittoOptions(persistence_dir=Path(folder), autosave_s=autosave_s)
                    with parts.mosquitto(options) as broker:
                        run_s = autosave_s * dice.uniform(1.1, 1.9) + 1
                        found.append(asyncio.run(lost(broker, run_s, args.per_s, away=away)))
            row = {"autosave_s": autosave_s, "reader": "away" if away else "connected", "per_s": args.per_s}
            print(json.dumps(row | {"acknowledged_lost": found}), flush=True)


if __name__ == "__main__":
    main()
