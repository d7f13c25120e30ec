"""The bytes of a text file as text: in which encoding it was written is found, and can be said.

A byte order mark decides; then whether every other byte is zero (UTF-16); then whether it is UTF-8; then
whether it looks like Chinese in GB 18030, of which GBK and GB 2312 are parts. Nothing else is guessed.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from fleet.errors import KerbsafeError
from fleet.language import Words

#: Names that a person may give, and the codec that reads them.
ENCODINGS = {
    "utf-8": "utf-8",
    "utf-16": "utf-16-le",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "big5": "big5hkscs",
    "latin-1": "cp1252",
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARK = "\ufeff"
_ASCII = bytes(range(128))
#: Both bytes of a character of GB 2312; in Western texts bytes beyond ASCII mostly stand alone.
_CHINESE = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
#: Bytes at the beginning that show whether a text without a mark is UTF-16.
_BEGINNING = 1 << 12
#: Share of zeros in every other byte of UTF-16; where they are on both sides, they are damage.
_MANY, _FEW = 0.8, 0.2
#: Faults per byte beyond ASCII, below which a text is damaged UTF-8 and not in another encoding.
_SOME_FAULTS = 0.1
#: Share of bytes that may be damaged in a text that is read leniently.
_LARGEST_DAMAGE = 0.01


class TextError(KerbsafeError):
    """Bytes are not text in any encoding that is tried, or not in the one that was named."""

    def __init__(self, words: Words, line: int) -> None:
        super().__init__(words)
        self.words = words
        #: Where the first byte at fault stands.
        self.line = line


class Text(NamedTuple):
    """The text of a file, without its mark, and how it was read."""

    text: str
    #: A codec's name: `utf-8`, `utf-16-le`, `gb18030` …
    codec: str
    #: Neither named nor marked nor UTF-8: worth saying.
    guessed: bool
    #: Characters that could not be read; U+FFFD stands for each.
    damaged: int


def decode(data: bytes, encoding: str | None = None, *, lenient: bool = False) -> Text:
    """Return the text that bytes hold. A character cut off by their end is read as U+FFFD.

    Parameters
    ----------
    data
        The whole file.
    encoding
        One of `ENCODINGS`; None: find it.
    lenient
        Read damaged characters as U+FFFD, as long as they are few.

    Raises
    ------
    TextError
        If it is no text: the first line at fault, and what to do.
    """
    codec, known = _named(data, encoding) if encoding else _found(data)
    text, fault = _read(data, codec)
    if text is None and lenient:
        text = data.decode(codec, "replace")
        if text.count("\ufffd") > _LARGEST_DAMAGE * len(data):
            text = None
    if text is None:
        words = (_NOT_SO if encoding else _UNKNOWN).fill(encoding=encoding, names=", ".join(ENCODINGS))
        raise TextError(words, data.count(b"\n", 0, fault) + 1)
    return Text(text.removeprefix(_MARK), codec, not known, text.count("\ufffd"))


_UNKNOWN = Words(
    "is neither UTF-8 nor UTF-16 nor GB18030 text; name its encoding with --encoding ({names})",
    "既不是 UTF-8、UTF-16，也不是 GB18030 文本；请用 --encoding 指明编码（{names}）",
)
_NOT_SO = Words(
    "is not {encoding} text; leave --encoding out, or name another of {names}",
    "不是 {encoding} 文本；请去掉 --encoding，或改为 {names} 之一",
)


def _named(data: bytes, encoding: str) -> tuple[str, bool]:
    """Return the codec of a name: a mark says which byte of UTF-16 comes first."""
    is_big_endian = encoding == "utf-16" and data.startswith(codecs.BOM_UTF16_BE)
    return "utf-16-be" if is_big_endian else ENCODINGS[encoding], True


def _found(data: bytes) -> tuple[str, bool]:
    """Return the codec that reads bytes best, and whether that is beyond doubt."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return codec, True
    if utf16 := _utf16_without_mark(data[:_BEGINNING]):
        return utf16, False
    if _read(data, "utf-8")[0] is not None or _is_damaged_utf8(data) or not _is_chinese(data):
        return "utf-8", True
    return "gb18030", False


def _utf16_without_mark(beginning: bytes) -> str | None:
    """Return which UTF-16 it is, if mostly ASCII is written in it."""
    pairs = max(len(beginning) // 2, 1)
    even, odd = beginning[::2].count(0) / pairs, beginning[1::2].count(0) / pairs
    if odd > _MANY and even < _FEW:
        return "utf-16-le"
    return "utf-16-be" if even > _MANY and odd < _FEW else None


def _is_damaged_utf8(data: bytes) -> bool:
    faults = data.decode("utf-8", "replace").count("\ufffd")
    return faults <= _SOME_FAULTS * len(_beyond_ascii(data))


def _is_chinese(data: bytes) -> bool:
    beyond = len(_beyond_ascii(data))
    return 2 * sum(1 for _ in _CHINESE.finditer(data)) > beyond / 2


def _beyond_ascii(data: bytes) -> bytes:
    return data.translate(None, _ASCII)


def _read(data: bytes, codec: str) -> tuple[str | None, int]:
    """Return the text, or None and the first byte at fault."""
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        text = decoder.decode(data)
    except UnicodeDecodeError as error:
        return None, error.start
    cut_off = decoder.getstate()[0]
    return text + "\ufffd" * bool(cut_off), 0
