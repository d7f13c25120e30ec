"""One terminal of JT/T 808 by the rules, without a socket: bytes and the time go in, bytes come out.

It registers once and shows its code at each connection. What is not acknowledged is sent again by the
standard's timing; then the connection is worth nothing and is given up. What was not acknowledged when a
connection ends, or is measured without one, is kept and goes as batches (0x0704, type 1) on the next.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from fleet.wire.jt808 import Cutter, Decoded, Sender, decode
from fleet.wire.jt808.header import MAX_BODY_BYTES, PHONE_BYTES, V2013, V2019, read_header
from fleet.wire.jt808.position import build_position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fleet.wire.jt808.framing import Frame
    from fleet.wire.jt808.position import Position
    from simulators.terminals.reports import Told

_ANSWER, _HEARTBEAT, _REGISTRATION, _AUTHENTICATION = 0x0001, 0x0002, 0x0100, 0x0102
_PARAMETERS, _REPORT, _POSITION_ANSWER, _BATCH = 0x0104, 0x0200, 0x0201, 0x0704
_GENERAL, _MISSING, _TIME, _REGISTERED, _MEDIA_ANSWER = 0x8001, 0x8003, 0x8004, 0x8100, 0x8800
_SET, _QUERY_ALL, _QUERY_SOME, _LOCATE, _TEXT = 0x8103, 0x8104, 0x8106, 0x8201, 0x8300
_NEVER_ANSWERED = {_MISSING, _TIME, _MEDIA_ANSWER}
_GENERAL_ANSWER = struct.Struct(">HHB")
_OK, _UNSUPPORTED = 0, 3
#: Number of reports and type, and the length before each.
_BATCH_HEAD_BYTES, _LENGTH_BYTES = 3, 2
_TYPE_KEPT = 1
#: The standard asks for ten thousand; then the oldest are forgotten.
MAX_KEPT = 10_000
_LONGEST_2013_PHONE = 12


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient a terminal is.

    The wait after the n-th time is the wait before, times n.
    """

    first_wait_s: float = 10.0
    resends: int = 3
    heartbeat_s: float = 60.0


class State(Enum):
    """How far it has come."""

    AWAY = "away"
    REGISTERING = "registering"
    AUTHENTICATING = "authenticating"
    OPEN = "open"


_COMING_IN = {State.REGISTERING, State.AUTHENTICATING}


@dataclass(slots=True)
class _Sent:
    """A message that waits for its acknowledgement."""

    frames: bytes
    positions: tuple[Position, ...]
    is_kept: bool
    wait_s: float
    due_s: float
    times: int = 1


@dataclass(slots=True)
class Tally:
    """What became of a terminal's reports."""

    acknowledged: int = 0
    #: The platform said that it cannot use them.
    refused: int = 0
    #: Kept for too long, and gone.
    forgotten: int = 0
    #: Messages sent once more.
    repeated: int = 0
    #: Sent in batches of what was kept.
    kept: int = 0
    #: Broken frames, which nobody answers.
    garbled: int = 0


