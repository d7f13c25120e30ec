"""What may be ordered, and what is refused with which words."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.commands import orders
from fleet.commands.commissioning import blind_because, settings_of
from fleet.commands.orders import CommandError, Kind, order_of


def test_orders_and_what_belongs_to_them() -> None:
    assert orders.prompt(" 请减速 ").content == {"text": "请减速"}
    assert orders.settings({"report_default_s": 1, "plate": "浙F12345", "0xf367": "hex:0505"}).content == {
        "values": {"report_default_s": 1, "plate": "浙F12345", "0xf367": "hex:0505"}
    }
    assert orders.query(["report_turn_deg"]).content == {"values": {"names": ["report_turn_deg"]}}
    assert orders.query().content == {}
    assert orders.locate().content == {}
    assert orders.track(0, 600).content == {"values": {"interval_s": 0, "for_s": 600}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1 to 100 characters, not 0"),
        ("慢" * 101, "1 to 100 characters, not 101"),
        ("慢\n行", r"cannot show '\\n'"),
        ("慢行🚚", r"cannot show '\\U0001f69a'"),
    ],
)
def test_a_text_that_no_driver_would_read(text: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        orders.prompt(text)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("server", "10.0.0.1", "server decides where the terminal reports to"),
        ("tcp_port", 6808, "tcp_port decides where the terminal reports to"),
        ("apn_password", "x", "apn_password decides"),
        ("report_default_s", 0, "from 1 to 3600, not 0"),
        ("report_default_s", "1", "from 1 to 3600, not '1'"),
        ("report_default_s", True, "from 1 to 3600, not True"),
        ("report_turn_deg", 180, "from 0 to 179, not 180"),
        ("plate_color", 256, "from 0 to 255, not 256"),
        ("plate", 7, "the parameter plate is a text, not 7"),
        ("report_defalt_s", 1, "no parameter is called 'report_defalt_s'; they are heartbeat_s, "),
        ("0x0029", "hex:00000001", "the parameter 0x0029 has a name: report_default_s"),
        ("0xf367", 5, r"given as hex: and digits a-f, 0-9, e.g. 0xf367=hex:0505"),
    ],
)
def test_a_parameter_that_is_not_set(name: str, value: Any, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        orders.settings({name: value})


@pytest.mark.parametrize(
    ("kind", "text", "values", "said"),
    [
        ("prompt", None, None, "`text` is missing"),
        ("locate", "hello", None, "has no such text or values"),
        ("track", None, {"interval_s": 1, "for": 5}, "has no such text or values"),
        ("track", None, {"interval_s": "1"}, "is of another type"),
        ("reboot", None, None, "nothing of the kind 'reboot' is ordered"),
    ],
)
def test_what_programs_ask_for_wrongly(kind: str, text: Any, values: Any, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        order_of(kind, text, values)


def test_what_programs_ask_for() -> None:
    assert order_of("track", None, {"interval_s": 1}).content == {"values": {"interval_s": 1, "for_s": 600}}
    assert order_of("prompt", "慢行", None).kind is Kind.PROMPT


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        (settings_of(1, 20), None),
        (settings_of(2, 0), None),
        (settings_of(5, 30), None),
        (settings_of(5, 45), "every 5 s, with points at bends of 45 degrees"),
        (settings_of(5, 0), "every 5 s, with no points at bends"),
        (settings_of(10, 20), "every 10 s, with points at bends of 20 degrees"),
        (settings_of(1, 20) | {"report_strategy": 1}, "by distance"),
        ({}, "does not tell its interval"),
        (None, "has not told its parameters"),
    ],
)
def test_whether_a_terminal_as_it_is_set_sees_a_right_turn(
    parameters: dict[str, int] | None, reason: str | None
) -> None:
    found = blind_because(parameters)
    assert found is None if reason is None else found is not None and reason in found
