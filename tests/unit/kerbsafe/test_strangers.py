"""Drives in the manner of strangers' bug reports, and fences: what is right was not derived by Kerbsafe."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from kerbsafe.cli import main

if TYPE_CHECKING:
    from pathlib import Path

DAY_S = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
#: Rule, fence, and from when to when: seconds of the day.
ZONE = [("forbidden", "ZONE", 101, 421)]


def replayed(
    shared_data: Path, capsys: pytest.CaptureFixture[str], name: str, fences: str
) -> list[dict[str, Any]]:
    folder = shared_data / "data/strangers/scenarios"
    if not (folder / name).exists():
        pytest.skip(f"the drive is not here: no file {folder / name}")
    code = main(["replay", str(folder / name), "--fences", str(folder / fences), "--json"])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    return [json.loads(line) for line in printed.out.splitlines()]


@pytest.mark.parametrize(
    ("name", "fences", "expected"),
    [
        # Newest first, as an array, or in order: the same stay.
        ("t4417-live-truth", "f4417", ZONE),
        ("t4417-newest-first-on-fix", "f4417", ZONE),
        ("t4417-history-array", "f4417", ZONE),
        # Five passes of a zone 120 m wide, a fix each 100 m.
        (
            "t3779-120m-zone-100m-fixes",
            "f3779",
            [("forbidden", "SMALL", at, at + 10) for at in (90, 2050, 4020, 5990, 7960)],
        ),
        # No fix fell inside: crossed all the same.
        ("t4316-crossing-5s", "f4316", [("forbidden", "LINE", 51, 54)]),
        ("t4316-crossing-15s", "f4316", [("forbidden", "LINE", 51, 54)]),
        ("t4223-exit-before-enter", "f4223", [("forbidden", "A", 10, 30), ("forbidden", "B", 30, 50)]),
        ("t5089-one-pass-one-alert", "f5089", [("forbidden", "P", 25, 35)]),
        # The ban begins at 07:00 civil time, the day before in UTC.
        ("t3897-ban-begins-while-inside", "f3897", [("forbidden", "PEAK", -3600, -1810)]),
        ("tb8191-hourly-chunk", "f_forb", [("forbidden", "FORB", 120, 1200)]),
        ("tb14301-900s", "f_forb", [("forbidden", "FORB", 80, 800)]),
        ("tb8191-hourly-chunk", "f143", [("left_permitted", "SITE", 7, 3599)]),
        ("tb14301-900s", "f143", [("left_permitted", "SITE", 10, 1290)]),
        # Parked at the edge of the fence for two hours, positions wander by 10 m: one stay.
        ("t3609-parked-at-the-edge", "f3609", [("forbidden", "EDGE", 50, 7240)]),
        # Silent inside its permitted area, heard again 4 km outside.
        ("t2282-silent-3min", "f2282", [("left_permitted", "PERM", 480, 779)]),
        ("t2282-silent-70min", "f2282", [("left_permitted", "PERM", 4500, 4799)]),
        ("t2282-silent-3h", "f2282", [("left_permitted", "PERM", 11100, 11399)]),
    ],
)
def test_stays(
    shared_data: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    fences: str,
    expected: list[tuple[str, str, float, float]],
) -> None:
    rows = [
        row
        for row in replayed(shared_data, capsys, f"{name}.ndjson", f"{fences}.geojson")
        if row["kind"] not in {"speeding", "reported_speed"}
    ]
    found = [
        (row["kind"], row["fence"], round(row["started_s"] - DAY_S), round(row["ended_s"] - DAY_S))
        for row in rows
    ]
    assert found == expected
    assert {row["limit_source"] for row in rows} == {"fence"}
    silent = {row["kind"] for row in rows if row.get("seen_after_silence")}
    assert silent == ({"left_permitted"} if name.startswith("t2282") else set())
