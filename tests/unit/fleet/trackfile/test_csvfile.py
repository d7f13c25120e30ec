import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleet.columns import FixFlag
from fleet.schedule import CIVIL_ZONE
from fleet.trackfile import Options, Track, TrackError, parse


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


def read_of(drive: Track) -> dict[str, object]:
    account = drive.account.as_json()
    return {name: account[name] for name in ("read", "left_out", "unknown") if account[name]}


@pytest.mark.parametrize(
    ("rows", "left_out", "first"),
    [
        ("1,2\n", {"cut": 1}, "in line 3)"),
        ("1,2,3,4\n", {"cut": 1}, "in line 3)"),
        ("1,,3\n", {"no_position": 1}, "in line 3)"),
        ("2,91,3\n2,2,181\n", {"bad_position": 2}, "in line 3: '91')"),
        ("1,north,3\n", {"bad_position": 1}, "in line 3: 'north')"),
        ("1,nan,3\n", {"bad_position": 1}, "in line 3: 'nan')"),
        (",2,3\n", {"no_time": 1}, "in line 3)"),
        ("inf,2,3\n1e10,2,3\n", {"bad_time": 2}, "in line 3: 'inf')"),
        ('"1,2,3\n1,2\n', {"not_csv": 1, "cut": 1}, "in line 3: 'unexpected end of data')"),
        ("\0\0\0,2,3\n", {"damaged": 1}, "in line 3)"),
        ("# a note\n\n1,1,1\n2,\n", {"cut": 1}, "in line 6)"),
    ],
)
def test_lines_that_are_wrong_are_left_out_and_counted(
    rows: str, left_out: dict[str, int], first: str
) -> None:
    drive = track("t_s,lat,lon\n0,2,3\n" + rows + "9,2,3\n")
    assert drive.account.as_json()["left_out"] == left_out
    assert drive.fixes.time_us.tolist()[-1] == 9_000_000
    assert drive.account.sentences()[0].en.endswith(first)


@pytest.mark.parametrize(
    ("column", "value", "field"),
    [
        ("satellites", "4.5", "satellites"),
        ("ignition", "maybe", "ignition"),
        ("brake", "maybe", "brake"),
        ("load", "half", "load"),
        ("hdop", "1e999", "hdop"),
        ("altitude_m", "-672.156", "altitude_m"),
        ("speed_kmh", "528.1", "speed_kmh"),
        ("speed_kmh", "-1", "speed_kmh"),
        ("course_deg", "65535", "course_deg"),
        ("speed_mps", "146.7", "speed_kmh"),
    ],
)
def test_a_value_that_is_wrong_is_unknown_and_counted(column: str, value: str, field: str) -> None:
    drive = track(f"t_s,lat,lon,{column}\n1,2,3,{value}\n")
    assert read_of(drive) == {"read": 1, "unknown": {field: 1}}
    assert drive.fixes.speed_dkmh.tolist() == [-1]
    assert drive.fixes.flags.tolist() == [0]


def test_a_datum_that_is_unknown_is_no_position() -> None:
    with pytest.raises(TrackError, match="1 line of an unknown datum left out"):
        track("t_s,lat,lon,datum\n1,2,3,cgcs2000x\n")


HALF_PAST = 1_772_409_600_000_000  # 2026-03-02 08:00 in Shanghai


