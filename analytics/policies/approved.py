"""Baselines and policies as they are kept: versions that follow one another, none ever changed. Pure.

A baseline has versions 1, 2, 3, each naming the one that it supersedes; a policy has a name for each version.
In force at a time is what was recorded last by then, so that a report as of an old date rests on what it
rested on when it was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from analytics.statistics.baseline import Baseline
from analytics.statistics.policy import Policy
from fleet.errors import KerbsafeError
from fleet.language import Words
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

T = TypeVar("T", Baseline, Policy)


class PolicyError(KerbsafeError):
    """A baseline or a policy cannot be recorded or found; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Approved(Generic[T]):
    """A baseline or a policy, with when and by whom it was recorded (who approved it stands in it)."""

    value: T
    recorded_at: datetime
    who: str


def require_next_baseline(value: Baseline, known: Sequence[Approved[Baseline]], now: datetime) -> bool:
    """Say whether a baseline is new (True) or recorded already; raise `PolicyError` if it cannot follow.

    `known` are all versions of all baselines.
    """
    same = [each.value for each in known if each.value.id == value.id]
    for other in same:
        if other.version == value.version and other.hash == value.hash:
            return False
        if other.version == value.version:
            raise PolicyError(
                _OTHER_VALUES.fill(
                    name=f"{value.id} {value.version}",
                    hash=other.hash,
                    next=_last(same) + 1,
                    last=_last(same),
                )
            )
    _require_past(value, now)
    last = _last(same) if same else None
    if (value.version, value.supersedes) != ((last or 0) + 1, last):
        raise PolicyError(
            _NOT_NEXT.fill(
                id=value.id,
                version=value.version,
                supersedes="null" if value.supersedes is None else value.supersedes,
                next=(last or 0) + 1,
                last="null" if last is None else last,
            )
        )
    return True


def require_next_policy(value: Policy, known: Sequence[Approved[Policy]], now: datetime) -> bool:
    """Say whether a policy is new (True) or recorded already; raise `PolicyError` if it cannot be."""
    for each in known:
        if each.value.version == value.version and each.value.hash == value.hash:
            return False
        if each.value.version == value.version:
            raise PolicyError(_NAME_TAKEN.fill(name=value.version, hash=each.value.hash))
    _require_past(value, now)
    return True


def baseline_in_force(known: Sequence[Approved[Baseline]], at: datetime, name: str | None = None) -> Baseline:
    """Return the baseline in force at a time; `name` is its id, needed only where there are several."""
    found = _until(known, at)
    names = sorted({each.value.id for each in found})
    if name is None and len(names) > 1:
        raise PolicyError(_WHICH.fill(names=", ".join(names)))
    values = [each.value for each in found if name is None or each.value.id == name]
    if not values:
        raise PolicyError(_NO_BASELINE.fill(name="" if name is None else f" {name}", at=_day(at)))
    return values[-1]


def policy_in_force(known: Sequence[Approved[Policy]], at: datetime) -> Policy:
    """Return the policy in force at a time."""
    found = _until(known, at)
    if not found:
        raise PolicyError(_NO_POLICY.fill(at=_day(at)))
    return found[-1].value


def _until(known: Sequence[Approved[T]], at: datetime) -> list[Approved[T]]:
    return sorted((each for each in known if each.recorded_at <= at), key=lambda each: each.recorded_at)


def _last(same: Sequence[Baseline]) -> int:
    return max(each.version for each in same)


def _require_past(value: Baseline | Policy, now: datetime) -> None:
    if value.approved_at > now.astimezone(CIVIL_ZONE).date():
        raise PolicyError(_FUTURE.fill(day=value.approved_at.isoformat()))


def _day(at: datetime) -> str:
    return at.astimezone(CIVIL_ZONE).date().isoformat()


_OTHER_VALUES = Words(
    "baseline {name} is frozen with other values ({hash}): a change is a new version, with version {next} "
    "and supersedes {last}",
    "基数 {name} 已冻结，且数值不同（{hash}）：变更须作为新版本提交，version 填 {next}，supersedes 填 {last}",
)
_NOT_NEXT = Words(
    "baseline {id} has version {version} and supersedes {supersedes}: the next one has version {next} and "
    "supersedes {last}",
    "基数 {id} 的 version 为 {version}、supersedes 为 {supersedes}："
    "下一版本应为 version {next}、supersedes {last}",
)
_NAME_TAKEN = Words(
    "policy {name} is approved with other values ({hash}): give the changed one a version of its own",
    "判定规则 {name} 已批准，且数值不同（{hash}）：变更后的规则请另用版本名",
)
_WHICH = Words(
    "there are several baselines ({names}): say which with --baseline",
    "有多个基数（{names}）：请用 --baseline 指定",
)
_NO_BASELINE = Words(
    "no baseline{name} was frozen as of {at}: `kerbsafe baseline freeze FILE` records an approved one",
    "截至 {at} 没有已冻结的基数{name}：请用 `kerbsafe baseline freeze 文件` 登记已批准的基数",
)
_NO_POLICY = Words(
    "no policy was approved as of {at}: `kerbsafe policy approve FILE` records one",
    "截至 {at} 没有已批准的判定规则：请用 `kerbsafe policy approve 文件` 登记",
)
_FUTURE = Words(
    "approved_at is {day}, which lies in the future: look at the day and the clock",
    "approved_at 为 {day}，晚于今天：请核对日期和时钟",
)
