"""The work of `kerbsafe registry`: read the file, import it, say what was done."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from fleet import audit
from fleet.audit import Act, Entry
from fleet.entities import RegistryError
from fleet.installation import read_clock
from fleet.language import Words, language, listed
from fleet.printable import printable, quoted, to_json
from fleet.registry import QUERIES
from fleet.registry_import.column import Kind
from fleet.registry_import.entry import Choices
from fleet.registry_import.problem import CellError, ImportRefusedError, plain, shown
from fleet.registry_import.reading import LARGEST_BYTES, read_registry
from fleet.registry_import.store import import_registry
from fleet.registry_import.template import make_template
from fleet.registry_import.values import beginning, vehicle_kind
from fleet.units import to_datetime, to_us
from kerbsafe.registry import import_report
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from fleet.kinds import VehicleKind
    from fleet.language import Language
    from fleet.registry_import.planning import Plan
    from fleet.registry_import.problem import Problem
    from fleet.registry_import.table import Contents

#: How many problems are printed; a file in the wrong manner has one a row.
_MAX_PRINTED = 50


def run_import(args: argparse.Namespace) -> int:
    """Import a file and say what was done, or everything that is wrong with it."""
    try:
        contents = _read(args)
        plan = asyncio.run(_import(args, contents))
    except ImportRefusedError as refused:
        return _refused(args, refused)
    _print_plan(args, plan)
    return 2 if plan.problems else 1 if plan.left_out else 0


def _read(args: argparse.Namespace) -> Contents:
    path = printable(str(args.file))
    try:
        with args.file.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        why = error.strerror or str(error)
        raise RegistryError(Words(f"cannot read {path}: {why}", f"无法读取 {path}：{why}")) from error
    contents = read_registry(data, encoding=args.encoding, sheet=args.sheet)
    strange = [table.name for table in contents.tables if args.kind and table.kind not in {None, args.kind}]
    if strange:
        raise RegistryError(
            _NOT_ONLY.fill(path=path, kind=args.kind, tables=listed(plain(shown(name)) for name in strange))
        )
    return contents


_NOT_ONLY = Words("{path} holds {tables}, not only {kind}", "{path} 含有 {tables}，不只是 {kind}")


async def _import(args: argparse.Namespace, contents: Contents) -> Plan:
    valid_from_us = _valid_from_us(args.valid_from)
    choices = Choices(
        datum=args.datum,
        repair=args.repair,
        ignore_unknown=args.ignore_unknown,
        company=dict(args.company),
        vehicle_kind=_vehicle_kind(args.vehicle_kind),
    )
    async with database("registry") as connection, connection.transaction():
        clock = await read_clock(connection)
        made = await import_registry(
            connection,
            contents,
            now_us=clock.now_us(),
            sandbox=clock.sandbox,
            kind=Kind(args.kind) if args.kind else None,
            choices=choices,
            valid_from_us=valid_from_us,
            all_or_nothing=args.all_or_nothing,
            dry_run=args.dry_run,
        )
        if not args.dry_run:
            counts = import_report.count_line(made).to("en")
            entry = Entry(Act.REGISTRY_IMPORTED, audit.at_the_shell(), args.file.name, counts)
            await audit.record(connection, entry)
        return made


def _valid_from_us(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return to_us(beginning(text))
    except CellError as error:
        raise RegistryError(plain(f"--valid-from {quoted(text)} ").then(error.words)) from error


def _vehicle_kind(text: str | None) -> VehicleKind | None:
    try:
        return None if text is None else vehicle_kind(text)
    except CellError as error:
        raise RegistryError(plain(f"--vehicle-kind {quoted(text or '')} ").then(error.words)) from error


def _refused(args: argparse.Namespace, refused: ImportRefusedError) -> int:
    """Print everything that is wrong, a line each; as JSON if that was asked for."""
    if args.json:
        problems = import_report.problems_as_json(refused.problems, _wanted())
        print(to_json({"imported": False, "rows": [], "problems": problems}))
    _say_problems(args, refused.problems, _NOTHING_IMPORTED)
    return 2


_NOTHING_IMPORTED = Words("nothing was imported", "未导入任何内容")


def _say_problems(args: argparse.Namespace, problems: Sequence[Problem], outcome: Words) -> None:
    if not args.json:
        for problem in problems[:_MAX_PRINTED]:
            _say(problem.words, sys.stderr)
        if (more := len(problems) - _MAX_PRINTED) > 0:
            _say(
                Words(f"and {more} more; `--json` has them all", f"另有 {more} 处；用 `--json` 查看全部"),
                sys.stderr,
            )
    faults = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    path = printable(str(args.file))
    told = Words(f"kerbsafe: {path}: {faults}, ", f"kerbsafe：{path}：{len(problems)} 处问题，")
    _say(told.then(outcome), sys.stderr)


def _print_plan(args: argparse.Namespace, plan: Plan) -> None:
    imported = not (args.dry_run or plan.problems)
    if args.json:
        result = {
            "imported": imported,
            "counts": plan.counts(),
            "rows": import_report.rows_as_json(plan),
            "problems": import_report.problems_as_json((*plan.problems, *plan.left_out), _wanted()),
            "repairs": import_report.repairs_as_json(plan),
            "notes": [note.to(_wanted()) for note in plan.notes],
        }
        print(to_json(result))
    else:
        for line in import_report.row_lines(plan) if args.dry_run else ():
            _say(line, sys.stdout)
        verb = Words("imported: ", "已导入：") if imported else Words("would be imported: ", "将导入：")
        _say(verb.then(import_report.count_line(plan)), sys.stdout)
    for line in [] if args.json else import_report.repair_lines(plan):
        _say(line, sys.stderr)
    for note in plan.notes:
        _say(note, sys.stderr)
    if plan.problems:
        _say_problems(args, plan.problems, _NOTHING_IMPORTED)
    elif plan.left_out:
        rows = len({place for problem in plan.left_out for place in problem.places})
        _say_problems(args, plan.left_out, (_LEFT_OUT if imported else _WOULD_LEAVE_OUT).fill(rows=rows))
    if imported and (moved := import_report.topic_changes(plan)):
        _say(_TOPICS.fill(moved=moved), sys.stderr)


_LEFT_OUT = Words(
    "rows left out: {rows}. The rest was imported; mend these and import the file again",
    "略过 {rows} 行，其余已导入；改正后可再次导入本文件",
)
_WOULD_LEAVE_OUT = Words(
    "rows that would be left out: {rows} (with --all-or-nothing nothing would be imported)",
    "将略过 {rows} 行（加 --all-or-nothing 则整个文件不导入）",
)
_TOPICS = Words(
    "topics change for {moved} of the vehicles and devices: now run `kerbsafe device write-broker-files`",
    "有 {moved} 个车辆和终端的主题改变：请运行 `kerbsafe device write-broker-files`",
)


def _wanted() -> Language:
    return language(os.environ)


def _say(words: Words, stream: TextIO) -> None:
    print(printable(words.to(_wanted())), file=stream)


def run_template(args: argparse.Namespace) -> int:
    """Write a workbook to fill in, and say what to do with it."""
    path = printable(str(args.file))
    if args.file.suffix.lower() != ".xlsx":
        raise RegistryError(Words(f"{path} must end in .xlsx", f"{path} 应以 .xlsx 结尾"))
    try:
        with args.file.open("xb") as file:
            file.write(make_template(args.language))
    except FileExistsError as error:
        raise RegistryError(
            Words(f"{path} is there already; name another", f"{path} 已存在；请换一个文件名")
        ) from error
    told = Words(
        f"wrote {path}; fill it in, then: kerbsafe registry import {path} --dry-run",
        f"已生成 {path}；填写后运行：kerbsafe registry import {path} --dry-run",
    )
    _say(told, sys.stdout)
    return 0


def run_list(args: argparse.Namespace) -> int:
    """Print the counts and the vehicles."""
    result = asyncio.run(_list())
    if args.json:
        print(to_json(result))
        return 0
    print(", ".join(f"{count} {kind}" for kind, count in result["counts"].items()))
    for vehicle in result["vehicles"]:
        limit = "limit of the rulebook" if vehicle["limit_kmh"] is None else f"{vehicle['limit_kmh']} km/h"
        devices = f"devices {vehicle['devices']}"
        print(vehicle["code"], vehicle["company"], vehicle["kind"], limit, devices, sep="  ")
    return 0


async def _list() -> dict[str, Any]:
    async with database("registry") as connection:
        now = to_datetime((await read_clock(connection)).now_us())
        vehicles = await connection.fetch(QUERIES["list_vehicles"], now)
        counts = await connection.fetchrow(QUERIES["count_registry"])
    found = [{**row, "valid_from": f"{row['valid_from']:%Y-%m-%dT%H:%M:%SZ}"} for row in map(dict, vehicles)]
    return {"counts": dict(counts), "vehicles": found}
