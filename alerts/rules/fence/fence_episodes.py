"""What the stays of each kind of fence amount to: entries into forbidden ones, leaving, visits, long dwell.

A site's visit is an episode too, which nobody is alerted of: arrival, dwell and departure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alerts.rules.fence.stays import ENTERING, FREE, INSIDE, LEFT, NEVER, NOT_DUE_US
from alerts.words.transitions import Change, Rule
from fleet.fences.versions import FENCE_KINDS
from fleet.kinds import FenceKind
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Rows = NDArray[np.intp]
    Times = NDArray[np.int64]

FORBIDDEN, PERMITTED, SITE = (
    FENCE_KINDS.index(kind) for kind in (FenceKind.FORBIDDEN, FenceKind.PERMITTED, FenceKind.SITE)
)
NO_PASS = -1

#: Rule of the episode that a stay may open, and its severity, by kind.
_RULE = np.full(len(FENCE_KINDS), 0, np.int16)
_RULE[[FORBIDDEN, PERMITTED, SITE]] = Rule.FORBIDDEN, Rule.LEFT_PERMITTED, Rule.DWELL
_SEVERITY = np.full(len(FENCE_KINDS), 1, np.int16)
_SEVERITY[[FORBIDDEN, PERMITTED, SITE]] = 3, 2, 2
_VISIT_SEVERITY = 1
_CROSSED_SEVERITY, _UNSURE_SEVERITY = 2, 1

#: Which changes are told first, of stays (row 0) and of crossings (row 1).
_ORDER = np.zeros((2, max(Change) + 1), np.int8)
_ORDER[0, [Change.LOST, Change.RULE_CHANGE, Change.CLOSED, Change.OPENED]] = 0, 1, 2, 5
_ORDER[1, [Change.OPENED, Change.CLOSED]] = 3, 4

#: A change of an episode; `row` is that of the sample. Times in microseconds since 1970.
CHANGE = np.dtype(
    [
        ("row", "i8"),
        ("rule", "i2"),
        ("change", "i2"),
        ("started_us", "i8"),
        ("ended_us", "i8"),  # NEVER while open
        ("severity", "i2"),
        ("peak", "f8"),  # seconds inside, or outside a permitted fence
        ("limit", "f8"),  # seconds; 0 where nothing is allowed
        ("own_limit", "?"),  # the fence's own, not the rulebook's
        ("rulebook", "i4"),
        ("fence_id", "i4"),
        ("valid_from_us", "i8"),
        ("found", "?"),
        ("pass_index", "i4"),  # that ended the episode
        ("interval_s", "f8"),  # between the fixes of a crossing; 0 for a stay
        ("sure", "?"),
    ]
)

_BYTES = np.dtype((np.void, CHANGE.itemsize))


def ends(
    change: Change, which: Bools, row: Rows, stay: NDArray[np.void], ended_us: Times
) -> list[NDArray[np.void]]:
    """Tell that what stays have open ends there, and forget it in place."""
    is_open = which & (stay["open_us"] != NEVER)
    visiting = which & stay["visiting"]
    told = []
    if is_open.any():
        told.append(_of_violation(change, row[is_open], stay[is_open], ended_us[is_open]))
        stay["open_us"][is_open] = NEVER
    if visiting.any():
        told.append(_of_visit(change, row[visiting], stay[visiting], ended_us[visiting]))
        stay["visiting"][visiting] = False
    return told


def ongoing(stay: NDArray[np.void]) -> tuple[Rows, NDArray[np.int16], Times]:
    """Return what stays have open: which stay, the rule, and since when."""
    violating, visiting = np.flatnonzero(stay["open_us"] != NEVER), np.flatnonzero(stay["visiting"])
    rule = np.r_[_RULE[stay["kind"][violating]], np.full(len(visiting), Rule.SITE)].astype(np.int16)
    return (
        np.r_[violating, visiting],
        rule,
        np.r_[stay["open_us"][violating], stay["since_us"][visiting]],
    )


def visits(row: Rows, stay: NDArray[np.void], time_us: Times) -> list[NDArray[np.void]]:
    """Tell of arrivals at sites."""
    arrives = (stay["phase"] == INSIDE) & (stay["kind"] == SITE) & ~stay["visiting"]
    if not arrives.any():
        return []
    stay["visiting"] |= arrives
    told = _of_visit(Change.OPENED, row[arrives], stay[arrives], time_us[arrives])
    told["ended_us"] = NEVER
    return [told]


def dwells(
    row: Rows, stay: NDArray[np.void], time_us: Times, waits: Callable[[Rows], Bools]
) -> list[NDArray[np.void]]:
    """Tell of stays in sites that have become too long.

    The rulebook's limit is for concrete that sets: it counts while the vehicle `waits` with a load.
    """
    deadline_us = due(stay)
    opens = deadline_us <= time_us
    if not opens.any():
        return []
    opens &= stay["own_limit"] | waits(row)
    return _opened(opens, row, stay, np.maximum(deadline_us, stay["since_us"]), time_us)


def due(stay: NDArray[np.void]) -> Times:
    """Return when each stay in a site becomes too long; NOT_DUE_US where it has or cannot."""
    counts = (
        (stay["phase"] == INSIDE)
        & (stay["kind"] == SITE)
        & (stay["open_us"] == NEVER)
        & (stay["longest_s"] > 0)
    )
    limit_us = stay["longest_s"].astype(np.int64) * MICROSECONDS
    return np.where(counts, stay["arrived_us"] + limit_us, NOT_DUE_US)


def trespasses(
    row: Rows, stay: NDArray[np.void], time_us: Times, pass_index: NDArray[np.int32]
) -> list[NDArray[np.void]]:
    """Tell of stays in forbidden fences: ended by a pass that begins, begun without one (`NO_PASS`)."""
    within = (stay["phase"] == INSIDE) & (stay["kind"] == FORBIDDEN)
    if not within.any():
        return []
    covered = within & (pass_index != NO_PASS)
    allowed = covered & (stay["open_us"] != NEVER)
    told = ends(Change.CLOSED, allowed, row, stay, time_us)
    for closed in told:
        closed["pass_index"] = pass_index[allowed]
    opens = within & ~covered & (stay["open_us"] == NEVER)
    told += _opened(opens, row, stay, np.where(stay["covered"], time_us, stay["since_us"]), time_us)
    stay["covered"] = covered
    return told


def leave(stay: NDArray[np.void], exited: Bools) -> None:
    """Keep the stays in permitted fences that have ended, in place: they may have been left for nowhere."""
    left = exited & (stay["kind"] == PERMITTED)
    stay["phase"][left] = LEFT
    stay["since_us"][left] = stay["outside_us"][left]


def departures(row: Rows, stay: NDArray[np.void], time_us: Times) -> list[NDArray[np.void]]:
    """Tell of permitted fences left for no other one."""
    left = stay["phase"] == LEFT
    if not left.any():
        return []
    permitted = stay["kind"] == PERMITTED
    inside = permitted & (stay["phase"] == INSIDE)
    entering = permitted & (stay["phase"] == ENTERING)

    vehicles = int(row.max()) + 1
    back_us = np.full(vehicles, NOT_DUE_US)
    np.minimum.at(back_us, row[inside], stay["since_us"][inside])
    enters_other = np.zeros(vehicles, np.bool_)
    enters_other[row[entering]] = True
    back = left & (back_us[row] != NOT_DUE_US)
    ended_us = np.clip(back_us[row], stay["open_us"], time_us)
    told = ends(Change.CLOSED, back, row, stay, ended_us)
    stay["phase"][back] = FREE

    opens = left & ~back & (stay["open_us"] == NEVER) & ~enters_other[row]
    return told + _opened(opens, row, stay, stay["since_us"], time_us)


def crossed(
    row: Rows, started_us: Times, ended_us: Times, interval_s: NDArray[np.float64], sure: Bools
) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Return what opens and what closes where ways cross forbidden fences; the caller names the fences."""
    opened = np.zeros(len(row), CHANGE)
    opened["row"], opened["rule"], opened["change"] = row, Rule.FORBIDDEN, Change.OPENED
    opened["started_us"], opened["ended_us"] = started_us, NEVER
    opened["severity"] = np.where(sure, _CROSSED_SEVERITY, _UNSURE_SEVERITY)
    opened["peak"] = (ended_us - started_us) / MICROSECONDS
    opened["interval_s"], opened["sure"], opened["pass_index"] = interval_s, sure, NO_PASS
    opened["own_limit"] = True  # the fence allows nothing
    closed = opened.copy()
    closed["change"], closed["ended_us"] = Change.CLOSED, ended_us
    return opened, closed


