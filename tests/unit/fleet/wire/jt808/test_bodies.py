"""Bodies of messages: bytes by the standard's tables, what they say, and back again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.wire.jt808 import MESSAGES, Cutter, Jt808Error, Position, Sender, decode
from fleet.wire.jt808.items import Item, read_item, write_item
from fleet.wire.jt808.messages import build_body, read_body
from tests.unit.fleet.wire.jt808.frames import BASE, NEW_PHONE, OLD_PHONE, document, errors, wire

SU_IDENT = {
    "terminal_id": "A1B2C3D",
    "time": "2026-03-15T02:15:30Z",
    "sequence": 0,
    "attachments": 2,
    "reserved": "00",
    "length": 16,
}
SU = "41314232433344" + "260315101530" + "000200"
YUE = "4d49584552303031" + "00" * 22 + "260315101530" + "00020000"
RECORDING = {
    "channel": 1,
    "start_time": "2024-11-01T16:00:00Z",
    "end_time": None,
    "alarms_hex": "0000000000000000",
    "media_type": 0,
    "stream_type": 0,
    "storage": 1,
}
RECORDING_HEX = "01" + "241102000000" + "000000000000" + "0000000000000000" + "000001"
PLATE = "d5e3464131323334"  # 浙FA1234 in GBK, with one letter more below
#: Message, edition, body, what it says.
BODIES: list[tuple[int, int, str, dict[str, Any]]] = [
    (0x0001, 2013, "0064830000", {"ack_serial": 100, "ack_id": "0x8300", "result": 0}),
    (0x0002, 2013, "", {}),
    (0x0003, 2019, "", {}),
    (0x0005, 2019, "006400020002" + "0004", {"first_serial": 100, "ids": [2, 4]}),
    (
        0x0100,
        2011,
        "00210190" + "3730313037" + "48422d5230330000" + "32333636313034" + "02" + PLATE,
        {
            "province": 33,
            "city": 400,
            "maker": "70107",
            "model": "HB-R03",
            "terminal_id": "2366104",
            "plate_color": 2,
            "plate": "浙FA1234",
            "layout": 2011,
        },
    ),
    (
        0x0100,
        2013,
        "00210190" + "3730313037" + "48422d523033" + "00" * 14 + "32333636313034" + "02" + PLATE,
        {
            "province": 33,
            "city": 400,
            "maker": "70107",
            "model": "HB-R03",
            "terminal_id": "2366104",
            "plate_color": 2,
            "plate": "浙FA1234",
            "layout": 2013,
        },
    ),
    (
        0x0100,
        2019,
        "00210190" + "3730313037" + "00" * 6 + "4d52" + "00" * 28 + "3939" + "00" * 28 + "02" + PLATE,
        {
            "province": 33,
            "city": 400,
            "maker": "70107",
            "model": "MR",
            "terminal_id": "99",
            "plate_color": 2,
            "plate": "浙FA1234",
            "layout": 2019,
        },
    ),
    (0x0102, 2013, "31303031", {"auth_code": "1001"}),
    (
        0x0102,
        2019,
        "0431303031" + "313233343536373839303132333435" + "312e32" + "00" * 17,
        {"auth_code": "1001", "imei": "123456789012345", "software": "1.2"},
    ),
    (
        0x0104,
        2013,
        "000702" + "00000029" + "04" + "0000000a" + "00000083" + "08" + PLATE,
        {
            "ack_serial": 7,
            "params": [
                {"id": "0x0029", "length": 4, "hex": "0000000a", "name": "report_default_s", "value": 10},
                {"id": "0x0083", "length": 8, "hex": PLATE, "name": "plate", "value": "浙FA1234"},
            ],
        },
    ),
    (
        0x0107,
        2019,
        "0004" + "3730313037" + "4d52" + "00" * 28 + "3939" + "00" * 28 + "89860324947560032900"
        "03312e30" + "03322e31" + "0120",
        {
            "terminal_type": 4,
            "maker": "70107",
            "model": "MR",
            "terminal_id": "99",
            "iccid": "89860324947560032900",
            "hardware": "1.0",
            "firmware": "2.1",
            "gnss": 1,
            "comm": 32,
        },
    ),
    (0x0700, 2013, "000702aabb", {"ack_serial": 7, "command": "0x02", "data_hex": "aabb"}),
    (0x0701, 2013, "00000004" + "cbaec4e0", {"waybill": "水泥"}),
    (0x0702, 2013, "02260315101530", {"status": 2, "time": "2026-03-15T02:15:30Z"}),
    (0x0702, 2013, "0126031510153001", {"status": 1, "time": "2026-03-15T02:15:30Z", "ic_result": 1}),
    (
        0x0702,
        2019,
        "0126031510153000" + "04d5c5c8fd" + "3132" + "00" * 18 + "02d5e3" + "20301231" + "3333" + "00" * 18,
        {
            "status": 1,
            "time": "2026-03-15T02:15:30Z",
            "ic_result": 0,
            "driver": "张三",
            "licence": "12",
            "issuer": "浙",
            "expiry_bcd": "20301231",
            "id_card": "33",
        },
    ),
    (
        0x0705,
        2013,
        "0001" + "1015300500" + "18fef100" + "0102030405060708",
        {
            "count": 1,
            "time_bcd": "1015300500",
            "frames": [{"can_id": "18fef100", "data_hex": "0102030405060708"}],
        },
    ),
    (
        0x0800,
        2013,
        "0000007b00000301",
        {"media_id": 123, "media_type": 0, "format": 0, "event": 3, "channel": 1},
    ),
    (0x0900, 2013, "f70102", {"type": 247, "hex": "0102"}),
    (
        0x1205,
        2013,
        "000300000001" + RECORDING_HEX + "0000000b",
        {"ack_serial": 3, "recordings": [RECORDING | {"size": 11}]},
    ),
    (0x1206, 2013, "000400", {"ack_serial": 4, "result": 0}),
    (
        0x1210,
        2013,
        "41314232433344" + SU + "6d65" + "00" * 30 + "00" + "01" + "05612e6a7067" + "00000400",
        {
            "terminal_id": "A1B2C3D",
            "ident": SU_IDENT,
            "alarm_number": "me",
            "info_type": 0,
            "files": [{"name": "a.jpg", "size": 1024}],
        },
    ),
    (
        0x1210,
        2019,
        "4d49584552303031" + "00" * 22 + YUE + "6d65" + "00" * 30 + "0000",
        {
            "terminal_id": "MIXER001",
            "ident": SU_IDENT | {"terminal_id": "MIXER001", "reserved": "0000", "length": 40},
            "alarm_number": "me",
            "info_type": 0,
            "files": [],
        },
    ),
    (0x1211, 2013, "05612e6a7067" + "00" + "00000400", {"name": "a.jpg", "type": 0, "size": 1024}),
    (0x1212, 2013, "05612e6a7067" + "00" + "00000400", {"name": "a.jpg", "type": 0, "size": 1024}),
    (0x8001, 2019, "0201020000", {"ack_serial": 513, "ack_id": "0x0200", "result": 0}),
    (0x8003, 2013, "006403000200040005", {"first_serial": 100, "ids": [2, 4, 5]}),
    (0x8003, 2019, "00640003000200040005", {"first_serial": 100, "ids": [2, 4, 5]}),
    (0x8004, 2019, "260315021530", {"server_time": "2026-03-15T02:15:30Z"}),
    (0x8100, 2013, "00010031303031", {"ack_serial": 1, "result": 0, "auth_code": "1001"}),
    (0x8100, 2013, "000102", {"ack_serial": 1, "result": 2}),
    (
        0x8103,
        2013,
        "01" + "00000030" + "04" + "00000014",
        {
            "params": [
                {"id": "0x0030", "length": 4, "hex": "00000014", "name": "report_turn_deg", "value": 20}
            ]
        },
    ),
    (
        0x8103,
        2011,
        "0101" + "00000030" + "04" + "00000014",
        {
            "total": 1,
            "params": [
                {"id": "0x0030", "length": 4, "hex": "00000014", "name": "report_turn_deg", "value": 20}
            ],
        },
    ),
    (0x8104, 2013, "", {}),
    (0x8105, 2013, "04", {"command": 4, "args": ""}),
    (0x8106, 2013, "020000000100000029", {"ids": ["0x0001", "0x0029"]}),
    (0x8107, 2019, "", {}),
    (0x8201, 2013, "", {}),
    (0x8202, 2013, "000500000258", {"interval_s": 5, "valid_s": 600}),
    (0x8202, 2013, "0000", {"interval_s": 0}),
    (0x8203, 2013, "007b00000001", {"alarm_serial": 123, "alarm_types": 1}),
    (0x8300, 2013, "0dd3d2d7aa", {"flag": 13, "text": "右转"}),
    (0x8300, 2019, "0e01d3d2d7aa", {"flag": 14, "text_type": 1, "text": "右转"}),
    (
        0x8600,
        2013,
        "0101" + "00000001" + "0002" + "01dc9a07" + "073d4895" + "0000007b" + "0014" + "05",
        {
            "action": 1,
            "areas": [
                {
                    "id": 1,
                    "attr": 2,
                    "lat": 31.234567,
                    "lon": 121.456789,
                    "radius_m": 123,
                    "max_speed_kmh": 20,
                    "over_s": 5,
                }
            ],
        },
    ),
    (
        0x8600,
        2019,
        "0101" + "00000001" + "0003" + "01dc9a07" + "073d4895" + "0000007b" + "000000060000" + "000000200000"
        "0014" + "05" + "000f" + "0004d3d2d7aa",
        {
            "action": 1,
            "areas": [
                {
                    "id": 1,
                    "attr": 3,
                    "lat": 31.234567,
                    "lon": 121.456789,
                    "radius_m": 123,
                    "start_bcd": "000000060000",
                    "end_bcd": "000000200000",
                    "max_speed_kmh": 20,
                    "over_s": 5,
                    "night_max_speed_kmh": 15,
                    "name": "右转",
                }
            ],
        },
    ),
    (0x8601, 2013, "0200000001ffffffff", {"ids": [1, 4294967295]}),
    (
        0x8602,
        2013,
        "0001" + "00000001" + "0000" + "01dc9a07" + "073d4895" + "01dc9a06" + "073d4896",
        {
            "action": 0,
            "areas": [
                {
                    "id": 1,
                    "attr": 0,
                    "lat1": 31.234567,
                    "lon1": 121.456789,
                    "lat2": 31.234566,
                    "lon2": 121.45679,
                }
            ],
        },
    ),
    (0x8603, 2013, "00", {"ids": []}),
    (
        0x8604,
        2013,
        "00000003" + "0000" + "0001" + "01dc9a07" + "073d4895",
        {"id": 3, "attr": 0, "points": [{"lat": 31.234567, "lon": 121.456789}]},
    ),
    (
        0x8606,
        2019,
        "00000004" + "0000" + "0001" + "00000001" + "00000002" + "01dc9a07" + "073d4895" + "09" + "02"
        "0014" + "05" + "000f" + "0000",
        {
            "id": 4,
            "attr": 0,
            "points": [
                {
                    "point_id": 1,
                    "segment_id": 2,
                    "lat": 31.234567,
                    "lon": 121.456789,
                    "width_m": 9,
                    "attr": 2,
                    "max_speed_kmh": 20,
                    "over_s": 5,
                    "night_max_speed_kmh": 15,
                }
            ],
            "name": "",
        },
    ),
    (0x8700, 2013, "02", {"command": "0x02", "data_hex": ""}),
    (0x8800, 2013, "00000081", {"media_id": 129}),
    (0x8800, 2013, "000000810200030004", {"media_id": 129, "ids": [3, 4]}),
    (0x8900, 2013, "f854455354", {"type": 248, "hex": "54455354"}),
    (0x9205, 2013, RECORDING_HEX, RECORDING),
    (
        0x9206,
        2013,
        "093132372e302e302e31" + "0849" + "0474657374" + "0474657374" + "052f31303031" + RECORDING_HEX + "01",
        {"host": "127.0.0.1", "port": 2121, "user": "test", "password": "test", "path": "/1001"}
        | RECORDING
        | {"condition": 1},
    ),
    (0x9207, 2013, "000402", {"ack_serial": 4, "control": 2}),
    (
        0x9208,
        2019,  # a terminal of 2019 with the number of 2013
        "093132372e302e302e31" + "3142" + "7900" + SU + "6d65" + "00" * 30 + "00" * 16,
        {
            "ip": "127.0.0.1",
            "tcp_port": 12610,
            "udp_port": 30976,
            "ident": SU_IDENT,
            "alarm_number": "me",
            "reserved": "00" * 16,
        },
    ),
    (
        0x9212,
        2013,
        "05612e6a7067" + "00" + "01" + "01" + "00000000" + "00000400",
        {"name": "a.jpg", "type": 0, "result": 1, "missing": [{"offset": 0, "length": 1024}]},
    ),
]


@pytest.mark.parametrize(("message_id", "version", "body", "says"), BODIES)
def test_a_body_says_and_is_built_again(
    message_id: int, version: int, body: str, says: dict[str, Any]
) -> None:
    assert read_body(message_id, version, bytes.fromhex(body)) == (says, [])
    assert build_body(message_id, says, version).hex() == body


def test_a_maker_of_eleven_bytes() -> None:
    """The standard of 2019 prints five; terminals send either."""
    tail = "4d52" + "00" * 28 + "3939" + "00" * 28 + "89860324947560032900" + "03312e30" + "03322e31" + "0120"
    five, eleven = (
        read_body(0x0107, 2019, bytes.fromhex("0004" + "3730313037" + "00" * padding + tail))
        for padding in (0, 6)
    )
    assert five == eleven
    assert (five[0]["maker"], five[0]["firmware"], five[1]) == ("70107", "2.1", [])


def test_every_message_has_a_body_here() -> None:
    shown = {message_id for message_id, *_ in BODIES}
    # Those with positions are in the next tests; of the rest the layout is that of another.
    others = {
        0x0004,
        0x0108,
        0x0200,
        0x0201,
        0x0500,
        0x0704,
        0x0801,
        0x0805,
        0x8204,
        0x8400,
        0x8605,
        0x8607,
        0x8801,
    }
    assert set(MESSAGES) - shown == others


@pytest.mark.parametrize(("message_id", "head"), [(0x0201, "0007"), (0x0500, "0007"), (0x0200, "")])
def test_reports_in_answers(message_id: int, head: str) -> None:
    said = document(wire(message_id, head + BASE + "30011c"))
    assert said["positions"][0]["lat"] == 31.234567
    assert said["body"] == ({"ack_serial": 7} if head else None)


def test_an_answer_of_2011_has_no_serial() -> None:
    said = document(wire(0x0201, BASE))
    assert (said["body"], len(said["positions"]), said["errors"]) == (None, 1, [])


def test_a_batch() -> None:
    one, two = BASE + "30011c", BASE
    said = document(wire(0x0704, "000201" + "001f" + one + "001c" + two))
    assert said["body"] == {"count": 2, "type": 1}
    assert [len(place["items"]) for place in said["positions"]] == [1, 0]
    assert said["errors"] == []


@pytest.mark.parametrize(
    ("body", "positions", "named"),
    [
        ("000301" + "001c" + BASE, 1, "count: 3 reports announced, 1 present"),
        (
            "000101" + "001c" + BASE + "001c" + BASE,
            1,
            "count: 1 reports announced, 1 present, and 30 bytes are left",
        ),
        ("000201" + "ffff" + BASE, 0, "body: report 1 declares 65535 bytes, 28 are left"),
        (
            "000201" + "0002" + "0000" + "001c" + BASE,
            1,
            "body: report 1: need 28 bytes of a position, have 2",
        ),
        ("00", 0, "body: need 2 bytes at 0, have 1"),
    ],
)
def test_a_batch_that_lies(body: str, positions: int, named: str) -> None:
    """One bad report does not spoil the others."""
    said = document(wire(0x0704, body))
    assert len(said["positions"]) == positions
    assert named in said["errors"]


def test_a_picture() -> None:
    said = document(wire(0x0801, "0000007b00000301" + BASE + "ffd8"))
    assert said["body"] == {
        "media_id": 123,
        "media_type": 0,
        "format": 0,
        "event": 3,
        "channel": 1,
        "data_hex": "ffd8",
    }
    assert said["positions"][0]["items"] == []


@pytest.mark.parametrize(
    ("message_id", "body", "says", "named"),
    [
        (0x0002, "aabb", {"trailing_hex": "aabb"}, []),  # seen on trackers: ignored, and kept
        (0x0701, "00000002ffff", {"waybill": "��"}, ["text"]),
        (0x0001, "0064", {"ack_serial": 100}, ["body"]),
        (0x0104, "000702" + "00000029" + "04" + "0000000a", None, ["count"]),
        (0x0104, "000701" + "00000029" + "09" + "0000000a", None, ["body"]),
        (0x0702, "0126031a101530", {"status": 1, "time": None}, ["time"]),
        (0x6006, "3c56", {"undecoded_hex": "3c56"}, []),
    ],
)
def test_bodies_that_are_wrong(
    message_id: int, body: str, says: dict[str, Any] | None, named: list[str]
) -> None:
    said = document(wire(message_id, body))
    assert errors(said) == named
    if says is not None:
        assert said["body"] == says


@pytest.mark.parametrize(
    ("message_id", "values", "error"),
    [
        (0x8300, {"flag": 1}, "the field text is missing"),
        (0x8300, {"flag": 256, "text": "x"}, "the field flag cannot be written"),
        (0x8300, {"flag": "x", "text": "x"}, "the field flag cannot be written"),
        (0x8103, {"params": [{"id": "0x9999", "value": 1}]}, "no parameter 0x9999 in the table"),
        (0x8103, {"params": [{"id": "0x0029", "value": "ten"}]}, "report_default_s is a number, not 'ten'"),
        (0x7777, {}, "no message 0x7777 in the table"),
        (0x0100, {"province": 1}, "the field city is missing"),
    ],
)
def test_what_cannot_be_built_is_named(message_id: int, values: dict[str, Any], error: str) -> None:
    with pytest.raises(Jt808Error, match=error):
        build_body(message_id, values)


def test_parameters_are_built_from_their_values() -> None:
    values = {"params": [{"id": "0x0029", "value": 5}, {"id": "0x0013", "value": "a.cn:7611"}]}
    assert build_body(0x8103, values).hex() == "02" + "000000290400000005" + "0000001309612e636e3a37363131"


def test_a_long_message_goes_in_fragments() -> None:
    sender = Sender(2019, NEW_PHONE, serial=65535)
    frames = sender.build(0x8900, {"type": 1, "hex": "aa" * 2000})
    headers = [decode(frame).header for piece in frames for frame in Cutter().feed(piece)]
    assert [(h.serial, h.fragment.total, h.fragment.index) for h in headers if h and h.fragment] == [
        (65535, 2, 1),
        (0, 2, 2),
    ]


def test_a_telephone_has_the_width_of_the_edition() -> None:
    with pytest.raises(Jt808Error, match="a telephone of 2019 has 10 bytes"):
        Sender(2019, OLD_PHONE).build(0x8104, {})


# -- what is built is read again

text = st.text(st.characters(codec="gbk", exclude_characters="\x00 "), max_size=8).filter(
    lambda said: said == said.strip("\x00 ")
)
positions = st.builds(
    Position,
    alarm=st.integers(0, 2**32 - 1),
    status=st.integers(0, 2**32 - 1).map(lambda status: status & ~0b1100),
    lat_udeg=st.integers(0, 90_000_000),
    lon_udeg=st.integers(0, 180_000_000),
    altitude_m=st.integers(-(2**15), 2**15 - 1),
    speed_dkmh=st.integers(0, 2**16 - 1),
    course_deg=st.integers(0, 2**16 - 1),
    time_digits=st.datetimes(
        min_value=datetime(2001, 1, 1),  # noqa: DTZ001 - China's zone, as terminals mean it
        max_value=datetime(2099, 12, 31),  # noqa: DTZ001
    ).map(lambda moment: moment.strftime("%y%m%d%H%M%S")),
    items=st.lists(
        st.tuples(st.integers(0, 255), st.binary(max_size=50)).map(
            lambda pair: Item(pair[0], len(pair[1]), pair[1], read_item(pair[0], pair[1])[0])
        ),
        max_size=4,
    ).map(tuple),
)


@given(st.lists(positions, min_size=1, max_size=4), st.sampled_from([2011, 2013, 2019]))
def test_reports_are_read_as_they_were_built(reports: list[Position], version: int) -> None:
    assert build_body(0x0704, {"type": 0, "positions": reports}, version)
    read, _ = read_body(0x0704, version, build_body(0x0704, {"type": 0, "positions": reports}, version))
    assert read["positions"] == reports
    read, _ = read_body(0x0200, version, build_body(0x0200, {"positions": reports[:1]}, version))
    assert read["positions"] == reports[:1]


@given(st.integers(0, 255), text, st.sampled_from([2011, 2013, 2019]))
def test_a_text_to_the_driver_arrives_as_it_was_written(flag: int, said: str, version: int) -> None:
    values = {"flag": flag, "text": said} | ({"text_type": 1} if version == 2019 else {})
    assert read_body(0x8300, version, build_body(0x8300, values, version)) == (values, [])


@given(st.sampled_from(sorted(MESSAGES)), st.sampled_from([2011, 2013, 2019]), st.binary(max_size=200))
def test_what_is_read_without_a_fault_is_built_the_same(message_id: int, version: int, body: bytes) -> None:
    """But for padding, and text that was no GBK: what is built says what was read."""
    said, faults = read_body(message_id, version, body)
    if faults or "trailing_hex" in said:
        return
    try:
        built = build_body(message_id, said, version)
    except Jt808Error:
        return  # text of GB 18030 that GBK lacks, or that is longer as such
    assert read_body(message_id, version, built)[1] == []


@pytest.mark.parametrize(
    ("item", "values"),
    [
        (0x11, {"overspeed": {"location_type": 0}}),
        (0x11, {"overspeed": {"location_type": 1, "area_id": 66}}),
        (0x25, {"signals": ["right_turn", "bit_31"]}),
        (0x06, {"compartment_temp_c": -5}),
        (
            0x67,
            {
                "active_safety": {
                    "alarm_id": 7,
                    "flag": 1,
                    "type": 3,
                    "speed_kmh": 18,
                    "altitude_m": 12,
                    "lat": 31.234567,
                    "lon": 121.456789,
                    "time": "2026-03-15T02:15:30Z",
                    "status": ["acc", "right_turn", "located"],
                    "ident": SU_IDENT,
                }
            },
        ),
    ],
)
def test_items_are_written_from_what_they_say(item: int, values: dict[str, Any]) -> None:
    assert read_item(item, write_item(item, values)) == (values, [])
