"""The work of `kerbsafe accidents import`: read the list, record it, say what became of every row."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from datetime import date
from typing import TYPE_CHECKING, Any, TextIO

from analytics.ledger import words
from analytics.ledger.accident import LedgerError, Reporter
from analytics.ledger.columns import ACCIDENTS
from analytics.ledger.documents import FROM_AFTER_TO
from analytics.ledger.evidence.store import collect
from analytics.ledger.history import Writer
from analytics.ledger.planning import Fate
from analytics.ledger.reading import understand
from analytics.ledger.store import import_reports
from fleet.installation import read_clock
from fleet.language import Words, language, listed
from fleet.printable import printable, to_json
from fleet.registry_import.problem import ImportRefusedError, plain, row_words
from fleet.registry_import.reading import LARGEST_BYTES, read_tables
from fleet.units import to_datetime
from kerbsafe.registry import import_report
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from datetime import datetime

    from analytics.ledger.claims.planning import ClaimsPlan
    from analytics.ledger.planning import Plan, RowFate
    from analytics.ledger.reading import Understood
    from fleet.registry_import.problem import Problem
    from fleet.registry_import.table import Contents, Vocabulary

_MAX_PRINTED = 50
EXIT_LEFT_OUT, EXIT_REFUSED = 1, 2


def run_import(args: argparse.Namespace) -> int:
    """Record a list and say what was done, or everything that is wrong with it."""
    try:
        said = understand(read_contents(args, ACCIDENTS), ignore_unknown=args.ignore_unknown)
        plan = asyncio.run(_import(args, said))
    except ImportRefusedError as refused:
        if args.json:
            print_refused(refused.problems)
        say_problems(args, refused.problems)
        return EXIT_REFUSED
    print_plan(args, plan)
    return EXIT_REFUSED if plan.is_refused else EXIT_LEFT_OUT if plan.problems else 0


def read_contents(args: argparse.Namespace, vocabulary: Vocabulary) -> Contents:
    """Read the file of a command. Raises `LedgerError` if it cannot be read."""
    try:
        with args.file.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        path, why = printable(str(args.file)), error.strerror or str(error)
        raise LedgerError(Words(f"cannot read {path}: {why}", f"无法读取 {path}：{why}")) from error
    return read_tables(data, vocabulary, encoding=args.encoding, sheet=args.sheet)


async def _import(args: argparse.Namespace, said: Understood) -> Plan:
    async with database("accidents") as connection:
        now = to_datetime((await read_clock(connection)).now_us())
        by = writer(args, now, "; ".join(filter(None, (args.why, args.file.name))))
        plan = await import_reports(
            connection,
            said,
            by,
            reporter=None if args.reporter is None else Reporter(args.reporter),
            days=_days(args),
            dry_run=args.dry_run,
        )
        for code, version in () if args.dry_run else plan.versions.items():
            async with connection.transaction():
                await collect(connection, code, version.number, version.facts, by)
    return plan


def _days(args: argparse.Namespace) -> tuple[date, date] | None:
    """Return the days that a list is to be of, if any are said."""
    if args.first is None and args.last is None:
        return None
    days = args.first or date.min, args.last or date.max
    if days[0] > days[1]:
        raise LedgerError(FROM_AFTER_TO)
    return days


def writer(args: argparse.Namespace, now: datetime, why: str) -> Writer:
    """Return who records something now."""
    try:
        who = args.by or getpass.getuser()
    except (OSError, KeyError):  # nobody of that number has a name
        who = ""
    if not who.strip():
        raise LedgerError(_NOBODY)
    return Writer(who.strip(), now, args.known_at or now, why)


_NOBODY = Words(
    "nobody knows who you are: say it with --by WHO, it stays on record",
    "无法得知操作人：请用 --by 写明，将留存备查",
)


def print_plan(args: argparse.Namespace, plan: Plan | ClaimsPlan) -> None:
    """Say what became of a list: with `--json` of every row, else in sum, and what is wrong."""
    recorded = not (args.dry_run or plan.is_refused)
    if args.json:
        document = {
            "recorded": recorded,
            "counts": plan.counts(),
            "rows": [_row(fate) for fate in plan.fates],
            "problems": _problems(plan.problems),
            "notes": [note.to(language(os.environ)) for note in plan.notes],
        }
        print(to_json(document))
    else:
        for fate in plan.fates if args.dry_run else ():
            _say(_row_words(fate), sys.stdout)
        verb = Words("recorded: ", "已记录：") if recorded else Words("would be recorded: ", "将记录：")
        _say(verb.then(_count_words(plan)), sys.stdout)
    for note in plan.notes:
        _say(note, sys.stderr)
    if plan.problems:
        rows = plan.counts()[Fate.ERROR]
        outcome = _NOTHING if plan.is_refused else (_LEFT_OUT if recorded else _WOULD).fill(rows=rows)
        say_problems(args, plan.problems, outcome)


_NOTHING = Words("nothing was recorded", "未记录任何内容")
_LEFT_OUT = Words(
    "rows left out: {rows}. The rest was recorded; mend these and import the file again",
    "略过 {rows} 行，其余已记录；改正后可再次导入本文件",
)
_WOULD = Words("rows that would be left out: {rows}", "将略过 {rows} 行")
_FATES = {
    Fate.CREATE: Words("new", "新增"),
    Fate.UPDATE: Words("new version", "新版本"),
    Fate.UNCHANGED: Words("unchanged", "不变"),
    Fate.NOT_OURS: Words("no vehicle of the fleet", "无本行业车辆"),
    Fate.OUTSIDE_PERIOD: Words("outside of the days asked for", "不在指定期间"),
    Fate.ERROR: Words("error", "有误"),
}


def _row(fate: RowFate) -> dict[str, Any]:
    return {
        "table": fate.table,
        "row": fate.row,
        "code": fate.code,
        "fate": fate.fate,
        "reason": fate.reason,
        "changes": list(fate.changes),
    }


def _row_words(fate: RowFate) -> Words:
    place = plain(f"{fate.table} " if fate.table else "").then(row_words(fate.row))
    told = place.then(plain(f" {fate.code}: " if fate.code else ": ")).then(_FATES[fate.fate])
    return told.then(plain(" ")).then(listed(map(words.fact, fate.changes))) if fate.changes else told


def _count_words(plan: Plan | ClaimsPlan) -> Words:
    counts = plan.counts()
    parts = [_FATES[fate].then(plain(f" {counts[fate]}")) for fate in Fate if counts[fate]]
    return listed(parts) if parts else Words("no rows", "没有数据行")


def print_refused(problems: Sequence[Problem]) -> None:
    """Print as JSON that a file was not read, and why."""
    print(to_json({"recorded": False, "rows": [], "problems": _problems(problems)}))


def _problems(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return import_report.problems_as_json(tuple(problems), language(os.environ))


def say_problems(args: argparse.Namespace, problems: Sequence[Problem], outcome: Words = _NOTHING) -> None:
    """Say what is wrong with a list, and what was done in spite of it; without `outcome`, nothing."""
    for problem in () if args.json else problems[:_MAX_PRINTED]:
        _say(problem.words, sys.stderr)
    if not args.json and (more := len(problems) - _MAX_PRINTED) > 0:
        _say(Words(f"and {more} more; see --json", f"另有 {more} 处；用 --json 查看"), sys.stderr)
    path, count = printable(str(args.file)), len(problems)
    told = Words(f"kerbsafe: {path}: problems: {count}; ", f"kerbsafe：{path}：{count} 处问题；")
    _say(told.then(outcome), sys.stderr)


def _say(words: Words, stream: TextIO) -> None:
    print(printable(words.to(language(os.environ))), file=stream)
