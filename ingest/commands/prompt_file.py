"""The file of prompts: what is said to a driver, by rule. Pure.

holdout_percent = 10

[prompts]
speeding = "您已超速，请减速"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alerts.words.transitions import OF_ARRIVAL, Rule
from fleet.commands.orders import CommandError, checked_text
from fleet.errors import KerbsafeError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: More would leave too many drivers without a word.
MAX_HELD_OUT_PERCENT = 50
#: What the driver does; what only the unit does, or nobody is alerted of, is nothing to tell.
TELLABLE = {
    rule.name.lower(): rule
    for rule in Rule
    if rule not in OF_ARRIVAL and rule not in {Rule.SITE, Rule.SPEED_DISAGREES}
}


class PromptFileError(KerbsafeError):
    """A file of prompts that cannot be used."""


@dataclass(frozen=True, slots=True)
class PromptTable:
    """What is said by rule, and for how many alerts nothing is said, to see what it does."""

    texts: Mapping[str, str]
    held_out: float = 0.0


def read_prompts(document: str) -> PromptTable:
    """Read a file of prompts.

    Raises
    ------
    PromptFileError
        Naming what is wrong.
    """
    try:
        said = tomllib.loads(document)
    except tomllib.TOMLDecodeError as error:
        raise PromptFileError(f"the file of prompts is no TOML: {error}") from error
    texts, percent = said.pop("prompts", {}), said.pop("holdout_percent", 0)
    if said:
        raise PromptFileError(
            f"the file of prompts has {', '.join(map(repr, said))}; it may have holdout_percent and [prompts]"
        )
    if (
        isinstance(percent, bool)
        or not isinstance(percent, int | float)
        or not 0 <= percent <= MAX_HELD_OUT_PERCENT
    ):
        raise PromptFileError(
            f"holdout_percent is a number from 0 to {MAX_HELD_OUT_PERCENT}, not {percent!r}"
        )
    if not isinstance(texts, dict):
        raise PromptFileError("[prompts] is a table of rules and texts")
    return PromptTable({rule: _text(rule, text) for rule, text in texts.items()}, percent / 100)


def _text(rule: str, text: object) -> str:
    if rule not in TELLABLE:
        raise PromptFileError(f"no driver is told of {rule!r}: the rules are {', '.join(TELLABLE)}")
    if not isinstance(text, str):
        raise PromptFileError(f"the prompt of {rule} is a text, not {text!r}")
    try:
        return checked_text(text)
    except CommandError as error:
        raise PromptFileError(f"the prompt of {rule}: {error}") from error
