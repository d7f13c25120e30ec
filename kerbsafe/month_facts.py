"""The work of `kerbsafe facts`: record what people declare of months, and show what is known of them."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from typing import TYPE_CHECKING, Any

from analytics.facts import store
from analytics.facts.measures import Measure
from analytics.facts.reading import DECLARATIONS, understand
from analytics.facts.restating import FactError
from analytics.facts.store import Teller
from fleet.installation import read_clock
from fleet.language import Words, language
from fleet.printable import printable, to_json
from fleet.registry_import.problem import ImportRefusedError
from fleet.registry_import.reading import LARGEST_BYTES, read_tables
from fleet.units import to_datetime
from kerbsafe.registry import import_report
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from datetime import datetime

    import asyncpg

    from analytics.facts.fact import MonthFact
    from analytics.facts.reading import Understood
    from fleet.registry_import.problem import Problem
    from fleet.registry_import.table import Contents

EXIT_LEFT_OUT, EXIT_REFUSED = 1, 2
_MAX_PRINTED = 50


def run(args: argparse.Namespace) -> int:
    """Import or list, and print."""
    return _run_list(args) if args.action == "list" else _run_import(args)


def _run_import(args: argparse.Namespace) -> int:
    try:
        document, problems = asyncio.run(_import(args, _read(args)))
    except ImportRefusedError as refused:
        document, problems = {"recorded": False, "added": 0, "restated": 0, "unchanged": 0}, refused.problems
    if args.json:
        wanted = language(os.environ)
        print(to_json(document | {"problems": import_report.problems_as_json(tuple(problems), wanted)}))
    else:
        verb = _RECORDED if document["recorded"] else _NOT_RECORDED
        print(printable(verb.fill(**document).to(language(os.environ))))
        _say(problem.words for problem in problems[:_MAX_PRINTED])
        if problems:
            _say([_LEFT_OUT.fill(rows=len({place for one in problems for place in one.places}) or "all")])
    if not problems:
        return 0
    return EXIT_LEFT_OUT if document["added"] + document["restated"] + document["unchanged"] else EXIT_REFUSED


_RECORDED = Words(
    "recorded: {added} new, {restated} restated, {unchanged} unchanged",
    "已记录：新增 {added} 项，修订 {restated} 项，不变 {unchanged} 项",
)
_NOT_RECORDED = Words(
    "would be recorded: {added} new, {restated} restated, {unchanged} unchanged",
    "将记录：新增 {added} 项，修订 {restated} 项，不变 {unchanged} 项",
)
_LEFT_OUT = Words(
    "rows left out: {rows}. Mend these and import the file again", "略过 {rows} 行；改正后可再次导入本文件"
)


def _read(args: argparse.Namespace) -> Contents:
    try:
        with args.file.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        path, why = printable(str(args.file)), error.strerror or str(error)
        raise FactError(Words(f"cannot read {path}: {why}", f"无法读取 {path}：{why}")) from error
    return read_tables(data, DECLARATIONS, encoding=args.encoding, sheet=args.sheet)


async def _import(args: argparse.Namespace, contents: Contents) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    async with database("facts") as connection:
        said = understand(contents, await _codes(connection))
        now = to_datetime((await read_clock(connection)).now_us())
        trial = connection.transaction()
        await trial.start()
        try:
            counts = await _record(connection, args, said, now)
        except BaseException:
            await trial.rollback()
            raise
        await (trial.rollback() if args.dry_run else trial.commit())
    return {"recorded": not args.dry_run, **counts}, said.problems


async def _record(
    connection: asyncpg.Connection, args: argparse.Namespace, said: Understood, now: datetime
) -> dict[str, int]:
    counts = {"added": 0, "restated": 0, "unchanged": 0}
    for origin in dict.fromkeys(one.origin for one in said.declared):
        figures = [one.said for one in said.declared if one.origin == origin]
        teller = Teller(args.by or _login(), f"{origin} ({args.file.name})" if origin else args.file.name)
        done = await store.declare(connection, figures, teller, now)
        counts["added"] += len(done.added) - len(done.closed)
        counts["restated"] += len(done.closed)
        counts["unchanged"] += done.unchanged
    return counts


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:  # nobody of that number has a name
        raise FactError("nobody knows who you are: say it with --by WHO, it stays on record") from error


async def _codes(connection: asyncpg.Connection) -> dict[str, frozenset[str]]:
    """Return the codes of what a figure may be of; of plants there is no list."""
    rows = await connection.fetch(store.QUERIES["known_codes"])
    return {
        kind: frozenset(row["code"] for row in rows if row["kind"] == kind)
        for kind in ("company", "county", "vehicle")
    }


def _run_list(args: argparse.Namespace) -> int:
    facts = asyncio.run(_list(args))
    if args.json:
        print(to_json({"facts": [_document(fact) for fact in facts]}))
        return 0
    for fact in facts:
        print(printable(_line(fact)))
    if not facts:
        _say([_NOTHING])
    return 0


_NOTHING = Words(
    "nothing is recorded of these months: `kerbsafe days list` says what is not closed yet",
    "这些月份没有记录：`kerbsafe days list` 显示尚未结算的日期",
)


async def _list(args: argparse.Namespace) -> list[MonthFact]:
    measures = None if args.measure is None else [_measure(name) for name in args.measure]
    async with database("facts") as connection:
        now = to_datetime((await read_clock(connection)).now_us())
        if args.as_of is not None and args.as_of > now:
            raise FactError("--as-of lies in the future: nobody knows yet what will be known then")
        return await store.month_facts(
            connection,
            as_of=args.as_of or now,
            first=args.first,
            last=args.last,
            scopes=args.scope,
            measures=measures,
        )


def _measure(name: str) -> Measure:
    try:
        return Measure(name)
    except ValueError:
        raise FactError(f"there is no measure {name!r}; there are {', '.join(Measure)}") from None


def _document(fact: MonthFact) -> dict[str, Any]:
    return {
        "scope": fact.scope,
        "month": f"{fact.month:%Y-%m}",
        "measure": fact.measure,
        "value": fact.value,
        "coverage": fact.coverage,
        "source": fact.source,
        "known_from": fact.known_from.isoformat(),
        "known_to": None if fact.known_to is None else fact.known_to.isoformat(),
    }


def _line(fact: MonthFact) -> str:
    seen = "" if fact.coverage is None else f"  coverage {fact.coverage:.1%}"
    return (
        f"{fact.month:%Y-%m}  {fact.scope:<24} {fact.measure:<26} {fact.value:>16,.2f}  {fact.source}{seen}"
    )


def _say(sentences: Iterable[Words]) -> None:
    for sentence in sentences:
        print("kerbsafe:", printable(sentence.to(language(os.environ))), file=sys.stderr)
