"""How long an alert has lasted so far: what is stored of one that goes on is as of then. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from alerts.words.transitions import Rule
from fleet.units import MICROSECONDS, to_us

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Rules whose peak is a time: outside, inside, silent, unwatched.
LASTING = frozenset(
    rule.name.lower()
    for rule in (Rule.FORBIDDEN, Rule.LEFT_PERMITTED, Rule.DWELL, Rule.OFFLINE, Rule.NOT_WATCHED_LIVE)
)


def so_far(alert: Mapping[str, Any], now_us: int) -> dict[str, Any]:
    """Return an alert as people read it, with the peak of one that lasts and goes on as of `now_us`."""
    if alert["ended_at"] is not None or alert["rule"] not in LASTING:
        return dict(alert)
    lasted_s = (now_us - to_us(datetime.fromisoformat(alert["started_at"]))) / MICROSECONDS
    if alert["rule"] == Rule.DWELL.name.lower():
        lasted_s += alert["limit"] or 0.0  # it begins when the stay has become too long
    return dict(alert) | {"peak": max(alert["peak"], round(lasted_s, 1))}
