"""The regulator's figures by their formulas, and what is wrong with a terminal."""

from __future__ import annotations

from typing import Any

import pytest

from analytics.quality import documents
from analytics.quality.figures import figures
from analytics.quality.store import Vehicle
from analytics.quality.sums import Sums, add
from analytics.quality.terminals import Fault, diagnose

HEARD: dict[str, Any] = {"filed": 1, "connected": 1, "online": 1, "fixes": 1000, "qualified": 1000}


def values(sums: Sums) -> dict[str, float | None]:
    return {one.name: one.value for one in figures(sums)}


def test_the_figures_of_a_company() -> None:
    """Ten vehicles filed, eight connected, six online; 1,200 km seen and 300 km unseen."""
    found = values(
        Sums(
            filed=10,
            connected=8,
            online=6,
            fixes=20_000,
            qualified=19_000,
            drifting=3,
            km=1200.0,
            km_unseen=300.0,
            alerts=24,
            handled=18,
            speedings=9,
            fatigue_s=7200.0,
            turns=200,
            coarse=30,
            gap=10,
        )
    )
    assert found == {
        "connected_rate": pytest.approx(0.8),
        "online_rate": pytest.approx(0.75),
        "complete_rate": pytest.approx(0.8),
        "qualified_rate": pytest.approx(0.95),
        "drift_rate": pytest.approx(0.5),
        "handled_rate": pytest.approx(0.75),
        "alerts_per_100_km": pytest.approx(2.0),
        "speedings_per_vehicle": pytest.approx(1.5),
        "fatigue_h_per_vehicle": pytest.approx(1 / 3),
        "evaluable_turn_rate": pytest.approx(0.8),
    }


def test_what_was_not_heard_or_not_measured_has_no_figure() -> None:
    found = values(Sums(filed=3))
    assert found.pop("connected_rate") == 0.0
    assert set(found.values()) == {None}
    assert add([Sums(km=5.0, km_unseen=0.0), Sums()]).km is None


@pytest.mark.parametrize(
    ("sums", "faults"),
    [
        ({"filed": 1}, [Fault.NEVER_HEARD]),
        ({"filed": 1, "connected": 1}, [Fault.SILENT]),
        (HEARD, []),
        (HEARD | {"turns": 20, "coarse": 12, "gap": 2}, [Fault.INTERVAL, Fault.GAPS]),
        (HEARD | {"turns": 9, "coarse": 9}, []),
        (HEARD | {"turns": 20, "speed_disagrees": 5, "clock_drifts": 1}, [Fault.SPEED, Fault.CLOCK]),
        (HEARD | {"jumps": 3}, [Fault.DRIFT]),
        (HEARD | {"jumps": 2}, []),
        (HEARD | {"qualified": 900}, [Fault.UNFIT]),
        (HEARD | {"turns": 20, "transport_gap": 4}, [Fault.TRANSPORT]),
    ],
)
def test_what_is_wrong_with_a_terminal(sums: dict[str, Any], faults: list[Fault]) -> None:
    assert [one.fault for one in diagnose(Sums(**sums))] == faults


def test_the_worst_come_first() -> None:
    vehicles = [
        Vehicle("mx1", "yi", "南湖区", "a", Sums(**HEARD, turns=10)),
        Vehicle("mx2", "er", "南湖区", "b", Sums(filed=1)),
        Vehicle("mx3", "er", "", "b", Sums(**HEARD, turns=10, coarse=5)),
    ]

    def units(by: str) -> list[tuple[str, float]]:
        found = documents.document(vehicles, by, None, None)  # type: ignore[arg-type]
        return [(unit["unit"], unit["hidden_share"]) for unit in found["units"]]

    assert units("vehicle") == [("mx2", 1.0), ("mx3", 0.5), ("mx1", 0.0)]
    assert units("company") == [("er", 0.75), ("yi", 0.0)]
    assert units("county") == [("", 0.5), ("南湖区", 0.5)]
