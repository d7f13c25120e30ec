from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from simulators.history.accounts import accounts
from simulators.history.figures import figures
from simulators.history.setting import Setting
from simulators.history.truth import history

if TYPE_CHECKING:
    from simulators.history.accounts import Account


def test_same_seed_same_history() -> None:
    assert history(3).accidents == history(3).accidents
    assert history(3).accidents != history(4).accidents


def test_rates_are_what_was_set() -> None:
    """Over many histories the mean rate before and after the change is the one that was put in."""
    setting = Setting(effect=0.5, company_cv=0.0, months=24, effect_from=12)
    before = after = km_before = km_after = 0.0
    for seed in range(60):
        made = history(seed, setting)
        change = date(2016, 1, 1)
        before += sum(a.day < change for a in made.accidents)
        after += sum(a.day >= change for a in made.accidents)
        km_before += made.km[:, :, :12].sum()
        km_after += made.km[:, :, 12:].sum()
    assert before / km_before * 1e6 == pytest.approx(0.9, rel=0.05)
    assert after / km_after * 1e6 == pytest.approx(0.45, rel=0.08)


def test_companies_differ_as_much_as_was_set() -> None:
    frailty = np.concatenate([history(s, Setting(months=1)).frailty for s in range(200)])
    assert frailty.mean() == pytest.approx(1.0, abs=0.03)
    assert frailty.std() == pytest.approx(0.4, abs=0.03)


def test_what_is_known_grows_and_never_becomes_all() -> None:
    made = history(5, Setting(unreported_share=0.2, accidents_per_mkm=5.0, fatal_share=0.0))
    soon, later = (len(made.known(day)) for day in (date(2020, 12, 31), date(2022, 12, 31)))
    assert soon < later < len(made.accidents)
    assert later / len(made.accidents) == pytest.approx(0.8, abs=0.03)
    assert all(a.reported is None or a.reported >= a.day for a in made.accidents)


def test_deaths_within_7_and_30_days() -> None:
    made = history(6, Setting(accidents_per_mkm=8.0))
    seven = sum(a.deaths(7) for a in made.accidents)
    thirty = sum(a.deaths(30) for a in made.accidents)
    fatal = sum(bool(a.death_days) for a in made.accidents)
    assert seven / thirty == pytest.approx(0.9, abs=0.03)
    assert fatal / len(made.accidents) == pytest.approx(0.35, abs=0.03)
    assert thirty / fatal == pytest.approx(1.08, abs=0.03)
    assert all(a.light + a.serious or a.death_days for a in made.accidents)


def test_who_dies_is_always_reported_sooner_or_later() -> None:
    made = history(5, Setting(unreported_share=0.5, accidents_per_mkm=5.0))
    assert all(a.reported for a in made.accidents if a.death_days)
    assert any(a.reported is None for a in made.accidents)


def test_a_fall_over_years_is_one_of_the_same_percentage_each_month() -> None:
    setting = Setting(effect=0.5, effect_from=0, effect_over=72, company_cv=0.0, accidents_per_mkm=60.0)
    made = history(7, setting)
    years = [sum(a.day.year == year for a in made.accidents) for year in range(2015, 2021)]
    km = made.km.sum(axis=(0, 1)).reshape(6, 12).sum(1)
    rates = np.array(years) / km * 1e6 / 60
    assert rates == pytest.approx([0.5 ** ((12 * y + 6.5) / 72) for y in range(6)], rel=0.07)


def test_an_office_is_told_little_by_little() -> None:
    made = history(8, Setting(accidents_per_mkm=4.0))
    truth = {a.code: a for a in made.accidents}
    by_code: dict[str, list[Account]] = {}
    for account in accounts(made):
        by_code.setdefault(account.code, []).append(account)
    assert set(by_code) == {code for code, a in truth.items() if a.reported is not None}
    for code, told in by_code.items():
        hurt = truth[code].light + truth[code].serious + len(truth[code].death_days)
        assert [t.known_at for t in told] == sorted({t.known_at for t in told})
        assert {t.light + t.serious + len(t.died) for t in told} == {hurt}
        assert (told[0].responsibility, told[-1].responsibility) in {
            ("", truth[code].responsibility),
            (truth[code].responsibility,) * 2,
        }
        assert tuple((day - truth[code].day).days for day in told[-1].died) == truth[code].death_days
        assert all(day <= t.known_at.date() for t in told for day in t.died)


def test_counties_and_companies_add_up_to_the_city_in_every_month() -> None:
    made = history(1, Setting(months=14, companies=3, restated_share=0.3))
    last = {(f.scope, f.month, f.measure): f for f in figures(made)}
    months = {month for _, month, _ in last}
    assert len(months) == 14
    assert len({measure for _, _, measure in last}) == 29
    for (scope, month, measure), figure in last.items():
        if scope == "city":
            for part in ("county:", "company:"):
                values = [
                    f.value
                    for (s, m, w), f in last.items()
                    if s.startswith(part) and (m, w) == (month, measure)
                ]
                assert sum(values) == pytest.approx(figure.value, abs=1e-6)


def test_a_volume_stated_wrong_is_put_right_a_month_later() -> None:
    made = history(1, Setting(months=14, companies=3, restated_share=0.3))
    stated: dict[date, list[float]] = {}
    for figure in figures(made):
        if (figure.scope, figure.measure) == ("city", "volume_m3"):
            stated.setdefault(figure.month, []).append(figure.value)
    restated = [values for values in stated.values() if len(values) > 1]
    assert 0 < len(restated) < 14
    assert all(first != second and abs(first / second - 1) < 0.1 for first, second in restated)
