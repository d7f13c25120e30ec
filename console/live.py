"""The live WebSocket: alerts as JSON text, positions as binary frames.

Each socket has one loop that sends what is new since its last turn: alerts first, then positions. A slow
reader skips rounds of positions, is never waited for by others, and is dropped if it does not take what it is
sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from aiohttp import ClientConnectionError, WSCloseCode, WSMsgType, web

from console import patience
from console.bell import heard
from console.feed import GoneError
from console.masking import masked_plate
from console.problems import Kind, ProblemError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Iterator, Sequence

    from console.operation import Call

#: Sockets at once, of one identity and of all.
MAX_OF_ONE, MOST = 20, 500
#: A client has nothing to say; what it says is bounded, and too much of it ends the connection.
MAX_MESSAGE_BYTES, MESSAGES_A_MINUTE = 1024, 60
SEND_TIMEOUT_S = 10.0
_GOODBYE_S = 3.0
_HEARTBEAT_S = 25.0
_TURN_S = 5.0
_AGE_EVERY_S = 2.0
_KNOWN_STILL_S = 30.0
#: How a task of a connection ends that the other side has left, or whose other task has ended.
_GONE = (asyncio.CancelledError, ConnectionError, ClientConnectionError)
#: What the message of vehicles calls the fields of `Registered`, in their order.
_VEHICLE_COLUMNS = ("id", "code", "plate", "company", "company_name", "kind", "limit_kmh")


class _Drop(NamedTuple):
    """We end the connection, and say why."""

    code: WSCloseCode
    reason: str


class _DroppedError(Exception):
    """Raised in a socket's tasks to end both."""

    def __init__(self, code: WSCloseCode, reason: str) -> None:
        super().__init__(reason)
        self.drop = _Drop(code, reason)


async def live(call: Call) -> web.StreamResponse:
    """Tell what happens until the client goes, its session ends, or it does not keep up."""
    socket = web.WebSocketResponse(
        heartbeat=_HEARTBEAT_S, max_msg_size=MAX_MESSAGE_BYTES, compress=False, timeout=2.0
    )
    if not socket.can_prepare(call.request).ok:
        detail = "Open this address as a WebSocket."
        raise ProblemError(Kind.UPGRADE_REQUIRED, detail, {"Upgrade": "websocket"})
    with _counted(call):
        await socket.prepare(call.request)
        transport = call.request.transport
        try:
            if (drop := await _Listener(call, socket).serve()) is not None:
                call.desk.metrics.dropped.labels(drop.reason).inc()
                await _say_goodbye(socket, drop)
        finally:
            # Closed, a connection waits until all of it is taken, which whoever does not read never does.
            if transport is not None and transport.get_write_buffer_size():
                transport.abort()
    return socket


async def _say_goodbye(socket: web.WebSocketResponse, drop: _Drop) -> None:
    """Close a connection and say why; in a task of its own: what a cancelled send left behind cancels it."""
    closing = asyncio.create_task(socket.close(code=drop.code, message=drop.reason.encode()))
    await asyncio.wait({closing}, timeout=_GOODBYE_S)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)


@contextlib.contextmanager
def _counted(call: Call) -> Iterator[None]:
    listeners = call.desk.listeners
    who = "nobody" if call.identity is None else f"{call.identity.means.value}:{call.identity.name}"
    if listeners[who] >= MAX_OF_ONE or listeners.total() >= MOST:
        raise ProblemError(Kind.TOO_MANY, "Too many live connections are open.", {"Retry-After": "30"})
    listeners[who] += 1
    call.desk.metrics.listeners.inc()
    try:
        yield
    finally:
        call.desk.metrics.listeners.dec()
        listeners[who] -= 1
        if not listeners[who]:
            del listeners[who]


