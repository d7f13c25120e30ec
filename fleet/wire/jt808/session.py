"""What a platform must do with one connection of a terminal, without a socket.

Bytes and the time go in, events come out: bytes to send, and what the gateway has to decide or to store. It
answers back: `registered`, `authenticated`, `stored`. Location reports are handed on unread. A message is
acknowledged only once it is stored, for a terminal forgets what was acknowledged, alarms too. Of fragments
each is, once all are stored; to a terminal that waits for the answer before it sends the next, as they come.

States: `NEW` until the first whole frame says who the terminal is; `KNOWN` until it is authenticated; `OPEN`;
`CLOSED`. Before `OPEN` only registration, authentication, heartbeat and logout are answered; everything else
is refused, unless the policy is lenient. An answer is never answered.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from fleet.units import MICROSECONDS, to_datetime
from fleet.wire.jt808.assembly import Assembler, Bounds
from fleet.wire.jt808.codec import Decoded, Sender, decode, decode_whole
from fleet.wire.jt808.events import (
    Answered,
    Authentication,
    Close,
    Event,
    Received,
    Refused,
    Registration,
    Reported,
    Result,
    Send,
    Unanswered,
)
from fleet.wire.jt808.faults import FATAL, Code, Jt808Error
from fleet.wire.jt808.framing import Cutter
from fleet.wire.jt808.header import V2011, V2013, read_header
from fleet.wire.jt808.messages import MESSAGES, build_body
from fleet.wire.jt808.orders import ANSWERS, Orders, Timing
from fleet.wire.jt808.values import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fleet.wire.jt808.assembly import Missing
    from fleet.wire.jt808.framing import Frame
    from fleet.wire.jt808.header import Header
    from fleet.wire.jt808.models import Model

_HEARTBEAT, _LOGOUT, _TIME_QUERY = 0x0002, 0x0003, 0x0004
_REGISTRATION, _AUTHENTICATION, _REPORT, _MEDIA = 0x0100, 0x0102, 0x0200, 0x0801
_GENERAL, _MISSING, _TIME, _REGISTERED, _MEDIA_ANSWER = 0x8001, 0x8003, 0x8004, 0x8100, 0x8800
_BEFORE_OPEN = {_HEARTBEAT, _LOGOUT, _REGISTRATION, _AUTHENTICATION}
_GENERAL_ANSWER = struct.Struct(">HHB")
_BYTES_AT_ONCE = 4096
#: Of missing fragments; their number has one byte before 2019.
_ASKED_AT_ONCE = 255


class State(Enum):
    """How far the terminal has come."""

    NEW = "new"
    KNOWN = "known"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient the platform is."""

    #: Take reports of terminals that never authenticate.
    lenient: bool = False
    #: Until it must have authenticated.
    login_s: float = 30.0
    #: Without a message from the terminal; three heartbeats of a minute.
    idle_s: float = 180.0
    #: Bad frames in a row after which the connection is no terminal's.
    bad_in_a_row: int = 10
    timing: Timing = field(default_factory=Timing)
    bounds: Bounds = field(default_factory=Bounds)


