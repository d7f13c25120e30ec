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
LAUGHS = '<!DOCTYPE gpx [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + point("<time>&b;</time>")
OUTSIDE = '<!DOCTYPE gpx SYSTEM "file:///etc/passwd">' + point(TIME)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "commute.GPX, line 1: is not well-formed XML: no element found"),
        ("<gpx>\n<trk>", "commute.GPX, line 2: is not well-formed XML: no element found"),
        ("t_s,lat,lon\n1,2,3\n", "commute.GPX, line 1: is not well-formed XML"),
        ("<gpx/>", "commute.GPX: holds no fixes"),
        ("<gpx><rte><rtept lat='1' lon='2'/></rte></gpx>", "commute.GPX: holds no fixes"),
        (point(""), "commute.GPX, line 2: the track point has no <time>; only recorded drives can be played"),
        (point("<time>noon</time>"), "line 2, column time: 'noon' is neither RFC 3339"),
        (point(TIME, 'lat="91" lon="2"'), "line 2, column lat: '91' must be at most 90.0"),
        (point(TIME, 'lon="2"'), "line 2, column lat: is empty"),
        (point(TIME + "<speed>fast</speed>"), "line 2, column speed: 'fast' is not a number"),
        (point(TIME + "<speed>1000</speed>"), "line 2, column speed_kmh: '3600.0' must be at most 400.0"),
        (LAUGHS, "line 1: has a document type declaration, which is not read; remove it"),
        (OUTSIDE, "line 1: has a document type declaration, which is not read; remove it"),
        (
            "<?xml version='1.0' encoding='gbk'?><gpx/>",
            "has an encoding that cannot be read; convert it to UTF-8",
        ),
        (point("<time>&undefined;</time>"), "line 2: is not well-formed XML: undefined entity"),
    ],
)
def test_an_error_names_place_and_remedy(text: str, message: str) -> None:
    with pytest.raises(TrackError) as caught:
        track(text)
    assert message in str(caught.value)
    assert str(caught.value).isprintable()


@given(st.binary() | st.text().map(point) | st.text().map(lambda text: point(TIME + text)))
def test_any_bytes_are_a_track_or_an_error_for_people(data: str | bytes) -> None:
    said = refusal(data)
    assert said is None or (said.startswith("commute.GPX") and said.isprintable())
