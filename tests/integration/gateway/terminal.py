"""A terminal of JT/T 808 by the rules: registers, authenticates, repeats what is not acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fleet.wire.jt808 import Cutter, Decoded, Sender, decode
from fleet.wire.jt808.header import PHONE_BYTES
from fleet.wire.jt808.values import CHINA, digits_of

REGISTER, AUTHENTICATE, HEARTBEAT, REPORT, BATCH = 0x0100, 0x0102, 0x0002, 0x0200, 0x0704
REGISTRATION = {
    "province": 33,
    "city": 402,
    "maker": "KERB",
    "model": "MIX-1",
    "terminal_id": "0000001",
    "plate_color": 2,
    "plate": "",
}
ON_AND_LOCATED = 0b11
#: Those of the present test; its fixture closes them.
MADE: list[Terminal] = []


def body(
    at_s: float,
    *,
    alarm: int = 0,
    status: int = ON_AND_LOCATED,
    lat: float = 30.7,
    lon: float = 120.7,
    speed_kmh: float = 36.0,
    items: str = "",
    zone: object = CHINA,
) -> bytes:
    """A location report measured at a time, on a street northwards."""
    digits = digits_of(datetime.fromtimestamp(at_s, UTC), zone)
    return (
        alarm.to_bytes(4, "big")
        + status.to_bytes(4, "big")
        + round(lat * 1e6).to_bytes(4, "big")
        + round(lon * 1e6).to_bytes(4, "big")
        + (12).to_bytes(2, "big")
        + round(speed_kmh * 10).to_bytes(2, "big")
        + (0).to_bytes(2, "big")
        + bytes.fromhex(digits)
        + bytes.fromhex(items)
    )


def batch(*bodies: bytes, kept: bool = True) -> bytes:
    """The body of 0x0704."""
    reports = b"".join(len(one).to_bytes(2, "big") + one for one in bodies)
    return len(bodies).to_bytes(2, "big") + bytes([kept]) + reports


@dataclass
class Terminal:
    """One terminal. `answers` are what the platform has said to it."""

    phone: str
    port: int
    version: int = 2013
    code: str = ""
    answers: list[Decoded] = field(default_factory=list)
    #: What waits for an acknowledgement, by serial: the frame.
    unacknowledged: dict[int, bytes] = field(default_factory=dict)
    acknowledged: set[int] = field(default_factory=set)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        digits = self.phone.rjust(2 * PHONE_BYTES[self.version], "0")
        self.sender = Sender(self.version, bytes.fromhex(digits))
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        MADE.append(self)

    async def connect(self) -> Terminal:
        await self.close()
        self.hung_up = asyncio.Event()
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._listening = asyncio.create_task(self._listen(reader))
        return self

    async def close(self) -> None:
        if self._writer is None or self._listening is None:
            return
        self._listening.cancel()
        # Not `close` alone, which waits for a platform that reads slowly.
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        self._writer = None

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        cutter = Cutter()
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                for frame in cutter.feed(data):
                    self._take(decode(frame, edition=2011 if self.version == 2011 else None))
        self.hung_up.set()

    def _take(self, said: Decoded) -> None:
        self.answers.append(said)
        serial = said.body.get("ack_serial")
        if serial in self.unacknowledged and said.body.get("result") == 0:
            del self.unacknowledged[serial]
            self.acknowledged.add(serial)

    @property
    def writer(self) -> asyncio.StreamWriter:
        assert self._writer is not None
        return self._writer

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def take_nothing(self) -> None:
        """Read no answer any more."""
        assert self._listening is not None
        self._listening.cancel()
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]
        own_socket = self.writer.get_extra_info("socket")
        own_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    def say(self, message_id: int, content: bytes = b"") -> int:
        """Send a message; return its serial."""
        serial = self.sender.serial
        self.write(b"".join(self.sender.build_raw(message_id, content)))
        return serial

    def report(self, content: bytes, message_id: int = REPORT) -> int:
        """Send a report, and again until it is acknowledged."""
        serial = self.sender.serial
        (frame,) = self.sender.build_raw(message_id, content)
        self.unacknowledged[serial] = frame
        self.write(frame)
        return serial

    def resend(self) -> None:
        for frame in self.unacknowledged.values():
            self.write(frame)

    async def answer(self, message_id: int, serial: int, within_s: float = 15.0) -> Decoded:
        """Return the answer to a message."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for one in self.answers:
                number = one.header.message_id if one.header else 0
                if (number, one.body.get("ack_serial")) == (message_id, serial):
                    return one
            await asyncio.sleep(0.01)
        raise AssertionError([(one.header, one.body) for one in self.answers])

    async def register(self) -> int:
        """Register; return the result, and keep the code."""
        serial = self.sender.serial
        self.write(b"".join(self.sender.build(REGISTER, REGISTRATION)))
        said = await self.answer(0x8100, serial)
        self.code = said.body.get("auth_code", "")
        return int(said.body["result"])

    async def authenticate(self, code: str | None = None) -> int:
        """Show the code; return the result."""
        values = {"auth_code": self.code if code is None else code}
        if self.version == 2019:
            values |= {"imei": "860000000000000", "software": "1.0"}
        serial = self.sender.serial
        self.write(b"".join(self.sender.build(AUTHENTICATE, values)))
        return int((await self.answer(0x8001, serial)).body["result"])

    async def come_in(self) -> Terminal:
        """Connect, register if it never has, authenticate."""
        await self.connect()
        if not self.code:
            assert await self.register() == 0
        assert await self.authenticate() == 0
        return self

    async def all_acknowledged(self, within_s: float = 15.0) -> None:
        deadline = time.monotonic() + within_s
        while self.unacknowledged:
            assert time.monotonic() < deadline, f"{len(self.unacknowledged)} are not acknowledged"
            await asyncio.sleep(0.01)
