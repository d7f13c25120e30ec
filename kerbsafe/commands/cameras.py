"""`kerbsafe cameras`: right turns by vehicle: how many were watched by a working camera, and what it saw."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from alerts.rulebook.rulebook_store import newest_rulebook
from alerts.rules.camera import watched
from alerts.rules.camera.watched import Watched
from alerts.store.turn_store import QUERIES
from kerbsafe.shell.database import database
from kerbsafe.shell.times import parse_time

if TYPE_CHECKING:
    import argparse

    import asyncpg

    from alerts.rules.camera.watched import Camera

_DAYS = 28


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "cameras",
        description="Count the right turns of each vehicle in the database of KERBSAFE_DSN: those that can "
        "be judged, those whose blind-spot camera was armed, and those with a conflict, per 1,000 armed "
        "turns that can be judged. A camera that sees far less than others do on the same turns is too "
        "quiet: it is named, and has no part in the rate of all.",
    )
    parser.add_argument("--from", dest="since", type=parse_time, help=f"default: {_DAYS} days ago, RFC 3339")
    parser.add_argument("--to", dest="until", type=parse_time, help="default: now")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Count and print."""
    until = args.until or datetime.now(UTC)
    found = asyncio.run(_read(args.since or until - timedelta(days=_DAYS), until))
    print(json.dumps(found, ensure_ascii=False) if args.json else _table(found))
    return 0


async def _read(since: datetime, until: datetime) -> dict[str, Any]:
    async with database("cameras") as connection:
        rules = (await newest_rulebook(connection)).numbers["blind_spot"]
        rows = await connection.fetch(QUERIES["watched_turns"], since, until)
    cameras = watched.by_vehicle(_columns(rows), share=rules["quiet_share"], expected=rules["quiet_expected"])
    codes = {row["vehicle_id"]: row["vehicle"] for row in rows}
    return {
        "from": since.isoformat(),
        "to": until.isoformat(),
        "vehicles": [{"vehicle": codes[camera.vehicle_id], **_row(camera)} for camera in cameras],
        "all": _row(watched.together(cameras)),
    }


def _columns(rows: list[asyncpg.Record]) -> Any:
    types = {"vehicle_id": "i4", "lat_udeg": "i4", "lon_udeg": "i4", "conflicts": "i8"}
    return Watched(
        **{name: np.array([row[name] for row in rows], types.get(name, "?")) for name in Watched._fields}
    )


def _row(camera: Camera) -> dict[str, Any]:
    figures = {name: value for name, value in camera._asdict().items() if name != "vehicle_id"}
    return figures | {"conflicts_per_1000": camera.per_1000}


def _table(found: dict[str, Any]) -> str:
    names = ("turns", "evaluable", "armed", "base", "conflicts")
    lines = [f"{'vehicle':<18}" + "".join(f"{name:>11}" for name in names) + f"{'per 1,000':>11}"]
    for row in [*found["vehicles"], {"vehicle": "all", **found["all"], "too_quiet": False}]:
        rate = "-" if row["conflicts_per_1000"] is None else f"{row['conflicts_per_1000']:.1f}"
        quiet = "  too quiet" if row["too_quiet"] else ""
        lines.append(
            f"{row['vehicle']:<18}" + "".join(f"{row[name]:>11}" for name in names) + f"{rate:>11}{quiet}"
        )
    if found["all"]["too_quiet"]:
        lines.append("the last row leaves out the cameras that are too quiet, in base, conflicts and rate")
    return "\n".join(lines)