class Session:
    """One connection. Every call gives the events that follow from it, in order."""

    def __init__(
        self,
        now_s: float,
        *,
        policy: Policy | None = None,
        model: Model | None = None,
        edition: int | None = None,
        serial: int = 0,
    ) -> None:
        """Begin.

        Parameters
        ----------
        edition : int, optional
            2011 for a terminal that registered so on an earlier connection; its frames do not tell.
        serial : int, optional
            Of the first frame to the terminal.
        """
        self.policy = policy or Policy()
        self.state = State.NEW
        self.sender: Sender | None = None
        self._model = model
        self._serial = serial
        self._cutter = Cutter()
        self._assembler = Assembler(self.policy.bounds)
        self._orders = Orders(self.policy.timing)
        self._edition = edition
        self._began_s = now_s
        #: When the terminal was heard last.
        self.heard_s = now_s
        self._bad = 0
        self._waits_for_each = False

    # -- what comes in

    def receive(self, data: bytes, now_s: float) -> list[Event]:
        """Take bytes of the terminal."""
        events: list[Event] = []
        # A little at a time: a connection that sends rubbish is closed before all of it was looked at.
        for at in range(0, len(data), _BYTES_AT_ONCE):
            for frame in self._cutter.feed(data[at : at + _BYTES_AT_ONCE]):
                if self.state is State.CLOSED:
                    return events
                events += self._take(frame, now_s)
        return events

    def tick(self, now_s: float) -> list[Event]:
        """Let time pass: send again, ask for missing fragments, lose patience."""
        if self.state is State.CLOSED:
            return []
        if now_s - self.heard_s >= self.policy.idle_s:
            return self._close("nothing was heard of the terminal")
        waiting = self.state in {State.NEW, State.KNOWN} and not self.policy.lenient
        if waiting and now_s - self._began_s >= self.policy.login_s:
            return self._close("the terminal did not authenticate")
        events = [event for missing in self._assembler.due(now_s) for event in self._ask_for(missing)]
        return events + self._due(now_s)

    def end(self) -> list[Event]:
        """Take note that the connection is gone."""
        self.state = State.CLOSED
        return [Unanswered(order) for order in self._orders.drain()]

    # -- what the gateway decides

    def order(
        self, message_id: int, values: Mapping[str, Any], now_s: float, expires_s: float | None = None
    ) -> tuple[int, list[Event]]:
        """Queue an order to the terminal; return its number and what is to be sent now.

        It is neither sent nor sent again from `expires_s` on.

        Raises
        ------
        Jt808Error
            The order cannot be built, or the terminal has not said yet which edition it speaks.
        """
        if self.sender is None:
            raise Jt808Error("the terminal has not said who it is; wait for its first message")
        number = self._orders.put(message_id, build_body(message_id, values, self.sender.version), expires_s)
        return number, self._due(now_s)

    def registered(self, message: Decoded, code: str | None, *, result: int = 0) -> list[Event]:
        """Answer a registration: with a code, or with the reason why there is none (1 to 4).

        Many terminals cannot deal with an empty code.
        """
        if (result == 0) != bool(code):
            raise Jt808Error("a registration is answered with a code or with a result from 1 to 4")
        values = {"ack_serial": _header(message).serial, "result": result}
        return self._send(_REGISTERED, values if code is None else values | {"auth_code": code})

    def authenticated(self, message: Decoded, now_s: float, *, accepted: bool) -> list[Event]:
        """Answer an authentication."""
        if accepted:
            self.state = State.OPEN
        events = self._acknowledge(_headers(message), Result.OK if accepted else Result.FAILURE)
        return events + (self._due(now_s) if accepted else [])

    def stored(self, message: Decoded | Reported, result: Result = Result.OK) -> list[Event]:
        """Acknowledge what has been stored; an answer of the terminal is not answered."""
        if isinstance(message, Reported):
            return self._acknowledge([message.header], result)
        *before, last = _headers(message)
        if last.message_id in ANSWERS:
            return []
        if last.message_id == _MEDIA and result is Result.OK and "media_id" in message.body:
            whole = self._send(_MEDIA_ANSWER, {"media_id": message.body["media_id"]})
            return [*self._acknowledge(before, result), *whole]
        return self._acknowledge([*before, last], result)

    # -- inside

    def _take(self, frame: Frame, now_s: float) -> list[Event]:
        header, _, faults = read_header(frame.content)
        if header is None or frame.faults or any(fault.code in FATAL for fault in faults):
            return self._bad_frame(decode(frame, self._model, edition=self._edition))
        self._bad = 0
        if self.sender is None:
            version = V2011 if self._edition == V2011 and header.version == V2013 else header.version
            self.sender = Sender(version, header.phone_bcd, header.protocol_version, self._serial)
            self.state = State.KNOWN
        elif header.phone_bcd != self.sender.phone_bcd:
            return [self._refused(frame, "another telephone than that of the connection")]
        self.heard_s = now_s
        if header.encryption:
            return [self._refused(frame, "encrypted"), *self._acknowledge([header], Result.UNSUPPORTED)]
        if header.fragment is not None and (self._may_talk() or header.message_id in _BEFORE_OPEN):
            return self._take_fragment(frame, header, now_s)
        if header.message_id == _REPORT and self._may_talk():
            return [Reported(frame, header)]
        return self._handle(decode(frame, self._model, edition=self._edition), header, now_s)

    def _take_fragment(self, frame: Frame, header: Header, now_s: float) -> list[Event]:
        payload = read_header(frame.content)[1]
        if self._assembler.has(header, payload):
            self._waits_for_each = True
        at_once = self._waits_for_each and self._may_talk()
        whole = self._assembler.add(header, payload, now_s, is_acknowledged=at_once)
        if whole is None:
            return self._acknowledge([header], Result.OK) if at_once else []
        message = decode_whole(frame, whole, self._model, edition=self._edition)
        return self._handle(message, header, now_s)

    def _refused(self, frame: Frame, reason: str) -> Refused:
        return Refused(decode(frame, self._model, edition=self._edition), reason)

    def _bad_frame(self, message: Decoded) -> list[Event]:
        self._bad += 1
        reason = "; ".join(map(str, message.faults))
        events: list[Event] = [Refused(message, reason)]
        return events + (
            self._close("no frames of a terminal") if self._bad >= self.policy.bad_in_a_row else []
        )

    def _handle(self, message: Decoded, header: Header, now_s: float) -> list[Event]:
        if header.message_id in _BEFORE_OPEN:
            return self._introduction(message, header)
        if not self._may_talk():
            return [Refused(message, "not authenticated")]
        if header.message_id == _TIME_QUERY:
            moment = to_datetime(int(now_s) * MICROSECONDS)
            return self._send(_TIME, {"server_time": rfc3339(moment)})
        order = self._orders.answered(message)
        if order is not None:
            return [Answered(order, message), *self._due(now_s)]
        return self._report(message, header)

    def _introduction(self, message: Decoded, header: Header) -> list[Event]:
        if header.message_id == _REGISTRATION:
            self._edition = message.version
            if self.sender is not None and message.version == V2011:
                self.sender.version = V2011
            return [Registration(message)]
        if header.message_id == _AUTHENTICATION:
            return [Authentication(message)]
        if header.message_id == _LOGOUT:
            self.state, self._began_s = State.KNOWN, self.heard_s
        return self._acknowledge(_headers(message), Result.OK)

    def _report(self, message: Decoded, header: Header) -> list[Event]:
        headers = _headers(message)
        if header.message_id not in MESSAGES:
            return [Refused(message, "unsupported"), *self._acknowledge(headers, Result.UNSUPPORTED)]
        if any(fault.code == Code.BODY for fault in message.faults) and not message.positions:
            return [Refused(message, "incorrect"), *self._acknowledge(headers, Result.INCORRECT)]
        return [Received(message)]

    def _may_talk(self) -> bool:
        return self.state is State.OPEN or (self.policy.lenient and self.state is State.KNOWN)

    def _due(self, now_s: float) -> list[Event]:
        if self.sender is None or not self._may_talk():
            return []
        frames, given_up = self._orders.due(self.sender, now_s)
        return [*map(Unanswered, given_up), *map(Send, frames)]

    def _ask_for(self, missing: Missing) -> list[Event]:
        return self._send(
            _MISSING, {"first_serial": missing.first_serial, "ids": missing.indexes[:_ASKED_AT_ONCE]}
        )

    def _acknowledge(self, headers: Iterable[Header], result: Result) -> list[Event]:
        if self.sender is None or self.state is State.CLOSED:
            return []
        # One for each report: not by the table, which takes three times as long.
        bodies = (_GENERAL_ANSWER.pack(one.serial, one.message_id, result.value) for one in headers)
        return [Send(frame) for body in bodies for frame in self.sender.build_raw(_GENERAL, body)]

    def _send(self, message_id: int, values: Mapping[str, Any]) -> list[Event]:
        if self.sender is None or self.state is State.CLOSED:
            return []
        return [Send(frame) for frame in self.sender.build(message_id, values)]

    def _close(self, reason: str) -> list[Event]:
        return [Close(reason), *self.end()]


def _headers(message: Decoded) -> tuple[Header, ...]:
    """Return what is to be acknowledged of a message: itself, or the fragments that it came in."""
    return message.fragments or (_header(message),)


def _header(message: Decoded) -> Header:
    if message.header is None:
        raise ValueError("a message without a header cannot be answered")
    return message.header
