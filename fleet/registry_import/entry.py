"""What a row of a file says, and what the person who imports it has said beside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.kinds import VehicleKind
    from fleet.registry_import.column import Kind
    from fleet.registry_import.mending import Repair


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person who imports has said beside the file."""

    #: Of fences that do not name theirs.
    datum: str | None = None
    #: Mend geometries where they can be.
    repair: bool = False
    #: Leave unknown columns aside.
    ignore_unknown: bool = False
    #: Codes of companies by the names that the file calls them; "" is any other name, or none.
    company: Mapping[str, str] = field(default_factory=dict)
    #: Of new vehicles whose rows do not say it.
    vehicle_kind: VehicleKind | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row says: the values given, by name of the column."""

    kind: Kind
    row: int
    code: str
    given: Mapping[str, Any]
    #: Columns that the row may have meant to give, but that could not be read.
    unread: frozenset[str] = frozenset()
    #: The table's name, where it has one.
    table: str = ""


@dataclass(frozen=True, slots=True)
class RowRepair:
    """What was mended in one row."""

    row: int
    code: str
    repair: Repair
