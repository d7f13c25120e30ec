"""`kerbsafe alerts`: list alerts, and follow them."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fleet.errors import KerbsafeError
from kerbsafe.shell.numbers import whole

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    import asyncpg

#: Feed rows read at once.
_PAGE = 500
#: A notification is a hint; the feed is looked at this often without one.
_LOOK_EVERY_S = 1.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "alerts",
        help="list alerts, newest first, or follow them",
        description="List the alerts in the database of KERBSAFE_DSN. With --follow, print each change from "
        "now on until interrupted: opened, updated, closed, lost, confirmed, amended, added, withdrawn.",
    )
    parser.add_argument("--follow", action="store_true", help="print changes as they happen")
    parser.add_argument("--rule", help="only this rule, e.g. speeding")
    parser.add_argument("--state", help="only this state, e.g. open")
    parser.add_argument("--vehicle", help="only this vehicle code")
    parser.add_argument(
        "--limit",
        type=whole(1, 2**31 - 1),
        default=1000,
        metavar="N",
        help="at most so many (default: %(default)s)",
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON array; with --follow one JSON object a line"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List or follow."""
    _check_names(args)
    asyncio.run(_follow(args) if args.follow else _list(args))
    return 0


def _check_names(args: argparse.Namespace) -> None:
    """Refuse a rule or a state that does not exist: no alert has it, and that would look like safety."""
    from alerts.handling.lifecycle import State  # noqa: PLC0415 - keeps `kerbsafe --help` fast
    from alerts.words.transitions import Rule  # noqa: PLC0415

    for name, given, known in (
        ("rule", args.rule, [rule.name.lower() for rule in Rule]),
        ("state", args.state, [state.value for state in State]),
    ):
        if given is not None and given not in known:
            raise KerbsafeError(f"no {name} {given!r}: the {name}s are {', '.join(known)}")


@asynccontextmanager
async def _asked(args: argparse.Namespace) -> AsyncIterator[asyncpg.Connection]:
    """Open the database and make sure that it knows what is asked for."""
    from fleet.registry import require_vehicle  # noqa: PLC0415 - keeps `kerbsafe --help` fast
    from kerbsafe.shell.database import database  # noqa: PLC0415

    async with database("alerts") as connection:
        if args.vehicle is not None:
            await require_vehicle(connection, args.vehicle)
        yield connection


async def _list(args: argparse.Namespace) -> None:
    from alerts.store.store import QUERIES  # noqa: PLC0415 - keeps `kerbsafe --help` fast
    from alerts.words.lasting import so_far  # noqa: PLC0415
    from fleet.installation import read_clock  # noqa: PLC0415

    async with _asked(args) as connection:
        rows = await connection.fetch(QUERIES["list_alerts"], args.rule, args.state, args.vehicle, args.limit)
        now_us = (await read_clock(connection)).now_us()
    alerts = [so_far(row["alert"], now_us) for row in rows]
    if args.json:
        print(json.dumps(alerts, ensure_ascii=False))
        return
    for alert in alerts:
        print(_line(alert))
    if not alerts:
        print("no alerts")


async def _follow(args: argparse.Namespace) -> None:
    wanted = {"rule": args.rule, "state": args.state, "vehicle": args.vehicle}
    async with _asked(args) as connection:
        async for change, alert in _changes(connection):
            if any(value is not None and alert[name] != value for name, value in wanted.items()):
                continue
            if args.json:
                print(json.dumps({"change": change, **alert}, ensure_ascii=False), flush=True)
            else:
                print(f"{change:<10} {_line(alert)}", flush=True)


async def _changes(connection: asyncpg.Connection) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Yield what the feed tells from now on."""
    from alerts.store.store import QUERIES  # noqa: PLC0415

    hint = asyncio.Event()
    await connection.add_listener("kerbsafe_alert_feed", lambda *_: hint.set())
    seen = await connection.fetchval(QUERIES["feed_end"])
    while True:
        hint.clear()
        rows = await connection.fetch(QUERIES["feed_after"], seen, _PAGE)
        for row in rows:
            seen = row["feed_id"]
            yield row["change"], row["body"]
        if len(rows) < _PAGE:
            try:
                await asyncio.wait_for(hint.wait(), _LOOK_EVERY_S)
            except TimeoutError:
                continue


def _line(alert: dict[str, Any]) -> str:
    ended = "open" if alert["ended_at"] is None else alert["ended_at"][11:19]
    late = ", late" if alert["late"] else ""
    return (
        f"{alert['started_at'][:19]}Z–{ended}  {alert['vehicle']:<16} {alert['rule']:<18} severity "
        f"{alert['severity']}  peak {alert['peak']:g}, limit {alert['limit']:g} ({alert['limit_source']})  "
        f"{alert['state']}, {alert['settled_as'] or 'provisional'}{late}"
    )
