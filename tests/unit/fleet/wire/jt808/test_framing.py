"""A stream is cut into the same frames however it arrives, and nothing is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.wire.jt808.framing import MAX_PIECES, MAX_WIRE_BYTES, Cutter, checksum, escape, unescape, wrap
from tests.unit.fleet.wire.jt808.frames import HEARTBEAT, RIGHT_REAR, cut

#: Contents (header, body) of two heartbeats, and of one report whose latitude holds 7e and 7d.
BEAT, NEXT = "00020000013912345678004c", "000200000139123456780005"
LAT_7E = "0200001c013912345678000100000000004c000301dc7e7d073d7d01000c00fd0058260315101530"
#: Its bytes as a terminal sends them that does not escape.
RAW = f"7e{LAT_7E}{checksum(bytes.fromhex(LAT_7E)):02x}7e"
GOOD = "7e000200000139123456780005377e"


def contents(*pieces: str) -> list[str]:
    """The frames of a stream: the content, and `!` before one that is not whole."""
    return [("" if frame.checksum_ok else "!") + frame.content.hex() for frame in cut(*pieces)]


def test_the_example_of_the_standard() -> None:
    """30 7e 08 7d 55 travels as 30 7d 02 08 7d 01 55."""
    assert escape(bytes.fromhex("307e087d55")).hex() == "307d02087d0155"
    assert unescape(bytes.fromhex("307d02087d0155")).hex() == "307e087d55"
    assert unescape(bytes.fromhex("7d0102")).hex() == "7d02", "from left to right, once"


@pytest.mark.parametrize("body_bytes", [2, 511, 512, 1023])
def test_a_body_has_up_to_1023_bytes(body_bytes: int) -> None:
    """Ten bits of the properties are its length, by which one with a flag that was not escaped is found."""
    content = f"0704{body_bytes:04x}0139123456780001" + "7e55" + "55" * (body_bytes - 2)
    raw = f"7e{content}{checksum(bytes.fromhex(content)):02x}7e"
    assert contents(wrap(bytes.fromhex(content)).hex(), raw) == [content, content]


def test_a_checksum_that_is_a_flag_is_escaped() -> None:
    assert wrap(bytes.fromhex(BEAT)).hex() == HEARTBEAT


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (HEARTBEAT, [BEAT]),
        (HEARTBEAT + GOOD, [BEAT, NEXT]),
        (HEARTBEAT + GOOD[2:], [BEAT, NEXT]),  # one flag ends the first and begins the second
        ("7e7e7e" + HEARTBEAT + "7e7e", [BEAT]),
        ("aabbcc" + HEARTBEAT, [BEAT]),
        (HEARTBEAT + "aabbcc" + GOOD, [BEAT, NEXT]),  # rubbish between two frames
        ("7e000200000139123456780005007e" + GOOD, ["!" + NEXT, NEXT]),  # a wrong checksum
        ("7e0002000001391234" + GOOD, ["!00020000013912", NEXT]),  # cut off, and the next is whole
        (RAW, [LAT_7E]),
        (RAW + GOOD, [LAT_7E, NEXT]),
        (GOOD + RAW + GOOD, [NEXT, LAT_7E, NEXT]),
        ("7e00020000000000000679" + "00007d7e", ["000200000000000006790000"]),  # a raw 7d as checksum
        ("28373433", []),
        ("", []),
    ],
)
def test_streams(stream: str, expected: list[str]) -> None:
    assert contents(stream) == expected
    for at in range(0, len(stream), 2):
        assert contents(stream[:at], stream[at:]) == expected, f"cut after {at // 2} bytes"


def test_a_frame_without_an_end_is_told() -> None:
    (frame,) = cut("7e0002000001391234")
    assert [str(fault) for fault in frame.faults] == ["truncated: no closing 7e"]
    assert frame.checksum_ok is None


def test_what_is_wrong_is_named() -> None:
    """A 7d that escapes nothing, where the bytes as they are do not fit either."""
    (frame,) = cut("7e00020000013912345678000537aa7d557e")
    assert [fault.code for fault in frame.faults] == ["bad_escape", "checksum"]


def test_a_flood_without_flags_is_cut_once_and_skipped() -> None:
    cutter = Cutter()
    frames = cutter.feed(b"\x7e" + b"x" * 1_000_000)
    assert [frame.faults[0].code for frame in frames] == ["too_long"]
    assert cutter.outside_bytes == 1_000_000 - MAX_WIRE_BYTES - 1
    assert [frame.content.hex() for frame in cutter.feed(bytes.fromhex("7e" + GOOD))] == [NEXT]
    assert len(cutter._open) <= MAX_WIRE_BYTES


def test_a_flood_of_short_pieces_is_not_kept() -> None:
    """Each says that it is longer than it is, as if a 7e were not escaped."""
    cutter = Cutter()
    frames = cutter.feed(bytes.fromhex("7e020003ff0139") * 10_000)
    assert len(frames) + len(cutter._pieces) <= 10_000
    assert len(cutter._pieces) <= MAX_PIECES
    assert all(not frame.checksum_ok for frame in frames)


def test_bytes_beside_frames_are_counted() -> None:
    cutter = Cutter()
    cutter.feed(bytes.fromhex("aabb" + HEARTBEAT + "cc" + GOOD + "dd"))
    cutter.finish()
    assert cutter.outside_bytes == 4


@given(st.binary(max_size=80))
def test_what_is_wrapped_is_cut_out_again(content: bytes) -> None:
    assert unescape(escape(content)) == content
    whole = bytes.fromhex("0900") + len(content).to_bytes(2, "big") + bytes(8) + content
    assert [frame.content for frame in cut(wrap(whole))] == [whole]


@given(
    st.lists(
        st.sampled_from([HEARTBEAT, GOOD, RAW, RIGHT_REAR, "7e", "7d", "7e7e", "aabb", "7e00020000", "0105"]),
        max_size=8,
    ),
    st.lists(st.integers(0, 400), max_size=6),
)
def test_any_cut_of_any_stream_gives_the_same_frames(parts: list[str], cuts: list[int]) -> None:
    stream = bytes.fromhex("".join(parts))
    places = sorted(min(place, len(stream)) for place in cuts)
    pieces = [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]
    assert cut(*pieces) == cut(stream)


@given(st.binary(max_size=3000), st.integers(0, 3000))
def test_any_bytes_cut_anywhere(stream: bytes, place: int) -> None:
    assert cut(stream[:place], stream[place:]) == cut(stream)


@given(st.binary(max_size=300))
def test_the_checksum_is_the_exclusive_or_of_all(content: bytes) -> None:
    expected = 0
    for byte in content:
        expected ^= byte
    assert checksum(content) == expected
