"""Turns, episodes and alerts of a day, counted whole and by county."""

from __future__ import annotations

from typing import Any

import numpy as np

from alerts.words.transitions import Rule
from alerts.words.turns import Seen
from analytics.days.judged import Episodes, Judged, Judgements, count
from tests.unit.analytics.exposure.test_turn_counts import turns

HAIYAN, NOWHERE = 11, -1


def episodes(*rows: dict[str, Any]) -> Episodes:
    plain = {"vehicle_id": 1, "began_us": 0, "lasted_us": 60_000_000, "settled": 1, "alert": 0, "lat_udeg": 0}
    made = [plain | row for row in rows]
    names = ("rule", *plain)
    return (
        Episodes.build(**{name: [row[name] for row in made] for name in names}) if made else Episodes.empty()
    )


def test_every_judgement_is_counted_once_and_those_in_a_county_there_too() -> None:
    driven = turns({"armed": Seen.YES, "conflicts": 1}, {}, {"vehicle_id": 2})
    said = episodes(
        {"rule": Rule.SPEEDING, "alert": 2},
        {"rule": Rule.FATIGUE, "alert": 1},
        # An alert about arrival is never settled: an alert, and nothing else.
        {"rule": Rule.OFFLINE, "settled": 0, "alert": 1},
        {"rule": Rule.LEFT_PERMITTED, "lasted_us": -1},
    )
    found = count(
        [1, 2, 3],
        Judgements(
            driven,
            np.array([False, True, False]),
            np.array([HAIYAN, NOWHERE, HAIYAN]),
            said,
            np.array([HAIYAN, HAIYAN, NOWHERE, NOWHERE]),
        ),
    )
    turned = {"right_turns": 2, "evaluable": 2, "looked": 2, "armed": 1, "conflicts": 1, "too_fast": 1}
    assert found[1].whole == Judged(
        **turned,
        speedings=1,
        fatigues=1,
        fatigue_us=60_000_000,
        permitted_left=1,
        alerts=3,
        alerts_resolved=1,
    )
    assert found[1].counties == {
        HAIYAN: Judged(
            **dict.fromkeys(("right_turns", "evaluable", "looked", "armed", "conflicts"), 1),
            speedings=1,
            fatigues=1,
            fatigue_us=60_000_000,
            alerts=2,
            alerts_resolved=1,
        )
    }
    assert (found[2].whole.right_turns, found[3].whole, found[3].counties) == (1, Judged(), {})
