"""Bodies as tables: one description that both reads and writes the bytes of a message.

A layout is a row of parts; each puts what it reads under its name into a mapping that JSON can hold, and
writes it back from there. Reading never raises for what a stranger may send: it keeps what could be read
and names what could not.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Protocol

from fleet.wire.jt808.faults import Code, Fault, Jt808Error
from fleet.wire.jt808.values import CHINA, bytes_of, digits_of, moment_of, rfc3339, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fleet.wire.jt808.models import Model

    Values = dict[str, Any]
    Layout = Sequence["Part"]


class Short(Exception):  # noqa: N818 - no error: how a reader says that the bytes are over
    """There are fewer bytes than a part needs."""


@dataclass(slots=True)
class Reader:
    """Bytes, how far they have been read, and what was found wrong."""

    data: bytes
    at: int = 0
    faults: list[Fault] = field(default_factory=list)
    #: Tables of the terminal's model, if one was chosen.
    model: Model | None = None

    @property
    def left(self) -> int:
        """Bytes that have not been read."""
        return len(self.data) - self.at

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        if size > self.left:
            raise Short(f"need {size} bytes at {self.at}, have {self.left}")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        """Return the next bytes as a number."""
        return int.from_bytes(self.take(size), "big")

    def rest(self) -> bytes:
        """Return all that is left."""
        return self.take(self.left)

    def fault(self, code: Code, detail: str) -> None:
        """Name what is wrong."""
        self.faults.append(Fault(code, detail))


class Part(Protocol):
    """One element of a layout."""

    def read(self, reader: Reader, values: Values) -> None:
        """Read the bytes into `values`."""

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Append the bytes of what `values` has under this part's name."""


def read_parts(parts: Layout, reader: Reader) -> Values:
    """Return what the parts read; what is missing at the end is named and left out."""
    values: Values = {}
    try:
        for part in parts:
            part.read(reader, values)
    except Short as short:
        reader.fault(Code.BODY, str(short))
    return values


def write_parts(parts: Layout, values: Mapping[str, Any]) -> bytes:
    """Return the bytes of the values."""
    out = bytearray()
    for part in parts:
        part.write(values, out)
    return bytes(out)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Turn what a wrong value raises into an error that names the field."""
    try:
        yield
    except KeyError as error:
        raise Jt808Error(f"the field {name} is missing") from error
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Jt808Error(f"the field {name} cannot be written: {error}") from error


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
        with _naming(self.name):
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
        with _naming(self.name):
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
        with _naming(self.name):
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
        with _naming(self.name):
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
        with _naming(self.name):
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
        with _naming(self.name):
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


@dataclass(frozen=True, slots=True)
class Group:
    """Parts under one name."""

    name: str
    parts: Layout

    def read(self, reader: Reader, values: Values) -> None:
        """Read it."""
        inner: Values = {}
        values[self.name] = inner
        for part in self.parts:
            part.read(reader, inner)

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write it."""
        with _naming(self.name):
            inner = values[self.name]
        for part in self.parts:
            part.write(inner, out)


@dataclass(frozen=True, slots=True)
class List:
    """Elements: their number stands before them in `count` bytes, or earlier under the name `counted_by`.

    With `count` 0 and no such name there are as many as there are bytes.
    """

    name: str
    parts: Layout
    count: int = 1
    counted_by: str = ""

    def read(self, reader: Reader, values: Values) -> None:
        """Read it; a number of elements that lies is named, and what is there is kept."""
        elements: list[Values] = []
        values[self.name] = elements
        expected = reader.number(self.count) if self.count else values.get(self.counted_by)
        while reader.left if expected is None else len(elements) < expected:
            if not reader.left:
                reader.fault(Code.COUNT, f"{self.name}: {expected} announced, {len(elements)} present")
                return
            element: Values = {}
            for part in self.parts:
                part.read(reader, element)
            elements.append(element)

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write it."""
        with _naming(self.name):
            elements = values[self.name]
            if self.count:
                out += len(elements).to_bytes(self.count, "big")
            for element in elements:
                for part in self.parts:
                    part.write(element, out)


@dataclass(frozen=True, slots=True)
class Scalars:
    """As `List`, of elements that are one part each: `[2, 4, 5]` rather than `[{"index": 2}, …]`."""

    name: str
    part: Part
    count: int = 1

    def read(self, reader: Reader, values: Values) -> None:
        """Read it."""
        inner: Values = {}
        listed = List(self.name, (self.part,), self.count)
        try:
            listed.read(reader, inner)
        finally:
            values[self.name] = [next(iter(element.values())) for element in inner.get(self.name, ())]

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write it."""
        with _naming(self.name):
            name = getattr(self.part, "name")  # noqa: B009 - a protocol does not say that parts have names
            elements = [{name: element} for element in values[self.name]]
        List(self.name, (self.part,), self.count).write({self.name: elements}, out)


@dataclass(frozen=True, slots=True)
class When:
    """Parts that are there only if what was read before says so."""

    test: Callable[[Mapping[str, Any]], bool]
    parts: Layout

    def read(self, reader: Reader, values: Values) -> None:
        """Read them."""
        if self.test(values):
            for part in self.parts:
                part.read(reader, values)

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write them."""
        if self.test(values):
            for part in self.parts:
                part.write(values, out)


@dataclass(frozen=True, slots=True)
class Optional:
    """Parts at the end that a body may lack."""

    parts: Layout

    def read(self, reader: Reader, values: Values) -> None:
        """Read them if there is anything left."""
        if reader.left:
            for part in self.parts:
                part.read(reader, values)

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write them if the first of them is there."""
        if getattr(self.parts[0], "name", None) in values:
            for part in self.parts:
                part.write(values, out)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that the layout itself implies, e.g. which of several it is; it takes no bytes."""

    name: str
    value: Any

    def read(self, _reader: Reader, values: Values) -> None:
        """Tell it."""
        values[self.name] = self.value

    def write(self, values: Mapping[str, Any], _out: bytearray) -> None:
        """Check that it is what is asked for, if anything is."""
        if values.get(self.name, self.value) != self.value:
            raise Jt808Error(f"the field {self.name} is {values[self.name]!r}, not {self.value!r}")


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that tells one of several layouts from the others; it takes no bytes."""

    test: Callable[[Mapping[str, Any]], bool]
    detail: str

    def read(self, reader: Reader, values: Values) -> None:
        """Name it if it does not hold."""
        if not self.test(values):
            reader.fault(Code.BODY, self.detail)

    def write(self, _values: Mapping[str, Any], _out: bytearray) -> None:
        """Write nothing."""
