"""`kerbsafe migrate`: bring the database to the schema of this version."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from fleet import db, installation, migrate
from fleet.environment import read_settings

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "migrate",
        description="Apply the migrations that are missing in the database of KERBSAFE_DSN, forward only, "
        "and make room for the coming days. Run again, it changes nothing.",
    )
    parser.add_argument(
        "--sandbox",
        action="store_true",
        help="make a new database a sandbox, which plays recorded drives at any speed; not for real data",
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help="do without TimescaleDB in a new database though the server has it",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Migrate and say what was done."""
    result = asyncio.run(_migrate(sandbox=args.sandbox, plain=args.plain))
    if args.json:
        print(json.dumps(result))
        return 0
    for name in result["applied"]:
        print(f"applied {name}")
    kind = "a sandbox" if result["sandbox"] else "ordinary"
    print(f"the database is at version {result['version']} ({result['grade']}, {kind})")
    return 0


async def _migrate(*, sandbox: bool, plain: bool) -> dict[str, Any]:
    connection = await db.connect(read_settings().dsn, application="migrate")
    try:
        applied = await migrate.migrate(connection, sandbox=sandbox, plain=plain)
        clock = await installation.read_clock(connection)
        await installation.make_days_ahead(connection, clock.now_us())
        return {
            "applied": applied,
            "version": len(migrate.read_migrations()),
            "grade": str(await installation.grade(connection)),
            "sandbox": clock.sandbox,
        }
    finally:
        await connection.close()
