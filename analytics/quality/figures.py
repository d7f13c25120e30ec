"""The figures that a regulator scores, each as a numerator over a denominator, and what of it is unknown.

A figure without a denominator has no value: a company none of whose vehicles was ever heard has no
on-line rate, neither 0 % nor 100 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.quality.sums import Sums

#: Jumps of a receiver in the span from which its vehicle drifts: one is chance.
DRIFTS_FROM = 3
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `numerator` and `denominator` are None where nobody has counted them."""

    name: str
    numerator: float | None
    denominator: float | None
    #: What is in neither: how many of `unknown_of` nobody can speak for.
    unknown: float
    scale: float

    @property
    def value(self) -> float | None:
        """Numerator over denominator, in the figure's unit; None: not known, or nothing to divide by."""
        if self.numerator is None or not self.denominator:
            return None
        return self.scale * self.numerator / self.denominator


@dataclass(frozen=True, slots=True)
class Definition:
    """How a figure is made. Shares are 0 to 1."""

    name: str
    chinese: str
    of: Callable[[Sums], tuple[float | None, float | None, float]]
    scale: float = 1.0
    #: Higher is better, or worse.
    better_high: bool = True


def _whole_km(sums: Sums) -> float | None:
    return None if sums.km is None or sums.km_unseen is None else sums.km + sums.km_unseen


#: All there are, in the order in which they are shown.
DEFINITIONS = (
    Definition("connected_rate", "入网率", lambda s: (s.connected, s.filed, 0)),
    Definition("online_rate", "上线率", lambda s: (s.online, s.connected, s.filed - s.connected)),
    Definition("complete_rate", "轨迹完整率", lambda s: (s.km, _whole_km(s), s.connected - s.online)),
    Definition("qualified_rate", "数据合格率", lambda s: (s.qualified, s.fixes, 0)),
    Definition(
        "drift_rate", "漂移率", lambda s: (s.drifting, s.online, s.connected - s.online), better_high=False
    ),
    Definition("handled_rate", "处置率", lambda s: (s.handled, s.alerts, 0)),
    Definition(
        "alerts_per_100_km", "百公里报警", lambda s: (s.alerts, s.km, s.unsettled), 100.0, better_high=False
    ),
    Definition(
        "speedings_per_vehicle",
        "车均超速次数",
        lambda s: (s.speedings, s.online, s.unsettled),
        better_high=False,
    ),
    Definition(
        "fatigue_h_per_vehicle",
        "车均疲劳时长",
        lambda s: (s.fatigue_s / HOUR_S, s.online, s.unsettled),
        better_high=False,
    ),
    Definition(
        "evaluable_turn_rate",
        "右转可判断率",
        lambda s: (s.turns - s.unseen_turns, s.turns, s.connected - s.online),
    ),
)


def figures(sums: Sums) -> list[Figure]:
    """Return all figures of a vehicle, or of several together."""
    return [Figure(one.name, *one.of(sums), one.scale) for one in DEFINITIONS]
