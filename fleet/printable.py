"""Text of strangers as a terminal may be given it: nothing that moves its cursor, turns or hides the rest."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

#: Letters and marks that are drawn as nothing although they are no format characters (Unicode: default
#: ignorable code points), and the blank of Braille.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
#: Control, format (bidi, zero width), surrogate, private; separators of lines and of paragraphs.
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def find_unseen(text: str) -> int | None:
    """Return the place of the first character that nobody sees, or that changes how others are seen."""
    if text.isascii() and text.isprintable():
        return None
    return next((place for place, character in enumerate(text) if _is_unseen(character)), None)


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN_CATEGORIES or _UNSEEN.match(character) is not None


def has_visible(text: str) -> bool:
    """Return whether a text has a letter, a number, a sign: blanks, marks and what is unseen say nothing."""
    return any(unicodedata.category(one)[0] in "LNPS" and not _is_unseen(one) for one in text)


def printable(text: str) -> str:
    r"""Return a line with such characters written as `\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(character) if _is_unseen(character) else character for character in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def quoted(raw: str) -> str:
    """Return text of a file in quotation marks, printable."""
    return f"'{printable(raw)}'"


def to_json(document: Any) -> str:
    r"""Return JSON on one line, readable and printable: what a terminal must not be given is `\uXXXX`."""
    text = json.dumps(document, ensure_ascii=False)
    if text.isascii() and text.isprintable():
        return text
    return "".join(json.dumps(character)[1:-1] if _is_unseen(character) else character for character in text)
