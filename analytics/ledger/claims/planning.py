"""A list of claims against those that are known: the fate of every row, and the versions to write. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analytics.ledger.claims.claim import Claim, ClaimVersion, changed_fields
from analytics.ledger.merging import vehicle_of
from analytics.ledger.planning import Fate, RowFate, count_fates
from analytics.ledger.reading import VehicleSaid
from fleet.language import Words
from fleet.registry_import.problem import CellError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.ledger.claims.reading import ClaimSaid, ClaimsSaid
    from analytics.ledger.history import Writer
    from analytics.ledger.merging import Fleet

#: How far apart two accounts of one claim may put it.
_MAX_DAYS_APART = 3
_OF_CLAIM = ("occurred", "insurer", "police_no", "county", "place", "dead", "hurt")


@dataclass(frozen=True, slots=True)
class ClaimsPlan:
    """Every row's fate, and what is to be written."""

    fates: tuple[RowFate, ...]
    versions: Mapping[str, ClaimVersion]
    problems: tuple[Problem, ...]
    notes: tuple[Words, ...]

    @property
    def is_refused(self) -> bool:
        """Whether the file as a whole cannot be read: nothing of it is recorded."""
        return any(problem.row is None for problem in self.problems)

    def counts(self) -> dict[Fate, int]:
        """Return how many claims have each fate; of those left out, how many rows."""
        return count_fates(self.fates)


@dataclass(frozen=True, slots=True)
class KnownClaims:
    """What a file is compared with."""

    claims: Mapping[str, Sequence[ClaimVersion]]
    fleet: Fleet
    writer: Writer
    #: Whose list it is, where no column says so.
    insurer: str = ""


def plan(said: ClaimsSaid, known: KnownClaims) -> ClaimsPlan:
    """Return every row's fate."""
    versions: dict[str, ClaimVersion] = {}
    problems, fates = list(said.problems), list[RowFate]()
    for one in said.claims:
        try:
            fate, changes, version = _fate(one, known)
        except CellError as fault:
            (table, row), *others = dict.fromkeys(one.rows)
            problems.append(Problem(table, row, "", one.code, fault.words, tuple(others)))
            fate, changes, version = Fate.ERROR, (), None
        if version is not None:
            versions[one.code] = version
        fates += [RowFate(table, row, one.code, fate, None, changes) for table, row in one.rows]
    placed = {(fate.table, fate.row) for fate in fates}
    lost = {place for problem in problems for place in problem.places} - placed
    fates += [RowFate(table, row, "", Fate.ERROR) for table, row in lost]
    fates.sort(key=lambda fate: (fate.table, fate.row))
    refused = any(problem.row is None for problem in problems)
    return ClaimsPlan(tuple(fates), {} if refused else versions, tuple(problems), said.notes)


def _fate(said: ClaimSaid, known: KnownClaims) -> tuple[Fate, tuple[str, ...], ClaimVersion | None]:
    versions = known.claims.get(said.code, ())
    base = versions[-1].claim if versions else None
    claim = _merged(base, said, known)
    if not claim.vehicle.is_fleet:
        return Fate.NOT_OURS, (), None
    if claim.occurred.at > known.writer.recorded_at:
        raise CellError(_IN_THE_FUTURE.fill(day=claim.occurred.day))
    changes = () if base is None else changed_fields(base, claim)
    if base is not None:
        _check_same(base, claim)
        if not changes:
            return Fate.UNCHANGED, (), None
    writer = known.writer
    version = ClaimVersion(len(versions) + 1, writer.recorded_at, writer.who, writer.why, claim)
    return (Fate.CREATE, (), version) if base is None else (Fate.UPDATE, changes, version)


def _merged(base: Claim | None, said: ClaimSaid, known: KnownClaims) -> Claim:
    """Return what a file makes of what was known: what it leaves blank stays."""
    given = {name: said.given[name] for name in _OF_CLAIM if name in said.given}
    if known.insurer:
        given.setdefault("insurer", known.insurer)
    if said.paid:
        given["paid_yuan"] = sum(said.paid.values())
    occurred = given.get("occurred", base.occurred if base else None)
    if occurred is None:
        raise CellError(_NO_TIME)
    words = {name: said.given.get(name, "") for name in ("plate", "company", "kind")}
    vehicle = vehicle_of(VehicleSaid(**words), occurred.at, known.fleet)
    if base is None:
        return Claim(**(given | {"occurred": occurred, "vehicle": vehicle}))
    return replace(base, **given, vehicle=vehicle if any(words.values()) else base.vehicle)


def _check_same(base: Claim, claim: Claim) -> None:
    """Raise if one number seems to name two claims: insurers number theirs each for themselves."""
    named = {base.vehicle.name, claim.vehicle.name} - {""}
    apart = abs((base.occurred.day - claim.occurred.day).days)
    if len(named) > 1 or apart > _MAX_DAYS_APART:
        raise CellError(_ANOTHER.fill(day=base.occurred.day.isoformat()))


_NO_TIME = Words("is missing: when it happened", "缺少：出险时间")
_IN_THE_FUTURE = Words(
    "{day} lies in the future: look at the day and the clock", "{day} 晚于当前时间：请核对日期和系统时钟"
)
_ANOTHER = Words(
    "is the number of another claim, of {day}: give this one a number of its own",
    "该报案号属于 {day} 的另一起案件；请核对",
)
