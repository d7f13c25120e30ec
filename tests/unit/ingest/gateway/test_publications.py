"""Publishing without a socket: what is in flight, what is acknowledged, what goes again."""

from __future__ import annotations

import mqtt5
import pytest

from ingest.gateway.publications import Publication, Publications, PublisherOptions, Session, State


class Play:
    """A publisher, and what became of messages that are called by numbers."""

    def __init__(self, receive_max: int = 2) -> None:
        self.publications = Publications()
        self.became: dict[int, str | None] = {}
        self.receive_max = receive_max

    def connected(self) -> Session:
        session = Session(PublisherOptions("test"), self.publications)
        session.start(0.0)
        self.sent = sent(session.receive(mqtt5.ConnAckPacket(receive_max=self.receive_max).write(), 0.0))
        assert session.state is State.READY
        return session

    def put(self, *numbers: int) -> None:
        for number in numbers:
            self.publications.put(
                Publication(
                    "t", str(number).encode(), lambda said, n=number: self.became.__setitem__(n, said)
                )
            )


def sent(data: bytes) -> list[tuple[int, int]]:
    """Return number and packet id of the messages."""
    found, at = [], 0
    while at < len(data):
        packet, size = mqtt5.read(data[at:])
        assert isinstance(packet, mqtt5.PublishPacket)
        assert (packet.qos, packet.packet_id is not None) == (mqtt5.QoS.AT_LEAST_ONCE, True)
        found.append((int(bytes(packet.payload)), packet.packet_id or 0))
        at += size
    return found


def ack(packet_id: int, code: mqtt5.PubAckReasonCode = mqtt5.PubAckReasonCode.SUCCESS) -> bytes:
    return mqtt5.PubAckPacket(packet_id, reason_code=code).write()


def test_no_more_is_in_flight_than_the_broker_allows() -> None:
    play = Play()
    session = play.connected()
    play.put(1, 2, 3)
    assert sent(session.launch(1.0)) == [(1, 1), (2, 2)]
    assert sent(session.receive(ack(2), 2.0)) == [(3, 3)]
    assert play.became == {2: None}


def test_what_is_not_acknowledged_goes_again_in_order() -> None:
    play = Play()
    session = play.connected()
    play.put(1, 2, 3)
    session.launch(1.0)
    session.receive(ack(1), 2.0)
    session.abandon("the cable was cut")
    play.connected()
    assert [number for number, _ in play.sent] == [2, 3]
    assert play.became == {1: None}


def test_an_acknowledgement_without_a_keeper_is_none() -> None:
    play = Play()
    session = play.connected()
    play.put(1, 2)
    session.launch(1.0)
    session.receive(
        ack(1, mqtt5.PubAckReasonCode.NO_MATCHING_SUBSCRIBERS)
        + ack(2, mqtt5.PubAckReasonCode.NOT_AUTHORIZED),
        2.0,
    )
    assert play.became == {1: "no_matching_subscribers", 2: "not_authorized"}


@pytest.mark.parametrize("cut", range(1, 4))
def test_bytes_may_be_cut_anywhere(cut: int) -> None:
    play = Play()
    session = play.connected()
    play.put(1)
    session.launch(1.0)
    session.receive(ack(1)[:cut], 2.0)
    assert play.became == {}
    session.receive(ack(1)[cut:], 2.0)
    assert play.became == {1: None}


def test_a_broker_that_does_not_answer_is_gone() -> None:
    play = Play()
    session = play.connected()
    play.put(1)
    session.launch(1.0)
    session.tick(11.0)
    assert session.state is State.READY
    session.tick(11.1)
    assert str(session.failure) == "no answer from the broker for 10 s"
    assert len(play.publications) == 1
