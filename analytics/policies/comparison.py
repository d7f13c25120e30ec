"""Every verdict under the old baseline or policy and under the new one, side by side. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.statistics.verdict import judge_accidents, judge_deaths, published_states, worse

if TYPE_CHECKING:
    from datetime import date

    from analytics.statistics.policy import State
    from analytics.statistics.runs import Case


class Verdict(NamedTuple):
    """What was, or would have been, published of one run."""

    accidents: State
    deaths: State
    overall: State


class Compared(NamedTuple):
    """The verdict on one period under both; None: there is none."""

    last: date
    old: Verdict | None
    new: Verdict | None

    @property
    def differs(self) -> bool:
        """Whether the change changes it."""
        return self.old != self.new


def compare(old: Case | None, new: Case | None) -> list[Compared]:
    """Return the verdicts of all runs under both, oldest first. None: nothing can be judged under it."""
    before, after = ({} if case is None else _verdicts(case) for case in (old, new))
    return [Compared(last, before.get(last), after.get(last)) for last in sorted({*before, *after})]


def _verdicts(case: Case) -> dict[date, Verdict]:
    """Return what each run publishes, by the last day of its period; of two runs of one the later."""
    urgent = [run.urgent(case.policy) for run in case.runs]
    accidents, deaths = (
        published_states(
            [judge(run, case.baseline, case.policy).state for run in case.runs],
            urgent,
            runs=case.policy.consecutive_runs,
        )
        for judge in (judge_accidents, judge_deaths)
    )
    return {
        run.last: Verdict(one, other, worse(one, other))
        for run, one, other in zip(case.runs, accidents, deaths, strict=True)
    }
