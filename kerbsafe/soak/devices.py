"""Trucks as careful units behave: what is not acknowledged is sent again, and after an outage the newest too.

A broker that crashes forgets what it has taken since it saved last, though it had acknowledged it. So a
unit whose connection broke sends once more what it sent shortly before (docs/device-protocol.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING

import mqtt5

from fleet.clock import WALL
from kerbsafe.soak.proxy import HOST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kerbsafe.soak.course import Sending

#: After a broken connection the messages of so long before it are sent again.
REPEAT_S = 60.0
#: Unacknowledged messages of one connection.
WINDOW = 500
LOOK_S = 0.02
RETRY_S = 0.2
ANSWER_S = 5.0
IDENTIFIERS = 65_535
_NOBODY_LISTENS = mqtt5.PubAckReasonCode.NO_MATCHING_SUBSCRIBERS


class Line:
    """One connection, shared by some trucks; it sends messages at their moments, and until they are kept."""

    def __init__(self, number: int, port: int, sendings: Sequence[Sending]) -> None:
        self._number, self._port = number, port
        self._due = deque(sendings)
        self._unacknowledged: dict[int, Sending] = {}
        #: What was acknowledged lately, and when (monotonic seconds).
        self._kept: deque[tuple[float, Sending]] = deque()
        #: To be sent before what is due.
        self._again: deque[Sending] = deque()
        self._identifier = 0
        self.repeated = 0
        self.connects = 0

    @property
    def is_done(self) -> bool:
        """Whether everything was sent and acknowledged."""
        return not (self._due or self._again or self._unacknowledged)

    async def run(self) -> None:
        """Send everything, over as many connections as it takes."""
        while not self.is_done:
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                await self._connection()
            self._take_back()
            await asyncio.sleep(RETRY_S)

    async def _connection(self) -> None:
        reader, writer = await asyncio.open_connection(HOST, self._port)
        try:
            # A session of the broker's would hold nothing: what is in flight is sent again by us.
            hello = mqtt5.ConnectPacket(f"soak-{self._number}", clean_start=True, keep_alive=0)
            writer.write(hello.write())
            wire = _Wire(reader)
            async with asyncio.timeout(ANSWER_S):
                answer = await wire.next()
            if not isinstance(answer, mqtt5.ConnAckPacket) or answer.reason_code != 0:
                return
            self.connects += 1
            reading = asyncio.create_task(self._read(wire))
            try:
                while not reading.done() and not self.is_done:
                    self._send(writer)
                    await writer.drain()
                    await asyncio.sleep(LOOK_S)
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
        finally:
            writer.close()

    def _send(self, writer: asyncio.StreamWriter) -> None:
        now_us = WALL.now_us()
        while len(self._unacknowledged) < WINDOW:
            if self._again:
                sending = self._again.popleft()
            elif self._due and self._due[0].at_us <= now_us:
                sending = self._due.popleft()
            else:
                return
            self._identifier = self._identifier % IDENTIFIERS + 1
            self._unacknowledged[self._identifier] = sending
            packet = mqtt5.PublishPacket(
                sending.topic, sending.payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=self._identifier
            )
            writer.write(packet.write())

    async def _read(self, wire: _Wire) -> None:
        while True:
            packet = await wire.next()
            if not isinstance(packet, mqtt5.PubAckPacket):
                continue
            sending = self._unacknowledged.pop(packet.packet_id, None)
            if sending is None:
                continue
            if packet.reason_code == _NOBODY_LISTENS:  # the broker has forgotten who wants it
                self._again.append(sending)
                continue
            now_s = time.monotonic()
            self._kept.append((now_s, sending))
            while self._kept[0][0] < now_s - REPEAT_S:
                self._kept.popleft()

    def _take_back(self) -> None:
        """After a broken connection: send again what is not acknowledged, and what was so lately."""
        if self.is_done:
            return
        lately = [sending for _, sending in self._kept]
        self._kept.clear()
        self.repeated += len(lately)
        self._again.extendleft(reversed(self._unacknowledged.values()))
        self._again.extend(lately)
        self._unacknowledged.clear()


class _Wire:
    """Reads packets off a connection."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._buffer = b""

    async def next(self) -> mqtt5.Packet:
        """Return the next packet."""
        while True:
            try:
                packet, size = mqtt5.read(memoryview(self._buffer))
            except IndexError:  # not all there yet
                data = await self._reader.read(65_536)
                if not data:
                    raise ConnectionResetError from None
                self._buffer += data
                continue
            self._buffer = self._buffer[size:]
            return packet


class Fleet:
    """All trucks, over a few connections; a truck keeps to one, so that its order is its own."""

    def __init__(self, port: int, sendings: Sequence[Sending], lines: int) -> None:
        shares: list[list[Sending]] = [[] for _ in range(lines)]
        for sending in sendings:
            shares[sending.truck % lines].append(sending)
        self.lines = [Line(number, port, share) for number, share in enumerate(shares)]

    async def run(self) -> None:
        """Send everything; return when all of it is acknowledged."""
        async with asyncio.TaskGroup() as running:
            for line in self.lines:
                running.create_task(line.run())

    @property
    def repeated(self) -> int:
        """Messages sent again though they had been acknowledged."""
        return sum(line.repeated for line in self.lines)
