"""Who is set aside by the settler, and for how long."""

from __future__ import annotations

import pytest

from alerts.settling.aside import Aside
from fleet.units import MICROSECONDS as S

MOST = 50_000


def test_a_vehicle_is_ready_at_once() -> None:
    aside = Aside()
    aside.add(7)
    assert (aside.vehicles, aside.ready(0)) == ([7], [7])


@pytest.mark.parametrize(("cost_s", "pause_s"), [(0, 60), (29, 60), (31, 62), (1_325, 2_650)])
def test_the_more_it_took_the_longer_it_is_left_alone(cost_s: int, pause_s: int) -> None:
    aside = Aside()
    aside.add(7)
    aside.judged(7, size=MOST + 1, began_us=100 * S, ended_us=(100 + cost_s) * S)
    aside.add(7)  # found to be large again: it waits all the same
    ready_us = (100 + cost_s + pause_s) * S
    assert (aside.ready(ready_us - 1), aside.ready(ready_us)) == ([], [7])


def test_one_that_took_no_more_than_others_is_set_aside_no_longer() -> None:
    aside = Aside()
    aside.add(7)
    aside.add(8)
    aside.judged(7, size=MOST, began_us=0, ended_us=S)
    assert aside.vehicles == [8]
