"""`kerbsafe replay FILE`: what is printed of drives in files, for programs and for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kerbsafe.cli import main

if TYPE_CHECKING:
    from pathlib import Path

SPEEDING_FROM_S, SPEEDING_TO_S = 30, 60
SPEEDS_KMH = [100 if SPEEDING_FROM_S < second < SPEEDING_TO_S else 60 for second in range(90)]
#: Second, latitude and speed of a drive to the north: 1 km/h is 2.5 micro-degrees a second.
ROWS = [
    (second, 30.75 + 2.5e-6 * sum(SPEEDS_KMH[:second]), speed_kmh)
    for second, speed_kmh in enumerate(SPEEDS_KMH)
]


def relative() -> str:
    return "t_s,lat,lon,speed_kmh\n" + "".join(f"{s},{lat:.6f},120.75,{kmh}\n" for s, lat, kmh in ROWS)


def with_times() -> str:
    return "time,lat,lon,speed_kmh\n" + "".join(
        f"2026-08-22T10:{s // 60:02}:{s % 60:02}Z,{lat:.6f},120.75,{kmh}\n" for s, lat, kmh in ROWS
    )


def recorded() -> str:
    lines = []
    for s, lat, kmh in ROWS:
        at = f"2026-08-22T10:{s // 60:02}:{s % 60:02}Z"
        payload = {"time": at, "lat": lat, "lon": 120.75, "speed_kmh": kmh}
        lines.append(json.dumps({"at": at, "topic": "kerbsafe/v1/acme/T1/fix", "payload": payload}) + "\n")
    return "".join(lines)


BEGAN_S = 1_787_392_800.0  # 2026-08-22T10:00:00Z
EPISODE = {"kind": "speeding", "peak": 100.0, "limit": 80.0, "limit_source": "class"}


@pytest.mark.parametrize(
    ("name", "text", "about", "began_s"),
    [
        ("drive.csv", relative(), {"track": "drive"}, 0.0),
        ("drive.csv", with_times(), {"track": "drive"}, BEGAN_S),
        ("day.ndjson", recorded(), {"track": "day", "vehicle": "T1"}, BEGAN_S),
    ],
)
def test_json_has_the_fields_that_are_promised(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str,
    about: dict[str, str],
    began_s: float,
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    assert main(["replay", str(tmp_path / name), "--limit-kmh", "80", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    times = {"started_s": began_s + SPEEDING_FROM_S + 1, "ended_s": began_s + SPEEDING_TO_S}
    assert json.loads(line) == EPISODE | about | times


@pytest.mark.parametrize(
    ("text", "when"),
    [(relative(), "31–60 s"), (with_times(), "2026-08-22T10:00:31.000Z–10:01:00.000")],
)
def test_people_read_seconds_or_moments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, when: str
) -> None:
    (tmp_path / "drive.csv").write_text(text, "utf-8")
    assert main(["replay", str(tmp_path / "drive.csv")]) == 0
    assert capsys.readouterr().out == f"drive  speeding  {when}  peak 100, limit 80 (class)\n"
