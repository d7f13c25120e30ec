"""The MQTT session without a network: packets of a broker go in, byte by byte if need be."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.errors import KerbsafeError
from ingest.mqtt.mqtt_session import RESPONSE_TIMEOUT_S, STALL_S, Session, SessionOptions, State, pubacks
from ingest.mqtt.refusals import ConnectionLostError, MqttError

if TYPE_CHECKING:
    from collections.abc import Callable

#: On bad UTF-8 the codec panics: it writes to stderr and leaves an exception that nobody can catch.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

OPTIONS = SessionOptions("kerbsafe-live", ("a/fix", "a/camera"), username="ingest", password=b"s3cret")
CONNACK = mqtt5.ConnAckPacket().write()
SUBACK = mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE] * 2).write()
PINGRESP = mqtt5.PingRespPacket().write()
PINGREQ = mqtt5.PingReqPacket().write()


def publish(packet_id: int | None, payload: bytes = b"{}", topic: str = "a/fix", **more: object) -> bytes:
    qos = mqtt5.QoS.AT_MOST_ONCE if packet_id is None else mqtt5.QoS.AT_LEAST_ONCE
    return mqtt5.PublishPacket(topic, payload, qos=qos, packet_id=packet_id, **more).write()


def raw_publish(
    topic: bytes, *, properties: bytes = b"", payload: bytes = b"{}", packet_id: int = 7
) -> bytes:
    """A PUBLISH of QoS 1 that the codec would not write."""
    body = len(topic).to_bytes(2, "big") + topic + packet_id.to_bytes(2, "big")
    body += bytes([len(properties)]) + properties + payload
    return bytes([0x32, len(body)]) + body


def connecting() -> Session:
    session = Session(OPTIONS)
    session.start(0.0)
    session.take_output()
    return session


def ready() -> Session:
    session = connecting()
    assert session.receive(CONNACK + SUBACK, 0.0) == []
    session.take_output()
    assert session.state is State.READY
    return session


def packets(data: bytes) -> list[mqtt5.Packet]:
    """What a broker would read."""
    found = []
    while data:
        packet, size = mqtt5.read(memoryview(data))
        found.append(packet)
        data = data[size:]
    return found


# -- the handshake ---------------------------------------------------------------------------------


def test_connect_asks_for_a_session_that_outlives_the_connection() -> None:
    session = Session(OPTIONS)
    session.start(0.0)
    (connect,) = packets(session.take_output())
    assert connect.client_id == "kerbsafe-live"
    assert (connect.username, connect.password) == ("ingest", b"s3cret")
    assert connect.clean_start is False
    assert connect.session_expiry_interval >= 7 * 86_400
    assert connect.keep_alive > 0
    assert connect.max_packet_size == 16 * 1024 * 1024


def test_a_session_subscribes_when_it_is_accepted_and_is_ready_when_that_is_granted() -> None:
    session = connecting()
    session.receive(CONNACK, 1.0)
    assert session.state is State.SUBSCRIBING
    (subscribe,) = packets(session.take_output())
    assert [f.pattern for f in subscribe.topic_filters] == ["a/fix", "a/camera"]
    assert [f.max_qos for f in subscribe.topic_filters] == [mqtt5.QoS.AT_LEAST_ONCE] * 2
    session.receive(SUBACK, 2.0)
    assert session.state is State.READY


def test_a_session_that_the_broker_still_knows_is_ready_at_once_and_subscribes_all_the_same() -> None:
    session = connecting()
    session.receive(mqtt5.ConnAckPacket(session_present=True).write(), 0.0)
    assert (session.session_present, session.state) == (True, State.READY)
    (subscribe,) = packets(session.take_output())
    assert [f.pattern for f in subscribe.topic_filters] == ["a/fix", "a/camera"]
    session.receive(publish(1) + SUBACK, 0.0)
    assert session.state is State.READY


@pytest.mark.parametrize(
    ("code", "part_of_the_sentence"),
    [
        ("BAD_USER_NAME_OR_PASSWORD", "user 'ingest'"),
        ("NOT_AUTHORIZED", "password file"),
        ("BANNED", "user 'ingest'"),
        ("CLIENT_ID_NOT_VALID", "client 'kerbsafe-live'"),
        ("UNSUPPORTED_PROTOCOL_VERSION", "unsupported protocol version"),
    ],
)
def test_a_refusal_that_time_does_not_mend_is_an_error_for_people(
    code: str, part_of_the_sentence: str
) -> None:
    session = connecting()
    session.receive(mqtt5.ConnAckPacket(reason_code=getattr(mqtt5.ConnAckReasonCode, code)).write(), 0.0)
    assert isinstance(session.failure, KerbsafeError)
    assert part_of_the_sentence in str(session.failure)
    assert "s3cret" not in str(session.failure)


@pytest.mark.parametrize(
    "code", ["SERVER_UNAVAILABLE", "SERVER_BUSY", "QUOTA_EXCEEDED", "CONNECTION_RATE_EXCEEDED"]
)
def test_a_refusal_that_time_may_mend_is_tried_again(code: str) -> None:
    session = connecting()
    session.receive(mqtt5.ConnAckPacket(reason_code=getattr(mqtt5.ConnAckReasonCode, code)).write(), 0.0)
    assert isinstance(session.failure, ConnectionLostError)


@pytest.mark.parametrize("code", ["NOT_AUTHORIZED", "GRANTED_QOS_AT_MOST_ONCE", "QUOTA_EXCEEDED"])
def test_a_topic_that_may_not_be_read_with_qos_1_is_named(code: str) -> None:
    session = connecting()
    granted = mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE
    session.receive(
        CONNACK + mqtt5.SubAckPacket(1, [granted, getattr(mqtt5.SubAckReasonCode, code)]).write(), 0.0
    )
    assert isinstance(session.failure, MqttError)
    assert "'a/camera'" in str(session.failure)


@pytest.mark.parametrize(
    "answer",
    [b"\x20\x02\x00\x01", b"\x20\x02\x00\x00", b"HTTP/1.1 400 Bad Request\r\n" + b"x" * 100, b"\xff" * 9],
    ids=["refused by 3.1.1", "accepted by 3.1.1", "HTTP", "rubbish"],
)
def test_what_is_no_mqtt_5_broker_is_called_so(answer: bytes) -> None:
    session = connecting()
    session.receive(answer, 0.0)
    assert isinstance(session.failure, MqttError)
    assert "not an MQTT 5 broker" in str(session.failure)


def test_a_connection_closed_before_it_was_accepted_hints_at_the_listener() -> None:
    session = connecting()
    session.abandon("the connection was closed")
    assert "MQTT 5 listener?" in str(session.failure)


# -- messages --------------------------------------------------------------------------------------


def test_messages_come_out_in_order_with_what_their_acknowledgement_needs() -> None:
    session = ready()
    data = publish(1, b"one") + publish(None, b"two") + publish(3, b"three", duplicate=True)
    messages = session.receive(data, 0.0)
    assert [(m.topic, m.payload, m.packet_id, m.duplicate) for m in messages] == [
        ("a/fix", b"one", 1, False),
        ("a/fix", b"two", None, False),
        ("a/fix", b"three", 3, True),
    ]
    assert session.take_output() == b""


def test_messages_of_a_resumed_session_may_come_before_the_subscription_is_granted() -> None:
    session = connecting()
    messages = session.receive(CONNACK + publish(1) + SUBACK + publish(2), 0.0)
    assert [m.packet_id for m in messages] == [1, 2]
    assert session.state is State.READY


def test_nothing_is_acknowledged_unasked_and_everything_in_one_piece_when_asked() -> None:
    session = ready()
    session.receive(publish(1) + publish(258), 0.0)
    assert session.take_output() == b""
    session.acknowledge([1, 258], 0.0)
    acknowledgements = packets(session.take_output())
    assert [p.packet_id for p in acknowledgements] == [1, 258]
    assert [p.reason_code for p in acknowledgements] == [mqtt5.PubAckReasonCode.SUCCESS] * 2


@given(st.lists(st.integers(1, 65_535), max_size=50))
def test_bulk_acknowledgements_are_what_the_codec_would_write(ids: list[int]) -> None:
    assert pubacks(ids) == b"".join(mqtt5.PubAckPacket(i).write() for i in ids)


#: A conversation with everything in it, and the messages that must come out of it however it is cut.
CONVERSATION = (
    CONNACK
    + publish(9, b"resumed", duplicate=True)
    + SUBACK
    + publish(1, b"x" * 300)
    + PINGRESP
    + raw_publish(b"a/\xff", payload=b"odd")
    + publish(None, b"")
    + publish(2, b"last", topic="城市/fix")
)
HEARD = [
    ("a/fix", b"resumed", 9),
    ("a/fix", b"x" * 300, 1),
    ("a/\\xff", b"odd", 7),
    ("a/fix", b"", None),
    ("城市/fix", b"last", 2),
]


def heard(chunks: list[bytes]) -> tuple[list[tuple[str, bytes, int | None]], State, str]:
    session = connecting()
    messages = [m for chunk in chunks for m in session.receive(chunk, 0.0)]
    return [(m.topic, m.payload, m.packet_id) for m in messages], session.state, repr(session.failure)


def test_byte_by_byte_is_heard_as_at_once() -> None:
    whole = heard([CONVERSATION])
    assert whole == (HEARD, State.READY, "None")
    assert heard([bytes([byte]) for byte in CONVERSATION]) == whole


@given(st.lists(st.integers(0, len(CONVERSATION)), max_size=12))
def test_any_cut_is_heard_as_at_once(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(CONVERSATION)]
    assert heard([CONVERSATION[a:b] for a, b in pairwise(edges)]) == (
        HEARD,
        State.READY,
        "None",
    )


@given(st.integers(0, len(CONVERSATION) - 1), st.integers(1, 255), st.integers(1, 40))
def test_a_damaged_conversation_ends_the_same_way_however_it_is_cut(
    position: int, flip: int, size: int
) -> None:
    """Any damage is survived, and what is made of it does not depend on how the bytes arrive."""
    damaged = bytearray(CONVERSATION)
    damaged[position] ^= flip
    data = bytes(damaged)
    assert heard([data[i : i + size] for i in range(0, len(data), size)]) == heard([data])


@given(st.lists(st.binary(max_size=80), max_size=5), st.booleans())
def test_no_bytes_raise(chunks: list[bytes], is_ready: bool) -> None:
    session = ready() if is_ready else connecting()
    for chunk in chunks:
        session.receive(chunk, 0.0)
    session.tick(1.0, answerable=True)
    assert (session.failure is None) == (session.state is not State.CLOSED)


# -- messages that the codec refuses ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("packet", "topic", "payload"),
    [
        (raw_publish(b"a/\xff\xfe"), "a/\\xff\\xfe", b"{}"),
        (raw_publish(b"a/fix", properties=b"\x26\x00\x01\xff\x00\x01b"), "a/fix", b"{}"),
        (raw_publish(b"a/fix", properties=b"\x7f\x01"), "a/fix", b"{}"),
        (raw_publish(b""), "", b"{}"),
        (b"\x32\x0a\x00\x01a\x00\x07\x7fabcd", "a", b"\x7fabcd"),
    ],
    ids=["topic not UTF-8", "user property not UTF-8", "unknown property", "no topic", "properties overrun"],
)
def test_a_message_that_the_codec_refuses_is_taken_in_and_can_be_acknowledged(
    packet: bytes, topic: str, payload: bytes
) -> None:
    """Otherwise the broker would send it again for ever, and nothing behind it would come through."""
    session = ready()
    messages = session.receive(publish(1) + packet + publish(2), 0.0)
    assert [m.packet_id for m in messages] == [1, 7, 2]
    assert (messages[1].topic, messages[1].payload) == (topic, payload)
    assert session.salvaged == 1
    assert session.state is State.READY


@pytest.mark.parametrize(
    "packet",
    [
        b"\x32\x04\x00\x09ab",
        b"\x00\x00",
        b"\x90\x01\x00",
        b"\x36\x07\x00\x01a\x00\x07\x00x",
        b"\xd0\xff\xff\xff\xff\x01",
    ],
    ids=["topic overruns packet", "unknown type", "short SUBACK", "QoS 3", "endless length"],
)
def test_what_cannot_be_saved_ends_the_connection_and_tells_the_broker_why(packet: bytes) -> None:
    session = ready()
    messages = session.receive(publish(1) + packet + publish(2), 0.0)
    assert [m.packet_id for m in messages] == [1]
    assert isinstance(session.failure, ConnectionLostError)
    (goodbye,) = packets(session.take_output())
    assert goodbye.reason_code == mqtt5.DisconnectReasonCode.MALFORMED_PACKET


def test_a_packet_larger_than_agreed_is_not_waited_for() -> None:
    session = ready()
    session.receive(b"\x32\xff\xff\xff\x7f", 0.0)
    (goodbye,) = packets(session.take_output())
    assert goodbye.reason_code == mqtt5.DisconnectReasonCode.PACKET_TOO_LARGE


@pytest.mark.parametrize(
    "packet", [CONNACK, SUBACK, PINGREQ, mqtt5.PubAckPacket(1).write()], ids=lambda p: p.hex()
)
def test_a_packet_out_of_place_ends_the_connection(packet: bytes) -> None:
    session = ready()
    session.receive(packet, 0.0)
    assert isinstance(session.failure, ConnectionLostError)


def test_a_message_before_the_connection_is_accepted_ends_it() -> None:
    assert heard([publish(1) + CONNACK])[:2] == ([], State.CLOSED)


def test_nothing_is_heard_or_said_after_the_end() -> None:
    session = ready()
    session.receive(mqtt5.DisconnectPacket().write() + publish(1), 0.0)
    assert session.receive(publish(2), 0.0) == []
    session.acknowledge([1], 0.0)
    session.tick(1000.0, answerable=True)
    assert session.take_output() == b""


# -- the end ---------------------------------------------------------------------------------------


def test_another_process_with_our_name_ends_this_one() -> None:
    session = ready()
    taken_over = mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER
    session.receive(mqtt5.DisconnectPacket(reason_code=taken_over).write(), 0.0)
    assert isinstance(session.failure, KerbsafeError)
    assert "'kerbsafe-live'" in str(session.failure)


@pytest.mark.parametrize("code", ["SERVER_SHUTTING_DOWN", "KEEP_ALIVE_TIMEOUT", "ADMINISTRATIVE_ACTION"])
def test_any_other_goodbye_of_the_broker_leads_to_a_new_connection(code: str) -> None:
    session = ready()
    packet = mqtt5.DisconnectPacket(
        reason_code=getattr(mqtt5.DisconnectReasonCode, code), reason_str="see log"
    )
    session.receive(packet.write(), 0.0)
    assert isinstance(session.failure, ConnectionLostError)
    assert "see log" in str(session.failure)


def test_leaving_in_order_keeps_the_session_at_the_broker() -> None:
    session = ready()
    session.close()
    (goodbye,) = packets(session.take_output())
    assert goodbye.reason_code == mqtt5.DisconnectReasonCode.NORMAL_DISCONNECTION
    assert goodbye.session_expiry_interval is None


# -- keep-alive: seconds since the session was ready -> what is sent, with a keep-alive of 30 s ----


def test_an_idle_session_pings_and_an_answered_one_lives() -> None:
    session = ready()
    for second in range(1, 121):
        session.tick(float(second), answerable=True)
        if session.take_output() == PINGREQ:
            session.receive(PINGRESP, float(second))
    assert session.state is State.READY


def test_an_idle_session_pings_at_half_the_keep_alive() -> None:
    session = ready()
    sent = {}
    for second in range(1, 20):
        session.tick(float(second), answerable=True)
        if output := session.take_output():
            sent[second] = output
    assert sent == {15: PINGREQ}


def test_acknowledging_for_ever_without_hearing_anything_pings_too() -> None:
    """Our own packets keep us alive for the broker; they do not say that the broker is alive."""
    session = ready()
    for second in range(1, 15):
        session.acknowledge([1], float(second))
        session.tick(float(second), answerable=True)
    session.take_output()
    session.acknowledge([1], 15.0)
    session.tick(15.0, answerable=True)
    assert PINGREQ in session.take_output()


@pytest.mark.parametrize("made", [connecting, ready], ids=["handshake", "ready"])
def test_a_silent_broker_is_given_up(made: Callable[[], Session]) -> None:
    session = made()
    for second in range(1, 60):
        session.tick(float(second), answerable=True)
        if session.failure:
            break
    assert isinstance(session.failure, ConnectionLostError)
    expected = 15 + RESPONSE_TIMEOUT_S + 1 if made is ready else RESPONSE_TIMEOUT_S + 1
    assert second == expected


def test_anything_heard_is_an_answer() -> None:
    """A large queue may stand in front of the PINGRESP."""
    session = ready()
    for second in range(1, 120):
        session.tick(float(second), answerable=True)
        if second > 15:
            session.receive(publish(1), float(second))
    assert session.state is State.READY


def test_our_own_back_pressure_does_not_look_like_a_dead_broker() -> None:
    """While we do not read, no answer can come; the broker goes on hearing from us."""
    session = ready()
    pings = 0
    for second in range(1, 301):
        session.tick(float(second), answerable=False)
        pings += session.take_output().count(PINGREQ)
    assert session.state is State.READY
    assert pings == 300 // 15
    for second in range(301, 301 + int(RESPONSE_TIMEOUT_S)):
        session.tick(float(second), answerable=True)
    assert session.state is State.READY
    session.tick(312.0, answerable=True)
    assert session.state is State.CLOSED


def test_a_process_that_stood_still_does_not_blame_the_broker() -> None:
    session = ready()
    for second in range(1, 16):
        session.tick(float(second), answerable=True)
    assert session.take_output() == PINGREQ
    session.tick(16.0 + RESPONSE_TIMEOUT_S + STALL_S, answerable=True)
    assert session.state is State.READY
