"""How knowledge of an accident changes: versions, added and never overwritten, and the state as of a time.

Each version is a whole account with two times: `known_from`, when its reporter knew it, and `recorded_at`,
when the ledger did. As of T counts, of what was recorded by T, the account that was known last. So what is
recorded later never changes an old answer, and the order of recording does not change the new one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.ledger.accident import (
    DECIDED,
    DOMESTIC_WINDOW_DAYS,
    INTERNATIONAL_WINDOW_DAYS,
    LedgerError,
    check,
    toll,
)
from fleet.language import Words
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from analytics.ledger.accident import Facts

#: Flash figures of a month are made on this day of the next: what is known later comes late.
_FLASH_DAY = 5
_DECEMBER = 12


class Status(StrEnum):
    """How far an account has come: 初报 续报 责任认定 结案 撤销."""

    REPORTED = "reported"
    FOLLOWED_UP = "followed_up"
    DETERMINED = "determined"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Reason(StrEnum):
    """Why there is a version."""

    NEW = "new"
    LATE = "late"
    DEATHS_WITHIN_7_DAYS = "deaths_within_7_days"
    DEATHS_WITHIN_30_DAYS = "deaths_within_30_days"
    RESPONSIBILITY = "responsibility"
    CORRECTION = "correction"
    CLOSED = "closed"
    NOT_COUNTED = "not_counted"
    MERGED = "merged"
    REINSTATED = "reinstated"


@dataclass(frozen=True, slots=True)
class Version:
    """One account of an accident."""

    number: int
    recorded_at: datetime
    known_from: datetime
    status: Status
    reason: Reason
    #: Who recorded it, and what they said of why.
    who: str
    why: str
    facts: Facts
    #: Code of the accident that this one is the same as.
    merged_into: str = ""

    @property
    def counts(self) -> bool:
        """Whether figures count it."""
        return self.status is not Status.WITHDRAWN


@dataclass(frozen=True, slots=True)
class Writer:
    """Who records something, when, and since when it was known."""

    who: str
    recorded_at: datetime
    known_from: datetime
    why: str = ""


def in_order(versions: Iterable[Version]) -> list[Version]:
    """Return versions as they replace one another: by when they were known, then as they were recorded."""
    return sorted(versions, key=lambda version: (version.known_from, version.number))


def as_of(versions: Iterable[Version], at: datetime) -> Version | None:
    """Return the account that counted at a time; None: nothing was recorded yet."""
    recorded = in_order(version for version in versions if version.recorded_at <= at)
    return recorded[-1] if recorded else None


def known_to(versions: Iterable[Version], number: int) -> datetime | None:
    """Return when a version was replaced in what is known; None: it still counts."""
    ordered = in_order(versions)
    place = next(place for place, version in enumerate(ordered) if version.number == number)
    return ordered[place + 1].known_from if ordered[place + 1 :] else None


def changed_fields(before: Facts, after: Facts) -> list[str]:
    """Return the names of the facts that differ."""
    return [each.name for each in fields(after) if getattr(before, each.name) != getattr(after, each.name)]


def report(facts: Facts, by: Writer) -> Version:
    """Return the first version of an accident that the ledger did not have."""
    _check(facts, by, ())
    late = by.known_from.astimezone(CIVIL_ZONE).date() > flash_day(facts.occurred.day)
    reason = Reason.LATE if late else Reason.NEW
    status = Status.DETERMINED if _is_determined(facts) else Status.REPORTED
    return Version(1, by.recorded_at, by.known_from, status, reason, by.who, by.why, facts)


def revise(versions: Sequence[Version], facts: Facts, by: Writer) -> Version | None:
    """Return the version that another account makes; None if it says nothing that was not known then."""
    base = known_at(versions, by)
    if set(changed_fields(base.facts, facts)) <= {"reporter"}:
        return None
    if base.status is Status.WITHDRAWN:
        raise LedgerError(_WITHDRAWN)
    _check(facts, by, versions)
    status = Status.DETERMINED if _is_determined(facts) else Status.FOLLOWED_UP
    status = base.status if base.status is Status.CLOSED else status
    return _next(versions, by, status, _reason(base.facts, facts), facts)


def close(versions: Sequence[Version], by: Writer) -> Version:
    """Return the version that closes the case; later accounts stay possible."""
    base = _counting(versions, by)
    _check(base.facts, by, versions)
    return _next(versions, by, Status.CLOSED, Reason.CLOSED, base.facts)


def withdraw(versions: Sequence[Version], by: Writer) -> Version:
    """Return the version that takes an accident out of all figures: it is none that they count."""
    base = _counting(versions, by)
    _need_why(by)
    _check(base.facts, by, versions)
    return _next(versions, by, Status.WITHDRAWN, Reason.NOT_COUNTED, base.facts)


def merge(versions: Sequence[Version], into: Sequence[Version], code: str, by: Writer) -> Version:
    """Return the version that takes an accident out: it is the same as `code`, which goes on counting."""
    base, other = _counting(versions, by), _counting(into, by)
    _need_why(by)
    _check(base.facts, by, versions)
    apart = abs((base.facts.occurred.day - other.facts.occurred.day).days)
    if apart > 1:
        raise LedgerError(_APART.fill(code=code, days=apart))
    return replace(_next(versions, by, Status.WITHDRAWN, Reason.MERGED, base.facts), merged_into=code)


def reinstate(versions: Sequence[Version], by: Writer) -> Version:
    """Return the version that takes a withdrawn or merged accident back into the figures."""
    base = known_at(versions, by)
    if base.status is not Status.WITHDRAWN:
        raise LedgerError(_NOT_WITHDRAWN)
    _need_why(by)
    _check(base.facts, by, versions)
    status = Status.DETERMINED if _is_determined(base.facts) else Status.FOLLOWED_UP
    return _next(versions, by, status, Reason.REINSTATED, base.facts)


def flash_day(occurred: date) -> date:
    """Return the day on which the flash figures of an accident's month are made."""
    if occurred.month == _DECEMBER:
        return occurred.replace(year=occurred.year + 1, month=1, day=_FLASH_DAY)
    return occurred.replace(month=occurred.month + 1, day=_FLASH_DAY)


