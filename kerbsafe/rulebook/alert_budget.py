"""What rules in shadow would cost the staff: alerts an operator-hour, before anybody is alerted."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from alerts.words.transitions import LIVE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alerts.episodes.episodes import Episode

#: One monitor per 100 vehicles, and at least two, at every hour: what the law asks of a desk.
VEHICLES_A_MONITOR, MIN_MONITORS = 100, 2
_HOUR_S = 3600.0


def monitors(vehicles: int) -> int:
    """Return how many people must be watching."""
    return max(MIN_MONITORS, math.ceil(vehicles / VEHICLES_A_MONITOR))


def budget(episodes: Iterable[Episode], vehicles: int, duration_s: float) -> list[dict[str, Any]]:
    """Return a row for each rule in shadow: alerts / (monitors x hours)."""
    counted = Counter((one.rule_name, one.mode) for one in episodes if one.mode != LIVE)
    hours, staff = duration_s / _HOUR_S, monitors(vehicles)
    return [
        {
            "kind": "alert_budget",
            "rule": rule,
            "mode": mode,
            "alerts": alerts,
            "vehicles": vehicles,
            "hours": round(hours, 3),
            "monitors": staff,
            "alerts_per_operator_hour": round(alerts / (staff * hours), 3) if hours > 0 else None,
        }
        for (rule, mode), alerts in sorted(counted.items())
    ]


def line(row: dict[str, Any]) -> str:
    """Return a row of the budget for people."""
    rate = row["alerts_per_operator_hour"]
    return (
        f"{row['mode']}  {row['rule']}  {row['alerts']} alerts in {row['hours']:g} h, "
        f"{row['monitors']} monitors for {row['vehicles']} vehicles: "
        f"{'?' if rate is None else f'{rate:g}'} an operator-hour"
    )
