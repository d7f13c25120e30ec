"""Which alerts are told to the driver. Pure.

A prompt is of use while what it is about goes on: it is given within 10 s of the driving that it is about,
and at most once a minute for a rule and a vehicle.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    import uuid

    from ingest.commands.prompt_file import PromptTable

#: Driving that is older is not spoken of.
FRESH_US = 10 * MICROSECONDS
#: Between two prompts of one rule to one vehicle.
PAUSE_US = 60 * MICROSECONDS


class Outcome(StrEnum):
    """What becomes of an alert as a prompt."""

    SENT = "sent"
    HELD_OUT = "held_out"
    TOO_LATE = "too_late"
    TOO_SOON = "too_soon"
    #: Nothing is said of its rule.
    SILENT = "silent"


class Situation(NamedTuple):
    """An alert that has just been raised. Times are event times, microseconds since 1970."""

    alert_id: uuid.UUID
    rule: str
    #: None: it goes on.
    ended_us: int | None
    #: The vehicle's newest fix, None: none within 10 s.
    newest_fix_us: int | None
    #: When the rule had something to tell this vehicle's driver last, None: not within a minute.
    last_us: int | None

    @property
    def at_us(self) -> int | None:
        """When the driving was that it is about, as far as it is known."""
        return self.newest_fix_us if self.ended_us is None else self.ended_us


def decide(situation: Situation, table: PromptTable, now_us: int) -> Outcome:
    """Return what becomes of an alert."""
    if situation.rule not in table.texts:
        return Outcome.SILENT
    at_us = situation.at_us
    if at_us is None or now_us - at_us >= FRESH_US:
        return Outcome.TOO_LATE
    if situation.last_us is not None and at_us - situation.last_us < PAUSE_US:
        return Outcome.TOO_SOON
    return Outcome.HELD_OUT if is_held_out(situation.alert_id, table.held_out) else Outcome.SENT


def is_held_out(alert_id: uuid.UUID, share: float) -> bool:
    """Say whether an alert is one of those that are not told, of which there is a share of all.

    The alert's id decides, so that the same alert always has the same answer, whoever asks.
    """
    drawn = int.from_bytes(hashlib.sha256(alert_id.bytes).digest()[:8], "big")
    return drawn < share * 2**64
