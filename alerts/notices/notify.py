"""Why a notice is due, or why not. Pure.

People are called for what is new and grave, once. An alert that was judged too late to act on calls nobody.
Of alerts of one rule on one vehicle within ten minutes the first is told, and one that is worse; the others
are counted, and the next notice of them says how many there were. Whoever was told of an alert is told when
it got worse, was resolved, reopened or withdrawn.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from fleet.units import MICROSECONDS

#: Repeats of a rule on a vehicle within this are grouped.
GROUP_US = 600 * MICROSECONDS


class Reason(StrEnum):
    """Why a notice is due; or, for the last three, why not."""

    RAISED = "raised"
    WORSENED = "worsened"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"
    #: It repeats what was told a moment ago.
    GROUPED = "grouped"
    #: Judged so late that nobody could act.
    LATE = "late"
    #: It tells a receiver nothing that they know of, or nothing new.
    NOT_NEWS = "not_news"


DUE = frozenset({Reason.RAISED, Reason.WORSENED, Reason.RESOLVED, Reason.REOPENED, Reason.WITHDRAWN})
_STANDING = frozenset({Reason.RAISED, Reason.WORSENED, Reason.REOPENED})
_HANDLED = {
    "resolved": Reason.RESOLVED,
    "reopened": Reason.REOPENED,
    "withdrawn": Reason.WITHDRAWN,
}


class News(NamedTuple):
    """An entry of the alert feed."""

    change: str
    state: str
    severity: int
    late: bool
    #: When it was told, event time.
    at_us: int


class Told(NamedTuple):
    """What was told, or grouped, last."""

    reason: Reason
    severity: int
    at_us: int


def reason(news: News, told: Told | None, group: Told | None) -> Reason:
    """Return why an entry of the feed is worth a notice, or why not.

    Parameters
    ----------
    news
        Of a severity that the channel wants, or the end of something that may have been told.
    told
        What was decided last of the same alert; None: nothing.
    group
        What was told last of other alerts of its rule on its vehicle, raised or worsened; None: nothing.
    """
    if news.change in _HANDLED:
        return _of_handling(news, told)
    if news.late:
        return Reason.LATE
    known = told is not None and news.severity <= told.severity
    if known or news.state not in {"open", "acknowledged"}:
        return Reason.NOT_NEWS
    if told is None or told.reason is Reason.GROUPED:
        return Reason.GROUPED if _repeats(news, group) else Reason.RAISED
    return Reason.WORSENED if told.reason in _STANDING else Reason.NOT_NEWS


def _of_handling(news: News, told: Told | None) -> Reason:
    """Return what to tell of the end of something that was told."""
    found = _HANDLED[news.change]
    if told is None or told.reason in {found, Reason.GROUPED}:
        return Reason.NOT_NEWS
    if found is Reason.WITHDRAWN and news.state != "withdrawn":
        return Reason.NOT_NEWS  # a person's disposition stands
    return found


def _repeats(news: News, group: Told | None) -> bool:
    return group is not None and news.at_us - group.at_us < GROUP_US and news.severity <= group.severity
