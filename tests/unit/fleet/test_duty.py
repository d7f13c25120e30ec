"""Who drives without a valid qualification, and when."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from fleet.duty import NOBODY, Duty, Qualification, Unqualified
from fleet.units import to_us

OF_OLD_US = 0


def us(text: str) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=UTC))


def asked(unqualified: Unqualified, *whens: str, vehicle_id: int = 1) -> list[str]:
    times = np.array([us(when) for when in whens])
    found = unqualified.at(np.full(len(times), vehicle_id, np.int32), times)
    return ["" if driver == NOBODY else unqualified.codes[driver] for driver in found.tolist()]


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (date(2026, 3, 10), ["", "", "D7", "D7"]),
        (date(2026, 3, 9), ["", "D7", "D7", "D7"]),
        (None, ["D7", "D7", "D7", "D7"]),
        (date(2030, 1, 1), ["", "", "", ""]),
    ],
)
def test_a_qualification_holds_to_the_end_of_its_last_civil_day(
    until: date | None, expected: list[str]
) -> None:
    """Midnight in Shanghai is 16:00 of the day before in UTC."""
    found = Unqualified([Duty(1, OF_OLD_US, 7)], [Qualification(7, "D7", OF_OLD_US, until)])
    whens = "2026-03-09T15:59", "2026-03-10T15:59", "2026-03-10T16:00", "2026-04-01T00:00"
    assert asked(found, *whens) == expected


def test_who_drives_changes() -> None:
    duties = [
        Duty(1, OF_OLD_US, None),
        Duty(1, us("2026-03-02T00:00"), 7),
        Duty(1, us("2026-03-03T00:00"), 8),
        Duty(1, us("2026-03-04T00:00"), None),
        Duty(2, us("2026-03-03T12:00"), 7),  # holds for all time before as well
    ]
    found = Unqualified(
        duties, [Qualification(7, "D7", OF_OLD_US, None), Qualification(8, "D8", OF_OLD_US, date(2030, 1, 1))]
    )
    days = [f"2026-03-0{day}T12:00" for day in (1, 2, 3, 4)]
    assert asked(found, *days) == ["", "D7", "", ""]
    assert asked(found, *days, vehicle_id=2) == ["D7"] * 4
    assert asked(found, *days, vehicle_id=3) == [""] * 4


def test_a_qualification_is_renewed() -> None:
    versions = [
        Qualification(7, "D7", OF_OLD_US, date(2026, 3, 1)),
        Qualification(7, "D7", us("2026-03-05T00:00"), date(2027, 3, 1)),
    ]
    found = Unqualified([Duty(1, OF_OLD_US, 7)], versions)
    assert asked(found, *(f"2026-03-0{day}T00:00" for day in (1, 3, 5, 9))) == ["", "D7", "", ""]


def test_where_everybody_is_qualified_nobody_is_asked() -> None:
    assert Unqualified([], []).is_empty
    assert Unqualified([Duty(1, 0, None)], []).is_empty
    assert Unqualified([Duty(1, 0, 7)], [Qualification(7, "D7", 0, date(9999, 12, 30))]).is_empty
    assert asked(Unqualified([], []), "2026-03-01T00:00") == [""]
