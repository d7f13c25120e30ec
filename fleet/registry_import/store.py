"""A registry file into the database, in one transaction."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fleet.kinds import FenceKind, VehicleKind
from fleet.registry import QUERIES
from fleet.registry_import.column import Kind
from fleet.registry_import.entry import Choices
from fleet.registry_import.layout import LAYOUTS
from fleet.registry_import.leaving_out import plan_rest
from fleet.registry_import.planning import Fate, Plan, starts
from fleet.registry_import.problem import ImportRefusedError
from fleet.registry_import.values import name_of
from fleet.schedule import parse_schedule, to_json
from fleet.units import to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import asyncpg

    from fleet.registry_import.column import Record
    from fleet.registry_import.planning import Registered, RowFate, Starts
    from fleet.registry_import.table import Contents

# From a column of the store to the field of a record.
_FROM_STORE: Mapping[tuple[Kind, str], Callable[[Any], Any]] = {
    (Kind.VEHICLES, "kind"): lambda word: VehicleKind[word.upper()],
    (Kind.FENCES, "kind"): FenceKind,
    (Kind.FENCES, "schedule"): lambda windows: None if windows is None else parse_schedule(windows),
    (Kind.PASSES, "schedule"): lambda windows: None if windows is None else parse_schedule(windows),
}
# What a kind's rows are written with, and the fields that each statement takes behind code and start.
_ENTITIES: Mapping[Kind, tuple[str, tuple[str, ...]]] = {
    Kind.COMPANIES: ("put_companies", ("code", "name", "district", "phone")),
    Kind.VEHICLES: ("put_vehicles", ("code", "plate")),
    Kind.DRIVERS: ("put_drivers", ("code", "name", "phone")),
    Kind.FENCES: ("create_fences", ("code",)),
    Kind.PASSES: ("create_passes", ("code",)),
    Kind.DEVICES: ("put_devices", ("login", "vehicle", "model")),
}
_VERSIONS: Mapping[Kind, tuple[str, tuple[str, ...]]] = {
    Kind.VEHICLES: ("put_vehicle_versions", ("company", "kind", "limit_kmh", "driver_on_duty")),
    Kind.DRIVERS: ("put_driver_versions", ("company", "qualified_until")),
    Kind.FENCES: (
        "put_fence_versions",
        ("kind", "name", "geometry", "source_datum", "limit_kmh", "schedule", "max_dwell_s", "retired"),
    ),
    Kind.PASSES: ("put_pass_versions", ("vehicle", "fence", "starts_at", "ends_at", "schedule")),
}


async def import_registry(
    connection: asyncpg.Connection,
    contents: Contents,
    *,
    now_us: int,
    sandbox: bool = False,
    kind: Kind | None = None,
    choices: Choices | None = None,
    valid_from_us: int | None = None,
    all_or_nothing: bool = True,
    dry_run: bool = False,
) -> Plan:
    """Import the tables of a file but for its faulty rows, and return every row's fate.

    Parameters
    ----------
    connection
        Outside a transaction, or inside one that the caller commits.
    now_us, sandbox
        The installation's clock, and whether it is a sandbox.
    kind
        What a table without a name holds; None: its columns tell.
    choices
        What the person who imports has said beside the file.
    valid_from_us
        From when changes count; None: `NOTICE_S` from now.
    all_or_nothing
        Import nothing if any row is faulty.
    dry_run
        Apply nothing, and return a plan with problems instead of raising.

    Raises
    ------
    ImportRefusedError
        With everything that is wrong with the file, if it is refused as a whole; nothing was imported.
    RegistryError
        If `valid_from_us` is too early.
    """
    async with connection.transaction():
        await connection.execute(QUERIES["lock_registry"])
        received = await connection.fetchval(QUERIES["anything_received"])
        when = starts(now_us, valid_from_us, sandbox=sandbox, anything_received=received)
        registered = await read_registered(connection, when)
        made = plan_rest(
            contents.tables, registered, when, choices or Choices(), kind, all_or_nothing=all_or_nothing
        )
        made = replace(made, notes=(*contents.notes, *made.notes))
        if made.problems and not dry_run:
            raise ImportRefusedError(made.problems)
        if not dry_run:
            await _apply(connection, made)
    return made


async def read_registered(connection: asyncpg.Connection, when: Starts) -> Registered:
    """Return all records in force when the import begins to count, by kind and code."""
    at = to_datetime(when.change_us)
    registered: Registered = {}
    for kind, layout in LAYOUTS.items():
        rows = await connection.fetch(QUERIES[f"snapshot_{kind}"], at)
        registered[kind] = {row[layout.key.name]: _record(kind, row) for row in rows}
    return registered


def _record(kind: Kind, row: asyncpg.Record) -> Record:
    return LAYOUTS[kind].record(
        **{name: _FROM_STORE.get((kind, name), _same)(value) for name, value in row.items()},
    )


def _same(value: Any) -> Any:
    return value


async def _apply(connection: asyncpg.Connection, made: Plan) -> None:
    for kind in Kind:
        fates = [fate for fate in made.fates if fate.kind is kind and fate.fate in {Fate.CREATE, Fate.UPDATE}]
        if not fates:
            continue
        statement, names = _ENTITIES[kind]
        await connection.execute(QUERIES[statement], *_columns(fates, names))
        begun = [fate for fate in fates if fate.valid_from_us is not None]
        if begun:
            statement, names = _VERSIONS[kind]
            codes = [fate.code for fate in begun]
            since = [to_datetime(fate.valid_from_us or 0) for fate in begun]
            await connection.execute(QUERIES[statement], codes, since, *_columns(begun, names))


def _columns(fates: Sequence[RowFate], names: Iterable[str]) -> list[list[Any]]:
    """Return the fields of the records as one list a field, as the statements take them."""
    return [[_to_store(name, getattr(fate.record, name)) for fate in fates] for name in names]


def _to_store(name: str, value: Any) -> Any:
    if name == "kind":
        return name_of(value)
    if name == "schedule":
        value = to_json(value)
    return json.dumps(value) if name in {"geometry", "schedule"} and value is not None else value
