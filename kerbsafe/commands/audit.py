"""`kerbsafe audit`: who changed who may do what, or what judges; who logged in, and who was refused."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from kerbsafe.shell.numbers import whole

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

_MOST = 10_000
#: As `fleet.audit.Act` has them.
_ACTS = (
    "logged_in",
    "logged_out",
    "login_refused",
    "login_delayed",
    "access_refused",
    "password_changed",
    "user_admitted",
    "user_disabled",
    "token_added",
    "token_revoked",
    "device_admitted",
    "service_admitted",
    "login_revoked",
    "rulebook_recorded",
    "registry_imported",
    "accident_recorded",
    "accident_corrected",
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "audit",
        help="who changed users, tokens, devices, rulebooks, registry; who logged in, who was refused",
        description="The audit in the database of KERBSAFE_DSN. It is append-only. What was done to an alert "
        "stands with the alert.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list entries, newest first")
    listing.add_argument("--act", choices=_ACTS, metavar="ACT", help=f"only this: {', '.join(_ACTS)}")
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
    from fleet import audit  # noqa: PLC0415 - keeps `kerbsafe --help` fast
    from kerbsafe.shell.database import database  # noqa: PLC0415

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
