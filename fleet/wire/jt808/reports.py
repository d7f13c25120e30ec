"""Location reports inside other messages: alone, after a serial, in batches, beside a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet.wire.jt808.faults import Code, Fault
from fleet.wire.jt808.layout import Short
from fleet.wire.jt808.position import build_position, read_base_with_faults, read_position

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.wire.jt808.layout import Reader, Values

#: Under this name a body has its location reports.
POSITIONS = "positions"


@dataclass(frozen=True, slots=True)
class Report:
    """One report with its items: all that is left."""

    name: str = POSITIONS

    def read(self, reader: Reader, values: Values) -> None:
        """Read it."""
        position, faults = read_position(reader.rest(), reader.model)
        values[self.name] = [] if position is None else [position]
        reader.faults += faults

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write it."""
        (position,) = values[self.name]
        out += build_position(position)


@dataclass(frozen=True, slots=True)
class Base:
    """The fixed part of one report."""

    name: str = POSITIONS

    def read(self, reader: Reader, values: Values) -> None:
        """Read it."""
        values[self.name] = [read_base_with_faults(reader)]

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write it."""
        (position,) = values[self.name]
        out += build_position(position)


@dataclass(frozen=True, slots=True)
class Batch:
    """0x0704: a number, a type, and reports after their lengths. One bad report does not spoil the others."""

    name: str = POSITIONS

    def read(self, reader: Reader, values: Values) -> None:
        """Read it."""
        values["count"], values["type"] = reader.number(2), reader.number(1)
        values[self.name] = positions = []
        read = 0
        while reader.left and read < values["count"]:
            size = reader.number(2)
            if size > reader.left:
                raise Short(f"report {read + 1} declares {size} bytes, {reader.left} are left")
            position, faults = read_position(reader.take(size), reader.model)
            read += 1
            reader.faults += [Fault(fault.code, f"report {read}: {fault.detail}") for fault in faults]
            if position is not None:
                positions.append(position)
        if read != values["count"] or reader.left:
            more = f", and {reader.left} bytes are left" if reader.left else ""
            reader.fault(Code.COUNT, f"{values['count']} reports announced, {read} present{more}")
            reader.rest()

    def write(self, values: Mapping[str, Any], out: bytearray) -> None:
        """Write it."""
        positions = values[self.name]
        out += len(positions).to_bytes(2, "big") + bytes([values["type"]])
        for position in positions:
            report = build_position(position)
            out += len(report).to_bytes(2, "big") + report
