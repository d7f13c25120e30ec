"""How a terminal must be set to see a right turn, and what keeps one from it. Pure.

A right turn takes 4 to 8 s. At 10 s it falls between two reports; a report at each bend of 15 to 30 degrees
puts points inside the turn, where the terminal sends them at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: By time; seconds between reports; degrees for an extra report.
SETTINGS = ("report_strategy", "report_default_s", "report_turn_deg")
BY_TIME, BY_DISTANCE = 0, 1
#: Every turn has at least two reports inside at this interval, whatever the bend points are.
SEES_AT_S = 2
#: Up to here bend points help; beyond it a turn has too few reports around it.
HELPED_UP_TO_S = 5
MIN_TURN_DEG, MAX_TURN_DEG = 1, 30


def settings_of(interval_s: int, turn_deg: int) -> dict[str, int]:
    """Return the parameters that commissioning sets."""
    return {"report_strategy": BY_TIME, "report_default_s": interval_s, "report_turn_deg": turn_deg}


def blind_because(parameters: Mapping[str, Any] | None) -> str | None:
    """Return why a terminal with these parameters cannot be said to see a right turn; None: it can.

    `parameters` are what it has told; None: it has told none.
    """
    if parameters is None:
        return "it has not told its parameters: kerbsafe command commission"
    strategy, interval_s = parameters.get("report_strategy"), parameters.get("report_default_s")
    if interval_s is None:
        return "it does not tell its interval (report_default_s)"
    if strategy == BY_DISTANCE:
        return "it reports by distance (report_strategy 1), not by time"
    if interval_s <= SEES_AT_S:
        return None
    turn_deg = parameters.get("report_turn_deg")
    has_bends = turn_deg is not None and MIN_TURN_DEG <= turn_deg <= MAX_TURN_DEG
    if interval_s <= HELPED_UP_TO_S and has_bends:
        return None
    bends = "no points at bends" if not turn_deg else f"points at bends of {turn_deg} degrees"
    return f"it reports every {interval_s} s, with {bends}: a turn takes 4 to 8 s"
