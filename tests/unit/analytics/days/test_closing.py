"""Which vehicle-days are due, and what the others wait for."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from analytics.days.closing import Known, Wait, due, is_over
from analytics.exposure.vehicle_day import bounds_us
from fleet.units import MICROSECONDS

DAY = date(2026, 8, 22)
END_US = bounds_us(DAY)[1]
HOUR_US = 3600 * MICROSECONDS
CLOSED: dict[str, Any] = {"closed": True}


def test_a_day_is_over_when_the_hour_after_it_and_the_horizon_are() -> None:
    horizon_us = 120 * MICROSECONDS
    assert not is_over(DAY, END_US + HOUR_US + horizon_us - 1, horizon_us)
    assert is_over(DAY, END_US + HOUR_US + horizon_us, horizon_us)


@pytest.mark.parametrize(
    ("known", "terms", "wanted"),
    [
        ({}, {}, "measure"),
        ({}, {"over": False}, Wait.NOT_OVER),
        ({"late_data": True, "unsettled": True}, {}, Wait.LATE_DATA),
        ({"unsettled": True}, {}, Wait.TRIP_NOT_SETTLED),
        # What is closed stays as it is, whatever its next trip does, until something touches it.
        (CLOSED | {"unsettled": True}, {}, None),
        (CLOSED | {"touches": (7,)}, {}, "recount"),
        (CLOSED | {"touches": (7,), "remeasure": True}, {}, "measure"),
        (CLOSED | {"touches": (7,), "late_data": True}, {}, Wait.LATE_DATA),
        (CLOSED, {"again": True}, "measure"),
        # Positions that were dropped or archived are not taken for none.
        (CLOSED | {"touches": (7,), "remeasure": True}, {"stored": False}, Wait.FIXES_GONE),
        (CLOSED | {"touches": (7,)}, {"stored": False}, "recount"),
        ({}, {"stored": False}, Wait.FIXES_GONE),
    ],
)
def test_what_is_done(known: dict[str, Any], terms: dict[str, Any], wanted: object) -> None:
    found = due([Known(1, **known)], **{"over": True, "stored": True} | terms)
    told = ["measure"] * len(found.measure) + ["recount"] * len(found.recount) + [*found.waits.values()]
    assert told == ([] if wanted is None else [wanted])
