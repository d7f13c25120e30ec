import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleet.columns import FixFlag
from fleet.trackfile import Track, TrackError, parse


def track(text: str | bytes, file: str = "drives/truck-7.csv") -> Track:
    parsed = parse(file, text.encode() if isinstance(text, str) else text)
    assert isinstance(parsed, Track)
    return parsed


def refusal(data: str | bytes) -> str | None:
    try:
        track(data)
    except TrackError as error:
        return str(error)
    return None


def test_a_track_in_relative_seconds() -> None:
    drive = track("t_s,lat,lon\n1,56.251545,54.963486\n2.25,56.251553,54.963207\n")
    assert (drive.name, drive.clock) == ("truck-7", "relative")
    assert drive.fixes.time_us.tolist() == [1_000_000, 2_250_000]
    assert drive.fixes.lat_udeg.tolist() == [56_251_545, 56_251_553]
    assert drive.fixes.lon_udeg.tolist() == [54_963_486, 54_963_207]
    assert drive.fixes.speed_dkmh.tolist() == [-1, -1]
    assert drive.fixes.vehicle_id.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("time", "time_us"),
    [
        ("2026-08-22T10:00:00Z", 1_787_392_800_000_000),
        ("2026-08-22 18:00:00.5+0800", 1_787_392_800_500_000),
        ("1787392800", 1_787_392_800_000_000),
        ("1787392800.125", 1_787_392_800_125_000),
        ("1787392800125", 1_787_392_800_125_000),
        ("0", 0),
    ],
)
def test_a_track_with_times(time: str, time_us: int) -> None:
    drive = track(f"time,lat,lon\n{time},30,120\n")
    assert drive.clock == "epoch"
    assert drive.fixes.time_us.tolist() == [time_us]


def test_all_columns_in_any_order_with_blanks_and_others() -> None:
    drive = track(
        "\ufeff lon , lat,t_s,speed_kmh,course_deg,limit_kmh,satellites,hdop,altitude_m,odometer_km,"
        "ignition,load,right_indicator,left_indicator,brake,datum,driver\r\n"
        '120.5,30.5,-1,42.51,359.6,60,7.0,0.9,-3,1234.5,true,loaded,1,False,,wgs84,"Wang, 王"\r\n'
        "\r\n"
        "120.5,30.5,0,,,,,,,,,,,,,,\r\n"
    ).fixes
    assert (drive.speed_dkmh.tolist(), drive.course_deg.tolist()) == ([425, -1], [0, -1])
    assert (drive.limit_kmh.tolist(), drive.satellites.tolist()) == ([60, -1], [7, -1])
    assert (drive.hdop_tenths.tolist(), drive.altitude_m.tolist()) == ([9, -1], [-3, -32768])
    assert drive.odometer_hm.tolist() == [12345, -1]
    assert drive.time_us.tolist() == [-1_000_000, 0]
    known = FixFlag.IGNITION_KNOWN | FixFlag.IGNITION_ON | FixFlag.LOAD_KNOWN | FixFlag.LOADED
    lamps = FixFlag.RIGHT_INDICATOR_KNOWN | FixFlag.RIGHT_INDICATOR_ON | FixFlag.LEFT_INDICATOR_KNOWN
    assert drive.flags.tolist() == [known | lamps, 0]