def known_at(versions: Sequence[Version], by: Writer) -> Version:
    """Return the account that what is recorded now comes on top of."""
    earlier = [version for version in versions if version.known_from <= by.known_from]
    return in_order(earlier or versions)[-1 if earlier else 0]


_WITHDRAWN = Words(
    "it was withdrawn from the ledger: reinstate it first (`kerbsafe accidents reinstate`)",
    "该事故已撤销：请先恢复计入（`kerbsafe accidents reinstate`）",
)
_APART = Words(
    "{code} lies {days} days apart: correct the day of one of them first",
    "与 {code} 相差 {days} 天：请先更正其中一起的日期",
)
_NOT_WITHDRAWN = Words("it was not withdrawn: there is nothing to reinstate", "该事故未撤销：无需恢复")
_NO_WHY = Words("say why with --why: it stays on record", "请用 --why 写明理由：将留存备查")
_KNOWN_LATER = Words(
    "it cannot be known later than it is recorded: look at --known-at and the clock",
    "获知时间晚于登记时间：请核对 --known-at 和系统时钟",
)
_IN_THE_FUTURE = Words(
    "{day} lies in the future: look at the day and the clock",
    "{day} 晚于当前时间：请核对日期和系统时钟",
)
_CLOCK_BEHIND = Words(
    "the clock is behind what is recorded already: look at the clock",
    "系统时钟早于已登记内容的时间：请核对系统时钟",
)


def _counting(versions: Sequence[Version], by: Writer) -> Version:
    base = known_at(versions, by)
    if base.status is Status.WITHDRAWN:
        raise LedgerError(_WITHDRAWN)
    return base


def _need_why(by: Writer) -> None:
    if not by.why.strip():
        raise LedgerError(_NO_WHY)


def _next(versions: Sequence[Version], by: Writer, status: Status, reason: Reason, facts: Facts) -> Version:
    number = max(version.number for version in versions) + 1
    return Version(number, by.recorded_at, by.known_from, status, reason, by.who, by.why, facts)


def _check(facts: Facts, by: Writer, versions: Sequence[Version]) -> None:
    """Raise if the version would rewrite what is past: an old answer must stay as it was given."""
    check(facts)
    if by.known_from > by.recorded_at:
        raise LedgerError(_KNOWN_LATER)
    if facts.occurred.at > by.recorded_at:
        raise LedgerError(_IN_THE_FUTURE.fill(day=facts.occurred.day))
    last = max((version.recorded_at for version in versions), default=None)
    if last is not None and by.recorded_at < last:
        raise LedgerError(_CLOCK_BEHIND)


def _is_determined(facts: Facts) -> bool:
    return bool(facts.fleet) and all(vehicle.responsibility in DECIDED for vehicle in facts.fleet)


def _reason(before: Facts, after: Facts) -> Reason:
    """Return the first reason that holds, in the order of what changes figures most."""
    for days, reason in (
        (DOMESTIC_WINDOW_DAYS, Reason.DEATHS_WITHIN_7_DAYS),
        (INTERNATIONAL_WINDOW_DAYS, Reason.DEATHS_WITHIN_30_DAYS),
    ):
        if toll(before, days).dead != toll(after, days).dead:
            return reason
    if _shares(before) != _shares(after):
        return Reason.RESPONSIBILITY
    return Reason.CORRECTION


def _shares(facts: Facts) -> dict[str, object]:
    return {vehicle.name: vehicle.responsibility for vehicle in facts.fleet}