@pytest.mark.parametrize(
    ("text", "speeds"),
    [
        ("time;lat;lon;speed_kmh\n2026-03-02T00:00:00Z;30,75;120,75;95,5\n", [955]),
        ("time\tlat\tlon\tspeed_kmh\n2026-03-02T00:00:00Z\t30.75\t120.75\t95\n", [950]),
        ("sep=|\ntime|lat|lon\n2026-03-02T00:00:00Z|30.75|120.75\n", [-1]),
        ('"sep=;"\ntime;lat;lon\n2026-03-02T00:00:00Z;30.75;120.75\n', [-1]),
        ("# logger 2\n# x,y\ntime,lat,lon\n2026-03-02T00:00:00Z,30.75,120.75\n", [-1]),
        ("#time,lat,lon\n2026-03-02T00:00:00Z,30.75,120.75\n", [-1]),
        (
            "车辆轨迹报表,,,\n制表：调度室,,,\n时间,纬度,经度,速度\n2026-03-02 08:00:00,30.75,120.75,95\n",
            [950],
        ),
        ("定位时间,北纬,东经,速度（公里/小时）\n2026年3月2日 8时0分0秒,30.75,120.75,95\n", [950]),
        ("日期,时间,纬度,经度,车速(km/h)\n2026/3/2,8:00:00,30.75,120.75,95\n", [950]),
        ("TIME , Latitude,LNG,Speed [m/s]\n2026-03-02T00:00:00Z,30.75,120.75,10\n", [360]),
        ("time,lat,lon,speed_kn\n2026-03-02T00:00:00Z,30.75,120.75,10\n", [185]),
        ("time,lat,lon,speed (mph)\n2026-03-02T00:00:00Z,30.75,120.75,10\n", [161]),
        ("时间,纬度,经度,速度(0.1km/h)\n2026-03-02 08:00:00,30.75,120.75,955\n", [955]),
        ("time,lat,lon,speed,speed_kmh\n2026-03-02T00:00:00Z,30.75,120.75,10,36\n", [360]),
        ("time,lat,lon,speed_kmh,\n2026-03-02T00:00:00Z,30.75,120.75,95\n", [950]),
        ("time,lat,lon,speed_kmh\n2026-03-02T00:00:00Z,30.75,120.75,95,,\n", [950]),
        ("time,lat,lon,speed_kmh\r2026-03-02T00:00:00Z,30.75,120.75,95\r", [950]),
        ('time,lat,lon,note,speed_kmh\n2026-03-02T00:00:00Z,30.75,120.75,"a\nb, c",95\n', [950]),
        ("time (UTC),lat,lon\n2026-03-02 00:00:00,30.75,120.75\n", [-1]),
        ("UTC时间,纬度,经度\n2026-03-02 00:00:00,30.75,120.75\n", [-1]),
        ("fixTime,time,lat,lon\n2026-03-02T00:00:00Z,2030-01-01T00:00:00Z,30.75,120.75\n", [-1]),
    ],
)
def test_a_header_as_strangers_write_it(text: str, speeds: list[int]) -> None:
    drive = track(text).fixes
    assert (drive.time_us.tolist(), drive.speed_dkmh.tolist()) == ([HALF_PAST], speeds)
    assert (drive.lat_udeg.tolist(), drive.lon_udeg.tolist()) == ([30_750_000], [120_750_000])


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("", "x.csv: holds no fixes"),
        (
            "a,b\n",
            "the header has no column time, lat, lon; it has a, b. Needed: time (or t_s, seconds), lat",
        ),
        ("t_s,lat\n", "x.csv, line 1: the header has no column lon; it has t_s, lat. Needed:"),
        ("t_s,lat,lon,Speed\n", "x.csv, line 1: Speed does not say its unit; say --speed-unit (kmh, mps, "),
        (
            "t_s,lat,lon,speed (furlong)\n",
            "speed (furlong) has a unit that is not known; speeds may be in km/h",
        ),
        ("t_s,lat,lon,lat\n", "x.csv, line 1: lat stands there twice"),
        ("time,lat,Speed,speed_limit\n", "Speed does not say its unit; say --speed-unit"),
        ("time,lat,Speed,speed_limit\n", "; speed_limit does not say its unit; "),
        ("time,lat,Speed,speed_limit\n", "; the header has no column lon;"),
        ("t_s,lat,lon\n", "x.csv: holds no fixes"),
        ("t_s,lat,lon\x1b[31m\n1,2,3", "it has t_s, lat, lon�[31m."),
        ("time,lat,lon\n2026-08-22 10:00:00,2,3\n", "line 2: the time '2026-08-22 10:00:00' has no offset"),
        ("time,lat,lon\n2026-08-22 10:00:00,2,3\n", "say --timezone Asia/Shanghai, or --timezone UTC"),
        (
            "time,lat,lon\nnoon,2,3\n",
            "1 line with a time that cannot be read left out (first in line 2: 'noon')",
        ),
        (
            "时间,纬度,经度\n2026/3/2 8:00,30,120\n2026/3/2 8:00,31,120\n",
            "several fixes have one time, for the times have no seconds; write them as 2026-03-02 08:00:01",
        ),
        (
            "t_s,lat,lon,vehicle\n1,2,3,a\n2,2,3,a\n3,2,3,b\n",
            "x.csv, line 4: the vehicle is 'b' after 'a': a file holds one vehicle; make a file of each",
        ),
        ("," * 1_000_000, "x.csv, line 1: is longer than 65,536 characters"),
        ("," * 2_000, "x.csv, line 1: has 2,001 columns, which no track has"),
    ],
)
def test_an_error_names_place_and_remedy(header: str, says: str) -> None:
    with pytest.raises(TrackError) as caught:
        track(header, "x.csv")
    assert says in str(caught.value)
    assert str(caught.value).isprintable()
    assert caught.value.args[0].zh.isprintable()


