"""What a terminal may be given of the text of strangers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.printable import find_unseen, has_visible, printable, quoted, to_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("浙F12345 (60 km/h)", "浙F12345 (60 km/h)"),
        ("台账　2026", "台账　2026"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31m", r"\x9b31m"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("浙F\u202e12345", r"浙F\u202e12345"),
        ("张\u200b三\ufeff", r"张\u200b三\ufeff"),
        ("\u3164\u2800\u115f", r"\u3164\u2800\u115f"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_is_not_seen_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert quoted(text) == f"'{shown}'"
    assert (find_unseen(text) is None) == (text == shown)


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("已电话联系", True),
        ("7", True),
        ("?", True),
        ("\u26a0\ufe0f", True),  # a warning sign, as phones type it
        ("", False),
        (" \u3000\t", False),
        ("\u200b\u200d\ufeff", False),
        ("\u3164\u115f", False),  # letters of Hangul that are drawn as nothing
        ("\u2800", False),  # a sign of Braille without dots
        ("\u0301", False),  # an accent without a letter
        ("\U000e0041", False),
    ],
)
def test_what_can_be_read(text: str, has: bool) -> None:
    assert has_visible(text) is has


@given(st.text())
def test_any_text_is_printable_and_any_json_the_same_document(text: str) -> None:
    assert find_unseen(printable(text)) is None
    document = {text: [text, 1]}
    assert find_unseen(to_json(document)) is None
    assert json.loads(to_json(document)) == document
