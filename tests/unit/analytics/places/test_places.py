"""Turning places: what is one place, what stays, and what can be said of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analytics.places import documents
from analytics.places.figures import PlacedTurns, survey
from analytics.places.place import NOWHERE, place_turns
from fleet.geo import M_PER_UDEG

LAT, LON = 30_750_000, 120_760_000
QUIET = {"share": 0.2, "expected": 8.0}


def at(east_m: Any, north_m: Any) -> tuple[Any, Any]:
    east_udeg = np.asarray(east_m) / (M_PER_UDEG * np.cos(np.deg2rad(LAT / 1e6)))
    return (
        np.rint(LAT + np.asarray(north_m) / M_PER_UDEG).astype(np.int32),
        np.rint(LON + east_udeg).astype(np.int32),
    )


def approach(count: int, east_m: float, north_m: float, course_deg: float, seed: int = 1) -> tuple[Any, ...]:
    """Turns of one approach, as receivers see them: 4 m off, 8° off."""
    rng = np.random.default_rng(seed)
    lat, lon = at(rng.normal(east_m, 4, count), rng.normal(north_m, 4, count))
    course = np.rint(rng.normal(course_deg, 8, count)).astype(np.int16) % 360
    return lat, lon, course.astype(np.int16)


def together(*parts: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


#: The right turns of a narrow junction, seen from above: all within 16 m.
JUNCTION = ((8, -8, 0), (8, 8, 270), (-8, 8, 180), (-8, -8, 90))


def test_each_approach_of_a_junction_is_a_place_of_its_own() -> None:
    turns = together(*(approach(60, *corner, seed=i) for i, corner in enumerate(JUNCTION)))
    placed = place_turns(*turns, [])
    assert [len(set(placed.of_turn[i * 60 : (i + 1) * 60])) for i in range(4)] == [1, 1, 1, 1]
    assert sorted(place.heading for place in placed.places) == ["E", "N", "S", "W"]


def test_a_place_keeps_its_name_and_its_turns_when_most_now_turn_beside_it() -> None:
    old = approach(40, 0, 0, 90)
    before = place_turns(*old, [])
    assert [place.entry_course_deg for place in before.places] == [90]
    # The stop line was moved by 15 m, and ten times as many turn there.
    both = together(old, approach(400, 15, 0, 90, seed=2))
    after = place_turns(*both, before.places)
    assert after.places[0] == before.places[0]
    assert (after.of_turn[:40] == before.of_turn).all()
    # Founded anew, the same data would have another founder: what was founded is remembered for that.
    assert place_turns(*both, []).places[0] != before.places[0]


def test_the_order_of_turns_does_not_matter() -> None:
    turns = together(*(approach(30, *corner, seed=i) for i, corner in enumerate(JUNCTION)))
    order = np.random.default_rng(3).permutation(len(turns[0]))
    shuffled = place_turns(*(column[order] for column in turns), [])
    assert shuffled.places == place_turns(*turns, []).places


@pytest.mark.parametrize(
    ("many", "course", "places"),
    [(4, 90, 0), (5, 90, 1), (60, -1, 0)],
    ids=["too few", "enough", "no direction"],
)
def test_what_founds_a_place(many: int, course: int, places: int) -> None:
    lat, lon = at(np.zeros(many), np.zeros(many))
    placed = place_turns(lat, lon, np.full(many, course, np.int16), [])
    assert len(placed.places) == places
    assert set(placed.of_turn) == {0 if places else NOWHERE}


def test_a_code_names_the_corner_and_the_heading() -> None:
    lat, lon = at(np.zeros(9), np.zeros(9))
    (place,) = place_turns(lat, lon, np.full(9, 359, np.int16), []).places
    assert place.code == "N3074997E12076002-N"
    assert abs(place.lat_udeg - LAT) * M_PER_UDEG <= 5


def turns_at(east_m: float, base: int, conflicts: int, **more: Any) -> PlacedTurns:
    count = base + more.get("unseen", 0)
    lat, lon = at(np.full(count, east_m), np.zeros(count))
    watched = np.arange(count) < base
    return PlacedTurns(
        np.arange(count, dtype=np.int32) % 7,
        lat,
        lon,
        np.full(count, 90, np.int16),
        np.ones(count, np.bool_),
        watched,
        np.where(watched, (np.arange(count) < conflicts).astype(np.int64), -1),
    )


def joined(*parts: PlacedTurns) -> PlacedTurns:
    return PlacedTurns(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def test_two_conflicts_in_three_turns_are_no_league_table() -> None:
    """A place with 2 of 3 says nothing; 40 of 1,000 stands out from many at about 5."""
    usual = [turns_at(1000.0 * i, 1000, 3 + i % 5) for i in range(1, 9)]
    found, _ = survey(joined(turns_at(0, 3, 2, unseen=3), turns_at(20_000, 1000, 40), *usual), [], **QUIET)
    rows = documents.document(found, None, None, unsettled=0)["places"]  # type: ignore[arg-type]
    assert (rows[0]["conflicts"], rows[0]["band"]) == (40, "above")
    assert rows[0]["p_worst"] > 0.99
    assert rows[0]["lower"] < rows[0]["per_1000"] < 40 < rows[0]["upper"]
    few = rows[-1]
    assert (few["turns"], few["base"], few["conflicts"], few["unknown"]) == (6, 3, 2, 3)
    assert (few["band"], few["per_1000"], few["p_worst"]) == ("too_few", None, None)


def test_places_that_cannot_be_told_apart_are_drawn_together() -> None:
    found, _ = survey(joined(*(turns_at(1000.0 * i, 200, 1) for i in range(6))), [], **QUIET)
    document = documents.document(found, None, None, unsettled=0)  # type: ignore[arg-type]
    assert document["prior"] == "no_difference"
    assert {row["band"] for row in document["places"]} == {"undecided"}
    assert [row["p_worst"] for row in document["places"]] == pytest.approx([1 / 6] * 6, abs=0.01)


def test_nothing_is_said_where_nobody_turned() -> None:
    found, _ = survey(joined(turns_at(0, 0, 0)), [], **QUIET)
    assert (found.places, found.city_rate, found.total.turns) == ([], None, 0)


def test_a_camera_that_sees_too_little_counts_in_no_rate() -> None:
    """Of seven vehicles six see a conflict in every tenth turn, one in 300 turns none."""
    turns = turns_at(0, 2100, 0)
    conflicts = ((turns.vehicle_id > 0) & (np.arange(2100) // 7 % 10 == 0)).astype(np.int64)
    found, _ = survey(turns._replace(conflicts=conflicts), [], **QUIET)
    assert (found.quiet_vehicles, found.places[0].counts.base, found.places[0].counts.conflicts) == (
        1,
        1800,
        180,
    )
