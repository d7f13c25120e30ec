"""Publishing as fast as a broker takes it: packets encoded beforehand, a window of unacknowledged ones.

One process, one or a few connections, no client library: what is measured is the broker and whoever
reads from it, not the publisher. `push` returns when every packet is acknowledged.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

import mqtt5
import numpy as np

from fleet.wire.topics import Kind, format_topic
from fleet.wire.v1.encoding import encode_fixes
from simulators.errors import SimulatorError
from simulators.packets import IDENTIFIERS, prepare, read_acks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fleet.columns import Fixes
    from simulators.packets import Prepared

    Floats = NDArray[np.float64]

KEEP_ALIVE_S = 600
#: Packets handed to a socket at once, and how often a paced sender looks at the clock.
CHUNK = 2000
TICK_S = 0.002
#: How long acknowledgements gather before they are read.
GATHER_S = 0.002


@dataclass(frozen=True, slots=True)
class Target:
    """Where to push, and as whom."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password: str | None = None
    client_prefix: str = "load-"
    #: Unacknowledged packets on one connection; the broker may allow fewer.
    window: int = 10_000


@dataclass(frozen=True, slots=True)
class Report:
    """What a push took. Times are `time.monotonic()` seconds, in the order of the packets."""

    sent_s: Floats
    acked_s: Floats
    refused: int

    @property
    def messages_per_s(self) -> float:
        """Acknowledged packets over the time from the first sent to the last acknowledged."""
        return float(len(self.sent_s) / (self.acked_s.max() - self.sent_s.min()))

    def ack_ms(self, share: float) -> float:
        """Return a quantile of the time from sending to acknowledgement, milliseconds."""
        return float(np.quantile(self.acked_s - self.sent_s, share) * 1000)


def fix_messages(fixes: Fixes, addresses: Sequence[tuple[str, str]]) -> list[tuple[str, bytes]]:
    """Return (topic, payload) of each fix; `vehicle_id` indexes `addresses`, (company, vehicle) codes."""
    topics = [format_topic(company, vehicle, Kind.FIX) for company, vehicle in addresses]
    return [
        (topics[vehicle], payload)
        for vehicle, payload in zip(fixes.vehicle_id.tolist(), encode_fixes(fixes), strict=True)
    ]


def split(
    messages: Sequence[tuple[str, bytes]], connections: int
) -> tuple[list[Prepared], list[NDArray[np.intp]]]:
    """Encode messages for several connections, each topic on one; and where each came from in order."""
    of_topic = {topic: i % connections for i, topic in enumerate(dict.fromkeys(t for t, _ in messages))}
    chosen = np.array([of_topic[topic] for topic, _ in messages])
    index = [np.flatnonzero(chosen == line) for line in range(connections)]
    return [prepare(messages[i] for i in rows.tolist()) for rows in index], index


async def push(
    messages: Sequence[tuple[str, bytes]],
    target: Target,
    *,
    connections: int = 1,
    per_s: float | None = None,
    allowed: Callable[[], int] | None = None,
) -> Report:
    """Publish (topic, payload) pairs at QoS 1 and wait for all acknowledgements.

    Parameters
    ----------
    connections
        Messages of one topic stay in order, on one of them.
    per_s
        Messages a second over all connections; None: as fast as the broker takes them.
    allowed
        Asked all the time: how many of all messages may be sent by now. A broker acknowledges at once
        what its reader may take minutes to store; this is how whoever knows what is stored holds the
        publisher back.

    Raises
    ------
    SimulatorError
        If the broker cannot be reached, refuses the login or drops a connection.
    """
    prepared, index = split(messages, connections)
    return await push_prepared(prepared, index, target, per_s=per_s, allowed=allowed)


async def push_prepared(
    prepared: Sequence[Prepared],
    index: Sequence[NDArray[np.intp]],
    target: Target,
    *,
    per_s: float | None = None,
    allowed: Callable[[], int] | None = None,
) -> Report:
    """Publish what `split` has encoded; see `push`."""
    total = sum(map(len, prepared))
    lines = [_Line(target, i, packets) for i, packets in enumerate(prepared)]
    loop = asyncio.get_running_loop()
    try:
        for line in lines:
            await loop.create_connection(partial(_same, line), target.host, target.port)
            await line.ready
        pace = _Pace(total, per_s, allowed)
        await asyncio.gather(*(line.run(pace) for line in lines))
    except OSError as error:
        raise SimulatorError(f"cannot publish to {target.host}:{target.port}: {error}") from error
    finally:
        for line in lines:
            line.close()
    sent, acked = np.empty(total), np.empty(total)
    for line, rows in zip(lines, index, strict=True):
        sent[rows], acked[rows] = line.sent_s, line.acked_s
    return Report(sent, acked, sum(line.refused for line in lines))


def _same(line: _Line) -> _Line:
    return line


