"""Fences and a registry from files, for replay: as the registry would import them, in force since ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.in_force.watch import Watch
from fleet.entities import BEGINNING_US, Fence, Pass, Vehicle
from fleet.errors import KerbsafeError
from fleet.fences.passes import Passes, PassVersion
from fleet.fences.versions import Fences, FenceVersion
from fleet.language import Words
from fleet.printable import printable
from fleet.registry_import.column import Kind
from fleet.registry_import.entry import Choices
from fleet.registry_import.leaving_out import plan_rest
from fleet.registry_import.planning import Starts
from fleet.registry_import.problem import ImportRefusedError
from fleet.registry_import.reading import LARGEST_BYTES, read_registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fleet.registry_import.column import Record
    from fleet.registry_import.problem import Problem
    from fleet.registry_import.table import Contents, Table

#: Vehicles of which nothing is said belong to no company.
_NO_COMPANY = -1
_RULEBOOKS_LIMIT = -1
#: How many problems of a file are told at once.
_MAX_TOLD = 20


class FenceFileError(KerbsafeError):
    """A file of fences, or a registry, cannot be used; the message names every fault."""


class Files(NamedTuple):
    """What a replay may know of vehicles and places beside their fixes."""

    registry: Path | None
    fences: Path | None
    #: Of fences that do not name theirs.
    datum: str | None
    #: Leave columns and properties aside that are not known.
    ignore_unknown: bool = False


class Known(NamedTuple):
    """What files say of some vehicles."""

    facts: FactsOfFile
    #: None: no fence is anywhere.
    watch: Watch | None
    #: How the files were read, where that is not plain.
    notes: tuple[Words, ...] = ()


class FactsOfFile:
    """Kind and limit of each vehicle by its id; they never change. Satisfies `alerts.context.Facts`."""

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
    tables = [] if files.registry is None else [*_contents(files.registry).tables]
    tables += [] if files.fences is None else _fence_tables(files.fences)
    named = ", ".join(str(path) for path in files[:2] if path is not None)
    choices = Choices(datum=files.datum, ignore_unknown=files.ignore_unknown)
    records, notes = _read(tables, choices, named)
    vehicles = {record.code: record for record in records if isinstance(record, Vehicle)}
    facts = FactsOfFile([vehicles.get(code) if code else None for code in codes], limit_kmh)
    versions = _versions(records)
    watch = Watch(Fences(versions), Passes(_passes(records, versions, codes))) if versions else None
    return Known(facts, watch, notes)


def read_fences(
    path: Path, datum: str | None, *, ignore_unknown: bool = False
) -> tuple[Watch, tuple[Words, ...]]:
    """Read GeoJSON of fences, and how it was read; `datum` is that of fences that do not name theirs."""
    choices = Choices(datum=datum, ignore_unknown=ignore_unknown)
    records, notes = _read(_fence_tables(path), choices, str(path))
    return Watch(Fences(_versions(records)), Passes()), notes


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


def _read(tables: Sequence[Table], choices: Choices, named: str) -> tuple[list[Record], tuple[Words, ...]]:
    """Return what the tables register, as one import of them all would: one may refer to another."""
    try:
        made = plan_rest(tables, {}, Starts(BEGINNING_US, BEGINNING_US), choices)
    except ImportRefusedError as refused:
        raise _error(named, refused.problems) from refused
    if made.problems:
        raise _error(named, made.problems)
    left_out = tuple(_LEFT_OUT.then(problem.words) for problem in made.left_out)
    return [fate.record for fate in made.fates if fate.record is not None], (*left_out, *made.notes)


_LEFT_OUT = Words("left out: ", "略过：")


def _fence_tables(path: Path) -> list[Table]:
    contents = _contents(path)
    if any(table.kind is not Kind.FENCES for table in contents.tables):
        raise FenceFileError(_NO_FENCES.fill(path=printable(str(path))))
    if not any(table.rows or table.problems for table in contents.tables):
        raise FenceFileError(_EMPTY.fill(path=printable(str(path))))
    return list(contents.tables)


_NO_FENCES = Words(
    "{path}: not fences; give a GeoJSON FeatureCollection of polygons",
    "{path}：不是围栏；请提供 GeoJSON 多边形 FeatureCollection",
)
_EMPTY = Words(
    "{path}: there is no fence in it; give a FeatureCollection of polygons",
    "{path}：其中没有围栏；请提供多边形 FeatureCollection",
)


def _contents(path: Path) -> Contents:
    try:
        with path.open("rb") as file:
            return read_registry(file.read(LARGEST_BYTES + 1))
    except OSError as error:
        why = error.strerror or str(error)
        raise FenceFileError(
            Words(f"cannot read {printable(str(path))}: {why}", f"无法读取 {printable(str(path))}：{why}")
        ) from error
    except ImportRefusedError as refused:
        raise _error(str(path), refused.problems) from refused


def _error(named: str, problems: Sequence[Problem]) -> FenceFileError:
    """Return the error with the first problems of many."""
    told = [problem.words for problem in problems[:_MAX_TOLD]]
    if (more := len(problems) - _MAX_TOLD) > 0:
        told.append(Words(f"and {more} more", f"另有 {more} 处"))
    en, zh = ("; ".join(words.en for words in told), "；".join(words.zh for words in told))
    return FenceFileError(Words(f"{printable(named)}: {en}", f"{printable(named)}：{zh}"))
