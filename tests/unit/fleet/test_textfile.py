"""In which encoding a text file is: found, said, or named."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.textfile import ENCODINGS, Text, TextError, decode

CHINESE = "车牌号,时间,经度,纬度,速度(km/h)\n浙F12345,2026-03-02 08:00:00,120.75,30.75,95\n"
ASCII = "time,lat,lon\n2026-03-02T00:00:00Z,30.75,120.75\n"


@pytest.mark.parametrize(
    ("text", "written", "codec", "guessed"),
    [
        (ASCII, "ascii", "utf-8", False),
        (CHINESE, "utf-8", "utf-8", False),
        (CHINESE, "utf-8-sig", "utf-8", False),
        (CHINESE, "utf-16", "utf-16-le", False),
        ("\ufeff" + CHINESE, "utf-16-be", "utf-16-be", False),
        (ASCII, "utf-16-le", "utf-16-le", True),
        (ASCII, "utf-16-be", "utf-16-be", True),
        (CHINESE, "gb18030", "gb18030", True),
        (CHINESE, "gbk", "gb18030", True),
        (CHINESE, "gb2312", "gb18030", True),
        ("车牌,时间\n", "gbk", "gb18030", True),
        ("朱镕基,浙F1\n", "gbk", "gb18030", True),
        ("", "ascii", "utf-8", False),
    ],
)
def test_the_encoding_is_found(text: str, written: str, codec: str, guessed: bool) -> None:
    assert decode(text.encode(written)) == Text(text.removeprefix("\ufeff"), codec, guessed, 0)


@pytest.mark.parametrize(
    ("text", "written", "name"),
    [
        (CHINESE, "gb18030", "gbk"),
        (CHINESE, "gb18030", "gb2312"),
        (CHINESE, "utf-8-sig", "utf-8"),
        (CHINESE, "utf-16-le", "utf-16"),
        ("車牌,時間\n", "big5", "big5"),
        ("Köln,Straße\n", "latin-1", "latin-1"),
    ],
)
def test_the_encoding_is_named(text: str, written: str, name: str) -> None:
    assert decode(text.encode(written), name) == Text(text, ENCODINGS[name], False, 0)


@pytest.mark.parametrize(
    ("data", "encoding", "line", "says"),
    [
        ("time\nKöln,Zürich\n".encode("latin-1"), None, 2, "is neither UTF-8 nor UTF-16 nor GB18030 text"),
        ("a\nb\n车\n".encode() + b"\xff\n", "utf-8", 4, "is not utf-8 text; leave --encoding out"),
        (CHINESE.encode("gbk"), "utf-8", 1, "is not utf-8 text; leave --encoding out"),
        (b"\x89PNG\r\n" + Random(1).randbytes(2000), None, 1, "name its encoding with --encoding"),
    ],
)
def test_what_is_no_text_is_said_with_the_remedy(
    data: bytes, encoding: str | None, line: int, says: str
) -> None:
    with pytest.raises(TextError, match=says) as caught:
        decode(data, encoding)
    assert caught.value.line == line


def test_a_character_cut_off_by_the_end_of_the_file() -> None:
    assert decode(CHINESE.encode()[:-1] + "车".encode()[:2]).text.endswith("95\ufffd")
    assert decode((CHINESE + "浙").encode("gb18030")[:-1]).text.endswith("95\n\ufffd")
    assert decode((CHINESE + "浙").encode("utf-16")[:-1]).text.endswith("95\n\ufffd")


def test_damaged_bytes_are_an_error_or_if_they_are_few_marked() -> None:
    """A logger that lost its power leaves bytes behind that are nothing."""
    data = (CHINESE * 20).encode() + b"\xfe\xff\x80" + (CHINESE * 20).encode()
    with pytest.raises(TextError):
        decode(data)
    assert decode(data, lenient=True) == Text(CHINESE * 20 + "\ufffd" * 3 + CHINESE * 20, "utf-8", False, 3)
    with pytest.raises(TextError):
        decode(ASCII.encode() + b"\xff" * 100, lenient=True)


@given(data=st.binary(), encoding=st.sampled_from([None, *ENCODINGS]), lenient=st.booleans())
def test_any_bytes_are_text_or_an_error(data: bytes, encoding: str | None, lenient: bool) -> None:
    with suppress(TextError):
        assert decode(data, encoding, lenient=lenient).codec


@given(text=st.text(st.characters(codec="gb2312"), min_size=1))
def test_what_is_written_in_the_encoding_that_is_named_is_read(text: str) -> None:
    assert decode(text.encode("gb18030"), "gbk").text == text
