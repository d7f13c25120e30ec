"""`kerbsafe replay` of files as strangers have them: what is found, and what is said of the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kerbsafe.cli import main

if TYPE_CHECKING:
    from pathlib import Path

#: 95 km/h where 80 is allowed, for a minute from 2026-03-02T00:00:00Z; without a speed it is found 4 s later.
BEGAN_S = 1_772_409_600.0
MINUTE = (BEGAN_S, BEGAN_S + 60)
TWO_MINUTES = (BEGAN_S + 4, BEGAN_S + 120)


@pytest.mark.parametrize(
    ("file", "options", "span", "says"),
    [
        ("gpx/base.gpx", "", TWO_MINUTES, []),
        ("gpx/bom.gpx", "", TWO_MINUTES, []),
        ("gpx/utf16.gpx", "", TWO_MINUTES, []),
        ("gpx/gbk.gpx", "", TWO_MINUTES, []),
        ("gpx/empty-segment.gpx", "", TWO_MINUTES, []),
        ("gpx/reversed.gpx", "", TWO_MINUTES, []),
        ("gpx/segments-repeat.gpx", "", TWO_MINUTES, []),
        ("gpx/track-twice.gpx", "", TWO_MINUTES, []),
        ("gpx/time-leap-second.gpx", "", TWO_MINUTES, []),
        ("gpx/time-millis.gpx", "", (BEGAN_S + 4.123, BEGAN_S + 120.123), []),
        ("gpx/time-no-offset.gpx", "", TWO_MINUTES, []),
        ("gpx/time-no-offset.gpx", "--timezone +08:00", (BEGAN_S - 28_796, BEGAN_S - 28_680), []),
        ("gpx/time-offset-plus0800.gpx", "", TWO_MINUTES, []),
        ("gpx/extension-time.gpx", "", TWO_MINUTES, []),
        ("gpx/ele-leading-dot.gpx", "", TWO_MINUTES, []),
        (
            "gpx/times-missing-3-of-121.gpx",
            "",
            (BEGAN_S + 5, BEGAN_S + 119),
            ["3 points without time left out (first in line 3)"],
        ),
        (
            "gpx/one-altitude-minus-672.gpx",
            "",
            TWO_MINUTES,
            ["1 value of altitude_m read as unknown (first in line 53: '-672.156')"],
        ),
        (
            "gpx/one-speed-spike-146mps.gpx",
            "",
            (BEGAN_S, BEGAN_S + 120),
            ["1 value of speed_kmh read as unknown (first in line 53: '528.12')"],
        ),
        ("csv/bom-crlf.csv", "", MINUTE, []),
        ("csv/utf16.csv", "", MINUTE, []),
        ("csv/space-T.csv", "", MINUTE, []),
        ("csv/trailing-comma.csv", "", MINUTE, []),
        ("csv/gcj02-column.csv", "", MINUTE, []),
        ("csv/upper-case.csv", "", MINUTE, []),
        ("csv/de-semicolon-comma.csv", "", MINUTE, []),
        ("csv/sep-line-excel.csv", "", MINUTE, []),
        ("csv/comment-lines.csv", "", MINUTE, []),
        ("csv/cn-local-time.csv", "--timezone Asia/Shanghai", MINUTE, []),
        ("csv/cn-slashes.csv", "--timezone Asia/Shanghai", MINUTE, []),
        ("csv/empty-coordinates.csv", "", MINUTE, ["1 line without coordinates left out (first in line 32)"]),
        (
            "csv/last-line-cut.csv",
            "",
            (BEGAN_S, BEGAN_S + 58),
            ["2 lines with another number of values than the header left out (first in line 61)"],
        ),
        ("csv/epoch-s.csv", "", MINUTE, ["seconds since 1970; the first is 2026-03-02T00:00:00Z"]),
        ("csv/epoch-ms.csv", "", MINUTE, ["milliseconds since 1970; the first is 2026-03-02T00:00:00Z"]),
        ("csv/speed-mps-named-so.csv", "", MINUTE, ["columns read: speed_ms as speed_kmh"]),
        ("csv/gpslogger-mendhak.csv", "", MINUTE, ["speed is read in m/s: a file of GPSLogger (mendhak)"]),
        ("csv/traccar-report.csv", "", MINUTE, ["speed is read in kn: a file of Traccar"]),
        ("csv/basicairdata.txt", "", MINUTE, ["read as UTC (a file of GPS Logger (BasicAirData))"]),
        ("csv/cn-headers-utf8.csv", "", MINUTE, ["Asia/Shanghai (its header is Chinese)"]),
        ("csv/cn-headers-gbk.csv", "", MINUTE, ["read as GB18030", "Asia/Shanghai (its header is Chinese)"]),
        ("csv/cn-headers-gbk.csv", "--encoding gbk", MINUTE, ["Asia/Shanghai (its header is Chinese)"]),
    ],
)
def test_the_drive_is_read(
    shared_data: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    options: str,
    span: tuple[float, float],
    says: list[str],
) -> None:
    path = shared_data / "data/strangers" / file
    assert main(["replay", str(path), *options.split(), "--json"]) == 0
    shown = capsys.readouterr()
    rows = [json.loads(line) for line in shown.out.splitlines()]
    found = [row for row in rows if row["kind"] != "file"]
    assert [(row["kind"], row["started_s"], row["ended_s"]) for row in found] == [("speeding", *span)]
    assert [row["peak"] for row in found] == [pytest.approx(95, abs=0.1)]
    for sentence in says:
        assert f"kerbsafe: {path}: " in shown.err
        assert sentence in shown.err
    assert len(rows) - len(found) == bool(shown.err)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (
            "gpx/two-vehicles-both-speeding.gpx",
            "holds two vehicles: 'track 1' and 'track 2' are 3,002 m apart",
        ),
        (
            "gpx/two-vehicles-same-seconds.gpx",
            "holds two vehicles: 'track 1' and 'track 2' are 3,002 m apart",
        ),
        (
            "gpx/comma-decimals.gpx",
            "121 points with coordinates that are none left out (first in line 3: '30,7500",
        ),
        ("gpx/waypoints-only.gpx", "holds places (waypoints: 5), not a drive"),
        ("gpx/route-only.gpx", "holds a planned route (5 points), not a drive"),
        ("gpx/fix-none.gpx", "121 points for which the receiver had no position left out"),
        ("gpx/doctype.gpx", "line 2: has a document type declaration, which is not read; remove it"),
        ("csv/two-vehicles.csv", "line 3: the vehicle is 'A' after 'B': a file holds one vehicle"),
        ("csv/cn-local-time.csv", "has no offset from UTC; say --timezone Asia/Shanghai, or --timezone UTC"),
    ],
)
def test_what_is_no_drive_of_one_vehicle_is_refused_by_name(
    shared_data: Path, capsys: pytest.CaptureFixture[str], file: str, says: str
) -> None:
    assert main(["replay", str(shared_data / "data/strangers" / file)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert says in shown.err
    assert shown.err.count("\n") == 1


def test_one_point_is_no_finding(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(shared_data / "data/strangers/gpx/one-point.gpx")]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_speed_in_another_namespace_is_in_the_unit_that_it_names(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """50 km/h, not 50 m/s, which would be 180. The positions move at 95, and rule where they contradict."""
    path = shared_data / "data/strangers/gpx/extension-speed-kmh-other-ns.gpx"
    assert main(["replay", str(path), "--json"]) == 0
    rows = [row for row in map(json.loads, capsys.readouterr().out.splitlines()) if "peak" in row]
    # And that the unit tells another speed than it drives is said beside it.
    assert [(row["kind"], round(row["peak"])) for row in rows] == [("speeding", 95), ("speed_disagrees", 45)]


def test_the_logger_of_a_safety_manager_in_his_language(
    shared_data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    path = shared_data / "data/strangers/manager/gps_logger_gb18030.csv"
    assert main(["replay", str(path), "--json"]) == 0
    shown = capsys.readouterr()
    about, *_found = map(json.loads, shown.out.splitlines())
    assert about == {
        "kind": "file",
        "file": str(path),
        "read": 641,
        "left_out": {},
        "unknown": {},
        "read_as": {
            "encoding": "gb18030",
            "columns": "车牌号=vehicle, 定位时间=time, 经度=lon, 纬度=lat, 速度(km/h)=speed_kmh, "
            "方向=course_deg, 海拔=altitude_m, 里程(km)=odometer_km",
            "timezone": "Asia/Shanghai",
        },
    }
    assert f"kerbsafe: {path}：没有时区的时间按 Asia/Shanghai 读入（表头是中文）" in shown.err


SPEEDING = "\n".join(f"2026-03-02 08:00:{s:02},30.75,{120.75 + s * 276e-6:.6f},26.4" for s in range(60))


def test_what_a_person_says_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d.csv").write_text("time,lat,lon,speed\n" + SPEEDING, "utf-8")
    words = ["--timezone", "Asia/Shanghai", "--speed-unit", "mps", "--datum", "gcj02", "--json"]
    assert main(["replay", str(tmp_path / "d.csv"), *words]) == 0
    _about, row = map(json.loads, capsys.readouterr().out.splitlines())
    assert (row["kind"], row["started_s"], row["peak"]) == ("speeding", BEGAN_S, 95.0)
    for option, value in (("--timezone", "Mars/Olympus"), ("--encoding", "ebcdic"), ("--datum", "cgcs")):
        with pytest.raises(SystemExit) as left:
            main(["replay", str(tmp_path / "d.csv"), option, value])
        assert left.value.code == 2
        assert option in capsys.readouterr().err


def test_what_the_wire_refuses_of_a_recording_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = '{"at":"2026-03-02T00:00:00Z","topic":"kerbsafe/v1/c/T1/fix","payload":%s}\n'
    good = '{"time":"2026-03-02T00:00:00Z","lat":30,"lon":120}'
    text = line % good + line % f'[{good},{{"lat":1}},3]' + line % '"{"' + "nonsense\n"
    (tmp_path / "r.ndjson").write_text(text, "utf-8")
    assert main(["replay", str(tmp_path / "r.ndjson"), "--json"]) == 0
    shown = capsys.readouterr()
    (about,) = map(json.loads, shown.out.splitlines())
    assert about["left_out"] == {
        "not_recorded": 1,
        "missing_field": 1,
        "not_an_object": 1,
        "malformed_json": 1,
    }
    assert "1 line without a recorded message left out (first in line 4: JSON is malformed" in shown.err
    assert "1 observation refused as malformed_json left out (the first: " in shown.err


def test_nothing_of_a_file_moves_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;owned\x07\x9b31m"
    text = f"time{evil},lat,lon,fixtime,n{evil}\n1,2,3,{evil},4\n1,{evil},3,2026-03-02T00:00:00Z,{evil}\n"
    (tmp_path / "e.csv").write_text(text, "utf-8")
    (tmp_path / "g.csv").write_text(f"时间,纬度,经度,{evil}\n2026-03-02 08:00:00,30,120,x\n", "utf-8")
    point = f'<trkpt lat="a&#x9b;31m" lon="2"><time>{evil[-4:]}</time></trkpt>'
    gpx = f"<gpx><trk><trkseg>{point}</trkseg></trk></gpx>"
    (tmp_path / "x.gpx").write_text(gpx, "utf-8")
    (tmp_path / "r.ndjson").write_text(json.dumps({"at": evil, "topic": evil}, ensure_ascii=False), "utf-8")
    for name in ("e.csv", "g.csv", "x.gpx", "r.ndjson"):
        main(["replay", str(tmp_path / name), "--json"])
        shown = capsys.readouterr()
        assert shown.err
        assert (shown.out + shown.err).replace("\n", "").isprintable()
