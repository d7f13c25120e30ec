"""The recorded drives that nobody in the project made, read whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fleet.geo import distance_m
from fleet.trackfile import Track, TrackError, read

if TYPE_CHECKING:
    from pathlib import Path


def drive(path: Path) -> Track:
    parsed = read(path)
    assert isinstance(parsed, Track)
    return parsed


def test_the_39_drives_with_turns(shared_data: Path) -> None:
    drives = [drive(path) for path in sorted((shared_data / "data/tracks/turns").glob("*.csv"))]
    assert [len(drives), sum(len(d.fixes) for d in drives)] == [39, 84_791]
    assert drives[0].name == "00000000"
    steps_s = np.concatenate([np.diff(d.fixes.time_us) for d in drives]) / 1e6
    assert np.median(steps_s) == 1.0
    km = (
        sum(
            distance_m(
                d.fixes.lat_udeg[:-1], d.fixes.lon_udeg[:-1], d.fixes.lat_udeg[1:], d.fixes.lon_udeg[1:]
            ).sum()
            for d in drives
        )
        / 1000
    )
    assert km == pytest.approx(1_237, rel=0.02)


@pytest.mark.parametrize(
    ("file", "fixes", "seconds", "speeds"),
    [
        ("china_wuhan_whu_1hz.csv", 666, 665, 666),
        ("china_beijing_2012_1hz.csv", 1_045, None, 1_045),
        ("munich/x0001-001.csv", 1_194, None, 0),
    ],
)
def test_single_drives(shared_data: Path, file: str, fixes: int, seconds: int | None, speeds: int) -> None:
    columns = drive(shared_data / "data/tracks" / file).fixes
    assert len(columns) == fixes
    assert np.count_nonzero(columns.speed_dkmh >= 0) == speeds
    if seconds is not None:
        assert np.ptp(columns.time_us) == seconds * 1_000_000


def test_a_course_that_the_unit_could_not_tell_is_unknown(shared_data: Path) -> None:
    columns = drive(shared_data / "data/tracks/china_wuhan_whu_1hz.csv").fixes
    assert columns.speed_dkmh[:2].tolist() == [13, 6]
    assert columns.course_deg[:2].tolist() == [106, -1]


def test_a_file_in_another_shape_is_refused_with_its_columns(shared_data: Path) -> None:
    with pytest.raises(TrackError, match="line 1: the header has no column time"):
        read(shared_data / "data/fleet/wmata_bus_gtfsrt_2026-02-16.csv")


def test_files_that_cannot_be_opened_or_have_no_known_ending(tmp_path: Path) -> None:
    with pytest.raises(TrackError, match=r"none\.csv: cannot be opened: No such file"):
        read(tmp_path / "none.csv")
    for name, says in (
        ("drive.dat", r"the ending says no format; Kerbsafe reads \.csv, \.gpx"),
        ("drive.kml", "; convert it to GPX, for instance with GPSBabel"),
        ("drive.xlsx", "; save the sheet as `CSV UTF-8`"),
        ("drive.zip", "; unpack it"),
    ):
        with pytest.raises(TrackError, match=says):
            read(tmp_path / name)


def test_what_is_no_file_or_absurd_is_one_sentence_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "endless.csv").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.csv")
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(65 << 20)
    with (tmp_path / "zeros.ndjson").open("wb") as file:
        file.truncate(2000 << 20)
    (tmp_path / "wide.csv").write_text("a," * 4_500_000, "utf-8")
    for name, says in (
        ("folder.csv", "is not a file on a disk"),
        ("endless.csv", "is not a file on a disk"),
        ("pipe.csv", "is not a file on a disk"),
        ("huge.csv", "has 65 MiB, a drive at most 64; split it"),
        ("zeros.ndjson", "has no end of line within 8 MiB"),
        ("wide.csv", "has no end of line within 8 MiB"),
    ):
        with pytest.raises(TrackError, match=says):
            read(tmp_path / name)
    with pytest.raises(TrackError, match="/dev/stdin: the ending says no format"):
        read("/dev/stdin")
