"""What the command line says to people, in Chinese or English, as the environment asks.

A sentence is a pair, `Words(en, zh)`, written where it is said; its blanks are filled in both at once. An
error may be made of one: `str(error)` is its English, and the command prints the language asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Language = Literal["en", "zh"]


def language(environ: Mapping[str, str]) -> Language:
    """Return the language of messages: Chinese where the locale is (`LANG=zh_CN.UTF-8`), else English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if locale := environ.get(name):
            return "zh" if locale.lower().startswith("zh") else "en"
    return "en"


class Words(NamedTuple):
    """One sentence, or a part of one, in both languages."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en

    def fill(self, **blanks: Any) -> Words:
        """Return the sentence with its `{blanks}` filled; a blank may be `Words` itself."""
        each = {
            name: value if isinstance(value, Words) else Words(value, value) for name, value in blanks.items()
        }
        return Words(
            self.en.format(**{name: value.en for name, value in each.items()}),
            self.zh.format(**{name: value.zh for name, value in each.items()}),
        )

    def then(self, more: Words) -> Words:
        """Return this and, directly behind it, `more`."""
        return Words(self.en + more.en, self.zh + more.zh)

    def to(self, wanted: Language) -> str:
        """Return the text in one language."""
        return self.zh if wanted == "zh" else self.en


def listed(parts: Iterable[Words]) -> Words:
    """Return parts as a list within a sentence."""
    all_parts = tuple(parts)
    return Words(", ".join(part.en for part in all_parts), "、".join(part.zh for part in all_parts))


def told(error: Exception, wanted: Language) -> str:
    """Return what an error says, in the language asked for if it is known in it."""
    (said, *_more) = error.args or ("",)
    return said.to(wanted) if isinstance(said, Words) else str(error)