class _Pace:
    """How many packets may have been sent by now."""

    def __init__(self, total: int, per_s: float | None, allowed: Callable[[], int] | None) -> None:
        self._total, self._per_s, self._allowed = total, per_s, allowed
        self._began_s = time.monotonic()

    @property
    def is_free(self) -> bool:
        """Nothing holds the publisher back but the broker."""
        return self._per_s is None and self._allowed is None

    def due(self, share: int) -> int:
        """Return how many of a line's `share` of all packets may have been sent by now."""
        everything = self._total
        if self._per_s is not None:
            everything = min(everything, int((time.monotonic() - self._began_s) * self._per_s) + 1)
        if self._allowed is not None:
            everything = min(everything, self._allowed())
        return -(-everything * share // self._total)


class _Line(asyncio.Protocol):
    """One connection: sends while the window has room, notes when each packet went out and came back."""

    def __init__(self, target: Target, number: int, packets: Prepared) -> None:
        self._target, self._number, self._packets = target, number, packets
        self._view = memoryview(packets.data)
        self._buffer = b""
        self._sent = self._acked = 0
        self._allowed = 0
        self._window = min(target.window, IDENTIFIERS - 1)
        self._writable = True
        self._transport: asyncio.Transport | None = None
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self._done: asyncio.Future[None] = loop.create_future()
        self.sent_s = np.zeros(len(packets))
        self.acked_s = np.zeros(len(packets))
        self.refused = 0

    async def run(self, pace: _Pace) -> None:
        """Send everything, at a pace or at once, and wait until it is acknowledged."""
        if len(self._packets) == 0:
            return
        self._allowed = len(self._packets) if pace.is_free else 0
        while self._allowed < len(self._packets) and not self._done.done():
            self._allowed = max(self._allowed, pace.due(len(self._packets)))
            self._send()
            await asyncio.sleep(TICK_S)
        self._send()
        await self._done

    def close(self) -> None:
        """Say good-bye."""
        if self._transport is not None:
            self._transport.write(mqtt5.DisconnectPacket().write())
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a session."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(1 << 20)
        packet = mqtt5.ConnectPacket(
            f"{self._target.client_prefix}{self._number}",
            username=self._target.username,
            password=None if self._target.password is None else self._target.password.encode(),
            clean_start=True,
            keep_alive=KEEP_ALIVE_S,
        )
        self._transport.write(packet.write())

    def data_received(self, data: bytes) -> None:
        """Take acknowledgements, and use the room they make."""
        self._buffer += data
        if not self.ready.done() and not self._take_connack():
            return
        self._rest()
        identifiers, refused, used = read_acks(self._buffer)
        self._buffer = self._buffer[used:]
        self.refused += refused
        if len(identifiers):
            # Less than a round of identifiers is in flight, so the newest packet with one is meant.
            newest = self._sent - 1
            self.acked_s[newest - (newest - (identifiers - 1)) % IDENTIFIERS] = time.monotonic()
            self._acked += len(identifiers)
            if self._acked == len(self._packets) and not self._done.done():
                self._done.set_result(None)
            self._send()

    def _rest(self) -> None:
        """Stop reading for a moment: acknowledgements come one by one and are cheaper in heaps."""
        transport = self._transport
        if transport is not None and not transport.is_closing() and transport.is_reading():
            transport.pause_reading()
            asyncio.get_running_loop().call_later(GATHER_S, self._read_on)

    def _read_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        """Wait for the socket."""
        self._writable = False

    def resume_writing(self) -> None:
        """Go on."""
        self._writable = True
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits that it was in vain, unless all was done."""
        error = SimulatorError(
            f"the broker at {self._target.host}:{self._target.port} closed the connection"
            f" after {self._acked} of {len(self._packets)} acknowledgements: {exc or 'no reason given'}"
        )
        for waiting in (self.ready, self._done):
            if not waiting.done():
                waiting.set_exception(error)
                waiting.exception()  # whoever waits gets it; nobody may be waiting

    def _take_connack(self) -> bool:
        try:
            packet, size = mqtt5.read(memoryview(self._buffer))
        except IndexError:  # not all there yet
            return False
        self._buffer = self._buffer[size:]
        if not isinstance(packet, mqtt5.ConnAckPacket) or packet.reason_code != 0:
            reason = getattr(packet, "reason_code", packet)
            if not self.ready.done():
                self.ready.set_exception(SimulatorError(f"the broker refused the load generator: {reason}"))
            return False
        self._window = min(self._window, packet.receive_max or IDENTIFIERS)
        self.ready.set_result(None)
        return True

    def _send(self) -> None:
        """Hand packets to the socket while it takes them, in the window and within the rate."""
        while self._writable and self._transport is not None:
            room = min(self._allowed, self._acked + self._window) - self._sent
            if room <= 0:
                return
            until = self._sent + min(room, CHUNK)
            self.sent_s[self._sent : until] = time.monotonic()
            begin, end = self._packets.bounds[self._sent], self._packets.bounds[until]
            self._sent = until
            self._transport.write(self._view[begin:end])
