"""Telling a thing of one terminal once a minute at most, however often it happens."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

_EVERY_S = 60.0
#: What is told is remembered of so many; a flood of invented telephones costs no memory.
_MOST = 10_000


@dataclass(slots=True)
class Seldom:
    """When what was told last."""

    _told_s: dict[Hashable, float] = field(default_factory=dict)

    def may_tell(self, what: Hashable) -> bool:
        """Return whether it may be told now; then it is taken as told."""
        now_s = time.monotonic()
        if now_s - self._told_s.get(what, -_EVERY_S) < _EVERY_S:
            return False
        if len(self._told_s) >= _MOST:
            self._told_s = {one: at_s for one, at_s in self._told_s.items() if now_s - at_s < _EVERY_S}
            if len(self._told_s) >= _MOST:
                return False
        self._told_s[what] = now_s
        return True
