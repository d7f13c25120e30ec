"""Commands of wire v1 to messages of JT/T 808, and what terminals answer to them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from fleet.units import to_us
from fleet.wire.jt808.faults import Jt808Error
from fleet.wire.jt808.header import V2011, V2019
from fleet.wire.jt808.parameters import PARAMETERS
from fleet.wire.v1.encoding import rfc3339_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fleet.wire.jt808 import Decoded, Position
    from fleet.wire.v1.payloads import CommandOut

_SET, _QUERY_ALL, _QUERY, _LOCATE, _TRACK, _TEXT = 0x8103, 0x8104, 0x8106, 0x8201, 0x8202, 0x8300
#: Urgent, shown and read aloud. In 2019 urgency is a number of two bits, and the kind of text follows.
_TEXT_FLAG, _TEXT_FLAG_2019, _NOTICE = 0x0D, 0x0E, 1
_IDS = {name: number for number, (name, _) in PARAMETERS.items()}
_GENERAL_ANSWER = 0x0001
_SECRETS = frozenset(name for name in _IDS if name.endswith("password"))
#: What the general answer says, beside that all is well: the result here, and why.
_REFUSED = {
    1: ("failed", "the terminal says that it failed"),
    2: ("refused", "the terminal says that the message is incorrect"),
    3: ("refused", "the terminal does not support this"),
}


class Downlink(NamedTuple):
    """One message to a terminal."""

    message_id: int
    values: Mapping[str, Any]


class Said(NamedTuple):
    """What a terminal answered."""

    result: str
    detail: str = ""
    values: Mapping[str, Any] | None = None


def downlink(command: CommandOut, version: int) -> Downlink:
    """Return the message that carries a command to a terminal of an edition.

    Raises
    ------
    Jt808Error
        If there is none.
    """
    values = command.values or {}
    match command.kind:
        case "prompt":
            head = (
                {"flag": _TEXT_FLAG_2019, "text_type": _NOTICE} if version == V2019 else {"flag": _TEXT_FLAG}
            )
            return Downlink(_TEXT, head | {"text": command.text or ""})
        case "set":
            return Downlink(_SET, {"params": _parameters(values), "total": len(values)})
        case "query":
            return _query(values.get("names") or [], version)
        case "locate":
            return Downlink(_LOCATE, {})
        case "track":
            # An interval of 0 ends it, and then nothing follows.
            return Downlink(
                _TRACK, {"interval_s": values.get("interval_s", 0), "valid_s": values.get("for_s", 0)}
            )
    raise Jt808Error(f"a terminal of JT/T 808 has no order for {command.kind!r}")


def _query(names: Sequence[str], version: int) -> Downlink:
    # A terminal of 2011 knows no query of some.
    if not names or version == V2011:
        return Downlink(_QUERY_ALL, {})
    return Downlink(_QUERY, {"ids": [_id(name) for name in names]})


def _parameters(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"id": name, "hex": str(value).removeprefix("hex:")}
        if name.startswith("0x")
        else {"id": _id(name), "value": value}
        for name, value in values.items()
    ]


def _id(name: str) -> str:
    if name.startswith("0x"):
        return name
    if name not in _IDS:
        raise Jt808Error(f"no parameter is called {name!r}")
    return f"0x{_IDS[name]:04x}"


def said(message: Decoded, datum: str, offset_us: int) -> Said:
    """Return what an answer says, as wire v1 has it.

    `datum` is that of the terminal's positions, `offset_us` what is to be added to its times.
    """
    body = message.body
    if message.header is not None and message.header.message_id == _GENERAL_ANSWER:
        result = int(body.get("result", -1))
        return Said("done") if result == 0 else Said(*_REFUSED.get(result, ("failed", f"result {result}")))
    if message.positions:
        return Said("done", values=_place(message.positions[0], datum, offset_us))
    if "params" in body:
        return Said("done", values={"parameters": _told(body["params"])})
    return Said("done")


def _told(parameters: list[dict[str, Any]]) -> dict[str, Any]:
    """Return parameters by name; those without a name by id, as they came. No password is passed on."""
    found: dict[str, Any] = {}
    for one in parameters:
        name = one.get("name")
        if name in _SECRETS:
            found[name] = None
        elif name is not None and "value" in one:
            found[name] = one["value"]
        else:
            found[one["id"]] = f"hex:{one['hex']}"
    return found


def _place(position: Position, datum: str, offset_us: int) -> dict[str, Any]:
    """Return where a terminal is; what it does not know is left out."""
    found: dict[str, Any] = {"speed_kmh": position.speed_dkmh / 10}
    if position.time is not None:
        found["time"] = rfc3339_of(to_us(position.time) + offset_us)
    if position.valid:
        found |= {"lat": position.lat_udeg / 1e6, "lon": position.lon_udeg / 1e6, "datum": datum}
    return found
