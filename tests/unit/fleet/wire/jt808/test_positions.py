"""Headers, location reports and their items, from frames written by hand."""

from __future__ import annotations

import pytest

from fleet.wire.jt808 import models
from tests.unit.fleet.wire.jt808.frames import (
    BASE,
    HEARTBEAT,
    ODOMETER,
    RIGHT_REAR,
    document,
    errors,
    report,
    wire,
)


def test_a_heartbeat() -> None:
    assert document(HEARTBEAT) == {
        "message_id": "0x0002",
        "version": 2013,
        "phone": "13912345678",
        "serial": 76,
        "checksum_ok": True,
        "errors": [],
        "positions": [],
        "safety": [],
        "body": None,
    }


def test_a_truck_that_turns_right_beside_somebody() -> None:
    said = document(RIGHT_REAR)
    (place,) = said["positions"]
    assert {name: place[name] for name in place if name != "items"} == {
        "time": "2026-03-15T02:15:30Z",
        "lat": 31.234567,
        "lon": 121.456789,
        "altitude_m": 12,
        "speed_kmh": 25.3,
        "course_deg": 88,
        "valid": True,
        "alarms": [],
        "status": ["acc_on", "located", "gps", "beidou", "bit_22"],
    }
    assert [(item["id"], item["length"]) for item in place["items"]] == [
        ("0x01", 4),
        ("0x03", 2),
        ("0x25", 4),
        ("0x30", 1),
        ("0x31", 1),
        ("0x67", 41),
    ]
    assert said["safety"] == [
        {
            "item": "0x67",
            "type": 3,
            "flag": 1,
            "speed_kmh": 18,
            "lat": 31.234567,
            "lon": 121.456789,
            "time": "2026-03-15T02:15:30Z",
            "status": ["acc", "right_turn", "located"],
        }
    ]
    assert said["errors"] == []


@pytest.mark.parametrize(
    ("lat_udeg", "lon_udeg", "valid"),
    [
        pytest.param(31_234_567, 121_456_789, True, id="a place"),
        pytest.param(0, 0, False, id="zeros, however located it says it is"),
        pytest.param(51_477_928, 0, True, id="Greenwich is one too"),
        pytest.param(0, 121_456_789, True, id="and the equator"),
        pytest.param(90_000_001, 0, False, id="north of the pole there is none"),
    ],
)
def test_which_places_are_places(lat_udeg: int, lon_udeg: int, valid: bool) -> None:
    (place,) = report(base=f"{BASE[:16]}{lat_udeg:08x}{lon_udeg:08x}{BASE[32:]}")["positions"]
    assert place["valid"] is valid


@pytest.mark.parametrize(
    ("version", "names"),
    [
        (2013, ["bit_15", "bit_16", "bit_17"]),
        (2019, ["illegal_driving", "tire_pressure_warning", "right_turn_blind_area_abnormal"]),
    ],
)
def test_bits_that_an_edition_reserves_are_no_alarms(version: int, names: list[str]) -> None:
    (place,) = report(base="00038000" + BASE[8:], version=version)["positions"]
    assert place["alarms"] == names


@pytest.mark.parametrize(
    ("status", "valid", "named"),
    [
        ("00000003", True, ["acc_on", "located"]),
        ("00000001", False, ["acc_on"]),
        ("00000103", True, ["acc_on", "located", "load_half"]),
        ("00000303", True, ["acc_on", "located", "load_full"]),
    ],
)
def test_status(status: str, valid: bool, named: list[str]) -> None:
    """Load bits 00 are what terminals send that know nothing of the load: never "empty"."""
    (place,) = report(base="00000000" + status + BASE[16:])["positions"]
    assert (place["valid"], place["status"]) == (valid, named)


def test_the_south_and_the_west_are_in_the_status() -> None:
    (place,) = report(base="000000000000000e" + BASE[16:])["positions"]
    assert (place["lat"], place["lon"]) == (-31.234567, -121.456789)


@pytest.mark.parametrize(
    ("place", "named"),
    [("0000000000000000", []), ("06eeb6ad02633df7", ["coordinates"])],  # (0, 0); latitude 116
)
def test_places_that_are_none(place: str, named: list[str]) -> None:
    said = report(base=BASE[:16] + place + BASE[32:])
    assert said["positions"][0]["valid"] is False
    assert errors(said) == named


