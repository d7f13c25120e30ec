"""Bodies as tables: one description that both reads and writes the bytes of a message.

A layout is a row of parts; each puts what it reads under its name into a mapping that JSON can hold, and
writes it back from there. Reading never raises for what a stranger may send: it keeps what could be read
and names what could not. Parts of one value are in `fields`; here are those that hold other parts.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from fleet.wire.jt808.faults import Code, Fault, Jt808Error

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
def naming(name: str) -> Iterator[None]:
    """Turn what a wrong value raises into an error that names the field."""
    try:
        yield
    except KeyError as error:
        raise Jt808Error(f"the field {name} is missing") from error
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Jt808Error(f"the field {name} cannot be written: {error}") from error


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
        with naming(self.name):
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
        with naming(self.name):
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
        with naming(self.name):
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
