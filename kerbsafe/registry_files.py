"""The work of `kerbsafe registry`: read the file, import it, say what was done."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from fleet.installation import read_clock
from fleet.registry import QUERIES, RegistryError
from fleet.registry_import.layout import Kind
from fleet.registry_import.problem import CellError, ImportRefusedError
from fleet.registry_import.reading import LARGEST_BYTES, read_registry
from fleet.registry_import.store import import_registry
from fleet.registry_import.values import beginning
from fleet.units import to_datetime, to_us
from kerbsafe import import_report
from kerbsafe.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from fleet.registry_import.planning import Plan
    from fleet.registry_import.problem import Problem
    from fleet.registry_import.table import Contents


def run_import(args: argparse.Namespace) -> int:
    """Import a file and say what was done, or everything that is wrong with it."""
    try:
        contents = _read(args)
        plan = asyncio.run(_import(args, contents))
    except ImportRefusedError as refused:
        return _refused(args, refused)
    _print_plan(args, contents, plan)
    return 2 if plan.problems else 0


def _read(args: argparse.Namespace) -> Contents:
    try:
        with args.file.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise RegistryError(f"cannot read {args.file}: {error.strerror or error}") from error
    encoding = "gb18030" if args.encoding == "gbk" else args.encoding
    contents = read_registry(data, encoding=encoding, sheet=args.sheet)
    strange = [table.name for table in contents.tables if args.kind and table.kind not in {None, args.kind}]
    if strange:
        raise RegistryError(f"{args.file} holds {', '.join(strange)}, not only {args.kind}")
    return contents


async def _import(args: argparse.Namespace, contents: Contents) -> Plan:
    valid_from_us = _valid_from_us(args.valid_from)
    async with database("registry") as connection:
        clock = await read_clock(connection)
        return await import_registry(
            connection,
            contents,
            now_us=clock.now_us(),
            sandbox=clock.sandbox,
            kind=Kind(args.kind) if args.kind else None,
            datum=args.datum,
            valid_from_us=valid_from_us,
            dry_run=args.dry_run,
            repair=args.repair,
        )


def _valid_from_us(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return to_us(beginning(text))
    except CellError as error:
        raise RegistryError(f"--valid-from {text!r} {error}") from error


def _refused(args: argparse.Namespace, refused: ImportRefusedError) -> int:
    """Print everything that is wrong, a line each; as JSON if that was asked for."""
    if args.json:
        problems = import_report.problems_as_json(refused.problems)
        print(json.dumps({"imported": False, "rows": [], "problems": problems}, ensure_ascii=False))
    _say_problems(args, refused.problems)
    return 2


def _say_problems(args: argparse.Namespace, problems: Sequence[Problem]) -> None:
    if not args.json:
        for problem in problems:
            print(problem, file=sys.stderr)
    faults = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    print(f"kerbsafe: {args.file}: {faults}, nothing was imported", file=sys.stderr)


def _print_plan(args: argparse.Namespace, contents: Contents, plan: Plan) -> None:
    imported = not (args.dry_run or plan.problems)
    if args.json:
        result = {
            "imported": imported,
            "counts": plan.counts(),
            "rows": import_report.rows_as_json(plan),
            "problems": import_report.problems_as_json(plan.problems),
            "repairs": import_report.repairs_as_json(plan),
            "notes": contents.notes,
        }
        print(json.dumps(result, ensure_ascii=False))
    else:
        if args.dry_run:
            print(*import_report.row_lines(plan), sep="\n")
        verb = "imported" if imported else "would be imported"
        print(f"{verb}: {import_report.count_line(plan)}")
        for mended in plan.repairs:
            print(f"fences row {mended.row} {mended.code}: {mended.repair}", file=sys.stderr)
    for note in contents.notes:
        print(note, file=sys.stderr)
    if plan.problems:
        _say_problems(args, plan.problems)
    elif imported and (moved := import_report.topic_changes(plan)):
        told = f"topics change for {moved} of the vehicles and devices"
        print(f"{told}: now run `kerbsafe device write-broker-files`", file=sys.stderr)


def run_list(args: argparse.Namespace) -> int:
    """Print the counts and the vehicles."""
    result = asyncio.run(_list())
    if args.json:
        print(json.dumps(result, ensure_ascii=False))
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
