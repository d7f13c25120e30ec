"""Which numbers hold for a vehicle at a time, and where each comes from: `kerbsafe rules explain`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts.in_force.layers import CLASS_LIMIT, HOURS, Level
from alerts.knowledge import Knowledge
from alerts.rulebook import documents
from fleet.units import to_datetime, to_us
from kerbsafe.rulebook import rulebook_files
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from alerts.in_force.layers import Combination, Value
    from alerts.in_force.rulebooks import Rulebook

ORDER = "default < city < company < kind"


class Known(NamedTuple):
    """What the registry says of a vehicle at a time."""

    code: str
    at_us: int
    company: str | None
    kind: str
    #: The vehicle's own limit, which stands in the place of its kind's.
    limit_kmh: int | None


def explain(args: argparse.Namespace) -> int:
    """Print what holds for a vehicle."""
    given = None if args.rules is None else rulebook_files.read(args.rules)
    known, book = asyncio.run(_look_up(args, given))
    said = book.of(known.company, known.kind)
    if args.json:
        print(json.dumps(_as_json(known, book, said), ensure_ascii=False))
    else:
        print("\n".join(_lines(known, book, said)))
    return 0


async def _look_up(args: argparse.Namespace, given: Rulebook | None) -> tuple[Known, Rulebook]:
    async with database("rules") as connection:
        knowledge = await Knowledge.read(connection)
    directory = knowledge.directory()
    at_us = knowledge.now_us() if args.at is None else to_us(args.at)
    vehicle = np.array([directory.vehicle_id(args.vehicle)], np.int32)
    company_id, kind, limit_kmh = directory.facts.at(vehicle, np.array([at_us], np.int64))
    known = Known(
        code=args.vehicle,
        at_us=at_us,
        company=directory.companies.get(int(company_id[0])),
        kind=documents.VEHICLE_KINDS[int(kind[0])],
        limit_kmh=int(limit_kmh[0]) if limit_kmh[0] > 0 else None,
    )
    return known, given or knowledge.rulebooks.in_force(at_us)


def _city(said: Combination) -> str | None:
    return next((one.name for one in said.overrides if one.level is Level.CITY), None)


def _numbers(known: Known, said: Combination) -> list[tuple[str, Value, str]]:
    """Return each number that holds, as (path, value, layer): of limits by kind only the vehicle's."""
    rows = []
    for path, value in said.said.items():
        if path.startswith(f"{CLASS_LIMIT}."):
            if path == f"{CLASS_LIMIT}.{known.kind}":
                rows.append(
                    (path, value, said.origin(path))
                    if known.limit_kmh is None
                    else (path, float(known.limit_kmh), "registry")
                )
        else:
            rows.append((path, value, said.origin(path)))
    order = {section: place for place, section in enumerate(documents.SECTIONS)}
    return sorted(rows, key=lambda row: order.get(row[0].partition(".")[0], len(order)))


def _as_json(known: Known, book: Rulebook, said: Combination) -> dict[str, Any]:
    return {
        "vehicle": known.code,
        "at": to_datetime(known.at_us).isoformat(),
        "company": known.company,
        "kind": known.kind,
        "city": _city(said),
        "limit_kmh": known.limit_kmh,
        "version": book.version,
        "valid_from": to_datetime(book.valid_from_us).isoformat() if book.valid_from_us > 0 else None,
        "resolution_order": ORDER,
        "layers": ["default", *(one.place for one in said.overrides)],
        "numbers": {
            path: {"value": _plain(value), "from": layer} for path, value, layer in _numbers(known, said)
        },
    }


def _plain(value: Value) -> Any:
    if isinstance(value, tuple):
        return [{"when": one.text, "limit_kmh": one.limit_kmh} for one in value]
    return value


def _lines(known: Known, book: Rulebook, said: Combination) -> list[str]:
    since = to_datetime(book.valid_from_us).isoformat() if book.valid_from_us > 0 else "since ever"
    about: Mapping[str, str] = {
        "vehicle": known.code,
        "at": to_datetime(known.at_us).isoformat(),
        "company": known.company or "none",
        "kind": known.kind,
        "city": _city(said) or "none in the rulebook",
        "own limit": "none" if known.limit_kmh is None else f"{known.limit_kmh} km/h (registry)",
        "version": f"{book.version}, {since}",
        "order": f"{ORDER} (the later rules)",
        "layers": " < ".join(["default", *(one.place for one in said.overrides)]),
    }
    rows = [(path, _shown(path, value), layer) for path, value, layer in _numbers(known, said)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return [
        *(f"{name:10} {text}" for name, text in about.items()),
        "",
        *(f"{path:{widths[0]}}  {value:>{widths[1]}}  {layer}" for path, value, layer in rows),
    ]


def _shown(path: str, value: Value) -> str:
    if path == HOURS:
        hours = value if isinstance(value, tuple) else ()
        return "; ".join(f"{one.text}: {one.limit_kmh:g}" for one in hours) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
