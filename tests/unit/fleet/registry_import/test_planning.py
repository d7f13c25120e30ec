"""The fate of every row."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.entities import BEGINNING_US, Company, Device, Driver, Fence, Pass, RegistryError, Vehicle
from fleet.kinds import FenceKind, VehicleKind
from fleet.registry_import.column import Kind
from fleet.registry_import.entry import Entry
from fleet.registry_import.planning import Change, Fate, Starts, plan, starts
from fleet.units import to_us

NOW_US = to_us(datetime(2026, 1, 31, tzinfo=UTC))
SOON_US = NOW_US + 60_000_000
WHEN = Starts(SOON_US, SOON_US)
FIRST, LAST = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
MIXER = VehicleKind.MIXER
NOWHERE = "the registry and this file have no such code"

REGISTERED = {
    Kind.COMPANIES: {"JX-1": Company(code="JX-1", name="一建"), "JX-2": Company(code="JX-2")},
    Kind.VEHICLES: {"M-1": Vehicle(code="M-1", company="JX-1", kind=MIXER, limit_kmh=60, plate="浙F1")},
    Kind.FENCES: {"F-1": Fence(code="F-1", kind=FenceKind.FORBIDDEN, geometry={})},
    Kind.PASSES: {"P-1": Pass(code="P-1", vehicle="M-1", fence="F-1", starts_at=FIRST, ends_at=LAST)},
    Kind.DEVICES: {"M-1": Device(login="M-1", vehicle="M-1")},
    Kind.DRIVERS: {"D-1": Driver(code="D-1", company="JX-1", name="王")},
}


def outcome(kind: Kind, code: str, values: dict[str, Any]) -> Any:
    """Fate, changed columns and start of the new version of one row; or what is wrong with it."""
    made = plan([Entry(kind, 2, code, values)], REGISTERED, WHEN)
    if made.problems:
        assert [fate.fate for fate in made.fates] == [Fate.ERROR]
        return [str(problem) for problem in made.problems]
    (row,) = made.fates
    return row.fate, [change.column for change in row.changes], row.valid_from_us


@pytest.mark.parametrize(
    ("kind", "code", "values", "expected"),
    [
        # what rules do not read changes in place
        (Kind.COMPANIES, "JX-3", {"name": "三建"}, (Fate.CREATE, ["code", "name"], None)),
        (Kind.COMPANIES, "JX-1", {"name": "一建"}, (Fate.UNCHANGED, [], None)),
        (Kind.COMPANIES, "JX-1", {"district": "海宁市"}, (Fate.UPDATE, ["district"], None)),
        (Kind.VEHICLES, "M-1", {"plate": "浙F2"}, (Fate.UPDATE, ["plate"], None)),
        (Kind.DEVICES, "M-2", {"vehicle": "M-1"}, (Fate.CREATE, ["login", "vehicle"], None)),
        (Kind.DEVICES, "M-1", {"model": "JT808"}, (Fate.UPDATE, ["model"], None)),
        (Kind.DRIVERS, "D-1", {"phone": "138"}, (Fate.UPDATE, ["phone"], None)),
        # what rules read becomes a version
        (Kind.VEHICLES, "M-1", {"limit_kmh": 50}, (Fate.UPDATE, ["limit_kmh"], SOON_US)),
        (Kind.VEHICLES, "M-1", {"limit_kmh": None}, (Fate.UPDATE, ["limit_kmh"], SOON_US)),
        (
            Kind.VEHICLES,
            "M-1",
            {"company": "JX-2", "plate": "浙F2"},
            (Fate.UPDATE, ["company", "plate"], SOON_US),
        ),
        (Kind.VEHICLES, "M-1", {}, (Fate.UNCHANGED, [], None)),
        (
            Kind.DRIVERS,
            "D-1",
            {"qualified_until": date(2027, 1, 1)},
            (Fate.UPDATE, ["qualified_until"], SOON_US),
        ),
        (Kind.FENCES, "F-1", {"geometry": {}, "retired": True}, (Fate.UPDATE, ["retired"], SOON_US)),
        (
            Kind.PASSES,
            "P-1",
            {"vehicle": "M-1", "ends_at": FIRST.replace(day=5)},
            (Fate.UPDATE, ["ends_at"], SOON_US),
        ),
        # a new vehicle or driver has facts from the beginning; a new fence or pass changes no past
        (
            Kind.VEHICLES,
            "M-2",
            {"company": "JX-1", "kind": MIXER},
            (Fate.CREATE, ["code", "company", "kind"], BEGINNING_US),
        ),
        (
            Kind.DRIVERS,
            "D-2",
            {"company": "JX-1", "name": "李"},
            (Fate.CREATE, ["code", "company", "name"], BEGINNING_US),
        ),
        (
            Kind.FENCES,
            "F-2",
            {"kind": FenceKind.SITE, "geometry": {}},
            (Fate.CREATE, ["code", "kind", "geometry"], SOON_US),
        ),
        (
            Kind.PASSES,
            "P-2",
            {"vehicle": "M-1", "fence": "F-1", "starts_at": FIRST, "ends_at": LAST},
            (Fate.CREATE, ["code", "vehicle", "fence", "starts_at", "ends_at"], SOON_US),
        ),
        # what cannot be
        (
            Kind.VEHICLES,
            "M-2",
            {"company": "JX-3"},
            [
                (
                    "vehicles row 2 kind: is missing: mixer, bulk_cement, mortar, silo_carrier, pump or "
                    "other; or say `--vehicle-kind KIND` for all that lack it"
                ),
                f"vehicles row 2 company 'JX-3': {NOWHERE} among companies; did you mean `JX-2`?",
            ],
        ),
        (
            Kind.DEVICES,
            "U-1",
            {"vehicle": "TRUCK"},
            [
                (
                    f"devices row 2 vehicle 'TRUCK': {NOWHERE} among vehicles; "
                    "import it first, or put it into this file"
                )
            ],
        ),
        (
            Kind.FENCES,
            "F-2",
            {"kind": FenceKind.SPEED_ZONE, "geometry": {}},
            ["fences row 2 limit_kmh: is missing: a speed_zone must have a limit"],
        ),
        (
            Kind.PASSES,
            "P-1",
            {"ends_at": FIRST},
            ["passes row 2 ends_at: is not after starts_at (2026-02-01T00:00:00Z)"],
        ),
    ],
)
def test_fate_of_a_row(kind: Kind, code: str, values: dict[str, Any], expected: Any) -> None:
    assert outcome(kind, code, values) == expected


def test_changes_say_before_and_after() -> None:
    (row,) = plan([Entry(Kind.VEHICLES, 2, "M-1", {"limit_kmh": 50})], REGISTERED, WHEN).fates
    assert row.changes == (Change("limit_kmh", 60, 50),)


def test_a_code_may_stand_in_the_same_file_in_any_order() -> None:
    made = plan(
        [
            Entry(Kind.DEVICES, 2, "M-9", {"vehicle": "M-9"}),
            Entry(Kind.VEHICLES, 2, "M-9", {"company": "JX-9", "kind": MIXER}),
            Entry(Kind.COMPANIES, 2, "JX-9", {}),
        ],
        {},
        WHEN,
    )
    assert made.problems == ()
    assert [row.kind for row in made.fates] == [Kind.COMPANIES, Kind.VEHICLES, Kind.DEVICES]


def test_a_row_that_could_not_be_read_is_not_said_to_miss_what_it_meant() -> None:
    made = plan([Entry(Kind.VEHICLES, 2, "M-2", {"company": "JX-1"}, frozenset({"kind"}))], REGISTERED, WHEN)
    assert [row.fate for row in made.fates] == [Fate.ERROR]
    assert made.problems == ()


@pytest.mark.parametrize(
    ("asked_s", "sandbox", "received", "expected"),
    [
        (None, False, True, Starts(SOON_US, SOON_US)),
        (60, False, True, Starts(SOON_US, SOON_US)),
        (3600, False, True, Starts(NOW_US + 3_600_000_000, NOW_US + 3_600_000_000)),
        # nothing was judged yet, or judging again is what a sandbox is for
        (None, False, False, Starts(SOON_US, BEGINNING_US)),
        (-60, False, False, Starts(NOW_US - 60_000_000, NOW_US - 60_000_000)),
        (-60, True, True, Starts(NOW_US - 60_000_000, NOW_US - 60_000_000)),
    ],
)
def test_when_new_facts_start(asked_s: int | None, sandbox: bool, received: bool, expected: Any) -> None:
    asked_us = None if asked_s is None else NOW_US + asked_s * 1_000_000
    assert starts(NOW_US, asked_us, sandbox=sandbox, anything_received=received) == expected


@pytest.mark.parametrize("ahead_s", [59, 0, -86400])
def test_what_was_judged_is_not_changed(ahead_s: int) -> None:
    with pytest.raises(
        RegistryError, match="is too early: facts change at least 60 s ahead, 2026-01-31T00:01:00Z"
    ):
        starts(NOW_US, NOW_US + ahead_s * 1_000_000, sandbox=False, anything_received=True)


def test_nothing_starts_before_the_beginning() -> None:
    with pytest.raises(RegistryError, match="before 2000-01-01T00:00:00Z"):
        starts(NOW_US, BEGINNING_US - 1, sandbox=True, anything_received=False)


codes = st.sampled_from(["A", "B", "C"])
entries = st.lists(
    st.one_of(
        st.builds(lambda code, name: (Kind.COMPANIES, code, {"name": name}), codes, st.text(max_size=3)),
        st.builds(
            lambda code, company, kind, limit: (
                Kind.VEHICLES,
                code,
                {"company": company, "kind": kind, **({} if limit is None else {"limit_kmh": limit})},
            ),
            codes,
            codes,
            st.sampled_from(VehicleKind),
            st.none() | st.integers(1, 200),
        ),
    ),
    unique_by=lambda found: found[:2],
).map(lambda found: [Entry(kind, row, code, values) for row, (kind, code, values) in enumerate(found, 2)])


@given(entries)
def test_the_same_file_again_changes_nothing(found: list[Entry]) -> None:
    companies = [Entry(Kind.COMPANIES, 100 + row, code, {}) for row, code in enumerate("ABC")]
    known = {(entry.kind, entry.code) for entry in found}
    found += [entry for entry in companies if (entry.kind, entry.code) not in known]
    first = plan(found, {}, WHEN)
    assert first.problems == ()
    assert {row.fate for row in first.fates} == {Fate.CREATE}
    registered: dict = {}
    for row in first.fates:
        registered.setdefault(row.kind, {})[row.code] = row.record
    again = plan(found, registered, WHEN)
    assert {row.fate for row in again.fates} == {Fate.UNCHANGED}
    assert all(row.valid_from_us is None for row in again.fates)