def in_order(changes: Sequence[NDArray[np.void]]) -> NDArray[np.void]:
    """Return changes of one round: exit is told before cross, and cross before enter."""
    if not changes:
        return np.empty(0, CHANGE)
    # As plain bytes: joining records of so many fields is slow.
    told = np.concatenate([change.view(_BYTES) for change in changes]).view(CHANGE)
    order = _ORDER[(told["interval_s"] > 0).astype(np.int8), told["change"]]
    return told.take(np.lexsort((told["row"], order)))


def _opened(
    opens: Bools, row: Rows, stay: NDArray[np.void], since_us: Times, time_us: Times
) -> list[NDArray[np.void]]:
    """Open the episodes of some stays, in place, and tell of them."""
    if not opens.any():
        return []
    stay["open_us"][opens] = since_us[opens]
    told = _of_violation(Change.OPENED, row[opens], stay[opens], time_us[opens])
    told["ended_us"] = NEVER
    return [told]


def _of_violation(change: Change, row: Rows, stay: NDArray[np.void], until_us: Times) -> NDArray[np.void]:
    told = _told(change, row, stay, until_us)
    site = stay["kind"] == SITE
    told["rule"], told["severity"] = _RULE[stay["kind"]], _SEVERITY[stay["kind"]]
    told["started_us"] = stay["open_us"]
    told["peak"] = (until_us - np.where(site, stay["arrived_us"], stay["open_us"])) / MICROSECONDS
    told["limit"] = stay["longest_s"]
    return told


def _of_visit(change: Change, row: Rows, stay: NDArray[np.void], until_us: Times) -> NDArray[np.void]:
    told = _told(change, row, stay, until_us)
    told["rule"], told["severity"] = Rule.SITE, _VISIT_SEVERITY
    told["started_us"] = stay["since_us"]
    told["peak"] = (until_us - stay["arrived_us"]) / MICROSECONDS
    told["limit"] = stay["longest_s"]
    return told


def _told(change: Change, row: Rows, stay: NDArray[np.void], ended_us: Times) -> NDArray[np.void]:
    told = np.zeros(len(stay), CHANGE)
    told["row"], told["change"], told["ended_us"] = row, change, ended_us
    for name in ("rulebook", "fence_id", "valid_from_us", "found", "own_limit"):
        told[name] = stay[name]
    told["pass_index"], told["sure"] = NO_PASS, True
    return told
