"""Tables of regions and device models are data, and say so where they are wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.wire.jt808 import Jt808Error, models
from tests.unit.fleet.wire.jt808.frames import BASE, document, wire

#: One byte of id, one of length; and one of id, two of length.
NESTED = """
title = "t"
source = "s"
[items.0xf0]
name = "inner"
id_bytes = 1
length_bytes = {length_bytes}
[items.0xf0.values.0x02]
name = "rpm"
kind = "number"
length = 2
"""


def item(model: models.Model, hexadecimal: str) -> dict[str, object]:
    frame = wire(0x0200, BASE + hexadecimal)
    found: dict[str, object] = document(frame, model=model)["positions"][0]["items"][0]
    return found


@pytest.mark.parametrize("name", models.names())
def test_every_table_can_be_read(name: str) -> None:
    model = models.model(name)
    assert model.title
    assert model.source
    assert model.type_name(0x67, 3) == "right_rear_approach"
    assert model.type_name(0x67, 0x77) == "unknown"


@pytest.mark.parametrize(
    ("length_bytes", "value"),
    [(1, "0202" + "0320" + "0901" + "aa"), (2, "020002" + "0320" + "090001" + "aa")],
)
def test_items_inside_an_item_with_ids_of_one_byte(length_bytes: int, value: str) -> None:
    model = models.read_model("m", NESTED.format(length_bytes=length_bytes))
    assert item(model, f"f0{len(value) // 2:02x}{value}")["inner"] == [
        {"id": "0x02", "length": 2, "hex": "0320", "rpm": 800},
        {"id": "0x09", "length": 1, "hex": "aa"},
    ]


def test_items_inside_an_item_with_ids_of_two_bytes() -> None:
    """As captured: the length comes first and counts the id."""
    value = "000c00b28988228066613427450900060089ffffefff000600c5ffffffef0004002d0fa5000300a85c"
    assert item(models.model("tracker-eb"), f"eb29{value}")["nested"] == [
        {"id": "0x00b2", "length": 10, "hex": "89882280666134274509", "iccid": "89882280666134274509"},
        {"id": "0x0089", "length": 4, "hex": "ffffefff"},
        {"id": "0x00c5", "length": 4, "hex": "ffffffef"},
        {"id": "0x002d", "length": 2, "hex": "0fa5", "battery_v": 4.005},
        {"id": "0x00a8", "length": 1, "hex": "5c", "battery_percent": 92},
    ]


def test_an_item_that_is_no_list_stays_raw() -> None:
    """0xEB of another tracker is a time zone as text."""
    said = item(models.model("tracker-eb"), "eb09" + "5554432b30383a3030")
    assert said == {"id": "0xeb", "length": 9, "hex": "5554432b30383a3030"}


def test_the_same_number_means_something_else_elsewhere() -> None:
    su, yue = models.model("su"), models.model("yue")
    assert (su.type_name(0x65, 0x0A), yue.type_name(0x65, 0x0A)) == ("unknown", "no_seat_belt")
    assert item(su, "f10400000001") == {"id": "0xf1", "length": 4, "hex": "00000001"}
    assert item(yue, "f10400000001")["installation_abnormality"] == "00000001"


@pytest.mark.parametrize(
    ("document_", "error"),
    [
        ("title =", "tables of the model m: Invalid value"),
        ("title = 't'", "'source' is missing"),
        ("title = 't'\nsource = 's'\nbase = 'none'", "no tables of a device model 'none'"),
        ("title = 't'\nsource = 's'\n[items.zz]\nname = 'x'\nkind = 'text'", "invalid literal"),
        ("title = 't'\nsource = 's'\n[items.0x1]\nname = 'x'\nkind = 'float'", "the kind 'float' is none of"),
        (NESTED.format(length_bytes=0), "length_bytes is 0, not 1 or 2"),
    ],
)
def test_a_table_that_is_wrong_is_named(document_: str, error: str) -> None:
    with pytest.raises(Jt808Error, match=error):
        models.read_model("m", document_)


@given(st.binary(max_size=60))
def test_any_value_of_a_nested_item(value: bytes) -> None:
    for name in ("tracker-eb", "obd-f3"):
        for number in (0xEB, 0xF3):
            models.model(name).read(number, value)
