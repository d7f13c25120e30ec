"""The slow, exact reading of a PUBLISH agrees with the codec wherever the codec reads it at all."""

from __future__ import annotations

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.mqtt.salvage import frame_length, salvage

TOPICS = st.text(st.characters(codec="utf-8", exclude_characters="\0+#"), min_size=1, max_size=40)


@given(
    topic=TOPICS,
    payload=st.binary(max_size=300),
    packet_id=st.none() | st.integers(1, 65_535),
    duplicate=st.booleans(),
    content_type=st.none() | st.text(st.characters(codec="utf-8"), max_size=200),
)
def test_what_the_codec_writes_is_read_back(
    topic: str, payload: bytes, packet_id: int | None, duplicate: bool, content_type: str | None
) -> None:
    qos = mqtt5.QoS.AT_MOST_ONCE if packet_id is None else mqtt5.QoS.AT_LEAST_ONCE
    duplicate = duplicate and packet_id is not None
    frame = mqtt5.PublishPacket(
        topic, payload, qos=qos, packet_id=packet_id, duplicate=duplicate, content_type=content_type
    ).write()
    assert salvage(frame) == (topic, payload, packet_id, duplicate)
    assert frame_length(frame) == len(frame)


@given(st.binary(min_size=2, max_size=60))
def test_no_frame_raises(frame: bytes) -> None:
    try:
        length = frame_length(frame)
    except ValueError:
        return
    if length is not None and length <= len(frame):
        salvage(frame[:length])


@pytest.mark.parametrize(
    ("header", "length"),
    [
        ("30", None),
        ("30 80", None),
        ("30 00", 2),
        ("30 7f", 129),
        ("30 80 01", 131),
        ("30 ff ff ff 7f", 268_435_460),
    ],
)
def test_the_length_of_a_frame_is_known_as_soon_as_its_header_is(header: str, length: int | None) -> None:
    assert frame_length(bytes.fromhex(header)) == length


def test_a_length_of_five_bytes_is_malformed() -> None:
    with pytest.raises(ValueError, match="four bytes"):
        frame_length(bytes.fromhex("30 ff ff ff ff"))
