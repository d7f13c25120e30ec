"""Every verdict that the database can give under one baseline and one policy, run by run as known then."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from analytics.ledger.store import read_versions
from analytics.report.judging import NotJudgedError, judge
from analytics.report.periods import month_of, stage_on
from analytics.report.report_input import CITY, ReportInput, civil_day
from analytics.report.store import read_facts
from analytics.statistics.runs import read_case

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg

    from analytics.statistics.baseline import Baseline
    from analytics.statistics.policy import Policy
    from analytics.statistics.runs import Case


async def judged_runs(
    connection: asyncpg.Connection, baseline: Baseline, policy: Policy, now: datetime
) -> Case | None:
    """Return the runs of the city until the last month that can be judged; None: there is none."""
    today = civil_day(now)
    facts = await read_facts(connection, now, date(baseline.year, 1, 1), today)
    ledger = await read_versions(connection, now)
    for month in sorted({fact.month for fact in facts if fact.scope == CITY}, reverse=True):
        stage = stage_on(month, today)
        if stage is None or month >= month_of(today):
            continue
        given = ReportInput(month, now, CITY, stage, facts, ledger, baseline, policy)
        try:
            return read_case(judge(given).case)
        except NotJudgedError:
            continue
    return None
