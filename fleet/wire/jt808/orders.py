"""Orders to a terminal: one at a time, sent again by the standard's timing until they are answered."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleet.wire.jt808.faults import Jt808Error

if TYPE_CHECKING:
    from fleet.wire.jt808.codec import Decoded, Sender

GENERAL_ANSWER = 0x0001
#: The answers that a terminal has for some orders, rather than the general one.
DEDICATED = {
    0x8104: 0x0104,
    0x8106: 0x0104,
    0x8107: 0x0107,
    0x8201: 0x0201,
    0x8500: 0x0500,
    0x8700: 0x0700,
    0x8801: 0x0805,
    0x9205: 0x1205,
}
ANSWERS = frozenset({GENERAL_ANSWER, *DEDICATED.values()})
#: Messages of their own that some terminals send in place of the general answer.
_INSTEAD = {0x9206: 0x1206}
#: Attributes do not say which order they answer, nor do positions of 2011.
_MAY_LACK_SERIAL = {0x0107, 0x0201}


@dataclass(frozen=True, slots=True)
class Timing:
    """How long an answer is waited for, and how often an order is sent again.

    The wait after the n-th time is the wait before, times n.
    """

    first_wait_s: float = 10.0
    resends: int = 3
    #: Orders that may wait for one terminal.
    max_waiting: int = 32


@dataclass(slots=True)
class Order:
    """One order and what became of it."""

    number: int
    message_id: int
    body: bytes
    #: Not sent, or sent again, from then on; None: it is never too late.
    expires_s: float | None = None
    frames: list[bytes] = field(default_factory=list)
    serials: frozenset[int] = frozenset()
    sent: int = 0
    wait_s: float = 0.0
    due_s: float = 0.0


@dataclass(slots=True)
class Orders:
    """What is to be sent to one terminal, and what it has not answered yet."""

    timing: Timing = field(default_factory=Timing)
    _numbers: int = 0
    _queue: deque[Order] = field(default_factory=deque)

    def put(self, message_id: int, body: bytes, expires_s: float | None = None) -> int:
        """Queue an order; return its number."""
        if len(self._queue) >= self.timing.max_waiting:
            raise Jt808Error(f"{len(self._queue)} orders wait for the terminal already; try again later")
        self._numbers += 1
        self._queue.append(Order(self._numbers, message_id, body, expires_s))
        return self._numbers

    def due(self, sender: Sender, now_s: float) -> tuple[list[bytes], list[Order]]:
        """Return the frames to send now, and the orders that are given up."""
        frames: list[bytes] = []
        given_up: list[Order] = []
        while self._queue:
            order = self._queue[0]
            too_late = order.expires_s is not None and now_s >= order.expires_s
            if too_late and now_s >= order.due_s:
                given_up.append(self._queue.popleft())
                continue
            if not order.sent:
                first = sender.serial
                order.frames = sender.build_raw(order.message_id, order.body)
                order.serials = frozenset((first + place) & 0xFFFF for place in range(len(order.frames)))
                order.wait_s = self.timing.first_wait_s
            elif now_s < order.due_s:
                break
            elif order.sent > self.timing.resends:
                given_up.append(self._queue.popleft())
                continue
            else:
                order.wait_s *= order.sent
            order.sent += 1
            order.due_s = now_s + order.wait_s
            frames += order.frames
            break
        return frames, given_up

    def answered(self, decoded: Decoded) -> Order | None:
        """Return the order that a message answers; it is done then."""
        if not self._queue or decoded.header is None or not self._queue[0].sent:
            return None
        order, said = self._queue[0], decoded.header.message_id
        if said == GENERAL_ANSWER:
            # It says no more than that the order arrived, if another answer follows.
            follows = order.message_id in DEDICATED and decoded.body.get("result") == 0
            done = decoded.body.get("ack_id") == f"0x{order.message_id:04x}" and not follows
        else:
            done = said in {DEDICATED.get(order.message_id), _INSTEAD.get(order.message_id)}
        serial = decoded.body.get("ack_serial")
        if done and not (serial is None and said in _MAY_LACK_SERIAL):
            done = serial in order.serials
        return self._queue.popleft() if done else None

    def drain(self) -> list[Order]:
        """Return what was not answered when the connection ended."""
        left = list(self._queue)
        self._queue.clear()
        return left
