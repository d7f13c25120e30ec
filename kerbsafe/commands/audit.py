"""`kerbsafe audit`: who changed users, tokens, devices, rulebooks, registry; who logged in or was refused."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from fleet import audit
from kerbsafe.shell.database import database
from kerbsafe.shell.numbers import whole

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

_MOST = 10_000


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "audit",
        description="The audit in the database of KERBSAFE_DSN. Nothing in it can be changed; the worker "
        "forgets what is older than KERBSAFE_AUDIT_DAYS. What was done to an alert stands with the alert.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list entries, newest first")
    listing.add_argument(
        "--act",
        choices=[act.value for act in audit.Act],
        metavar="ACT",
        help=f"only this: {', '.join([act.value for act in audit.Act])}",
    )
    listing.add_argument(
        "--limit", type=whole(1, _MOST), default=100, metavar="N", help="at most so many (default: 100)"
    )
    listing.add_argument(
        "--before", type=whole(1, 2**62), metavar="ID", help="entries before this one: the next page"
    )
    listing.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    listing.set_defaults(run=run_list)


def run_list(args: argparse.Namespace) -> int:
    """Print entries."""

    async def read() -> list[dict[str, Any]]:
        async with database("audit") as connection:
            return await audit.newest(connection, before=args.before, act=args.act, limit=args.limit)

    found = asyncio.run(read())
    if args.json:
        print(json.dumps({"entries": found}, ensure_ascii=False, default=lambda moment: moment.isoformat()))
        return 0
    print("\n".join(map(_line, found)) or "nothing is on record")
    return 0


def _line(entry: Mapping[str, Any]) -> str:
    who = " ".join(part for part in (entry["actor_kind"], entry["actor"]) if part)
    about = ", ".join(part for part in (entry["subject"], entry["detail"]) if part)
    parts = (
        str(entry["id"]),
        f"{entry['at']:%Y-%m-%d %H:%M:%S}Z",
        entry["act"],
        who,
        about,
        entry["address"] or "",
    )
    return "  ".join(part for part in parts if part)
