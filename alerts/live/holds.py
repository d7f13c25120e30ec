"""Conditions of the rules about arrival that hold and are no episodes yet: what the store keeps. Pure.

Such a condition must hold for minutes. A process that is started again more often would never see them pass,
so it keeps since when each has held, and goes on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.rules.device import NEVER
from alerts.words.transitions import Rule
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

#: The rules whose conditions must hold for a while, told by what arrives.
RULES = (Rule.CLOCK_DRIFT, Rule.NOT_WATCHED_LIVE)
#: The store is told at most so often; of what has held for so long, as a late fix between live ones is
#: nothing; and so often that it still holds.
LOOK_US, KEPT_AFTER_US, AGAIN_US = (seconds * MICROSECONDS for seconds in (1, 5, 60))


class Hold(NamedTuple):
    """A condition of a vehicle."""

    vehicle_id: int
    rule: Rule
    since_us: int
    seen_us: int
    peak: float


class Changes(NamedTuple):
    """What the store is to be told."""

    kept: list[Hold]
    dropped: list[tuple[int, Rule]]


class Kept:
    """What the store has been told, a slot a vehicle."""

    def __init__(self) -> None:
        self._since_us = {rule: np.empty(0, np.int64) for rule in RULES}
        self._seen_us = {rule: np.empty(0, np.int64) for rule in RULES}
        self._looked_us = 0

    def know(self, slot: int, hold: Hold) -> None:
        """Take in what the store has."""
        self._grow(hold.rule, slot + 1)
        self._since_us[hold.rule][slot] = hold.since_us
        self._seen_us[hold.rule][slot] = hold.seen_us

    def changes(
        self, vehicle_id: NDArray[np.int32], memory: Mapping[Rule, NDArray[np.void]], now_us: int
    ) -> Changes:
        """Return what the store does not know yet, and count it as told."""
        if 0 <= now_us - self._looked_us < LOOK_US:
            return Changes([], [])
        self._looked_us = now_us
        changes = Changes([], [])
        for rule in RULES:
            self._compare(rule, vehicle_id, memory[rule], now_us, changes)
        return changes

    def _compare(
        self,
        rule: Rule,
        vehicle_id: NDArray[np.int32],
        memory: NDArray[np.void],
        now_us: int,
        changes: Changes,
    ) -> None:
        self._grow(rule, len(memory))
        since_us, seen_us = self._since_us[rule][: len(memory)], self._seen_us[rule][: len(memory)]
        holds = (memory["since_us"] != NEVER) & ~memory["is_open"]
        holds &= now_us - memory["since_us"] >= KEPT_AFTER_US
        news = holds & ((since_us != memory["since_us"]) | (memory["seen_us"] - seen_us >= AGAIN_US))
        for slot in np.flatnonzero(news).tolist():
            row = memory[slot]
            since, seen, peak = int(row["since_us"]), int(row["seen_us"]), float(row["peak"])
            changes.kept.append(Hold(int(vehicle_id[slot]), rule, since, seen, peak))
        over = ~holds & (since_us != NEVER)
        changes.dropped.extend((int(vehicle), rule) for vehicle in vehicle_id[: len(memory)][over])
        since_us[news], seen_us[news] = memory["since_us"][news], memory["seen_us"][news]
        since_us[over] = seen_us[over] = NEVER

    def _grow(self, rule: Rule, size: int) -> None:
        missing = size - len(self._since_us[rule])
        if missing > 0:
            blank = np.full(missing, NEVER)
            self._since_us[rule] = np.concatenate([self._since_us[rule], blank])
            self._seen_us[rule] = np.concatenate([self._seen_us[rule], blank])
