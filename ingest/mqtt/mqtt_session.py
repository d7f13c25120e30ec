"""One MQTT 5 connection as a state machine without I/O: bytes go in, messages and bytes come out.

    CONNECTING --CONNACK--> SUBSCRIBING --SUBACK--> READY         any of them --> CLOSED, `failure` says why

A session that the broker still knows is READY with the CONNACK: its subscriptions are in force, and the
broker may want acknowledgements of what it sends at once before it answers anything else.

It opens no socket and reads no clock (`now_s` is any monotonic clock, in seconds), so that it can be
fed byte by byte. References are to the MQTT 5.0 standard (OASIS, 7 March 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import mqtt5
import numpy as np

from ingest.mqtt.refusals import (
    ConnectionLostError,
    MqttError,
    connect_refused,
    disconnected,
    not_mqtt_5,
    subscription_refused,
)
from ingest.mqtt.salvage import Salvaged, frame_length, salvage

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A PUBLISH as it came: the codec's packet, or what could be saved of one that the codec refuses.
Publish = mqtt5.PublishPacket | Salvaged

DAY_S = 86_400
MIB = 1 << 20
#: Seconds after which a CONNACK, SUBACK or PINGRESP that has not come means that the broker is gone.
RESPONSE_TIMEOUT_S = 10.0
#: If nobody called `tick` for this long, it was this process that stood still, not the broker.
STALL_S = 3.0

_SUBSCRIBE_ID = 1
_PUBACK = np.dtype([("header", ">u2"), ("packet_id", ">u2")])
_PUBACK_HEADER = 0x4002  # PUBACK, two bytes to follow: reason 0, success, is left out (§3.4.2.1)
_Why = mqtt5.DisconnectReasonCode


class State(Enum):
    """How far the connection has come."""

    CONNECTING = "connecting"
    SUBSCRIBING = "subscribing"
    READY = "ready"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What a session asks of the broker."""

    client_id: str
    filters: tuple[str, ...]
    username: str | None = None
    password: bytes | None = None
    #: Never 0: a peer that vanished would not be noticed, and one broker refuses it.
    keep_alive_s: int = 30
    #: How long the broker keeps the session, and with it what we have not acknowledged, while we are away.
    session_expiry_s: int = 14 * DAY_S
    #: Messages that the broker may have sent without an acknowledgement (Receive Maximum, §3.1.2.11.3).
    receive_max: int = 65_535
    max_packet_bytes: int = 16 * MIB


