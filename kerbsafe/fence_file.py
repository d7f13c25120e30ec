"""Fences and a registry from files, for replay: as the registry would import them, in force since ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.rules.fence import Watch
from fleet.errors import KerbsafeError
from fleet.fences.passes import Passes, PassVersion
from fleet.fences.versions import Fences, FenceVersion
from fleet.registry import BEGINNING_US, Fence, Pass, Vehicle
from fleet.registry_import.checking import check, recognise
from fleet.registry_import.layout import Kind
from fleet.registry_import.planning import Starts, plan
from fleet.registry_import.problem import ImportRefusedError
from fleet.registry_import.reading import LARGEST_BYTES, read_registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fleet.registry_import.checking import Checked
    from fleet.registry_import.layout import Record
    from fleet.registry_import.table import Contents

#: Vehicles of which nothing is said belong to no company.
_NO_COMPANY = -1
_RULEBOOKS_LIMIT = -1


class FenceFileError(KerbsafeError):
    """A file of fences, or a registry, cannot be used; the message names every fault."""


class Files(NamedTuple):
    """What a replay may know of vehicles and places beside their fixes."""

    registry: Path | None
    fences: Path | None
    #: Of fences that do not name theirs.
    datum: str | None


class Known(NamedTuple):
    """What files say of some vehicles."""

    facts: FactsOfFile
    #: None: no fence is anywhere.
    watch: Watch | None


class FactsOfFile:
    """Kind and limit of each vehicle by its id; they never change. Satisfies `alerts.engine.Facts`."""

    def __init__(self, vehicles: Sequence[Vehicle | None], limit_kmh: int) -> None:
        """Take one element a vehicle id; `limit_kmh` (-1: the rulebook's) is that of all that are None."""
        self._kind = np.array([0 if of is None else of.kind for of in vehicles], np.int16)
        limits = [limit_kmh if of is None else of.limit_kmh or _RULEBOOKS_LIMIT for of in vehicles]
        self._limit_kmh = np.array(limits, np.int16)

    def at(
        self, vehicle_id: NDArray[np.int32], time_us: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int16]]:
        """Return no company, and the kind and limit of each vehicle, whenever."""
        shape = np.broadcast_shapes(vehicle_id.shape, time_us.shape)
        kind, limit = (np.broadcast_to(each[vehicle_id], shape) for each in (self._kind, self._limit_kmh))
        return np.full(shape, _NO_COMPANY, np.int32), kind, limit


def read_known(files: Files, codes: Sequence[str | None], limit_kmh: int) -> Known:
    """Read what the files say of vehicles whose ids are the indices of `codes`.

    `limit_kmh` (-1: the rulebook's) is the limit of vehicles that the registry does not name.
    Raises `FenceFileError` with every fault of the files.
    """
    tables = [] if files.registry is None else _tables(files.registry, files.datum)
    tables += [] if files.fences is None else _fence_tables(files.fences, files.datum)
    records = list(_records(tables, ", ".join(str(path) for path in files[:2] if path is not None)))
    vehicles = {record.code: record for record in records if isinstance(record, Vehicle)}
    facts = FactsOfFile([vehicles.get(code) if code else None for code in codes], limit_kmh)
    versions = _versions(records)
    watch = Watch(Fences(versions), Passes(_passes(records, versions, codes))) if versions else None
    return Known(facts, watch)


def read_fences(path: Path, datum: str | None) -> Watch:
    """Read a GeoJSON FeatureCollection of fences; `datum` is that of fences that do not name theirs."""
    return Watch(Fences(_versions(_records(_fence_tables(path, datum), str(path)))), Passes())


def _versions(records: Iterable[Record]) -> list[FenceVersion]:
    fences = (record for record in records if isinstance(record, Fence))
    return [FenceVersion(number, BEGINNING_US, fence) for number, fence in enumerate(fences, 1)]


def _passes(
    records: Iterable[Record], fences: Iterable[FenceVersion], codes: Sequence[str | None]
) -> Iterator[PassVersion]:
    """Yield a version of each pass for every vehicle id that it is for."""
    fence_id = {version.fence.code: version.fence_id for version in fences}
    leaves = [record for record in records if isinstance(record, Pass)]
    held = [(row, leave) for leave in leaves for row, code in enumerate(codes) if code == leave.vehicle]
    for number, (vehicle_id, leave) in enumerate(held, 1):
        yield PassVersion(number, BEGINNING_US, vehicle_id, fence_id[leave.fence], leave)


def _records(tables: Iterable[Checked], named: str) -> Iterator[Record]:
    """Yield what the tables register, as one import of them all would: one may refer to another."""
    parts = list(tables)
    entries = [entry for part in parts for entry in part.entries]
    problems = [problem for part in parts for problem in part.problems]
    made = plan(entries, {}, Starts(BEGINNING_US, BEGINNING_US), problems)
    if made.problems:
        raise FenceFileError(f"{named}: " + "; ".join(str(problem) for problem in made.problems))
    yield from (fate.record for fate in made.fates if fate.record is not None)


def _fence_tables(path: Path, datum: str | None) -> list[Checked]:
    contents = _contents(path)
    if any(table.kind is not Kind.FENCES for table in contents.tables):
        raise FenceFileError(f"{path}: not fences; give a GeoJSON FeatureCollection of polygons")
    if not any(table.rows or table.problems for table in contents.tables):
        raise FenceFileError(f"{path}: there is no fence in it; give a FeatureCollection of polygons")
    return [check(table, Kind.FENCES, datum=datum) for table in contents.tables]


def _tables(path: Path, datum: str | None) -> list[Checked]:
    contents = _contents(path)
    try:
        return [check(table, table.kind or recognise(table), datum=datum) for table in contents.tables]
    except ImportRefusedError as refused:
        raise FenceFileError(f"{path}: {refused.problems[0]}") from refused


def _contents(path: Path) -> Contents:
    try:
        with path.open("rb") as file:
            return read_registry(file.read(LARGEST_BYTES + 1))
    except OSError as error:
        raise FenceFileError(f"cannot read {path}: {error.strerror or error}") from error
    except ImportRefusedError as refused:
        raise FenceFileError(f"{path}: {refused.problems[0]}") from refused