def test_what_a_person_says_of_a_file_holds_where_the_file_does_not_say_it() -> None:
    text = "time,lat,lon,speed,datum\n2026-03-02 08:00:00,30.75,120.75,10,\n"
    said = Options(timezone=CIVIL_ZONE, datum="gcj02", speed_unit="mps")
    drive = parse("x.csv", text.encode(), said)
    assert isinstance(drive, Track)
    assert drive.fixes.time_us.tolist() == [HALF_PAST]
    assert drive.fixes.speed_dkmh.tolist() == [360]
    assert drive.fixes.flags.tolist() == [FixFlag.DATUM_CONVERTED]
    own = parse("x.csv", text.replace(",10,", ",10,wgs84").encode(), said)
    assert isinstance(own, Track)
    assert own.fixes.flags.tolist() == [0]


def test_how_a_file_was_understood_is_said() -> None:
    text = "序号,定位时间,经度,纬度,速度(km/h)\n1,2026-03-02 08:00:00,120.75,30.75,95\n"
    account = track(text.encode("gbk"), "x.csv").account
    assert account.as_json()["read_as"] == {
        "encoding": "gb18030",
        "columns": "定位时间=time, 经度=lon, 纬度=lat, 速度(km/h)=speed_kmh",
        "timezone": "Asia/Shanghai",
    }
    assert [sentence.zh for sentence in account.sentences()] == [
        "按 GB18030 编码读入；若不是，请用 --encoding 指明",
        "读入的列：定位时间=time、经度=lon、纬度=lat、速度(km/h)=speed_kmh；不用的列：序号",
        "没有时区的时间按 Asia/Shanghai 读入（表头是中文）；若不是，请用 --timezone 指明",
    ]


@pytest.mark.parametrize(
    ("header", "zone", "why"),
    [
        ("时间,纬度,经度", "Asia/Shanghai", "its header is Chinese"),
        ("时间(UTC),纬度,经度", "UTC", "the column 时间(UTC)"),
        ("UTC时间,纬度,经度", "UTC", "the column UTC时间"),
        ("time (GMT+8),lat,lon", "Asia/Shanghai", "the column time (GMT+8)"),
        ("date time,latitude,longitude,sat_used,sat_inview", "UTC", "a file of GPS Logger (BasicAirData)"),
        ("定位时间,time(utc),纬度,经度", "Asia/Shanghai", "its header is Chinese"),
    ],
)
def test_what_says_the_zone_of_civil_times(header: str, zone: str, why: str) -> None:
    names = header.split(",")
    values = ["30.75" if name in {"lat", "latitude", "纬度"} else "120.75" for name in names]
    values[0] = "2026-03-02 08:00:00" if zone == "Asia/Shanghai" else "2026-03-02 00:00:00"
    drive = track(f"{header}\n{','.join(values)}\n")
    assert drive.fixes.time_us.tolist() == [HALF_PAST]
    (said,) = [s.en for s in drive.account.sentences() if s.en.startswith("times without an offset")]
    assert said == f"times without an offset are read as {zone} ({why}); if they are not, say --timezone"


def test_columns_that_are_not_read_are_said() -> None:
    """A speed under a name that nobody knows must not be unknown in silence."""
    drive = track("time,lat,lon,sog\n2026-03-02T00:00:00Z,1,2,95\n")
    assert [s.en for s in drive.account.sentences()] == [
        "columns read: those with our names; left aside: sog"
    ]


@pytest.mark.parametrize("header", ["时间,纬度(N),经度(E)", "时间,纬度(十进制度),经度", "时间*,纬度,经度"])
def test_a_remark_in_brackets_that_is_no_unit(header: str) -> None:
    assert len(track(f"{header}\n2026-03-02 08:00:00,30.75,120.75\n").fixes) == 1


@pytest.mark.parametrize(
    ("time", "unit", "first"),
    [
        ("1772409600", "s", "times are read as seconds since 1970; the first is 2026-03-02T00:00:00Z"),
        (
            "1772409600000",
            "ms",
            "times are read as milliseconds since 1970; the first is 2026-03-02T00:00:00Z",
        ),
        ("1772409600000000", "us", "times are read as microseconds since 1970; the first is 2026-03-02T00:"),
    ],
)
def test_the_size_of_a_number_says_what_it_counts(time: str, unit: str, first: str) -> None:
    drive = track(f"time,lat,lon\n{time},1,2\n")
    assert drive.fixes.time_us.tolist() == [HALF_PAST]
    assert drive.account.as_json()["read_as"] == {"time_unit": unit}
    assert drive.account.sentences()[0].en.startswith(first)


