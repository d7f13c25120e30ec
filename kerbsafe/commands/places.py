"""`kerbsafe places`: where right turns are dangerous: conflicts by turning place."""

from __future__ import annotations

import asyncio
import csv
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from analytics.places import documents, store
from fleet.civil_days import civil_span
from kerbsafe.shell.database import database
from kerbsafe.shell.times import parse_day

if TYPE_CHECKING:
    import argparse
    from datetime import date

_DAYS = 28
_COLUMNS = (
    *("place", "lat", "lon", "heading", "turns", "evaluable", "base", "conflicts", "unknown"),
    *("per_1000", "lower", "upper", "p_above", "p_worst", "band"),
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "places",
        description="Show where right turns are dangerous: settled turns by place (a corner and the "
        "direction from which it is entered), conflicts per 1,000 armed evaluable turns, shrunk by "
        "empirical Bayes, "
        "worst first: docs/places.md. New places are founded and kept in the database of KERBSAFE_DSN.",
    )
    parser.add_argument(
        "--from", dest="first", type=parse_day, metavar="DAY", help=f"first civil day (default: {_DAYS} days)"
    )
    parser.add_argument(
        "--to", dest="last", type=parse_day, metavar="DAY", help="last civil day, included (default: today)"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--csv", action="store_true", help="print one row a place")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Survey, keep what is new, and print."""
    found = asyncio.run(_read(args.first, args.last))
    if args.json:
        print(msgspec.json.encode(found).decode())
    elif args.csv:
        writer = csv.DictWriter(sys.stdout, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found["places"])
    else:
        print(_table(found))
    return 0


async def _read(first: date | None, last: date | None) -> dict[str, Any]:
    async with database("places") as connection:
        now = await store.present(connection)
        since, until = civil_span(first, last, now=now, days=_DAYS)
        surveyed, unsettled = await store.read(connection, since, until, found_at=now)
    return documents.document(surveyed, since, until, unsettled=unsettled)


def _table(found: dict[str, Any]) -> str:
    names = ("turns", "base", "conflicts")
    lines = [
        f"{'place':<24}" + "".join(f"{name:>10}" for name in names) + "  per 1,000 (90 %)        P(worst)"
    ]
    for row in found["places"]:
        said = "too few turns to say"
        if row["per_1000"] is not None:
            worst = "-" if row["p_worst"] is None else f"{row['p_worst']:.2f}"
            said = f"{row['per_1000']:.1f} ({row['lower']:.1f}–{row['upper']:.1f})".ljust(24) + worst
            said += "" if row["band"] == "undecided" else f"  {row['band']} the city's"
        lines.append(f"{row['place']:<24}" + "".join(f"{row[name]:>10}" for name in names) + f"  {said}")
    city = found["city_per_1000"]
    lines.append("city: too few turns to say" if city is None else f"city: {city:.1f} per 1,000")
    lines.append(
        f"{found['all']['turns']} turns, of {found['all']['unknown']} nobody can say whether "
        f"there was a conflict; "
        f"{found['elsewhere']} at no place, {found['undirected']} of unknown direction, "
        f"{found['unsettled']} not settled yet and not counted"
    )
    return "\n".join(lines)
