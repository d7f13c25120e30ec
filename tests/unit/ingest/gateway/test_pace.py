from __future__ import annotations

from ingest.gateway.pace import Pace


def test_who_has_spent_the_budget_waits_until_it_is_even() -> None:
    pace = Pace(per_s=100, at_once=500)
    pace.begin(0.0)
    assert pace.spend(500, 0.0) == 0
    assert pace.spend(50, 0.0) == 0.5
    assert pace.spend(0, 0.5) == 0
    assert pace.spend(500, 60.0) == 0  # no more than the budget is saved up
    assert pace.spend(1, 60.0) == 0.01
