"""What is to be published, in order, and an MQTT 5 connection that does it, as a state machine without I/O.

    CONNECTING --CONNACK--> READY         any of them --> CLOSED, `failure` says why

`Publications` outlive connections: what was not acknowledged is sent again on the next, in the same order.
The broker's answer matters: one that has nobody to keep a message for acknowledges it all the same, and says
so in its reason code (MQTT 5 §3.4.2.1); such a message is gone, and whoever sent it must not be told
otherwise.

It can hear as well, for as long as it stands: what others say of commands. What is published while it is away
it misses.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import mqtt5

from ingest.mqtt.refusals import (
    ConnectionLostError,
    MqttError,
    connect_refused,
    disconnected,
    not_mqtt_5,
    subscription_refused,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Without an answer for so long the broker is gone.
RESPONSE_TIMEOUT_S = 10.0
#: The last id is that of the subscription.
_PACKET_IDS, _SUBSCRIPTION = 65_534, 65_535


class Publication(NamedTuple):
    """A message, and who is told what became of it: None once it is safe, else why it is not."""

    topic: str
    payload: bytes
    done: Callable[[str | None], None]
    #: After so many seconds the broker need not deliver it any more.
    expires_s: int | None = None


@dataclass(slots=True)
class Publications:
    """Everything that the broker has not acknowledged yet, in order."""

    waiting: deque[Publication] = field(default_factory=deque)
    flying: dict[int, Publication] = field(default_factory=dict)
    _packet_id: int = 0

    def __len__(self) -> int:
        return len(self.waiting) + len(self.flying)

    def put(self, publication: Publication) -> None:
        """Queue a message."""
        self.waiting.append(publication)

    def launch(self, most: int) -> Iterator[bytes]:
        """Yield the packets that may be sent now, while no more than `most` are unacknowledged."""
        while self.waiting and len(self.flying) < most:
            self._packet_id = self._packet_id % _PACKET_IDS + 1
            while self._packet_id in self.flying:
                self._packet_id = self._packet_id % _PACKET_IDS + 1
            publication = self.waiting.popleft()
            self.flying[self._packet_id] = publication
            yield mqtt5.PublishPacket(
                publication.topic,
                publication.payload,
                qos=mqtt5.QoS.AT_LEAST_ONCE,
                packet_id=self._packet_id,
                message_expiry_interval=publication.expires_s,
            ).write()

    def landed(self, packet_id: int) -> Publication | None:
        """Return the message that an acknowledgement is of."""
        return self.flying.pop(packet_id, None)

    def recall(self) -> None:
        """Put what is not acknowledged in front again: its connection is gone."""
        self.waiting.extendleft(reversed(self.flying.values()))
        self.flying.clear()


class Heard(NamedTuple):
    """A message of another."""

    topic: str
    payload: bytes


class State(Enum):
    """How far the connection has come."""

    CONNECTING = "connecting"
    READY = "ready"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class PublisherOptions:
    """Who publishes."""

    client_id: str
    username: str | None = None
    password: bytes | None = field(default=None, repr=False)
    keep_alive_s: int = 30
    #: Messages without an acknowledgement, if the broker allows as many.
    in_flight: int = 10_000
    #: Filters of the topics that it hears.
    hears: tuple[str, ...] = ()


class Session:
    """The state of one connection. Call `start`, `receive`, `tick`; send what they return."""

    def __init__(self, options: PublisherOptions, publications: Publications) -> None:
        self.options = options
        self.state = State.CONNECTING
        self.failure: MqttError | ConnectionLostError | None = None
        #: What was heard and nobody has taken yet.
        self.heard: list[Heard] = []
        self._publications = publications
        self._most = 0
        self._owed = bytearray()
        self._buffer = bytearray()
        self._keep_alive_s = float(options.keep_alive_s)
        self._sent_s = 0.0
        self._waiting_since_s: float | None = None

    def start(self, now_s: float) -> bytes:
        """Return CONNECT. The session is kept by nobody: what is unacknowledged is kept here."""
        self._sent_s = self._waiting_since_s = now_s
        return mqtt5.ConnectPacket(
            self.options.client_id,
            username=self.options.username,
            password=self.options.password,
            clean_start=True,
            keep_alive=self.options.keep_alive_s,
        ).write()

    def launch(self, now_s: float) -> bytes:
        """Return the messages that may go now."""
        if self.state is not State.READY:
            return b""
        packets = b"".join(self._publications.launch(self._most))
        if packets:
            self._sent_s = now_s
            self._waiting_since_s = self._waiting_since_s or now_s
        return packets

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Take in bytes as they came; tell whom acknowledgements concern; return what is to be sent now."""
        if self.state is State.CLOSED:
            return b""
        self._buffer += data
        at = 0
        with memoryview(self._buffer) as view:
            while at < len(view) and self.failure is None:
                try:
                    packet, size = mqtt5.read(view[at:])
                except IndexError:
                    break
                except ValueError as error:
                    self._fail(
                        not_mqtt_5(error)
                        if self.state is State.CONNECTING
                        else ConnectionLostError(f"malformed packet: {error}")
                    )
                    break
                at += size
                self._take(packet)
        del self._buffer[:at]
        # Who sends is alive; an answer is awaited as long as anything is unacknowledged.
        self._waiting_since_s = now_s if self._publications.flying else None
        owed = bytes(self._owed)
        self._owed.clear()
        return owed + self.launch(now_s)

    def tick(self, now_s: float) -> bytes:
        """Keep the connection alive, and notice when the broker is gone."""
        if self.state is State.CLOSED:
            return b""
        if self._waiting_since_s is not None and now_s - self._waiting_since_s > RESPONSE_TIMEOUT_S:
            self._fail(ConnectionLostError(f"no answer from the broker for {RESPONSE_TIMEOUT_S:.0f} s"))
            return b""
        if self.state is State.READY and now_s - self._sent_s >= self._keep_alive_s / 2:
            self._sent_s = now_s
            self._waiting_since_s = self._waiting_since_s or now_s
            return mqtt5.PingReqPacket().write()
        return b""

    def abandon(self, reason: str) -> None:
        """Note that the connection is gone; what is unacknowledged waits for the next."""
        if self.state is not State.CLOSED:
            self._fail(ConnectionLostError(reason))

    def _take(self, packet: mqtt5.Packet) -> None:
        match packet:
            case mqtt5.ConnAckPacket() if self.state is State.CONNECTING:
                if packet.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
                    self._fail(connect_refused(packet, self.options.client_id, self.options.username))
                    return
                self._keep_alive_s = float(packet.server_keep_alive or self._keep_alive_s)
                self._most = min(self.options.in_flight, packet.receive_max)
                self.state = State.READY
                self._subscribe()
            case mqtt5.SubAckPacket() if self.state is State.READY:
                self._take_suback(packet)
            case mqtt5.PublishPacket() if self.state is State.READY:
                self.heard.append(Heard(packet.topic, packet.payload))
                if packet.packet_id is not None:
                    self._owed += mqtt5.PubAckPacket(packet.packet_id).write()
            case mqtt5.PubAckPacket() if self.state is State.READY:
                publication = self._publications.landed(packet.packet_id)
                if publication is not None:
                    publication.done(_refusal(packet))
            case mqtt5.PingRespPacket() if self.state is State.READY:
                pass
            case mqtt5.DisconnectPacket():
                self._fail(disconnected(packet, self.options.client_id))
            case _:
                self._fail(ConnectionLostError(f"{type(packet).__name__} while {self.state.value}"))

    def _subscribe(self) -> None:
        if self.options.hears:
            at_least_once = mqtt5.QoS.AT_LEAST_ONCE
            filters = [mqtt5.TopicFilter(one, max_qos=at_least_once) for one in self.options.hears]
            self._owed += mqtt5.SubscribePacket(_SUBSCRIPTION, filters).write()

    def _take_suback(self, packet: mqtt5.SubAckPacket) -> None:
        for pattern, code in zip(self.options.hears, packet.reason_codes, strict=False):
            if code != mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE:
                self._fail(subscription_refused(pattern, code, self.options.client_id))

    def _fail(self, failure: MqttError | ConnectionLostError) -> None:
        self.failure = failure
        self.state = State.CLOSED
        self._publications.recall()


def _refusal(packet: mqtt5.PubAckPacket) -> str | None:
    """Return why the broker has not kept a message; None if it has."""
    code = packet.reason_code
    return None if code == mqtt5.PubAckReasonCode.SUCCESS else code.name.lower()
