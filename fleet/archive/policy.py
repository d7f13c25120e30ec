"""Which days go where: into the cold store, out of the database, away for good. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date, datetime

#: A day is dropped from the database so long after it was archived: no reader's snapshot is older than that,
#: so whoever no longer finds it there sees in the same snapshot that it is in the cold store.
SEEN_AFTER = timedelta(hours=1)


class Policy(NamedTuple):
    """How long tracks are kept."""

    database_days: int
    #: None: for ever.
    track_days: int | None


class Kept(NamedTuple):
    """What there is now."""

    #: Days that the database has fixes of.
    stored: Collection[date]
    #: Days of the cold store, and when each was noted.
    archived: Mapping[date, datetime]
    #: Days of ours that the cold store has a folder of: one may be left of a run that was killed.
    folders: Collection[date]
    #: Days that the database has camera events and health reports of.
    sighted: Collection[date]


class Due(NamedTuple):
    """What is to be done, the oldest day first."""

    archive: list[date]
    drop: list[date]
    #: From the cold store.
    forget: list[date]
    #: Camera events and health reports.
    drop_sights: list[date]


def today(clock: datetime, server: datetime, received_last: datetime | None) -> date | None:
    """Return the day that ages count from: the earliest that clocks and what was received agree on.

    A clock that runs ahead, be it by a day or a year, ages nothing. None: nothing was ever received.
    """
    return None if received_last is None else min(clock, server, received_last).date()


def due(policy: Policy, kept: Kept, day: date, now: datetime) -> Due:
    """Return what is to be done on a day; `now` is the server's wall time, that `archived` was noted by."""
    leaves = day - timedelta(days=policy.database_days)
    old = sorted(stored for stored in kept.stored if stored < leaves)
    seen = {archived for archived, at in kept.archived.items() if at <= now - SEEN_AFTER}
    gone = None if policy.track_days is None else day - timedelta(days=policy.track_days)
    return Due(
        archive=[stored for stored in old if stored not in kept.archived],
        drop=[stored for stored in old if stored in seen],
        forget=[]
        if gone is None
        else sorted(d for d in {*kept.archived, *kept.folders} if d < gone and d not in kept.stored),
        drop_sights=[] if gone is None else sorted(d for d in kept.sighted if d < gone),
    )
