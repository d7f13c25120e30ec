"""What was driven in a span of closed days, for `kerbsafe exposure --from --to`: a row a scope."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import sys
from typing import TYPE_CHECKING, Any

import openpyxl

from analytics.days import months, restating
from fleet.errors import KerbsafeError
from fleet.language import Words, language
from fleet.printable import printable, to_json
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from datetime import date

    from analytics.days.months import Sums
    from analytics.days.restating import Missing
    from analytics.facts.restating import Said

    Row = dict[str, Any]

EXIT_OPEN = 1
_DECIMALS = 3


class SpanError(KerbsafeError):
    """The days that were asked for make no span."""


def run(args: argparse.Namespace) -> int:
    """Print what was driven; exit code 1 where days of it are not closed."""
    if args.first > args.last:
        raise SpanError(f"--from {args.first} is after --to {args.last}: no day lies between them")
    found, missing = asyncio.run(_rows(args.first, args.last, args.by))
    if args.json:
        print(to_json({"from": str(args.first), "to": str(args.last), "rows": found}))
    elif args.xlsx is not None:
        args.xlsx.write_bytes(_workbook(found))
    elif args.csv:
        print(_csv(found), end="")
    else:
        print("\n".join(map(printable, _table(found))))
    if not missing.vehicles:
        return 0
    days = sum(missing.vehicles.values())
    words = _OPEN.fill(days=days, vehicles=len(missing.vehicles))
    print("kerbsafe:", words.to(language(os.environ)), file=sys.stderr)
    return EXIT_OPEN


_OPEN = Words(
    "{days} vehicle-days of {vehicles} vehicles are not closed and not in these sums; `kerbsafe days list` "
    "says what they wait for",
    "{vehicles} 辆车的 {days} 车日尚未结算，未计入；`kerbsafe days list` 显示原因",
)


async def _rows(first: date, last: date, by: str) -> tuple[list[Row], Missing]:
    # Of one moment: a day that is closed in between would be in one half of a table.
    async with (
        database("exposure") as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        sums = await restating.sums(connection, first, last)
        counties = await restating.county_sums(connection, first, last) if by == "county" else {}
        missing = await restating.missing(connection, first, last)
    city = sums.get(restating.CITY)
    if city is None:
        return [], missing
    if by == "county":
        rows = [
            _row(scope, months.county_facts(scope, first, way, judged, city))
            for scope, (way, judged) in sorted(counties.items())
        ]
    else:
        rows = [_whole_row(scope, first, of) for scope, of in sorted(sums.items()) if _is_of(scope, by)]
    return [row | {"complete": missing.is_whole(row["scope"])} for row in rows], missing


def _is_of(scope: str, by: str) -> bool:
    return scope.partition(":")[0] == by


def _whole_row(scope: str, month: date, of: Sums) -> Row:
    return _row(scope, months.facts(scope, month, of))


def _row(scope: str, facts: Sequence[Said]) -> Row:
    """Return a row of figures and the coverage of driving and of turning; what is not known is not in it."""
    figures = {str(fact.measure): round(fact.value, _DECIMALS) for fact in facts}
    coverage = {str(fact.measure): fact.coverage for fact in facts}
    seen = {"driving_coverage": coverage.get("km"), "turning_coverage": coverage.get("right_turns_evaluable")}
    return {"scope": scope, **figures, **seen}


def _columns(found: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in found for name in row))


def _csv(found: Sequence[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, _columns(found), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return out.getvalue()


def _workbook(found: Sequence[Row]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("exposure")
    columns = _columns(found)
    sheet.append(columns)
    for row in found:
        sheet.append([row.get(name) for name in columns])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


_SHOWN = ("vehicle_days_online", "km", "km_unseen", "trips", "right_turns", "conflicts", "driving_coverage")


def _table(found: Sequence[Row]) -> Iterator[str]:
    wide = max([len(row["scope"]) for row in found] + [5])
    yield f"{'scope':<{wide}}" + "".join(f"{name:>22}" for name in _SHOWN)
    for row in found:
        cells = (
            "-" if row.get(name) is None else f"{row[name]:,.3f}".removesuffix(".000") for name in _SHOWN
        )
        yield f"{row['scope']:<{wide}}" + "".join(f"{cell:>22}" for cell in cells)
