"""The work of `kerbsafe report make`: read what was known on a day, make the report, write its files."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from analytics.ledger.store import read_versions
from analytics.policies.approved import baseline_in_force, policy_in_force
from analytics.policies.store import read_baselines, read_policies
from analytics.report.making import LANGUAGES, make
from analytics.report.manifest import NAME
from analytics.report.periods import Stage, day_end, report_before, shift, stage_on
from analytics.report.report_input import CITY, ReportError, ReportInput, civil_day
from analytics.report.store import read_facts, read_names
from fleet.installation import read_clock
from fleet.language import Words
from fleet.printable import printable
from fleet.units import to_datetime
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    import asyncpg

    from analytics.ledger.history import Version
    from analytics.statistics.baseline import Baseline

    _Ledger = Mapping[str, Sequence[Version]]

_FUTURE = Words(
    "--as-of lies in the future, or is a day that is not over: nobody knows yet what will be known then",
    "--as-of 晚于现在，或当日尚未结束：届时的数据还不知道",
)
#: Figures are compared with the year before, and the pattern goes back three years.
_MONTHS_READ = 48


def run_make(args: argparse.Namespace) -> int:
    """Make the report and write it."""
    given = asyncio.run(_read(args))
    files = make(given, LANGUAGES if args.language == "both" else (args.language,))
    write(args.out, files)
    if args.json:
        print(files[NAME].decode(), end="")
    else:
        for name in sorted(files):
            print(printable(str(args.out / name)))
    return 0


async def _read(args: argparse.Namespace) -> ReportInput:
    async with database("report") as connection:
        now = to_datetime((await read_clock(connection)).now_us())
        at = _as_of(args.as_of, now)
        if at > now:
            raise ReportError(_FUTURE)
        baseline = await _baseline(connection, args, at)
        policies = [each for each in await read_policies(connection) if each.recorded_at <= at]
        first = shift(args.month, -_MONTHS_READ)
        if baseline is not None:
            first = min(first, first.replace(year=baseline.year, month=1))
        stage = stage_on(args.month, civil_day(at)) or Stage.FLASH
        ledger = await read_versions(connection, at)
        return ReportInput(
            month=args.month,
            as_of=at,
            scope=args.scope,
            stage=stage,
            facts=await read_facts(connection, at, first, args.month),
            ledger=ledger,
            baseline=baseline,
            policy=policy_in_force(policies, at) if policies else None,
            previous_as_of=_previous(args, stage, ledger, at),
            ledger_from=args.ledger_from,
            planned_exposure=args.planned,
            names=await read_names(connection, at),
        )


def _as_of(said: date | datetime | None, now: datetime) -> datetime:
    """Return the time that is meant: of a day its end."""
    if said is None:
        return now
    return said if isinstance(said, datetime) else day_end(said)


async def _baseline(
    connection: asyncpg.Connection, args: argparse.Namespace, at: datetime
) -> Baseline | None:
    """Return the baseline in force; None: none is for this scope, and the report says so.

    A county is never compared with the city's baseline by itself: it has one only by name.
    """
    known = [each for each in await read_baselines(connection) if each.recorded_at <= at]
    if args.baseline is None and (args.scope != CITY or not known):
        return None
    return baseline_in_force(known, at, args.baseline)


def _previous(args: argparse.Namespace, stage: Stage, ledger: _Ledger, at: datetime) -> datetime | None:
    """Return when the report before was made; None: nothing was recorded by then, and there was none."""
    moment = day_end(args.previous or report_before(args.month, stage))
    if args.previous is not None and moment >= at:
        raise ReportError(f"--previous {args.previous} is not before the time of this report")
    recorded = (version.recorded_at for versions in ledger.values() for version in versions)
    return moment if any(each <= moment < at for each in recorded) else None


def write(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write a report's files; a directory that holds anything else is refused."""
    directory.mkdir(parents=True, exist_ok=True)
    if others := sorted({path.name for path in directory.iterdir()} - set(files)):
        raise ReportError(
            Words(
                f"{directory} holds other files ({others[0]}): give --out a new or empty directory",
                f"{directory} 中已有其他文件（{others[0]}）：请用 --out 指定新的或空的目录",
            )
        )
    # The manifest comes last: a directory without it is not whole.
    for name, content in files.items():
        (directory / name).write_bytes(content)
