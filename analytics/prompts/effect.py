"""Whether drivers slowed down within 10 s of a prompt, against the same situations without one. Pure.

Held out are alerts drawn by their ids, decided upon in the same way and at the same moment; so the two groups
differ in the prompt alone. All that were sent are compared, acknowledged or not: where a terminal works and a
connection stands is another kind of situation than where they do not.

Proportions have Wilson's interval (J. Am. Stat. Assoc. 22, 1927), their difference that of Newcombe, made of
the two (Stat. Med. 17, 1998, method 10).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WINDOW_US = 10 * MICROSECONDS
#: The speed before is that of a fix no older than this.
BEFORE_US = 3 * MICROSECONDS
#: What is seen of the window must reach so near to its end, or the speed fell: nothing is said of the rest.
SEEN_TO_US = 8 * MICROSECONDS
#: A fall: by so much, or to a stand.
FALL_DKMH, STANDING_DKMH = 50, 50
#: Two-sided 95 %.
_Z = 1.959963984540054


class After(StrEnum):
    """What a driver did within 10 s."""

    FELL = "fell"
    DID_NOT = "did_not"
    #: It stood already.
    STOOD = "stood"
    #: The fixes do not say.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Group:
    """Situations with the same treatment."""

    situations: int
    fell: int
    did_not: int
    stood: int
    unknown: int

    @property
    def known(self) -> int:
        """Situations in which the speed could fall and is known."""
        return self.fell + self.did_not

    @property
    def share(self) -> float | None:
        """Share of them in which it fell; None: there is none."""
        return self.fell / self.known if self.known else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the 95 % interval of the share."""
        return wilson(self.fell, self.known) if self.known else None


def after(at_us: int, time_us: Sequence[int], speed_dkmh: Sequence[int]) -> After:
    """Return what a driver did after a moment, by the fixes around it; a speed below 0 is unknown."""
    known = [(when, speed) for when, speed in zip(time_us, speed_dkmh, strict=True) if speed >= 0]
    before = [speed for when, speed in known if at_us - BEFORE_US <= when <= at_us]
    later = [(when, speed) for when, speed in known if at_us < when <= at_us + WINDOW_US]
    if not before:
        return After.UNKNOWN
    if before[-1] < STANDING_DKMH:
        return After.STOOD
    if any(speed <= max(before[-1] - FALL_DKMH, 0) or speed < STANDING_DKMH for _, speed in later):
        return After.FELL
    seen_to_us = later[-1][0] if later else at_us
    return After.DID_NOT if seen_to_us >= at_us + SEEN_TO_US else After.UNKNOWN


def group(found: Iterable[After]) -> Group:
    """Count situations."""
    found = list(found)
    return Group(
        len(found),
        *(found.count(one) for one in (After.FELL, After.DID_NOT, After.STOOD, After.UNKNOWN)),
    )


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a proportion."""
    share, z2 = hits / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference(with_prompt: Group, held_out: Group) -> tuple[float, float, float] | None:
    """Return by how much more often the speed fell with a prompt, and Newcombe's 95 % interval.

    None: one of the two has no situation in which it is known.
    """
    if with_prompt.share is None or held_out.share is None:
        return None
    (low, high), (low_0, high_0) = (
        wilson(with_prompt.fell, with_prompt.known),
        wilson(held_out.fell, held_out.known),
    )
    share, share_0 = with_prompt.share, held_out.share
    more = share - share_0
    return (
        more,
        more - math.hypot(share - low, high_0 - share_0),
        more + math.hypot(high - share, share_0 - low_0),
    )
