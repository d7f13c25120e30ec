"""Fences from a file, for replay: read as the registry would import them, and in force since ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.rules.fence import Watch
from fleet.errors import KerbsafeError
from fleet.fences.passes import Passes
from fleet.fences.versions import Fences, FenceVersion
from fleet.registry import BEGINNING_US, Fence
from fleet.registry_import.checking import check
from fleet.registry_import.layout import Kind
from fleet.registry_import.planning import Starts, plan
from fleet.registry_import.problem import ImportRefusedError
from fleet.registry_import.reading import LARGEST_BYTES, read_registry

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.registry_import.planning import Plan


class FenceFileError(KerbsafeError):
    """A file of fences cannot be used; the message names every fault."""


def read_fences(path: Path, datum: str | None) -> Watch:
    """Read a GeoJSON FeatureCollection of fences; `datum` is that of fences that do not name theirs."""
    made = _plan(path, datum)
    if made.problems:
        raise FenceFileError(f"{path}: " + "; ".join(str(problem) for problem in made.problems))
    found = [fate.record for fate in made.fates if isinstance(fate.record, Fence)]
    versions = (FenceVersion(number, BEGINNING_US, fence) for number, fence in enumerate(found, 1))
    return Watch(Fences(versions), Passes())


def _plan(path: Path, datum: str | None) -> Plan:
    try:
        with path.open("rb") as file:
            contents = read_registry(file.read(LARGEST_BYTES + 1))
    except OSError as error:
        raise FenceFileError(f"cannot read the fences {path}: {error.strerror or error}") from error
    except ImportRefusedError as refused:
        raise FenceFileError(f"{path}: {refused.problems[0]}") from refused
    if any(table.kind is not Kind.FENCES for table in contents.tables):
        raise FenceFileError(f"{path}: not fences; give a GeoJSON FeatureCollection of polygons")
    if not any(table.rows or table.problems for table in contents.tables):
        raise FenceFileError(f"{path}: there is no fence in it; give a FeatureCollection of polygons")
    checked = [check(table, Kind.FENCES, datum=datum) for table in contents.tables]
    return plan(
        [entry for part in checked for entry in part.entries],
        {},
        Starts(BEGINNING_US, BEGINNING_US),
        [problem for part in checked for problem in part.problems],
    )
