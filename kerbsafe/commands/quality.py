"""`kerbsafe quality`: how good the data is, by company, county, terminal model or vehicle, worst first."""

from __future__ import annotations

import asyncio
import csv
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from analytics.places.store import present
from analytics.quality import documents, store
from fleet.civil_days import civil_span
from fleet.printable import printable
from kerbsafe.shell.database import database
from kerbsafe.shell.times import parse_day

if TYPE_CHECKING:
    import argparse

_COLUMNS = ("unit", "figure", "value", "numerator", "denominator", "unknown")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "quality",
        description="Show how good the data of the database of KERBSAFE_DSN is: the figures that regulators "
        "score, each with numerator, denominator and what is unknown, worst units first; by vehicle also "
        "what each terminal needs: docs/data-quality.md. It reads every fix of the days.",
    )
    parser.add_argument(
        "--from", dest="first", type=parse_day, metavar="DAY", help="first civil day (default: today)"
    )
    parser.add_argument(
        "--to", dest="last", type=parse_day, metavar="DAY", help="last civil day, included (default: today)"
    )
    parser.add_argument("--by", choices=documents.BY, default="company", help="default: %(default)s")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--csv", action="store_true", help="print one row a unit and figure")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    found = asyncio.run(_read(args))
    if args.json:
        print(msgspec.json.encode(found).decode())
    elif args.csv:
        writer = csv.DictWriter(sys.stdout, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(documents.rows(found))
    else:
        print(_table(found))
    return 0


async def _read(args: argparse.Namespace) -> dict[str, Any]:
    async with database("quality") as connection:
        now = await present(connection)
        since, until = civil_span(args.first, args.last, now=now, days=1)
        vehicles = await store.read(connection, since, until)
    return documents.document(vehicles, args.by, since, until)


def _table(found: dict[str, Any]) -> str:
    if not found["units"]:
        return "no vehicle is registered: nothing can be said"
    lines = []
    for unit in found["units"]:
        lines.append(f"{printable(unit['unit']) or '(no name)'}: {unit['vehicles']} vehicles")
        lines += [f"  {_figure(figure)}" for figure in unit["figures"]]
        lines += [f"  fault: {one['fault']} ({one['part']} of {one['whole']})" for one in unit["faults"]]
    return "\n".join(lines)


def _figure(figure: dict[str, Any]) -> str:
    value, *counted = (figure[name] for name in ("value", "numerator", "denominator"))
    said = "not known" if value is None else f"{value:.3f}"
    of = " / ".join("not recorded" if one is None else f"{one:g}" for one in counted)
    unknown = f", {figure['unknown']:g} unknown" if figure["unknown"] else ""
    return f"{figure['figure']:<24}{said:>10}  ({of}{unknown})"
