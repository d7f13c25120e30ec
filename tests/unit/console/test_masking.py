"""What somebody who may only look sees of a plate, a telephone or a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.masking import masked_name, masked_phone, masked_plate

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("plate", "shown"),
    [
        ("浙F12345", "浙F·1**45"),
        ("浙F·12345", "浙F·1**45"),
        ("浙F 1234A", "浙F·1**4A"),
        ("浙FD12345", "浙F·D***45"),  # electric: a letter more
        ("浙F1234挂", "浙F·1**4挂"),
        ("mx00001", "m****"),
        ("7", "*"),
        ("", ""),
    ],
)
def test_plates(plate: str, shown: str) -> None:
    assert masked_plate(plate) == shown


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13812341234", "138****1234"),
        ("0573-82081234", "057****1234"),
        ("82081234", "****"),
        ("110", "***"),
        ("", ""),
    ],
)
def test_telephones(phone: str, shown: str) -> None:
    assert masked_phone(phone) == shown


@pytest.mark.parametrize(("name", "shown"), [("张三", "张*"), ("张三丰", "张**"), ("王", "*"), ("", "")])
def test_names(name: str, shown: str) -> None:
    assert masked_name(name) == shown


@pytest.mark.parametrize("mask", [masked_plate, masked_phone, masked_name])
@given(text=st.text(alphabet=st.characters(exclude_characters="*"), min_size=1))
def test_nothing_is_shown_whole(mask: Callable[[str], str], text: str) -> None:
    shown = mask(text)
    assert "*" in shown or not text.strip()
    assert len(shown.replace("*", "")) < max(len(text.strip()), 1)