class Session:
    """The state of one connection. Call `start`, then `receive` and `tick`; send what `take_output` gives."""

    def __init__(self, options: SessionOptions) -> None:
        self.options = options
        self.state = State.CONNECTING
        #: Why the session is CLOSED: `MqttError` to end the process, `ConnectionLostError` to connect again.
        self.failure: MqttError | ConnectionLostError | None = None
        #: Whether the broker still had our session, with what it owed us.
        self.session_present = False
        #: Bytes of the packets that have been taken in; the rest of what came is an unfinished packet.
        self.consumed_bytes = 0
        #: Size of the largest message that the last call of `receive` completed.
        self.largest_bytes = 0
        #: PUBLISH packets that the codec refused and `mqtt_salvage` saved.
        self.salvaged = 0
        self._keep_alive_s = float(options.keep_alive_s)
        self._buffer = bytearray()
        self._output = bytearray()
        self._sent_s = self._heard_s = self._ticked_s = 0.0
        self._waiting_since_s: float | None = None
        self._subscribed = False

    # -- what goes out ---------------------------------------------------------------------------

    def start(self, now_s: float) -> None:
        """Ask for the session: CONNECT."""
        self._heard_s = self._ticked_s = now_s
        packet = mqtt5.ConnectPacket(
            self.options.client_id,
            username=self.options.username,
            password=self.options.password,
            clean_start=False,
            keep_alive=self.options.keep_alive_s,
            session_expiry_interval=self.options.session_expiry_s,
            receive_max=self.options.receive_max,
            max_packet_size=self.options.max_packet_bytes,
        )
        self._ask(packet.write(), now_s)

    def take_output(self) -> bytes:
        """Return the bytes to send, and forget them."""
        output = bytes(self._output)
        self._output.clear()
        return output

    def acknowledge(self, packet_ids: Iterable[int], now_s: float) -> None:
        """Acknowledge PUBLISH packets, to be given in the order in which they came ([MQTT-4.6.0-2])."""
        if self.state is not State.CLOSED:
            self._output += pubacks(packet_ids)
            self._sent_s = now_s

    def close(self) -> None:
        """Leave in order: DISCONNECT. The broker keeps the session."""
        if self.state is not State.CLOSED:
            self._output += mqtt5.DisconnectPacket().write()
            self._fail(ConnectionLostError("closed by this process"))

    def abandon(self, reason: str) -> None:
        """Note that the connection is gone."""
        if self.state is State.CONNECTING:
            reason += " before it was accepted; is this an MQTT 5 listener?"
        if self.state is not State.CLOSED:
            self._fail(ConnectionLostError(reason))

    def tick(self, now_s: float, *, answerable: bool) -> None:
        """Keep the connection alive and notice when the broker is gone. To be called about every second.

        `answerable` is False while silence of the broker is our own doing: we do not read, or owe it
        acknowledgements (at its limit of unacknowledged messages one broker holds back even a PINGRESP).
        Likewise after this process stood still.
        """
        stalled = now_s - self._ticked_s > STALL_S
        self._ticked_s = now_s
        if self.state is State.CLOSED:
            return
        if self._waiting_since_s is not None:
            if stalled or not answerable:
                self._waiting_since_s = now_s
            elif now_s - self._waiting_since_s > RESPONSE_TIMEOUT_S:
                self._fail(ConnectionLostError(f"no answer from the broker for {RESPONSE_TIMEOUT_S:.0f} s"))
                return
        if self.state is State.READY and self._ping_is_due(now_s):
            self._ask(mqtt5.PingReqPacket().write(), now_s)

    def _ping_is_due(self, now_s: float) -> bool:
        """Whether the broker has to hear from us (§3.1.2.10), or we want to hear from it."""
        half_s = self._keep_alive_s / 2
        unheard = now_s - self._heard_s >= half_s and self._waiting_since_s is None
        return unheard or now_s - self._sent_s >= half_s

    def _ask(self, packet: bytes, now_s: float) -> None:
        """Send a packet that must be answered."""
        self._output += packet
        self._sent_s = now_s
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s

    # -- what comes in ---------------------------------------------------------------------------

    def receive(self, data: bytes, now_s: float) -> list[Publish]:
        """Take in bytes as they came, cut anywhere; return the messages that they completed.

        Never raises on what a broker may send: look at `failure` afterwards.
        """
        if self.state is State.CLOSED:
            return []
        self._heard_s = now_s
        if self._waiting_since_s is not None:
            self._waiting_since_s = now_s  # whoever sends is alive, though the answer is still to come
        self._buffer += data
        messages: list[Publish] = []
        with memoryview(self._buffer) as view:
            consumed = self._take_packets(view, messages, now_s)
        del self._buffer[:consumed]
        self.consumed_bytes += consumed
        return messages

    def _take_packets(self, view: memoryview, messages: list[Publish], now_s: float) -> int:
        """Read the whole packets of `view`; return how many bytes they are. The loop runs once a message."""
        read, publish, add = mqtt5.read, mqtt5.PublishPacket, messages.append
        is_open = self.state is not State.CONNECTING
        position, end, largest = 0, len(view), 0
        while position < end:
            try:
                packet, size = read(view[position:])
            except BaseException as error:
                if not _is_refusal(error):
                    raise
                saved = self._unreadable(view[position:], error)
                if saved is None:
                    break
                add(saved[0])
                position += saved[1]
                largest = max(largest, saved[1])
                continue
            position += size
            if is_open and type(packet) is publish:
                add(packet)
                if size > largest:  # noqa: PLR1730  # a call of max() costs a tenth of the loop
                    largest = size
            else:
                self._take_control(packet, now_s)
                is_open = True
                if self.failure is not None:
                    break
        self.largest_bytes = largest
        return position

    def _unreadable(self, view: memoryview, error: BaseException) -> tuple[Salvaged, int] | None:
        """Say what to do where the codec stopped: wait for more (None), save a message, or give up.

        A PUBLISH that the broker passed on must not be answered by a disconnection: the broker would send
        it again, and one odd message would keep out a city for ever.
        """
        try:
            size = frame_length(view)
        except ValueError:
            self._malformed(error)
            return None
        if size is not None and size > self.options.max_packet_bytes:
            self._fail(ConnectionLostError(f"the broker announced {size} bytes"), _Why.PACKET_TOO_LARGE)
            return None
        if size is None or size > len(view):
            return None
        saved = salvage(view[:size]) if self.state is not State.CONNECTING else None
        if saved is None:
            self._malformed(error)
            return None
        self.salvaged += 1
        return saved, size

    def _malformed(self, error: BaseException) -> None:
        if self.state is State.CONNECTING:
            self._fail(not_mqtt_5(error))
        else:
            self._fail(ConnectionLostError(f"malformed packet: {error}"), _Why.MALFORMED_PACKET)

    def _take_control(self, packet: mqtt5.Packet, now_s: float) -> None:
        """Take a packet that is not a message."""
        match packet:
            case mqtt5.ConnAckPacket() if self.state is State.CONNECTING:
                self._take_connack(packet, now_s)
            case mqtt5.SubAckPacket() if self.state is not State.CONNECTING and not self._subscribed:
                self._take_suback(packet)
            case mqtt5.PingRespPacket() if self.state is State.READY:
                self._waiting_since_s = None
            case mqtt5.DisconnectPacket():
                self._fail(disconnected(packet, self.options.client_id))
            case _:
                what = f"{type(packet).__name__} while {self.state.value}"
                self._fail(ConnectionLostError(what), _Why.PROTOCOL_ERROR)

    def _take_connack(self, packet: mqtt5.ConnAckPacket, now_s: float) -> None:
        if packet.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            self._fail(connect_refused(packet, self.options.client_id, self.options.username))
            return
        self.session_present = packet.session_present
        self._keep_alive_s = float(packet.server_keep_alive or self._keep_alive_s)
        self.state = State.READY if packet.session_present else State.SUBSCRIBING
        self._ask(_subscribe(self.options.filters).write(), now_s)

    def _take_suback(self, packet: mqtt5.SubAckPacket) -> None:
        for pattern, code in zip(self.options.filters, packet.reason_codes, strict=False):
            if code != mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE:
                self._fail(subscription_refused(pattern, code, self.options.client_id))
                return
        self._waiting_since_s = None
        self._subscribed = True
        self.state = State.READY

    def _fail(
        self, failure: MqttError | ConnectionLostError, tell: mqtt5.DisconnectReasonCode | None = None
    ) -> None:
        """Close for good; `tell` is the reason that the broker is given."""
        if tell is not None:
            self._output += mqtt5.DisconnectPacket(reason_code=tell).write()
        self.failure = failure
        self.state = State.CLOSED
        self._waiting_since_s = None


def _is_refusal(error: BaseException) -> bool:
    """Whether the codec found a packet unfinished or wrong. Its panic on bad UTF-8 has no public name."""
    return isinstance(error, (IndexError, ValueError)) or type(error).__name__ == "PanicException"


def pubacks(packet_ids: Iterable[int]) -> bytes:
    """Return the PUBACK packets of messages as one piece, four bytes each."""
    ids = np.fromiter(packet_ids, dtype=np.uint16)
    packets = np.empty(len(ids), _PUBACK)
    packets["header"] = _PUBACK_HEADER
    packets["packet_id"] = ids
    return packets.tobytes()


def _subscribe(filters: Iterable[str]) -> mqtt5.SubscribePacket:
    """Ask for topics with QoS 1, without retained messages: they would come again at every connection."""
    never = mqtt5.RetainHandling.SEND_NEVER
    at_least_once = mqtt5.QoS.AT_LEAST_ONCE
    return mqtt5.SubscribePacket(
        _SUBSCRIBE_ID,
        [mqtt5.TopicFilter(f, max_qos=at_least_once, retain_handling=never) for f in filters],
    )
