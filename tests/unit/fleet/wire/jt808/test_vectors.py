"""Frames gathered from other people's test suites and captures, against an independent reading of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fleet.wire.jt808 import Assembler, decode, models, to_document
from tests.unit.fleet.wire.jt808.frames import cut, errors

if TYPE_CHECKING:
    from pathlib import Path

#: What we name beside the other reading, which lets it pass.
NAMED_BY_US = {
    "phone",  # not decimal, or zeros
    "version_bit_contradicts_layout",
    "encrypted",
    "text",
    "time",
    "item",
    "count",
    "coordinates",
}
#: Messages that the other reading leaves raw.
RAW_THERE = {"0x0108", "0x0701", "0x0705", "0x1205", "0x1206", "0x8606", "0x9205", "0x9207"}
#: Our names of fields, where they are others.
FIELDS = {"tcp": "tcp_port", "udp": "udp_port", "server_time_utc_bcd": "server_time"}
BITS_OF_2019 = {
    "tire_pressure_warning(2019)": "bit_16",
    "right_turn_blind_area_abnormal(2019)": "bit_17",
    "aebs_forward_collision(2019)": "bit_6",
    "lane_departure(2019)": "bit_7",
    "moving(2019)": "bit_22",
}


@pytest.fixture(scope="module")
def vectors(shared_data: Path) -> list[dict[str, Any]]:
    path = shared_data / "jt808" / "vectors.json"
    if not path.is_file():
        pytest.skip(f"the gathered frames are not here: no file {path}")
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["vectors"]
    return found


def pairs(vectors: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any], dict[str, Any]]]:
    """Return id, our document and the other reading of every frame."""
    found = []
    for vector in vectors:
        frames = cut(vector["hex"])
        theirs = vector.get("frames") or [vector]
        if not frames:
            assert theirs[0]["decoded"]["errors"] == ["no 0x7e flags"], vector["id"]
            continue
        documents = [to_document(decode(frame, models.model("su"))) for frame in frames]
        assert len(documents) == len(theirs), vector["id"]
        found += [(vector["id"], d, t["decoded"]) for d, t in zip(documents, theirs, strict=True)]
    return found


def test_every_frame_is_decoded_or_named_invalid_as_there(vectors: list[dict[str, Any]]) -> None:
    compared = pairs(vectors)
    assert len(compared) == 414
    for number, ours, theirs in compared:
        if theirs["errors"]:
            assert ours["errors"], number
        else:
            assert set(errors(ours)) <= NAMED_BY_US, number
        _same_header(number, ours, theirs)
        positions = _positions(theirs.get("body") or {})
        assert len(positions) == len(ours["positions"]), number
        for place, other in zip(ours["positions"], positions, strict=True):
            _same_place(number, place, other, ours["version"])
        _same_body(number, ours, theirs.get("body"))


def _same_header(number: int, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    header = theirs.get("header") or {}
    if "serial" not in header:  # cut off within the header
        assert errors(ours), number
        return
    assert ours["message_id"] == header["msg_id"], number
    assert (ours["phone"], ours["serial"]) == (header["phone"], header["serial"]), number
    assert ours["checksum_ok"] == theirs["checksum_ok"], number
    # Its header tells 2013; a registration tells 2011.
    layout = (theirs["body"] or {}).get("layout")
    assert ours["version"] == (2011 if layout == 2011 else header["version"]), number


def _positions(body: dict[str, Any]) -> list[dict[str, Any]]:
    if "locations" in body:
        found: list[dict[str, Any]] = body["locations"]
        return found
    if "location" in body:
        return [body["location"]]
    return [body] if "latitude_raw" in body else []


def _same_place(number: int, place: dict[str, Any], other: dict[str, Any], version: int) -> None:
    same = {"lat": "lat", "lon": "lon", "altitude_m": "altitude_m", "speed_kmh": "speed_kmh"}
    same |= {"course_deg": "direction_deg", "valid": "valid_fix"}
    for ours, theirs in same.items():
        assert place[ours] == other[theirs], (number, ours)
    assert place["time"] == other["time"].get("utc"), number
    for ours, theirs in (("alarms", "alarm_bits"), ("status", "status_bits")):
        named = [_name(name, version) for name in other[theirs]]
        bits = {name for name in place[ours] if name.startswith(("bit_", "load_")) and name not in named}
        assert [name for name in place[ours] if name not in bits] == named, number
    items = [(item["id"], item["len"], item["hex"]) for item in other.get("items", ())]
    assert [(item["id"], item["length"], item["hex"]) for item in place["items"]] == items, number
    for item, told in zip(place["items"], other.get("items", ()), strict=True):
        _same_item(number, item, told)


def _name(name: str, version: int) -> str:
    if version == 2019:
        return {"danger_warning": "dangerous_driving"}.get(name, name.removesuffix("(2019)"))
    return BITS_OF_2019.get(name, name)


def _same_item(number: int, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for field, value in theirs.items():
        if field in {"id", "len", "hex", "signal", "io"} or field.startswith("jt1078_"):
            continue
        if field == "error":
            assert "error" in ours, number
        elif field == "active_safety":
            _same_safety(number, ours["active_safety"], value)
        elif field in {"signal_bits", "io_bits"}:
            names = ours["signals" if field == "signal_bits" else "io"]
            assert [name for name in names if not name.startswith("bit_")] == value, number
        else:
            assert ours[field] == value, (number, field)


def _same_safety(number: int, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for field in ("alarm_id", "flag", "type", "level", "speed_kmh", "altitude_m", "lat", "lon"):
        assert ours.get(field) == theirs.get(field), (number, field)
    assert ours["time"] == theirs["time"].get("utc"), number
    assert [one for one in ours["status"] if not one.startswith("bit_")] == theirs["vehicle_status_bits"], (
        number
    )
    ident, told = ours["ident"], theirs["alarm_ident"]
    assert ident | {"time": None} == told | {"time": None}, number
    assert ident["time"] == told["time"].get("utc"), number
    tyres = [(one["position"], one["pressure_kpa"]) for one in ours.get("tires", ())]
    assert tyres == [(one["position"], one["pressure_kpa"]) for one in theirs.get("tires", ())], number


def _same_body(number: int, ours: dict[str, Any], theirs: dict[str, Any] | None) -> None:
    if not theirs or "latitude_raw" in theirs or ours["message_id"] in RAW_THERE:
        return
    body = ours["body"] or {}
    if "fragment_len" in theirs:
        assert body["fragment"]["bytes"] == theirs["fragment_len"], number
        return
    for field, value in theirs.items():
        if field in {"location", "locations", "layout", "count"}:
            continue
        if field == "params":
            ids = [(one["id"], one["length"], one["hex"]) for one in body["params"]]
            assert ids == [(one["id"], one["len"], one["hex"]) for one in value], number
        elif field == "data_len":
            assert len(body["data_hex"]) == 2 * value, number
        elif value:  # the other reading tells what is not there as an empty text
            assert _plain(body[FIELDS.get(field, field)]) == _told(value), (number, field)


def _plain(value: Any) -> Any:
    """Return our value without names of coordinates, and text without padding."""
    if isinstance(value, list):
        return [list(one.values()) if isinstance(one, dict) and len(one) == 2 else one for one in value]
    return value


def _told(value: Any) -> Any:
    if isinstance(value, dict):
        return value.get("utc") if "bcd" in value else {name: _told(inner) for name, inner in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [list(one.values()) if len(one) == 2 else one for one in value]
    if value == "191202101010":
        return "2019-12-02T10:10:10Z"
    return value.strip(" \x00") if isinstance(value, str) else value


def test_sets_of_fragments_become_messages(vectors: list[dict[str, Any]]) -> None:
    assembler, wholes = Assembler(), []
    for vector in vectors:
        for frame in cut(vector["hex"]):
            said = decode(frame)
            if said.intact and said.header is not None and said.header.fragment is not None:
                whole = assembler.add(said.header, said.payload, 0.0)
                wholes += [] if whole is None else [whole]
    assert [(hex(whole.header.message_id), len(whole.body)) for whole in wholes] == EXPECTED_WHOLES


#: The sets of which every fragment was gathered.
EXPECTED_WHOLES = [("0x1205", 986)]