def test_a_file_of_hardly_anything_but_wrong_lines_is_not_read_to_its_end() -> None:
    with pytest.raises(
        TrackError, match="holds nothing that can be read: 10000 lines with another number of"
    ):
        track("t_s,lat,lon\n" + "x\n" * 1_000_000)
    with pytest.raises(
        TrackError, match="hardly anything in it can be read: 10000 lines not in the form of CSV"
    ):
        track("t_s,lat,lon\n1,2,3\n" + '"x,\n' * 1_000_000)
    with pytest.raises(TrackError, match="has more than 5,000,000 lines; split it"):
        track("t_s,lat,lon\n" + "#\n" * 6_000_000)


def test_hours_without_a_position_are_no_fault_of_the_file() -> None:
    drive = track("t_s,lat,lon\n" + "".join(f"{s},,\n" for s in range(20_000)) + "20000,1,2\n")
    assert read_of(drive) == {"read": 1, "left_out": {"no_position": 20_000}}


@given(st.binary() | st.text().map(lambda text: f"t_s,lat,lon\n{text}".encode()))
@example(b"t_s,lat,lon,lon\x1b\n")
@example(b't_s,lat,"lo\nn","lo\nn"\n')
@example("时间,纬度,经度\n9999-12-31 23:59:59,1,2\n1970-01-01 00:00:00,1,2".encode())
def test_any_bytes_are_a_track_or_an_error_for_people(data: bytes) -> None:
    said = refusal(data)
    assert said is None or (said.startswith("drives/truck-7.csv") and said.isprintable())


def test_positions_that_no_vehicle_drives_are_said() -> None:
    """Two trucks in one file that names neither: nothing could be judged, and nothing would be said."""
    two = track("t_s,lat,lon\n" + "".join(f"{s},{30 + s % 2 * 0.1 + s * 1e-4},120\n" for s in range(20)))
    (said,) = two.account.sentences()
    assert said.en.startswith(
        "19 of 19 steps between positions are farther than a vehicle drives in that time: is"
    )
    one_jump = track("t_s,lat,lon\n" + "".join(f"{s},{30 + (s == 10)},120\n" for s in range(60)))
    assert one_jump.account.sentences() == []


NAMES = st.sampled_from(
    [
        "time",
        "t_s",
        "时间",
        "日期",
        "fixTime",
        "lat",
        "latitude",
        "纬度",
        "lon",
        "经度",
        "speed",
        "速度",
        "speed_ms",
        "speed(kn)",
        "valid",
        "vehicle",
        "车牌号",
        "datum",
        "ignition",
        "海拔",
        "altitude(ft)",
        "satellites",
        "hdop",
        "x",
    ]
)
CELLS = st.one_of(
    st.sampled_from(
        [
            "",
            "0",
            "1",
            "30.5",
            "-1",
            "2026-03-02T00:00:00Z",
            "2026/3/2 8:00",
            "8:00:01",
            "1772409600",
            "wgs84",
            "否",
            "a",
        ]
    ),
    st.floats().map(str),
    st.text(max_size=8),
)


@given(
    st.lists(NAMES, max_size=8),
    st.lists(st.lists(CELLS, max_size=9), max_size=12),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-16", "gb18030"]),
    st.sampled_from([None, "kmh", "kn"]),
)
def test_any_table_is_accounted_for_or_an_error_for_people(
    names: list[str], rows: list[list[str]], separator: str, written: str, speed_unit: str | None
) -> None:
    text = "\n".join(separator.join(row) for row in [names, *rows])
    try:
        drive = parse("x.csv", text.encode(written, "replace"), Options(speed_unit=speed_unit))
    except TrackError as error:
        said = str(error)
    else:
        assert isinstance(drive, Track)
        assert drive.account.read == len(drive.fixes) >= 1
        said = "".join(sentence.en + sentence.zh for sentence in drive.account.sentences())
        assert np.all((drive.fixes.speed_dkmh >= -1) & (drive.fixes.speed_dkmh <= 4000))
    assert said.isprintable()


@given(st.lists(st.integers(-(10**14), 10**14), min_size=1))
def test_relative_seconds_are_exact_to_the_microsecond(times_us: list[int]) -> None:
    lines = "".join(f"{us // 10**6}.{us % 10**6:06}" + ",1,2\n" for us in map(abs, times_us))
    assert track("t_s,lat,lon\n" + lines).fixes.time_us.tolist() == list(map(abs, times_us))
    assert np.all(track("t_s,lat,lon\n" + lines).fixes.lat_udeg == 1_000_000)
