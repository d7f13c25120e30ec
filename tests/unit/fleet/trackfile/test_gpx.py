import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.trackfile import Track, TrackError, parse


def track(text: str | bytes) -> Track:
    parsed = parse("commute.GPX", text.encode() if isinstance(text, str) else text)
    assert isinstance(parsed, Track)
    return parsed


def refusal(data: str | bytes) -> str | None:
    try:
        track(data)
    except TrackError as error:
        return str(error)
    return None


GPX_1_1 = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"
     xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">
  <metadata><time>2020-01-01T00:00:00Z</time></metadata>
  <wpt lat="1" lon="1"><time>2020-01-01T00:00:00Z</time></wpt>
  <trk><name>到工地</name>
    <trkseg>
      <trkpt lat="30.5" lon="120.25"><ele>4.6</ele>
        <time>2026-08-22T10:00:00Z</time><sat>9</sat><hdop>1.2</hdop>
        <extensions><gpxtpx:TrackPointExtension><gpxtpx:speed>10</gpxtpx:speed><gpxtpx:course>95.4</gpxtpx:course>
        </gpxtpx:TrackPointExtension></extensions></trkpt>
    </trkseg>
    <trkseg><trkpt lon="120.26" lat="30.6"><time> 2026-08-22T18:00:01.5+08:00 </time></trkpt></trkseg>
  </trk>