def test_the_order_of_the_file_is_kept() -> None:
    drive = track("t_s,lat,lon\n5,1,1\n3,2,2\n3,2,2\n").fixes
    assert drive.time_us.tolist() == [5_000_000, 3_000_000, 3_000_000]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.csv, line 1: the header has no column time (or t_s, seconds), lat, lon; it has nothing. "),
        ("t_s,lat,lon\n", "x.csv: holds no fixes"),
        (
            "t_s,lat\n1,2\n",
            "x.csv, line 1: the header has no column lon; it has t_s, lat. Needed: time or t_s, ",
        ),
        ("t_s;lat;lon\n1;2;3\n", "x.csv, line 1: values are not separated by commas: save it with commas"),
        ("t_s,latitude,lon\n", "x.csv, line 1, column latitude: name it lat"),
        ("t_s,lat,lon,Speed\n", "x.csv, line 1, column Speed: name it speed_kmh (converted to km/h)"),
        ("t_s,lat,lon,heading\n", "x.csv, line 1, column heading: name it course_deg"),
        ("t_s,lat,lon,lat\n", "x.csv, line 1, column lat: stands there twice"),
        ("t_s,lat,lon\n1,2\n", "x.csv, line 2: has 2 values, the header 3"),
        ("t_s,lat,lon\n1,2,3\n2,91,3\n", "x.csv, line 3, column lat: '91' must be at most 90.0"),
        ("t_s,lat,lon\n1,2,-181\n", "x.csv, line 2, column lon: '-181' must be at least -180.0"),
        ("t_s,lat,lon\n1,north,3\n", "x.csv, line 2, column lat: 'north' is not a number"),
        ("t_s,lat,lon\n1,nan,3\n", "x.csv, line 2, column lat: 'nan' must be at least -90.0"),
        ("t_s,lat,lon\n1,,3\n", "x.csv, line 2, column lat: is empty"),
        ("t_s,lat,lon\n,2,3\n", "x.csv, line 2, column t_s: '' is not a number of seconds"),
        ("t_s,lat,lon\ninf,2,3\n", "x.csv, line 2, column t_s: 'inf' is not a number of seconds"),
        ("t_s,lat,lon\n1e10,2,3\n", "x.csv, line 2, column t_s: '1e10' is not a number of seconds"),
        ("t_s,lat,lon,satellites\n1,2,3,4.5\n", "column satellites: '4.5' is not a whole number"),
        ("t_s,lat,lon,ignition\n1,2,3,on\n", "column ignition: 'on' is neither true nor false"),
        ("t_s,lat,lon,brake\n1,2,3,on\n", "column brake: 'on' is neither true nor false"),
        ("t_s,lat,lon,load\n1,2,3,full\n", "column load: 'full' is none of the words that may stand here"),
        ("t_s,lat,lon,hdop\n1,2,3,1e999\n", "column hdop: '1e999' is too large"),
        ("time,lat,lon\n2026-08-22T10:00:00,2,3\n", "has no offset: add Z, or +08:00 for China"),
        (
            "time,lat,lon\nnoon,2,3\n",
            "column time: 'noon' is neither RFC 3339 (2026-08-22T10:00:00Z) nor seconds",
        ),
        ("time,lat,lon\n1e17,2,3\n", "column time: '1e17' is not in the years 1970 to 9999"),
        ("time,lat,lon\n1969-12-31T23:59:59Z,2,3\n", "is not in the years 1970 to 9999"),
        ("time,lat,lon\n0001-01-01T00:00:00+09:00,2,3\n", "is not in the years 1970 to 9999"),
        (
            "t_s,lat,lon,vehicle\n1,2,3,a\n2,2,3,a\n3,2,3,b\n",
            "x.csv, line 4, column vehicle: 'b' after 'a': a file holds one vehicle; make a file of each",
        ),
        ('t_s,lat,lon\n"1,2,3\n', "x.csv, line 2: is not CSV: unexpected end of data"),
        ("t_s,lat,lon\n\0,2,3\n", "x.csv, line 2"),
        (
            "t_s,lat,lon,司机\n1,2,3,张\n".encode("gbk"),
            "is not UTF-8; if it is GB18030, convert it: iconv -f GB18030 -t UTF-8 x.csv > utf8-x.csv",
        ),
        (
            "t_s,lat,lon\n".encode("utf-16"),
            "x.csv, line 1: is not UTF-8; if it is UTF-16, convert it: iconv ",
        ),
    ],
)
def test_an_error_names_place_and_remedy(text: str | bytes, message: str) -> None:
    with pytest.raises(TrackError) as caught:
        track(text, "x.csv")
    assert message in str(caught.value)
    assert str(caught.value).isprintable()


@given(st.binary() | st.text().map(lambda text: f"t_s,lat,lon\n{text}".encode()))
@example(b"t_s,lat,lon,lon\x1b\n")
@example(b't_s,lat,"lo\nn","lo\nn"\n')
def test_any_bytes_are_a_track_or_an_error_for_people(data: bytes) -> None:
    said = refusal(data)
    assert said is None or (said.startswith("drives/truck-7.csv") and said.isprintable())


@given(st.lists(st.integers(-(10**14), 10**14), min_size=1))
def test_relative_seconds_are_exact_to_the_microsecond(times_us: list[int]) -> None:
    lines = "".join(f"{us // 10**6}.{us % 10**6:06}" + ",1,2\n" for us in map(abs, times_us))
    assert track("t_s,lat,lon\n" + lines).fixes.time_us.tolist() == list(map(abs, times_us))
    assert np.all(track("t_s,lat,lon\n" + lines).fixes.lat_udeg == 1_000_000)
