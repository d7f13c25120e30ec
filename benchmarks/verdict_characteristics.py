"""How often the whole chain errs: a known truth, through reports that are late or missing, to the verdict.

    python benchmarks/verdict_characteristics.py [HISTORIES]

Of each scenario so many histories of 72 months are drawn. The base year is frozen as the ledger knew it on
30 April of the next year, the target year is judged on its final data (30 April 2021), by the code of the
ledger and of the verdict. Printed are the shares of the final verdicts on accidents and on both rates, and
how often the nowcast of a month's flash figure (made on the 5th of the next month) covered the count that the
ledger held in the end.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from analytics.facts.fact import MonthFact, Source
from analytics.facts.measures import Measure
from analytics.ledger import history as knowledge
from analytics.ledger.counting import By, Period, count, run_document
from analytics.ledger.scopes import Scope
from analytics.report.knowledge import known_at
from analytics.report.nowcasting import late_reports
from analytics.report.periods import Stage, day_end, due_day, shift
from analytics.report.report_input import CITY, ReportInput
from analytics.statistics.assessment import assess
from analytics.statistics.policy import State
from analytics.statistics.runs import read_case
from kerbsafe.sample.city import _POLICY, _baseline
from kerbsafe.sample.translation import ledger
from simulators.history.accounts import accounts
from simulators.history.setting import Setting
from simulators.history.truth import history

STATES = (
    State.ACHIEVED_CONFIRMED,
    State.ACHIEVED_FIGURE_ONLY,
    State.NOT_ACHIEVED_CLOSE,
    State.NOT_ACHIEVED,
    State.UNDEFINED,
)
BASE = Setting(vehicles=600, accidents_per_mkm=0.8, company_cv=0.4, effect_from=12, effect_over=60)
#: True ratio of the target year's rate to the base year's, not of the last month's.
RATIOS = (1.0, 0.75, 0.5, 0.3)
TARGET_FROM, TARGET_TO = date(2020, 1, 1), date(2020, 12, 31)


@dataclass
class Tally:
    accidents: Counter[State] = field(default_factory=Counter)
    both: Counter[State] = field(default_factory=Counter)
    months: int = 0
    covered: int = 0


def scenario(ratio: float, *, unreported: float = 0.0, late: float = 0.15) -> Setting:
    """A step after the base year, so that the ratio of whole years is the true one."""
    return replace(
        BASE,
        effect=ratio,
        effect_from=12,
        effect_over=0,
        late_share=late,
        unreported_share=unreported,
        unreported_from=12,
    )


def judge(seed: int, setting: Setting, tally: Tally) -> None:
    made = history(seed, setting)
    told = ledger(accounts(made))
    volume = made.km.sum(axis=(0, 1)) * setting.m3_per_km
    baseline = _baseline(told, float(volume[:12].sum()))
    at = day_end(date(2021, 4, 30))
    current = [knowledge.as_of(versions, at) for versions in told.values()]
    facts = [version.facts for version in current if version is not None and version.counts]
    counts = count(facts, Scope.A1, Period(TARGET_FROM, TARGET_TO), at)[""]
    run = run_document(
        counts,
        Period(TARGET_FROM, TARGET_TO),
        at - timedelta(microseconds=1),
        window_days=7,
        bound="high",
        scope=baseline.scope,
        denominator="m3",
        exposure=float(volume[60:].sum()),
    )
    document = {
        "baseline": {**_fields(baseline), "hash": baseline.hash},
        "policy": _fields(_POLICY),
        "current": run | {"final": True},
    }
    found = assess(read_case(document))
    tally.accidents[found.accidents.published] += 1
    tally.both[found.state] += 1
    nowcasts(told, volume, setting, tally)


def _fields(record: object) -> dict[str, object]:
    found: dict[str, object] = json.loads(record.text)  # type: ignore[attr-defined]
    return found


def nowcasts(
    told: dict[str, list[knowledge.Version]], volume: object, setting: Setting, tally: Tally
) -> None:
    """Compare each flash nowcast of 2018 to 2020 with what the ledger held of the month in the end."""
    months = [shift(setting.start, number) for number in range(setting.months)]
    facts = [
        MonthFact(
            CITY, month, Measure.VOLUME_M3, float(amount), None, Source.SIMULATED, day_end(shift(month, 1))
        )
        for month, amount in zip(months, volume, strict=True)  # type: ignore[call-overload]
    ]
    end = day_end(date(2022, 12, 31))
    last = [knowledge.as_of(versions, end) for versions in told.values()]
    final = count(
        [version.facts for version in last if version is not None and version.counts],
        Scope.A1,
        Period(setting.start, TARGET_TO),
        end,
        By.MONTH,
    )
    for month in months[36:]:
        at = day_end(due_day(month, Stage.FLASH))
        given = ReportInput(
            month, at, CITY, Stage.FLASH, facts, told, None, None, ledger_from=setting.start, simulated=True
        )
        found = late_reports(given, known_at(given, at), "m3", month)
        if found is None:
            continue
        counted = final.get(f"{month:%Y-%m}")
        truth = 0 if counted is None else counted.accidents.high
        tally.months += 1
        tally.covered += found.interval95[0] <= truth <= found.interval95[1]


def main(histories: int) -> None:
    print("| R | never reported after the base year | late | " + " | ".join(s.value for s in STATES), end="")
    print(" | both achieved | nowcast covers |")
    print("|---|---|---|" + "---|" * (len(STATES) + 2))
    for unreported, late in ((0.0, 0.0), (0.0, 0.15), (0.0, 0.4), (0.2, 0.15), (0.4, 0.15)):
        for ratio in RATIOS:
            tally = Tally()
            for seed in range(histories):
                judge(seed, scenario(ratio, unreported=unreported, late=late), tally)
            shares = " | ".join(f"{tally.accidents[s] / histories:.3f}" for s in STATES)
            both = sum(tally.both[s] for s in STATES[:2]) / histories
            covers = f"{tally.covered / tally.months:.3f}" if tally.months else "-"
            print(f"| {ratio} | {unreported} | {late} | {shares} | {both:.3f} | {covers} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
