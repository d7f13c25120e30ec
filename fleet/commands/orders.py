"""Which orders there are, and what belongs to each. Pure.

An order is checked here once, whoever gives it: a person at a shell or at the desk, a program, a rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fleet.errors import KerbsafeError
from fleet.wire.jt808.parameters import PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: A driver hears some 20 characters in 5 s.
MAX_CHARACTERS = 100
MAX_SETTINGS = 50
LONGEST_INTERVAL_S, LONGEST_TRACKING_S = 3600, 86_400
#: Where a terminal reports to. With a wrong value of one of them nobody hears of it again.
_WAYS = frozenset(
    name
    for name, _ in PARAMETERS.values()
    if name.endswith(("server", "apn", "apn_user", "apn_password", "_port"))
)
_WIDTHS = dict(PARAMETERS.values())
#: Bounds narrower than the width of the parameter: what lies outside would silence a terminal.
_BOUNDS = {
    "heartbeat_s": (1, 170),
    "report_strategy": (0, 2),
    "report_default_s": (1, 3600),
    "report_turn_deg": (0, 179),
}
_RAW_ID = re.compile(r"0x[0-9a-f]{1,8}")
_RAW_VALUE = re.compile(r"hex:((?:[0-9a-f]{2}){0,255})")


class CommandError(KerbsafeError):
    """An order that cannot be given."""


class Kind(StrEnum):
    """What may be ordered."""

    PROMPT = "prompt"
    SET = "set"
    QUERY = "query"
    LOCATE = "locate"
    TRACK = "track"
    AREAS = "areas"
    DELETE_AREAS = "delete_areas"


class State(StrEnum):
    """How far an order has come; `command_state` of the schema decides."""

    QUEUED = "queued"
    #: A gateway has taken it for a terminal that is connected.
    SENT = "sent"
    #: Carried out, as the unit says. That a driver heard a text nobody says.
    ACKNOWLEDGED = "acknowledged"
    #: The unit cannot or will not.
    REFUSED = "refused"
    #: The unit tried.
    FAILED = "failed"
    #: It was sent, and nobody said what became of it: it may have been carried out.
    TIMED_OUT = "timed_out"
    #: It came to nobody, or too late, and was not carried out.
    EXPIRED = "expired"


#: What does not change any more.
FINAL = frozenset(State) - {State.QUEUED, State.SENT}


@dataclass(frozen=True, slots=True)
class Order:
    """One order, checked."""

    kind: Kind
    text: str | None = None
    values: Mapping[str, Any] | None = None

    @property
    def content(self) -> dict[str, Any]:
        """What belongs to it beside its kind, as it is stored and sent."""
        return {
            name: value for name, value in (("text", self.text), ("values", self.values)) if value is not None
        }


def prompt(text: str) -> Order:
    """Return the order to say and show a text to the driver."""
    return Order(Kind.PROMPT, text=checked_text(text))


def checked_text(text: str) -> str:
    """Return a text for a driver, without the space around it.

    Raises
    ------
    CommandError
        If it is empty, too long, or has a character that terminals cannot show.
    """
    text = text.strip()
    if not 1 <= len(text) <= MAX_CHARACTERS:
        raise CommandError(
            f"a text for the driver has 1 to {MAX_CHARACTERS} characters, not {len(text)}; 20 take 5 s"
        )
    for character in text:
        if not character.isprintable() or not _in_gbk(character):
            raise CommandError(f"terminals cannot show {character!a}: a text for the driver is plain GBK")
    return text


def _in_gbk(character: str) -> bool:
    try:
        character.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True


def settings(values: Mapping[str, Any]) -> Order:
    """Return the order to set parameters, by their names of `docs/jt808.md`.

    What the standard has no name for is given by its id, and its value as `hex:` and hexadecimal digits.
    """
    if not 1 <= len(values) <= MAX_SETTINGS:
        raise CommandError(f"set 1 to {MAX_SETTINGS} parameters at once, not {len(values)}")
    return Order(Kind.SET, values={name: _checked_value(name, value) for name, value in values.items()})


def is_text(name: str) -> bool:
    """Say whether the value of a parameter is a text; others are whole numbers."""
    return _WIDTHS.get(name) == 0


def _checked_value(name: str, value: Any) -> int | str:
    if _RAW_ID.fullmatch(name):
        known = PARAMETERS.get(int(name, 16))
        if known is not None:
            raise CommandError(f"the parameter {name} has a name: {known[0]}")
        if not (isinstance(value, str) and _RAW_VALUE.fullmatch(value)):
            raise CommandError(
                f"the value of {name} is given as hex: and digits a-f, 0-9, e.g. {name}=hex:0505"
            )
        return value
    if name not in _WIDTHS:
        raise CommandError(f"no parameter is called {name!r}; they are {', '.join(_WIDTHS)}, or 0x…")
    if name in _WAYS:
        raise CommandError(
            f"{name} decides where the terminal reports to, and with a wrong value it is lost: set it with "
            "its maker's tool"
        )
    width = _WIDTHS[name]
    if not width:
        if not isinstance(value, str):
            raise CommandError(f"the parameter {name} is a text, not {value!r}")
        return value
    low, high = _BOUNDS.get(name, (0, 256**width - 1))
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise CommandError(f"the parameter {name} is a whole number from {low} to {high}, not {value!r}")
    return value


def query(names: Sequence[str] = ()) -> Order:
    """Return the order to tell some parameters, or all."""
    if len(names) > MAX_SETTINGS:
        raise CommandError(f"ask for {MAX_SETTINGS} parameters at once at most, or for all")
    for name in names:
        if name not in _WIDTHS and not _RAW_ID.fullmatch(name):
            raise CommandError(f"no parameter is called {name!r}; they are {', '.join(_WIDTHS)}, or 0x…")
    return Order(Kind.QUERY, values={"names": list(names)} if names else None)


def locate() -> Order:
    """Return the order to report the position now."""
    return Order(Kind.LOCATE)


def track(interval_s: int, for_s: int) -> Order:
    """Return the order to report the position at an interval for a while; an interval of 0 ends that."""
    if not 0 <= interval_s <= LONGEST_INTERVAL_S or not 1 <= for_s <= LONGEST_TRACKING_S:
        raise CommandError(
            f"a terminal is tracked every 0 to {LONGEST_INTERVAL_S} s (0 ends it), for 1 to "
            f"{LONGEST_TRACKING_S} s; not every {interval_s} s for {for_s} s"
        )
    return Order(Kind.TRACK, values={"interval_s": interval_s, "for_s": for_s})


def order_of(kind: str, text: str | None, values: Mapping[str, Any] | None) -> Order:
    """Return the order that a program asks for, by the names of the wire.

    Raises
    ------
    CommandError
        Naming what is missing, or does not belong to it.
    """
    given = {} if values is None else dict(values)
    try:
        match kind:
            case Kind.PROMPT:
                made = prompt(_needed("text", text))
            case Kind.SET:
                made = settings(_needed("values", values))
            case Kind.QUERY:
                made = query(given.pop("names", ()))
            case Kind.LOCATE:
                made = locate()
            case Kind.TRACK:
                made = track(_needed("values.interval_s", given.get("interval_s")), given.get("for_s", 600))
            case _:
                raise CommandError(f"nothing of the kind {kind!r} is ordered")
    except TypeError as error:
        raise CommandError(f"what belongs to {kind} is of another type: {error}") from error
    if (text is not None) > (made.text is not None) or given.keys() - (made.values or {}).keys():
        raise CommandError(f"an order of the kind {kind} has no such text or values")
    return made


def _needed(name: str, value: Any) -> Any:
    if value is None:
        raise CommandError(f"`{name}` is missing")
    return value
