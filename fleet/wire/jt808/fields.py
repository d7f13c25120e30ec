"""Parts of a layout that are one value each: numbers, text, times, bits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from fleet.wire.jt808.faults import Code, Jt808Error
from fleet.wire.jt808.layout import naming
from fleet.wire.jt808.values import CHINA, bytes_of, digits_of, moment_of, rfc3339, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fleet.wire.jt808.layout import Reader, Values


def _sized(raw: bytes, size: int, name: str) -> bytes:
    if len(raw) != size:
        raise Jt808Error(f"the field {name} has {len(raw)} bytes rather than {size}")
    return raw


@dataclass(frozen=True, slots=True)
class Number:
    """An unsigned number, divided by `scale`."""

    name: str
    size: int = 1
    scale: int = 1

    def read(self, reader: Reader, values: Values) -> None:
        """Read it."""
        raw = reader.number(self.size)
        values[self.name] = raw if self.scale == 1 else raw / self.scale

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write it."""
        with naming(self.name):
            out += round(values[self.name] * self.scale).to_bytes(self.size, "big")


@dataclass(frozen=True, slots=True)
class Id:
    """A number that people know in hexadecimal digits, e.g. `0x0200`."""

    name: str
    size: int = 2

    def read(self, reader: Reader, values: Values) -> None:
        """Read it."""
        values[self.name] = f"0x{reader.number(self.size):0{min(2 * self.size, 4)}x}"

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write it."""
        with naming(self.name):
            out += int(values[self.name], 16).to_bytes(self.size, "big")


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes as hexadecimal digits: BCD digits that stand for themselves, or what nobody may interpret.

    `size` None takes all that is left.
    """

    name: str
    size: int | None = None

    def read(self, reader: Reader, values: Values) -> None:
        """Read it."""
        values[self.name] = (reader.rest() if self.size is None else reader.take(self.size)).hex()

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write it."""
        with naming(self.name):
            raw = bytes.fromhex(values[self.name])
        out += raw if self.size is None else _sized(raw, self.size, self.name)


@dataclass(frozen=True, slots=True)
class Text:
    """GBK text: of `size` bytes, padded; or after its length in `prefix` bytes; or all that is left."""

    name: str
    size: int | None = None
    prefix: int = 0

    def read(self, reader: Reader, values: Values) -> None:
        """Read it."""
        size = reader.number(self.prefix) if self.prefix else self.size
        text, whole = text_of(reader.rest() if size is None else reader.take(size))
        if not whole:
            reader.fault(Code.TEXT, f"{self.name} is not GBK")
        values[self.name] = text

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write it."""
        with naming(self.name):
            raw = bytes_of(values[self.name])
            if self.prefix:
                out += len(raw).to_bytes(self.prefix, "big")
            elif self.size is not None:
                raw = _sized(raw.ljust(self.size, b"\x00"), self.size, self.name)
            out += raw


@dataclass(frozen=True, slots=True)
class Time:
    """`YYMMDDhhmmss` in China's zone, or in UTC, as RFC 3339 in UTC; all zeros are None."""

    name: str
    zone: tzinfo = CHINA

    def read(self, reader: Reader, values: Values) -> None:
        """Read it."""
        digits = reader.take(6).hex()
        moment = moment_of(digits, self.zone)
        if moment is None and digits.strip("0"):
            reader.fault(Code.TIME, f"{self.name} {digits} is no time")
        values[self.name] = None if moment is None else rfc3339(moment)

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write it."""
        with naming(self.name):
            said = values[self.name]
            digits = "00" * 6 if said is None else digits_of(datetime.fromisoformat(said), self.zone)
            out += bytes.fromhex(digits)


@dataclass(frozen=True, slots=True)
class Bits:
    """A number whose bits have names; one without a name is told by its place."""

    name: str
    size: int
    names: Sequence[str]

    def read(self, reader: Reader, values: Values) -> None:
        """Read it."""
        values[self.name] = names_of_bits(reader.number(self.size), self.names)

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write it."""
        with naming(self.name):
            out += bits_of_names(values[self.name], self.names).to_bytes(self.size, "big")


def names_of_bits(number: int, names: Sequence[str]) -> list[str]:
    """Return the names of the bits that are set, e.g. `bit_17` where the table has none."""
    return [
        names[bit] if bit < len(names) and names[bit] else f"bit_{bit}"
        for bit in range(number.bit_length())
        if number >> bit & 1
    ]


def bits_of_names(said: Sequence[str], names: Sequence[str]) -> int:
    """Return the number whose bits have these names."""
    number = 0
    for name in said:
        number |= 1 << (int(name[4:]) if name.startswith("bit_") else list(names).index(name))
    return number
