"""Right turns counted, as domain experts count them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from alerts.words.turns import Kind, Reason, Seen, Stop, Turns
from analytics.exposure.turn_counts import TurnCounts, counts

NOTHING: dict[str, Any] = {
    "turns": 0,
    "evaluable": 0,
    "armed": 0,
    "conflicts": 0,
    "must_stop": 0,
    "not_stopped": 0,
    "too_fast": 0,
    "bends": 0,
}


def turns(*rows: dict[str, Any]) -> Turns:
    plain = {
        "vehicle_id": 1,
        "kind": Kind.TURN,
        "reason": Reason.NONE,
        "junction": -1,
        "stop": Stop.NOT_ASKED,
        "armed": Seen.NO,
        "conflicts": 0,
    }
    made = [plain | row for row in rows]
    return Turns.build(**{name: [row[name] for row in made] for name in plain}) if made else Turns.empty()


TURN: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([], {}),
        ([TURN, TURN], {"turns": 2, "evaluable": 2}),
        # A bend is no turn, whatever is said of it.
        (
            [TURN, {"kind": Kind.BEND, "armed": Seen.YES, "conflicts": 1}],
            {"turns": 1, "evaluable": 1, "bends": 1},
        ),
        # What nobody could judge is in the denominator of coverage, and nowhere else.
        ([TURN, {"reason": Reason.COARSE, "armed": Seen.YES, "conflicts": 2}], {"turns": 2, "evaluable": 1}),
        # Two conflicts are one turn with a conflict; a camera that is not known to work saw none.
        (
            [{"armed": Seen.YES, "conflicts": 2}, {"armed": Seen.YES}, {"armed": Seen.NO, "conflicts": 1}],
            {"turns": 3, "evaluable": 3, "armed": 2, "conflicts": 1},
        ),
        # Nobody has looked at cameras: that is not "none armed".
        ([{"conflicts": -1}], {"turns": 1, "evaluable": 1, "looked": 0, "armed": None, "conflicts": None}),
        # At must-stop junctions, as far as the stop could be judged.
        (
            [
                {"junction": 5, "stop": Stop.STOPPED},
                {"junction": 5, "stop": Stop.SLOW},
                {"junction": 5, "stop": Stop.NOT_STOPPED},
                {"junction": 5, "stop": Stop.NOT_EVALUABLE},
            ],
            {"turns": 4, "evaluable": 4, "must_stop": 3, "not_stopped": 1},
        ),
    ],
)
def test_counts(rows: list[dict[str, Any]], wanted: dict[str, Any]) -> None:
    looked = {"looked": wanted.get("evaluable", 0)}  # where nothing else is said, somebody looked at all
    expected = TurnCounts(**NOTHING | looked | wanted)
    assert counts(turns(*rows), np.zeros(len(rows), np.bool_)) == expected


def test_too_fast_is_what_the_settled_row_says() -> None:
    found = counts(turns(TURN, TURN, {"kind": Kind.BEND}), np.array([True, False, True]))
    assert (found.turns, found.too_fast) == (2, 1)
