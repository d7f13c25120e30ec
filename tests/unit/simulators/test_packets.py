from __future__ import annotations

import mqtt5
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.packets import prepare, read_acks, variable_length

MESSAGES = st.lists(
    st.tuples(st.text("abc/", min_size=1, max_size=30), st.binary(max_size=300)), min_size=1, max_size=40
)


@given(MESSAGES)
def test_packets_are_what_the_codec_writes(messages: list[tuple[str, bytes]]) -> None:
    made = prepare(messages)
    written = [
        mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=number + 1).write()
        for number, (topic, payload) in enumerate(messages)
    ]
    assert made.data == b"".join(written)
    assert np.diff(made.bounds).tolist() == [len(packet) for packet in written]


def test_identifiers_begin_again_and_are_never_zero() -> None:
    made = prepare([("t", b"")] * 65_537)
    size = made.bounds[1]
    identifiers = np.frombuffer(made.data, np.uint8).reshape(-1, size)[:, 5:7] @ np.array([256, 1])
    assert identifiers[[0, 65_534, 65_535, 65_536]].tolist() == [1, 65_535, 1, 2]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, b"\x00"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (16_383, b"\xff\x7f"),
        (2_097_152, b"\x80\x80\x80\x01"),
    ],
)
def test_variable_length(value: int, expected: bytes) -> None:
    """The table of MQTT 5.0, section 1.5.5."""
    assert variable_length(value) == expected


@given(
    st.lists(st.tuples(st.integers(1, 65_535), st.sampled_from(["", "ok", "alone", "refused"])), max_size=30),
    st.integers(0, 5),
)
def test_acks_are_read_whatever_their_form(acks: list[tuple[int, str]], cut: int) -> None:
    """With or without a reason, mixed with pings, and with an unfinished packet at the end."""
    form = {"": b"", "ok": b"\x00", "alone": b"\x10\x00", "refused": b"\x97"}
    frames = [
        b"\x40" + bytes([2 + len(form[how])]) + number.to_bytes(2, "big") + form[how] for number, how in acks
    ]
    ping = mqtt5.PingRespPacket().write()
    data = b"".join(frame + ping * (i % 3 == 2) for i, frame in enumerate(frames))
    rest = b"\x40\x03\x01\x02\x00"[:cut] if cut < 5 else b""
    found, refused, used = read_acks(data + rest)
    assert found.tolist() == [number for number, _ in acks]
    assert refused == sum(how == "refused" for _, how in acks)
    assert used == len(data)