def test_below_the_sea() -> None:
    (place,) = report(base=BASE[:32] + "fff6" + BASE[36:])["positions"]
    assert place["altitude_m"] == -10


@pytest.mark.parametrize(
    "digits", ["000000000000", "26031510153a", "261315101530", "260230101530", "ffffffffffff"]
)
def test_times_that_are_none(digits: str) -> None:
    said = report(base=BASE[:44] + digits)
    assert said["positions"][0]["time"] is None
    assert said["errors"] == [f"time: {digits} is no time"]


@pytest.mark.parametrize(
    ("item", "says"),
    [
        (ODOMETER, {"mileage_km": 12345.6}),
        ("02020037", {"fuel_l": 5.5}),
        ("030200fb", {"recorder_speed_kmh": 25.1}),
        ("0402002c", {"manual_alarm_event_id": 44}),
        ("051e3737ff" + "00" * 27, {"tire_pressure_raw": [55, 55, None] + [0] * 27}),
        ("06020002", {"compartment_temp_c": 2}),
        ("06028005", {"compartment_temp_c": -5}),
        ("110100", {"overspeed": {"location_type": 0}}),
        ("11050100000042", {"overspeed": {"location_type": 1, "area_id": 66}}),
        ("1206040000004d01", {"area_in_out": {"location_type": 4, "area_id": 77, "direction": 1}}),
        ("130700000058003c01", {"segment_time": {"segment_id": 88, "seconds": 60, "result": 1}}),
        ("140400000003", {"video_alarms": ["video_signal_loss", "video_occlusion"]}),
        ("150400000005", {"channels_without_signal": ["bit_0", "bit_2"]}),
        ("160480000000", {"channels_occluded": ["bit_31"]}),
        ("17020001", {"storage_faults": ["bit_0"]}),
        ("18020002", {"abnormal_driving": ["phone_call"]}),
        ("1803000132", {"abnormal_driving": ["fatigue"], "fatigue_percent": 50}),
        ("250400000014", {"signals": ["right_turn", "brake"]}),
        ("2a020003", {"io": ["deep_sleep", "sleep"]}),
        ("2b0400020014", {"analog": {"ad1": 2, "ad0": 20}}),
        ("30011c", {"rssi": 28}),
        ("31010e", {"satellites": 14}),
        ("67083132333435363738", {}),  # a padlock
        ("010200ff", {}),  # an odometer of another length
        ("e1021234", {}),
        ("1100", {}),
    ],
)
def test_items(item: str, says: dict[str, object]) -> None:
    said = report(item)
    value = item[4:]
    assert said["positions"][0]["items"] == [
        {"id": f"0x{item[:2]}", "length": len(value) // 2, "hex": value} | says
    ]
    assert said["errors"] == []


def test_a_length_that_lies_spoils_only_what_comes_after() -> None:
    said = report(ODOMETER + "6729" + "00" * 10)
    assert said["errors"] == ["item: 0x67: length 41 exceeds the 10 bytes left"]
    first, second = said["positions"][0]["items"]
    assert first["mileage_km"] == 12345.6
    assert second == {
        "id": "0x67",
        "length": 41,
        "hex": "00" * 10,
        "error": "0x67: length 41 exceeds the 10 bytes left",
    }
    assert said["safety"] == []


def test_a_byte_after_the_items() -> None:
    assert report(ODOMETER + "30")["errors"] == ["item: one byte 0x30 after the items"]


#: What every active-safety item ends with: 18 km/h, 12 m, place, time, ACC + right lamp + located.
TAIL = "12000c01dc9a07073d48952603151015300405"
SU = "41314232433344" + "260315101530" + "000200"
YUE = "4d49584552303030" + "31" + "00" * 21 + "260315101530" + "0002" + "0000"


@pytest.mark.parametrize("version", [2013, 2019])
@pytest.mark.parametrize(
    ("item", "value", "type_", "flag"),
    [
        ("64", "0000000b010401002a000000" + TAIL + SU, 4, 1),
        ("64", "0000000b010401002a000000" + TAIL + YUE, 4, 1),
        ("65", "0000000c0001020500000000" + TAIL + SU, 1, 0),
        ("67", "000000070103" + TAIL + SU, 3, 1),
        ("67", "000000070203" + TAIL + YUE, 3, 2),
        ("67", "000000070203" + TAIL + YUE[:-2], 3, 2),  # Sichuan: 39 bytes
        ("67", "000000070203" + TAIL + YUE[:-4], 3, 2),  # Heilongjiang: 38 bytes
        ("70", "0000000d0103000a00200000" + TAIL + SU, 3, 1),
        ("66", "0000000e01" + TAIL + SU + "0101" + "000203200" + "01e0050", None, 1),
        ("66", "0000000e01" + TAIL + YUE + "010001" + "000203200" + "01e0050", None, 1),
    ],
)
def test_active_safety_is_told_by_the_length(
    version: int, item: str, value: str, type_: int | None, flag: int
) -> None:
    """A terminal of 2013 with the number of Guangdong, and the reverse: the header does not matter."""
    said = report(f"{item}{len(value) // 2:02x}{value}", version=version)
    assert said["errors"] == []
    (safety,) = said["safety"]
    assert (safety["item"], safety["type"], safety["flag"]) == (f"0x{item}", type_, flag)
    assert (safety["speed_kmh"], safety["time"]) == (18, "2026-03-15T02:15:30Z")
    assert safety["status"] == ["acc", "right_turn", "located"]
    ident = said["positions"][0]["items"][0]["active_safety"]["ident"]
    assert (ident["time"], ident["attachments"]) == ("2026-03-15T02:15:30Z", 2)


@pytest.mark.parametrize("length", [0, 8, 25, 40, 42, 62, 66])
def test_0x67_of_any_other_length_stays_raw(length: int) -> None:
    said = report(f"67{length:02x}" + "31" * length)
    assert (said["safety"], said["errors"]) == ([], [])
    assert said["positions"][0]["items"] == [{"id": "0x67", "length": length, "hex": "31" * length}]


def test_a_tyre() -> None:
    said = report("6632" + "0000000e01" + TAIL + SU + "01" + "03" + "0004" + "0320" + "001e" + "0050")
    assert said["positions"][0]["items"][0]["active_safety"]["tires"] == [
        {
            "position": 3,
            "alarms": ["low_pressure"],
            "pressure_kpa": 800,
            "temperature_c": 30,
            "battery_percent": 80,
        }
    ]


def test_names_of_types_are_those_of_the_model() -> None:
    frame = wire(0x0200, BASE + "6729" + "000000070153" + TAIL + SU)
    names = [
        document(frame, model=models.model(name))["positions"][0]["items"][0]["active_safety"]["type_name"]
        for name in ("su", "bsd-levels")
    ]
    assert names == ["unknown", "right_prewarning"]


def test_the_version_bit_may_lie() -> None:
    """The length decides: 12 bytes of header with the bit of 2019."""
    frame = bytearray(wire(0x0200, BASE))
    frame[3] |= 0x40
    frame[-2] ^= 0x40
    said = document(bytes(frame))
    assert (said["version"], said["phone"]) == (2013, "13912345678")
    assert errors(said) == ["version_bit_contradicts_layout"]


@pytest.mark.parametrize(
    ("frame", "phone", "named"),
    [
        ("7e000200004f07788ef876004c1d7e", "4f07788ef876", ["phone"]),
        ("7e00020000000000000000004c4e7e", "0", ["phone"]),
        ("7e000200100139123456780005277e", "13912345678", ["body_length"]),
        ("7e000204000139123456780005337e", "13912345678", ["encrypted"]),
    ],
)
def test_headers_that_are_wrong(frame: str, phone: str, named: list[str]) -> None:
    said = document(frame)
    assert said["phone"] == phone
    assert [code for code in errors(said) if code != "checksum"] == named


def test_a_wrong_checksum_is_shown_and_named() -> None:
    said = document("7e000200000139123456780005007e")
    assert said["checksum_ok"] is False
    assert said["errors"] == ["checksum: frame 0x00, computed 0x37"]
