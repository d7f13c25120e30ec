"""Floors: what the parts themselves take, with nothing of ours in the way."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import mqtt5
import numpy as np

from fleet.binary_copy import POSTGRES_EPOCH_US, copy_row, copy_stream
from fleet.columns import Fixes
from kerbsafe.bench import QUERIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg
    from numpy.typing import NDArray

_COLUMNS = {"batch_id": "i8", **Fixes.dtypes()}
_ROW = copy_row(_COLUMNS)
_NAMES = ["time" if name == "time_us" else name for name in _COLUMNS]


async def copy_rows_per_s(connection: asyncpg.Connection, fixes: Fixes, sizes: Sequence[int]) -> float:
    """Return rows a second of binary COPY into a table equal to `fix`, in batches of `sizes` rows.

    Each batch is a transaction. The streams are made beforehand, and the room for the day as well.
    """
    await make_table_like_fix(connection, "fix_floor", int(fixes.time_us.min()))
    streams, begin = [], 0
    for number, size in enumerate(sizes):
        part = fixes.take(slice(begin, begin + size))
        columns = {name: getattr(part, name) for name in part.dtypes()}
        columns["time_us"] = columns["time_us"] - POSTGRES_EPOCH_US
        streams.append(copy_stream({"batch_id": np.full(len(part), number), **columns}, _ROW))
        begin += size
    await connection.execute(QUERIES["checkpoint"])
    began_s = time.perf_counter()
    for stream in streams:
        await connection.copy_to_table("fix_floor", source=stream, columns=_NAMES, format="binary")
    return begin / (time.perf_counter() - began_s)


async def make_table_like_fix(connection: asyncpg.Connection, name: str, at_us: int) -> None:
    """Make a hypertable with the columns and indexes of `fix`, with room for the day of a time."""
    await connection.execute(f"create table {name}_shape (like fix including all)")
    await connection.execute(f"select timed_table('{name}_shape', '{name}')")
    if await connection.fetchval(QUERIES["is_timescale"]):
        return  # a chunk is made with its first row
    day = np.datetime64(at_us, "us").astype("M8[D]").item()
    begin, end = day - timedelta(days=1), day + timedelta(days=2)
    await connection.execute(
        f"create table {name}_days partition of {name} for values from ('{begin} UTC') to ('{end} UTC')"
    )


ROUND_TRIPS = 300
_TOPIC = "bench/floor"


async def round_trip_and_commit_ms(connection: asyncpg.Connection, port: int) -> NDArray[np.float64]:
    """Return how long a message takes through the broker and back, and then one row into the store, each."""
    await connection.execute(QUERIES["make_floor_row"])
    wire = _Wire(*await asyncio.open_connection("127.0.0.1", port))
    at_least_once = mqtt5.QoS.AT_LEAST_ONCE
    wire.send(mqtt5.ConnectPacket("bench-floor", clean_start=True, keep_alive=60))
    await wire.next(mqtt5.ConnAckPacket)
    wire.send(mqtt5.SubscribePacket(1, [mqtt5.TopicFilter(_TOPIC, max_qos=at_least_once)]))
    await wire.next(mqtt5.SubAckPacket)
    spent_ms = []
    for number in range(1, ROUND_TRIPS + 1):
        began_s = time.perf_counter()
        wire.send(mqtt5.PublishPacket(_TOPIC, b"x" * 150, qos=at_least_once, packet_id=number))
        message = await wire.next(mqtt5.PublishPacket)
        await connection.execute(QUERIES["insert_floor_row"], number)
        spent_ms.append((time.perf_counter() - began_s) * 1000)
        if message.packet_id is not None:
            wire.send(mqtt5.PubAckPacket(message.packet_id))
    wire.close()
    return np.array(spent_ms)


_Packet = TypeVar("_Packet")


class _Wire:
    """One MQTT connection, a packet at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._buffer = b""

    def send(self, packet: mqtt5.Packet) -> None:
        """Send a packet."""
        self._writer.write(packet.write())

    async def next(self, kind: type[_Packet]) -> _Packet:
        """Return the next packet of a kind; others are passed over."""
        while True:
            try:
                packet, size = mqtt5.read(memoryview(self._buffer))
            except IndexError:  # not all there yet
                self._buffer += await self._reader.read(4096)
                continue
            self._buffer = self._buffer[size:]
            if isinstance(packet, kind):
                return packet

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
