from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from simulators import accidents
from simulators.accidents import Setting


def test_same_seed_same_history() -> None:
    assert accidents.history(3).accidents == accidents.history(3).accidents
    assert accidents.history(3).accidents != accidents.history(4).accidents


def test_rates_are_what_was_set() -> None:
    """Over many histories the mean rate before and after the change is the one that was put in."""
    setting = Setting(effect=0.5, company_cv=0.0, months=24, effect_from=12)
    before = after = km_before = km_after = 0.0
    for seed in range(60):
        made = accidents.history(seed, setting)
        change = date(2016, 1, 1)
        before += sum(a.happened < change for a in made.accidents)
        after += sum(a.happened >= change for a in made.accidents)
        km_before += sum(e.km for e in made.exposures if e.month < change)
        km_after += sum(e.km for e in made.exposures if e.month >= change)
    assert before / km_before * 1e6 == pytest.approx(0.9, rel=0.05)
    assert after / km_after * 1e6 == pytest.approx(0.45, rel=0.08)


def test_companies_differ_as_much_as_was_set() -> None:
    frailty = np.concatenate([accidents.history(s, Setting(months=1)).frailty for s in range(200)])
    assert frailty.mean() == pytest.approx(1.0, abs=0.03)
    assert frailty.std() == pytest.approx(0.4, abs=0.03)


def test_what_is_known_grows_and_never_becomes_all() -> None:
    made = accidents.history(5, Setting(unreported_share=0.2, accidents_per_mkm=5.0))
    soon, later = (len(made.known(day)) for day in (date(2020, 12, 31), date(2022, 12, 31)))
    assert soon < later < len(made.accidents)
    assert later / len(made.accidents) == pytest.approx(0.8, abs=0.03)
    assert all(a.reported is None or a.reported >= a.happened for a in made.accidents)


def test_deaths_within_7_and_30_days() -> None:
    made = accidents.history(6, Setting(accidents_per_mkm=8.0))
    seven = sum(a.deaths(7) for a in made.accidents)
    thirty = sum(a.deaths(30) for a in made.accidents)
    fatal = sum(bool(a.death_days) for a in made.accidents)
    assert seven / thirty == pytest.approx(0.9, abs=0.03)
    assert fatal / len(made.accidents) == pytest.approx(0.35, abs=0.03)
    assert thirty / fatal == pytest.approx(1.08, abs=0.03)
    assert all(a.injured or a.death_days for a in made.accidents)


def test_every_company_county_and_month_has_an_exposure() -> None:
    made = accidents.history(1, Setting(months=14, companies=3))
    assert len(made.exposures) == 14 * 3 * 7
    assert {e.month for e in made.exposures} >= {date(2015, 1, 1), date(2016, 2, 1)}
    assert min(e.km for e in made.exposures) > 0
