"""Tables of regions and device models: one TOML file each, chosen for each terminal.

The standards leave ids and codes to vendors, and vendors use the same ones for different things. What a
model is known to send is data here; without a table it is kept raw. `read_model` says what a file may hold.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.wire.jt808.faults import Code, Fault, Jt808Error
from fleet.wire.jt808.values import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent
#: T/JSATL 12-2017, which most terminals follow; type codes that no other table explains are its.
DEFAULT = "su"
UNKNOWN_TYPE = "unknown"
#: What the standard says comes first.
DATUMS, CLOCKS = ("wgs84", "gcj02"), ("beijing", "utc")
_KINDS = {"number", "text", "hex"}


@dataclass(frozen=True, slots=True)
class Value:
    """How a vendor's value is read: a number (times `scale`), text or bytes; of `length` bytes if given."""

    name: str
    kind: str
    length: int | None = None
    scale: float = 1

    def read(self, value: bytes) -> tuple[dict[str, Any], list[Fault]] | None:
        """Return what the value says; None if its length is another."""
        if self.length not in {None, len(value)} or not value:
            return None
        if self.kind == "number":
            number = int.from_bytes(value, "big")
            return {self.name: number if self.scale == 1 else round(number * self.scale, 6)}, []
        if self.kind == "hex":
            return {self.name: value.hex()}, []
        text, whole = text_of(value)
        return {self.name: text}, [] if whole else [Fault(Code.TEXT, f"{self.name} is not GBK")]


@dataclass(frozen=True, slots=True)
class Nested:
    """A vendor's item that is a list of items itself: how wide ids and lengths are, and what comes first."""

    name: str
    id_bytes: int
    length_bytes: int
    length_first: bool
    length_counts_id: bool
    values: Mapping[int, Value]

    def read(self, value: bytes) -> tuple[dict[str, Any], list[Fault]] | None:
        """Return the inner items; None if the lengths do not end where the item ends."""
        inner, faults, at = [], [], 0
        while at < len(value):
            head = self._head(value[at : at + self.id_bytes + self.length_bytes])
            if head is None:
                return None
            number, length = head
            at += self.id_bytes + self.length_bytes
            raw = value[at : at + length]
            if len(raw) < length:
                return None
            at += length
            known = self.values.get(number)
            said, found = (known.read(raw) if known is not None else None) or ({}, [])
            faults += found
            shown = {"id": f"0x{number:0{2 * self.id_bytes}x}", "length": length, "hex": raw.hex()}
            inner.append(shown | said)
        return {self.name: inner}, faults

    def _head(self, head: bytes) -> tuple[int, int] | None:
        """Return the id and the length of one inner item's value."""
        if len(head) < self.id_bytes + self.length_bytes:
            return None
        split = self.length_bytes if self.length_first else self.id_bytes
        first, second = int.from_bytes(head[:split], "big"), int.from_bytes(head[split:], "big")
        number, length = (second, first) if self.length_first else (first, second)
        length -= self.id_bytes if self.length_counts_id else 0
        return None if length < 0 else (number, length)


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a region's or a device model's terminals."""

    name: str
    title: str
    source: str
    #: Names of the type codes of active-safety items.
    types: Mapping[int, Mapping[int, str]]
    items: Mapping[int, Value | Nested]
    #: Of its positions: `wgs84` by the standard.
    datum: str = "wgs84"
    #: What its clock shows: `beijing` by the standard, or `utc`.
    clock: str = "beijing"

    def type_name(self, item: int, code: int) -> str:
        """Return what a type code means here; `unknown` where nobody has said."""
        return self.types.get(item, {}).get(code, UNKNOWN_TYPE)

    def read(self, item: int, value: bytes) -> tuple[dict[str, Any], list[Fault]] | None:
        """Return what an item says by the vendor's table; None if it has no such item of that length."""
        known = self.items.get(item)
        return None if known is None else known.read(value)


def names() -> list[str]:
    """Return the models that there is a table of."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def model(name: str) -> Model:
    """Return the tables of a model."""
    if name not in names():
        raise Jt808Error(f"no tables of a device model {name!r}; there are {', '.join(names())}")
    return read_model(name, (FOLDER / f"{name}.toml").read_text("utf-8"))


def read_model(name: str, document: str) -> Model:
    """Return the tables of a document.

    `title` and `source` are sentences. `[types.0x67]` names type codes (`1 = "rear_approach"`); with
    `base = "su"` those of that file hold where this one says nothing. `[items.0xf7]` is a value (`name`,
    `kind`, `length`, `scale`) or nested (`name`, `id_bytes`, `length_bytes`, `length_first`,
    `length_counts_id`, and `[items.0xeb.values.0x00b2]` of values). `datum` (`wgs84`, `gcj02`) and `clock`
    (`beijing`, `utc`) are what terminals of the model send against the standard.
    """
    try:
        content = tomllib.loads(document)
        base = model(content["base"]).types if "base" in content else {}
        types = {
            int(item, 16): {int(code, 16): str(said) for code, said in codes.items()}
            for item, codes in content.get("types", {}).items()
        }
        return Model(
            name=name,
            title=content["title"],
            source=content["source"],
            types={item: {**base.get(item, {}), **types.get(item, {})} for item in {*base, *types}},
            items={int(item, 16): _read_item(entry) for item, entry in content.get("items", {}).items()},
            datum=_one_of(content, "datum", DATUMS),
            clock=_one_of(content, "clock", CLOCKS),
        )
    except KeyError as error:
        raise Jt808Error(f"tables of the model {name}: {error} is missing") from error
    except (tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise Jt808Error(f"tables of the model {name}: {error}") from error


def _one_of(content: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    """Return what a table says of `name`; the first of the choices if nothing."""
    said = content.get(name, choices[0])
    if said not in choices:
        raise ValueError(f"the {name} {said!r} is none of {', '.join(choices)}")
    return str(said)


def _read_item(entry: Mapping[str, Any]) -> Value | Nested:
    if "values" not in entry:
        return _read_value(entry)
    for width in ("id_bytes", "length_bytes"):
        if entry[width] not in {1, 2}:
            raise ValueError(f"{entry['name']}: {width} is {entry[width]}, not 1 or 2")
    return Nested(
        name=entry["name"],
        id_bytes=entry["id_bytes"],
        length_bytes=entry["length_bytes"],
        length_first=entry.get("length_first", False),
        length_counts_id=entry.get("length_counts_id", False),
        values={int(number, 16): _read_value(value) for number, value in entry["values"].items()},
    )


def _read_value(entry: Mapping[str, Any]) -> Value:
    if entry["kind"] not in _KINDS:
        kinds = ", ".join(sorted(_KINDS))
        raise ValueError(f"{entry['name']}: the kind {entry['kind']!r} is none of {kinds}")
    return Value(entry["name"], entry["kind"], entry.get("length"), entry.get("scale", 1))
