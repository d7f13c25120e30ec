"""A clock that shows UTC is told from reports that were kept for eight hours."""

from __future__ import annotations

import pytest

from fleet.units import MICROSECONDS
from ingest.gateway.clocks import ZONE_US, ClockOfTerminal

HOUR_S = 3600
#: When it comes, how old its time makes it then (read as Beijing's), what is added; None: it waits.
LIVE_IN_UTC = [(0, 8 * HOUR_S, None), (10, 8 * HOUR_S + 1, None), (20, 8 * HOUR_S, 8), (30, 8 * HOUR_S, 8)]
KEPT = [
    (0, 8 * HOUR_S, None),
    (0, 8 * HOUR_S - 10, None),
    (1, 8 * HOUR_S - 19, None),
    (121, 8 * HOUR_S + 90, 0),
]


@pytest.mark.parametrize(
    "reports",
    [
        pytest.param([(0, 1, 0), (10, 2, 0), (20, 8 * HOUR_S, 0)], id="a right clock"),
        pytest.param([(0, 3 * HOUR_S, 0), (1, -90, 0)], id="kept for three hours"),
        pytest.param(LIVE_IN_UTC, id="UTC, every ten seconds"),
        pytest.param(
            [*LIVE_IN_UTC, (40, 9 * HOUR_S, 8), (50, 3, 0)], id="UTC, kept for an hour, then set right"
        ),
        pytest.param(KEPT, id="kept for eight hours, all at once"),
        pytest.param([*KEPT[:3], (2, 5, 0), (3, 8 * HOUR_S, 0)], id="kept for eight hours, then live"),
        pytest.param(
            [(n, 8 * HOUR_S + n, None) for n in range(0, 110, 10)], id="one report, sent again and again"
        ),
    ],
)
def test_clocks(reports: list[tuple[int, int, int | None]]) -> None:
    clock = ClockOfTerminal(0)
    found = [clock.judge((at_s - age_s) * MICROSECONDS, at_s * MICROSECONDS) for at_s, age_s, _ in reports]
    assert [None if one is None else one // (HOUR_S * MICROSECONDS) for one in found] == [
        hours for *_, hours in reports
    ]


def test_what_was_kept_waits_until_the_clock_is_known_and_not_for_ever() -> None:
    clock = ClockOfTerminal(0)
    assert clock.of_kept(60 * MICROSECONDS) is None
    assert clock.of_kept(120 * MICROSECONDS) == 0
    clock.offset_us = ZONE_US
    assert clock.of_kept(121 * MICROSECONDS) == ZONE_US
