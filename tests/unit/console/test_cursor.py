"""A cursor comes back as the place it was made from; anything else is refused."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.cursor import LENGTH, Place, decode, encode

PLACE = Place(1, 1_764_000_000_123_456, uuid.UUID("6b657262-7361-4665-8000-657069736f64"))
TEXT = "azEABkRZQWQiQAFrZXJic2FGZYAAZXBpc29k"

places = st.builds(Place, st.integers(0, 255), st.integers(0, 253_402_300_799_999_999), st.uuids())


def test_a_cursor_is_text_for_urls() -> None:
    assert encode(PLACE) == TEXT
    assert decode(TEXT, [1]) == PLACE


@given(places)
def test_round_trip(place: Place) -> None:
    text = encode(place)
    assert len(text) == LENGTH
    assert decode(text, [place.order]) == place


def test_a_cursor_of_another_order_is_refused() -> None:
    with pytest.raises(ValueError, match="another list"):
        decode(TEXT, [2, 3])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * (LENGTH - 1),
        "x" * LENGTH,
        "十" * LENGTH,
        TEXT[:-1] + "=",
        "bzEABkRZQWQiQAFrZXJic2FGZYAAZXBpc29k",
        # Before 1970 and after 9999.
        "azH__________wFrZXJic2FGZYAAZXBpc29k",
        "azF__________wFrZXJic2FGZYAAZXBpc29k",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        decode(text, [1])


@given(st.text(min_size=LENGTH, max_size=LENGTH) | st.text(max_size=60))
def test_fuzz(text: str) -> None:
    try:
        decode(text, [1])
    except ValueError:
        return