</gpx>"""


def test_gpx_1_1_with_a_garmin_extension() -> None:
    drive = track(GPX_1_1)
    assert (drive.name, drive.clock) == ("commute", "epoch")
    fixes = drive.fixes
    assert fixes.time_us.tolist() == [1_787_392_800_000_000, 1_787_392_801_500_000]
    assert (fixes.lat_udeg.tolist(), fixes.lon_udeg.tolist()) == (
        [30_500_000, 30_600_000],
        [120_250_000, 120_260_000],
    )
    assert (fixes.speed_dkmh.tolist(), fixes.course_deg.tolist()) == ([360, -1], [95, -1])
    assert (fixes.altitude_m.tolist(), fixes.satellites.tolist()) == ([5, -32768], [9, -1])
    assert fixes.hdop_tenths.tolist() == [12, -1]


def test_gpx_1_0_has_speed_and_course_of_its_own_and_times_without_offset_are_utc() -> None:
    fixes = track(
        '<gpx version="1.0" xmlns="http://www.topografix.com/GPX/1/0"><trk><trkseg>'
        '<trkpt lat="30" lon="120"><time>2026-08-22T10:00:00</time><course>180</course>'
        "<speed>2.5</speed></trkpt>"
        "</trkseg></trk></gpx>"
    ).fixes
    assert (fixes.time_us[0], fixes.speed_dkmh[0], fixes.course_deg[0]) == (1_787_392_800_000_000, 90, 180)


def test_another_encoding_that_the_file_declares() -> None:
    text = GPX_1_1.replace("UTF-8", "UTF-16")
    assert len(track(text.encode("utf-16")).fixes) == 2


def point(inner: str, attributes: str = 'lat="1" lon="2"') -> str:
    return f"<gpx><trk><trkseg>\n<trkpt {attributes}>{inner}</trkpt></trkseg></trk></gpx>"


TIME = "<time>2026-08-22T10:00:00Z</time>"
GOOD = f'<trkpt lat="1" lon="2">{TIME}</trkpt>'
LAUGHS = '<!DOCTYPE gpx [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + point("<time>&b;</time>")
OUTSIDE = '<!DOCTYPE gpx SYSTEM "file:///etc/passwd">' + point(TIME)


def test_points_that_are_wrong_are_left_out_and_counted() -> None:
    drive = track(
        f"""<gpx><trk><trkseg>
        <trkpt lat="1" lon="2"></trkpt>
        <trkpt lat="1" lon="2"><time>noon</time></trkpt>
        <trkpt lat="91" lon="2">{TIME}</trkpt>
        <trkpt lat="north" lon="2">{TIME}</trkpt>
        <trkpt lon="2">{TIME}</trkpt>
        <trkpt lat="1" lon="2">{TIME}<fix>none</fix></trkpt>
        <trkpt lat="1" lon="2"><time/></trkpt>
        {GOOD}</trkseg></trk></gpx>"""
    )
    assert drive.account.as_json()["read"] == len(drive.fixes) == 1
    assert drive.account.as_json()["left_out"] == {
        "no_time": 2,
        "bad_time": 1,
        "bad_position": 2,
        "no_position": 1,
        "no_fix": 1,
    }
    assert drive.account.sentences()[0] == (
        "2 points without time left out (first in line 2)",
        "2 个点没有时间，已舍去（首见第 2 行）",
    )


@pytest.mark.parametrize(
    ("inner", "speed_dkmh", "altitude_m", "unknown"),
    [
        ("<speed>10</speed><ele>.5</ele>", 360, 0, {}),
        ("<ele>-672.156</ele>", -1, -32768, {"altitude_m": 1}),
        ("<speed>146.7</speed>", -1, -32768, {"speed_kmh": 1}),
        ("<speed>fast</speed>", -1, -32768, {"speed_kmh": 1}),
        ("<speed>1000</speed><ele>12</ele>", -1, 12, {"speed_kmh": 1}),
        ('<extensions><x:speed xmlns:x="urn:x" unit="km/h">50</x:speed></extensions>', 500, -32768, {}),
        ('<extensions><speed unit="furlong">50</speed></extensions>', -1, -32768, {"speed_kmh": 1}),
        ("<extensions><speed>10</speed></extensions>", 360, -32768, {}),
        ("<extensions><a><b><speed>10</speed></b></a></extensions>", 360, -32768, {}),
        ("<speed>10</speed><extensions><speed>20</speed></extensions>", 360, -32768, {}),
        ("<link><time>2001-01-01T00:00:00Z</time><speed>9</speed></link>", -1, -32768, {}),
        ("<extensions><time>2001-01-01T00:00:00Z</time><ele>9</ele></extensions>", -1, -32768, {}),
    ],
)
def test_values_of_a_point_and_of_its_extensions(
    inner: str, speed_dkmh: int, altitude_m: int, unknown: dict[str, int]
) -> None:
    drive = track(point(TIME + inner))
    assert drive.fixes.time_us.tolist() == [1_787_392_800_000_000]
    assert (drive.fixes.speed_dkmh.tolist(), drive.fixes.altitude_m.tolist()) == ([speed_dkmh], [altitude_m])
    assert drive.account.as_json()["unknown"] == unknown


def test_a_leap_second_is_the_second_after() -> None:
    drive = track(point("<time>2016-12-31T23:59:60Z</time>"))
    assert drive.fixes.time_us.tolist() == [1_483_228_800_000_000]


def test_a_file_that_is_cut_is_read_as_far_as_it_goes() -> None:
    drive = track(f"<gpx><trk><trkseg>\n{GOOD}\n{GOOD}\n<trkpt lat='1' lo")
    assert len(drive.fixes) == 2
    assert drive.account.sentences()[0].en.startswith("the file ends in line 4 (is not well-formed XML: ")


def test_a_file_in_a_chinese_encoding() -> None:
    text = GPX_1_1.replace("UTF-8", "GBK")
    assert len(track(text.encode("gbk")).fixes) == 2
    drive = track(GPX_1_1.encode("gbk"))  # it says that it is UTF-8
    assert len(drive.fixes) == 2
    assert drive.account.as_json()["read_as"] == {"encoding": "gb18030"}


def drives(*of: tuple[float, int]) -> str:
    """Tracks of ten points at 1 Hz: (degrees east, first second)."""
    tracks = [
        f"<trk><name>T{number}</name><trkseg>"
        + "".join(
            f'<trkpt lat="30" lon="{east + s * 1e-4:.4f}">'
            f"<time>2026-08-22T10:00:{first + s:02}Z</time></trkpt>"
            for s in range(10)
        )
        + "</trkseg></trk>"
        for number, (east, first) in enumerate(of, 1)
    ]
    return f"<gpx>{''.join(tracks)}</gpx>"


@pytest.mark.parametrize(
    "of",
    [
        pytest.param([(120.0, 0), (120.0, 0)], id="the same track twice"),
        pytest.param([(120.0, 0), (120.0001, 0)], id="two receivers in one vehicle"),
        pytest.param([(120.0, 0), (120.0025, 25)], id="one after the other"),
        pytest.param([(120.0, 0), (121.0, 45)], id="one after the other, carried in between"),
    ],
)
def test_tracks_of_one_vehicle(of: list[tuple[float, int]]) -> None:
    assert len(track(drives(*of)).fixes) == 20


@pytest.mark.parametrize("first_s", [0, 5])
def test_two_vehicles_in_one_file_are_refused_by_name(first_s: int) -> None:
    with pytest.raises(TrackError, match=r"holds two vehicles: 'T1' and 'T2' are \d+,?\d+ m apart within"):
        track(drives((120.0, 0), (120.05, first_s)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "commute.GPX, line 1: is not well-formed XML: no element found"),
        ("<gpx>\n<trk>", "commute.GPX, line 2: is not well-formed XML: no element found"),
        ("t_s,lat,lon\n1,2,3\n", "commute.GPX, line 1: is not well-formed XML"),
        ("<gpx/>", "commute.GPX: holds no fixes"),
        ("<gpx><rte><rtept lat='1' lon='2'/></rte></gpx>", "holds a planned route (1 points), not a drive"),
        (
            "<gpx><wpt lat='1' lon='2'/></gpx>",
            "holds places (waypoints: 1), not a drive; give a recorded track",
        ),
        (
            point(""),
            "commute.GPX: holds nothing that can be read: 1 point without time left out (first in line 2)",
        ),
        (
            point(TIME, 'lat="1,5" lon="2"'),
            "1 point with coordinates that are none left out (first in line 2: '1,5')",
        ),
        ("<gpx>" + "<a>" * 1_000_000, "line 1: nests elements too deeply: this is not GPX"),
        (LAUGHS, "line 1: has a document type declaration, which is not read; remove it"),
        (OUTSIDE, "line 1: has a document type declaration, which is not read; remove it"),
        (point("<time>&undefined;</time>"), "line 2: is not well-formed XML: undefined entity"),
        (point("<time>\x7f\x9b31m</time>"), "(first in line 2: '\ufffd\ufffd31m')"),
    ],
)
def test_an_error_names_place_and_remedy(text: str, message: str) -> None:
    with pytest.raises(TrackError) as caught:
        track(text)
    assert message in str(caught.value)
    assert str(caught.value).isprintable()
    assert caught.value.args[0].zh.isprintable()


@given(st.binary() | st.text().map(point) | st.text().map(lambda text: point(TIME + text)))
def test_any_bytes_are_a_track_or_an_error_for_people(data: str | bytes) -> None:
    said = refusal(data)
    assert said is None or (said.startswith("commute.GPX") and said.isprintable())