class _Listener:
    """One open socket, and how far it has been told."""

    def __init__(self, call: Call, socket: web.WebSocketResponse) -> None:
        self._call = call
        self._desk = call.desk
        self._socket = socket
        self._feed_id = 0
        self._round = 0
        self._revision = 0
        self._age_due_s = 0.0
        self._known_until_s = time.monotonic() + _KNOWN_STILL_S

    async def serve(self) -> _Drop | None:
        """Send and listen side by side; the end of one is the end of both. Returns why we end it, if we do.

        What the tasks raised is not raised again here: an error, its frames and the page of the feed that
        they hold would stand in a circle, which is collected long after.
        """
        tasks = [asyncio.create_task(self._tell()), asyncio.create_task(self._listen())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        return _reason(ends)

    async def _listen(self) -> None:
        """Read what the client sends, so that pings and its end are seen; drop it if it floods."""
        times: deque[float] = deque(maxlen=MESSAGES_A_MINUTE)
        async for message in self._socket:
            if message.type is WSMsgType.ERROR:
                return
            now_s = time.monotonic()
            if len(times) == MESSAGES_A_MINUTE and now_s - times[0] < 60:  # noqa: PLR2004 - a minute
                raise _DroppedError(WSCloseCode.POLICY_VIOLATION, "flood")
            times.append(now_s)

    async def _tell(self) -> None:
        await self._welcome()
        while True:
            turn = self._desk.bell.turn
            if await self._tell_alerts():
                continue
            if self._call.query.positions:
                await self._tell_positions()
            await self._tell_age()
            await self._check_still_welcome()
            await heard(turn, _TURN_S)

    async def _welcome(self) -> None:
        """Say where the feed stands; a reader that was away too long is told to read the lists again."""
        after = self._call.query.after
        kind = "welcome"
        try:
            if after is not None:
                await self._desk.feed.check(after)
        except GoneError:
            kind, after = "resync", None
        self._feed_id = self._desk.feed.newest if after is None else after
        await self._send({"type": kind, "feed": self._feed_id})

    async def _tell_age(self) -> None:
        """Say now and then how old what we tell is: a feed that is silent may be one that cannot be read."""
        now_s = time.monotonic()
        if now_s < self._age_due_s:
            return
        self._age_due_s = now_s + _AGE_EVERY_S
        feed, live_positions = self._desk.feed, self._desk.live_positions
        ages: dict[str, float | None] = {"feed_s": feed.age_s}
        if self._call.query.positions:
            ages |= {"positions_s": live_positions.age_s, "ingest_s": live_positions.unheard_s}
        told = {name: None if age_s is None else round(age_s, 1) for name, age_s in ages.items()}
        await self._send({"type": "age", "feed": self._feed_id, **told})

    async def _tell_alerts(self) -> bool:
        """Send a page of what is new in the feed; return whether there was any."""
        entries = await self._desk.feed.after(self._feed_id)
        if not entries:
            return False
        self._feed_id = entries[-1].feed_id
        text = ",".join(entry.text for entry in entries)
        await self._send_text(f'{{"type":"alerts","feed":{self._feed_id},"entries":[{text}]}}')
        self._desk.metrics.feed_entries.inc(len(entries))
        return True

    async def _tell_positions(self) -> None:
        """Send what moved since the last frame, and who the vehicles are whenever that has changed."""
        live_positions = self._desk.live_positions
        if self._revision != live_positions.revision:
            self._revision = live_positions.revision
            await self._send({"type": "vehicles", **self._known_vehicles()})
            self._round = 0
        if self._round != live_positions.round:
            frame = live_positions.frame_since(self._round)
            self._round = live_positions.round
            await self._send_bytes(frame)

    def _known_vehicles(self) -> dict[str, Sequence[Any]]:
        """Return who the vehicles are, as columns; plates as the one who listens may see them."""
        vehicles = self._desk.live_positions.vehicles.values()
        columns = list(zip(*vehicles, strict=True)) or [()] * len(_VEHICLE_COLUMNS)
        known: dict[str, Sequence[Any]] = dict(zip(_VEHICLE_COLUMNS, columns, strict=True))
        if not self._call.may_act:
            known["plate"] = [masked_plate(plate) for plate in known["plate"]]
        return known

    async def _check_still_welcome(self) -> None:
        """End the connection when its session or token has ended, or when we end."""
        if self._desk.leaving.is_set():
            raise _DroppedError(WSCloseCode.GOING_AWAY, "restart")
        if time.monotonic() < self._known_until_s:
            return
        self._known_until_s = time.monotonic() + _KNOWN_STILL_S
        identity = await patience.within(
            patience.LOOK_S, self._desk.authentication.identify(self._call.request)
        )
        if identity is None or identity.may_act != self._call.may_act:
            raise _DroppedError(WSCloseCode.POLICY_VIOLATION, "session ended")

    async def _send(self, message: object) -> None:
        await self._send_text(msgspec.json.encode(message).decode())

    async def _send_text(self, text: str) -> None:
        await _taken(self._socket.send_str(text))

    async def _send_bytes(self, frame: bytes) -> None:
        await _taken(self._socket.send_bytes(frame))


async def _taken(sending: Awaitable[None]) -> None:
    """Drop a reader that does not take what it is sent."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await sending
            return
    # Not out of `except`: the time-out would be its context, and knows the task that keeps this error.
    raise _DroppedError(WSCloseCode.TRY_AGAIN_LATER, "too slow")


def _reason(ends: Iterable[BaseException | None]) -> _Drop | None:
    """Return why a connection is ended by us; raise what was foreseen by nobody."""
    for end in ends:
        if isinstance(end, _DroppedError):
            return end.drop
        if end is None or isinstance(end, _GONE):
            continue
        if isinstance(end, (*patience.LATE, *patience.AWAY)):
            # Who listens must not believe that all is told.
            return _Drop(WSCloseCode.TRY_AGAIN_LATER, "no database")
        raise end
    return None