class Terminal:
    """One terminal; every call returns the bytes to send."""

    def __init__(self, phone: str, *, plate: str = "", timing: Timing | None = None, code: str = "") -> None:
        version = V2019 if len(phone) > _LONGEST_2013_PHONE else V2013
        self.phone, self.code = phone, code
        self.state = State.AWAY
        self.tally = Tally()
        #: What the platform had it say to the driver.
        self.texts: list[str] = []
        #: Why it was not let in the last time; "" if it was.
        self.refusal = ""
        #: The connection is worth nothing any more: end it, and come again later.
        self.gives_up = False
        self.parameters: dict[Any, Mapping[str, Any]] = {}
        self._plate = plate
        self._timing = timing or Timing()
        self._sender = Sender(version, bytes.fromhex(phone.rjust(2 * PHONE_BYTES[version], "0")))
        self._cutter = Cutter()
        self._unanswered: dict[int, _Sent] = {}
        self._kept: deque[Position] = deque()
        self._last: Position | None = None
        self._said_s = 0.0

    @property
    def is_done(self) -> bool:
        """Whether the platform has all that was measured."""
        return not (self._unanswered or self._kept)

    # -- the connection

    def connected(self, now_s: float) -> bytes:
        """Begin a connection."""
        self._cutter, self.gives_up = Cutter(), False
        return self._introduce(now_s)

    def disconnected(self) -> None:
        """End it: what was not acknowledged is kept."""
        self.state = State.AWAY
        unanswered = [position for sent in self._unanswered.values() for position in sent.positions]
        self._unanswered.clear()
        self._keep(unanswered, first=True)

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Take bytes of the platform."""
        return b"".join(self._take(frame, now_s) for frame in self._cutter.feed(data))

    def tick(self, now_s: float) -> bytes:
        """Let time pass."""
        if self.state in _COMING_IN and now_s - self._said_s >= self._timing.first_wait_s:
            self.refusal, self.gives_up = "the platform does not answer", True
            return b""
        out = b""
        for sent in self._unanswered.values():
            if now_s < sent.due_s:
                continue
            if sent.times > self._timing.resends:
                self.gives_up = True
                return b""
            sent.times += 1
            sent.wait_s *= sent.times
            sent.due_s = now_s + sent.wait_s
            self.tally.repeated += 1
            out += sent.frames
        if not out and self.state is State.OPEN and now_s - self._said_s >= self._timing.heartbeat_s:
            out = self._say(_HEARTBEAT, now_s)
        return out

    # -- what was measured

    def tell(self, told: Told, now_s: float) -> bytes:
        """Report what was measured: at once, or as soon as there is a connection."""
        if told.positions and not told.is_kept:
            self._last = told.positions[-1]
        if told.is_garbled:
            return self._garbled() if self.state is State.OPEN else b""
        if self.state is State.OPEN and not told.is_kept:
            return b"".join(
                self._await(self._sender.build_raw(_REPORT, build_position(one)), (one,), now_s)
                for one in told.positions
            )
        self._keep(told.positions)
        return self._send_kept(now_s)

    # -- inside

    def _introduce(self, now_s: float) -> bytes:
        if self.code:
            self.state = State.AUTHENTICATING
            more = {"imei": "860000000000000", "software": "1.0"}
            shown = {"auth_code": self.code} | (more if self._sender.version == V2019 else {})
            return self._say(_AUTHENTICATION, now_s, shown)
        self.state = State.REGISTERING
        values = {
            "province": 33,
            "city": 402,
            "maker": "KERB",
            "model": "SIM-1",
            "terminal_id": self.phone[-7:],
            "plate_color": 2,
            "plate": self._plate,
        }
        return self._say(_REGISTRATION, now_s, values)

    def _say(self, message_id: int, now_s: float, values: Mapping[str, Any] | None = None) -> bytes:
        self._said_s = now_s
        return b"".join(self._sender.build(message_id, values or {}))

    def _await(
        self, frames: list[bytes], positions: tuple[Position, ...], now_s: float, *, is_kept: bool = False
    ) -> bytes:
        """Note what must be acknowledged, and return its bytes."""
        self._said_s = now_s
        wait_s = self._timing.first_wait_s
        sent = _Sent(b"".join(frames), positions, is_kept, wait_s, now_s + wait_s)
        self._unanswered[(self._sender.serial - 1) & 0xFFFF] = sent
        return sent.frames

    def _keep(self, positions: Iterable[Position], *, first: bool = False) -> None:
        if first:
            self._kept.extendleft(reversed(list(positions)))
        else:
            self._kept.extend(positions)
        while len(self._kept) > MAX_KEPT:
            self._kept.popleft()
            self.tally.forgotten += 1

    def _send_kept(self, now_s: float) -> bytes:
        """Send as many as one message holds; the next when that is acknowledged."""
        if (
            self.state is not State.OPEN
            or not self._kept
            or any(s.is_kept for s in self._unanswered.values())
        ):
            return b""
        bodies: list[bytes] = []
        positions: list[Position] = []
        size = _BATCH_HEAD_BYTES
        while self._kept:
            body = build_position(self._kept[0])
            size += _LENGTH_BYTES + len(body)
            if bodies and size > MAX_BODY_BYTES:
                break
            bodies.append(len(body).to_bytes(_LENGTH_BYTES, "big") + body)
            positions.append(self._kept.popleft())
        self.tally.kept += len(positions)
        head = len(bodies).to_bytes(2, "big") + bytes([_TYPE_KEPT])
        frames = self._sender.build_raw(_BATCH, head + b"".join(bodies))
        return self._await(frames, tuple(positions), now_s, is_kept=True)

    def _garbled(self) -> bytes:
        """Return a frame whose checksum is wrong."""
        self.tally.garbled += 1
        (frame,) = self._sender.build(_HEARTBEAT, {})
        return frame[:1] + bytes([frame[1] ^ 0x10]) + frame[2:]

    def _take(self, frame: Frame, now_s: float) -> bytes:
        header, payload, _ = read_header(frame.content)
        if header is None or frame.faults:
            return b""
        if header.message_id == _GENERAL and len(payload) == _GENERAL_ANSWER.size:
            return self._acknowledged(_GENERAL_ANSWER.unpack(payload), now_s)
        said = decode(frame)
        if header.message_id == _REGISTERED:
            return self._registered(said, now_s)
        if header.message_id in _NEVER_ANSWERED:
            return b""
        return self._obey(header.message_id, header.serial, said, now_s)

    def _acknowledged(self, answer: tuple[int, int, int], now_s: float) -> bytes:
        serial, message_id, result = answer
        if message_id == _AUTHENTICATION and self.state is State.AUTHENTICATING:
            if result != _OK:
                self.code = ""
                return self._introduce(now_s)
            self.state, self.refusal = State.OPEN, ""
            return self._send_kept(now_s)
        sent = self._unanswered.pop(serial, None)
        if sent is None:
            return b""
        if result == _OK:
            self.tally.acknowledged += len(sent.positions)
        else:
            self.tally.refused += len(sent.positions)
        return self._send_kept(now_s)

    def _registered(self, said: Decoded, now_s: float) -> bytes:
        if said.body["result"] != _OK:
            self.refusal = f"not registered: result {said.body['result']}"
            self.gives_up = True
            return b""
        self.code = said.body["auth_code"]
        return self._introduce(now_s)

    def _obey(self, message_id: int, serial: int, said: Decoded, now_s: float) -> bytes:
        """Carry out an order, and answer it."""
        orders: dict[int, Callable[[], bytes | None]] = {
            _SET: lambda: self._set(said),
            _QUERY_ALL: lambda: self._parameters(serial, None, now_s),
            _QUERY_SOME: lambda: self._parameters(serial, said.body.get("ids"), now_s),
            _LOCATE: lambda: self._located(serial, now_s),
            _TEXT: lambda: self.texts.append(said.body["text"]),
        }
        order = orders.get(message_id)
        answer = None if order is None else order()
        if answer is not None:
            return answer
        result = _UNSUPPORTED if order is None else _OK
        values = {"ack_serial": serial, "ack_id": f"0x{message_id:04x}", "result": result}
        return self._say(_ANSWER, now_s, values)

    def _set(self, said: Decoded) -> None:
        self.parameters |= {one["id"]: one for one in said.body["params"]}

    def _parameters(self, serial: int, ids: list[Any] | None, now_s: float) -> bytes:
        asked = [one for name, one in self.parameters.items() if ids is None or name in ids]
        return self._say(_PARAMETERS, now_s, {"ack_serial": serial, "params": asked})

    def _located(self, serial: int, now_s: float) -> bytes | None:
        if self._last is None:
            return None
        return self._say(_POSITION_ANSWER, now_s, {"ack_serial": serial, "positions": [self._last]})
