"""Facts by time, and the answers that the hot path gets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.directory import NEVER_US, Directory, VehicleFacts, make_directory
from fleet.kinds import VehicleKind
from fleet.wire.batch import OfThen
from fleet.wire.reasons import Reason

MIXER, PUMP = VehicleKind.MIXER, VehicleKind.PUMP


def facts(*versions: tuple[int, int, int, int, int]) -> VehicleFacts:
    """Versions as (vehicle, valid from, company, kind, limit)."""
    vehicle_id, valid_from_us, company_id, kind, limit_kmh = np.array(versions, np.int64).reshape(-1, 5).T
    return VehicleFacts(
        vehicle_id=vehicle_id,
        valid_from_us=valid_from_us,
        company_id=company_id,
        kind=kind,
        limit_kmh=limit_kmh,
    )


TWO = facts((7, 1000, 1, MIXER, -1), (3, 1000, 2, PUMP, 60), (7, 5000, 2, MIXER, 50), (7, 9000, 2, PUMP, 50))


@pytest.mark.parametrize(
    ("vehicle_id", "time_us", "in_force"),
    [
        (7, 0, (1, MIXER, -1)),  # before the first version: the first
        (7, 1000, (1, MIXER, -1)),
        (7, 4999, (1, MIXER, -1)),
        (7, 5000, (2, MIXER, 50)),
        (7, 8999, (2, MIXER, 50)),
        (7, 2**60, (2, PUMP, 50)),
        (3, -(2**60), (2, PUMP, 60)),
        (3, 5000, (2, PUMP, 60)),
        (3, 2**60, (2, PUMP, 60)),
    ],
)
def test_the_version_in_force_is_chosen_by_time(
    vehicle_id: int, time_us: int, in_force: tuple[int, ...]
) -> None:
    found = TWO.at([vehicle_id], [time_us])
    assert tuple(int(column[0]) for column in found) == in_force


def test_many_at_once() -> None:
    company_id, kind, limit_kmh = TWO.at([7, 3, 7, 7], [9000, 1, 5000, 1])
    assert company_id.tolist() == [2, 2, 2, 1]
    assert kind.tolist() == [PUMP, PUMP, MIXER, MIXER]
    assert limit_kmh.tolist() == [50, 60, 50, -1]


def test_no_fixes_have_no_facts() -> None:
    assert [len(column) for column in TWO.at([], [])] == [0, 0, 0]
    assert [len(column) for column in facts().at([], [])] == [0, 0, 0]


@pytest.mark.parametrize("vehicle_id", [0, 5, 8, 2**31 - 1])
def test_a_vehicle_without_facts_is_an_error_not_its_neighbour(vehicle_id: int) -> None:
    with pytest.raises(ValueError, match="read the directory again"):
        TWO.at([vehicle_id], [5000])
    with pytest.raises(ValueError, match="read the directory again"):
        facts().at([vehicle_id], [5000])


@given(
    st.dictionaries(st.tuples(st.integers(1, 5), st.integers(-20, 20)), st.integers(1, 9), min_size=1),
    st.data(),
)
def test_equals_a_search_by_hand(versions: dict[tuple[int, int], int], data: Any) -> None:
    """Every vehicle's newest version at or before the time, or else its first."""
    found = facts(*((vehicle, start, company, MIXER, -1) for (vehicle, start), company in versions.items()))
    vehicles = sorted({vehicle for vehicle, _ in versions})
    asked = data.draw(st.lists(st.tuples(st.sampled_from(vehicles), st.integers(-25, 25))))
    expected = []
    for vehicle, time_us in asked:
        starts = sorted(start for of, start in versions if of == vehicle)
        begun = [start for start in starts if start <= time_us]
        expected.append(versions[vehicle, begun[-1] if begun else starts[0]])
    assert found.at([v for v, _ in asked], [t for _, t in asked]).company_id.tolist() == expected


COMPANIES = {1: "JX-1", 2: "JX-2", 9: "EMPTY"}


def directory(now_us: int) -> Directory:
    return make_directory(4, COMPANIES, {"MIXER-7": 7, "PUMP-3": 3}, TWO, now_us)


@pytest.mark.parametrize(
    ("company", "vehicle", "answer"),
    [
        ("JX-1", "MIXER-7", 7),
        ("JX-2", "PUMP-3", 3),
        ("JX-2", "MIXER-7", OfThen(7, ((5000, 9000), (9000, NEVER_US)))),
        ("EMPTY", "PUMP-3", Reason.WRONG_COMPANY),
        ("JX-1", "MIXER-8", Reason.UNKNOWN_VEHICLE),
        ("JX-3", "MIXER-7", Reason.UNKNOWN_COMPANY),
        ("JX-3", "MIXER-8", Reason.UNKNOWN_COMPANY),
        ("jx-1", "MIXER-7", Reason.UNKNOWN_COMPANY),
        ("", "", Reason.UNKNOWN_COMPANY),
    ],
)
def test_a_topic_names_a_vehicle_or_a_reason(
    company: str, vehicle: str, answer: int | OfThen | Reason
) -> None:
    assert directory(4999).find(company, vehicle) == answer


def test_the_company_changes_when_the_version_comes_into_force() -> None:
    before = directory(4999)
    assert before.changes_at_us == 5000
    assert before.at(4999) is before
    after = before.at(5000)
    assert after.find("JX-2", "MIXER-7") == 7
    assert after.find("JX-1", "MIXER-7") == OfThen(7, ((-NEVER_US, 5000),))
    assert (after.revision, after.changes_at_us) == (4, 9000)
    assert after.at(9000).changes_at_us == NEVER_US


def test_codes_are_found_by_id() -> None:
    assert directory(0).vehicle_code(7) == "MIXER-7"
    assert directory(0).companies[2] == "JX-2"


def test_an_empty_registry_knows_nobody() -> None:
    nobody = make_directory(1, {}, {}, facts(), 0)
    assert nobody.find("JX-1", "MIXER-7") == Reason.UNKNOWN_COMPANY
    assert nobody.changes_at_us == NEVER_US
