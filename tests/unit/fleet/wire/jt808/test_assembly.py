"""Fragments become messages, in any order, and never fill the memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.wire.jt808 import Assembler, Bounds, Header
from fleet.wire.jt808.header import Fragment
from tests.unit.fleet.wire.jt808.frames import OLD_PHONE

PICTURE = 0x0801


def piece(index: int, total: int = 3, serial: int | None = None, message_id: int = PICTURE) -> Header:
    return Header(
        message_id, 2013, OLD_PHONE, 99 + index if serial is None else serial, Fragment(total, index)
    )


@given(st.permutations([1, 2, 3, 4, 5]))
def test_any_order(order: list[int]) -> None:
    assembler = Assembler()
    wholes = [assembler.add(piece(index, 5), bytes([index]), 0.0) for index in order]
    assert [whole.body for whole in wholes if whole] == [b"\x01\x02\x03\x04\x05"]
    assert assembler.waiting_bytes == 0


def test_one_of_one() -> None:
    whole = Assembler().add(piece(1, 1), b"x", 0.0)
    assert whole is not None
    assert whole.body == b"x"


def test_serials_have_gaps() -> None:
    """0x0801 with serials 8241, 8243, 8246; 0x0104 with 1233, then 1250."""
    assembler = Assembler()
    for index, serial in ((1, 8241), (2, 8243)):
        assert assembler.add(piece(index, serial=serial), b"p", 0.0) is None
    assert assembler.add(piece(1, 2, 1233, 0x0104), b"a", 0.0) is None
    assert assembler.add(piece(2, 2, 1250, 0x0104), b"b", 0.0) is not None
    assert assembler.add(piece(3, serial=8246), b"p", 0.0) is not None


@pytest.mark.parametrize("serials", [[65534, 65535, 0], [0, 65535, 65534]])
def test_serials_wrap(serials: list[int]) -> None:
    assembler = Assembler()
    indexes = [1, 2, 3] if serials[0] else [3, 2, 1]
    wholes = [assembler.add(piece(i, serial=s), b"x", 0.0) for i, s in zip(indexes, serials, strict=True)]
    assert wholes[-1] is not None


def test_a_fragment_of_another_picture_begins_anew() -> None:
    """The first picture was never finished; nothing of it gets into the second."""
    assembler = Assembler()
    assembler.add(piece(1), b"old", 0.0)
    assembler.add(piece(2), b"old", 0.0)
    for index in (1, 2):
        assert assembler.add(piece(index, serial=5000 + index), b"new", 1.0) is None
    whole = assembler.add(piece(3, serial=5003), b"new", 1.0)
    assert whole is not None
    assert whole.body == b"newnewnew"
    assert assembler.given_up == 1


def test_other_content_under_the_same_number_begins_anew() -> None:
    assembler = Assembler()
    assembler.add(piece(1), b"old", 0.0)
    assembler.add(piece(2), b"old", 0.0)
    assembler.add(piece(1), b"new", 0.0)
    assert assembler.add(piece(3), b"new", 0.0) is None


def test_missing_fragments_are_asked_for_and_then_given_up() -> None:
    assembler = Assembler(Bounds(quiet_s=5, requests=2, timeout_s=60))
    assembler.add(piece(2, 5), b"x", 0.0)
    assembler.add(piece(4, 5), b"x", 1.0)
    assert assembler.due(5.0) == []
    (missing,) = assembler.due(6.0)
    assert (missing.first_serial, missing.indexes) == (100, [1, 3, 5])
    assert assembler.due(7.0) == []
    assert len(assembler.due(11.0)) == 1
    assert assembler.due(16.0) == [], "asked for twice, no more"
    assembler.due(61.0)
    assert (assembler.waiting_bytes, assembler.given_up) == (0, 1)


@pytest.mark.parametrize(("total", "index"), [(3, 0), (3, 4), (0, 1), (65535, 1)])
def test_numbers_that_cannot_be(total: int, index: int) -> None:
    assembler = Assembler()
    assert assembler.add(piece(index, total), b"x", 0.0) is None
    assert assembler.waiting_bytes == 0


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60), st.integers(0, 65535)), max_size=80),
)
def test_the_memory_is_bounded(fragments: list[tuple[int, int, int]]) -> None:
    bounds = Bounds(max_sets=3, max_bytes=5000, max_fragments=50)
    assembler = Assembler(bounds)
    for now, (total, index, serial) in enumerate(fragments):
        assembler.add(piece(index, total, serial), b"x" * 1000, float(now))
        assert assembler.waiting_bytes <= bounds.max_bytes
        assert len(assembler._sets) <= bounds.max_sets
