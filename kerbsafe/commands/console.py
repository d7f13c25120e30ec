"""`kerbsafe console`: the trucks and the alerts in a browser, and the API."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from fleet.settings import Settings

_LONGEST_DAYS = 3650
#: As `console.accounts` and `console.identity` know them.
_ROLES = ("administrator", "operator", "viewer")
_SCOPES = ("read", "act")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and what belongs to it."""
    from pathlib import Path  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    parser = commands.add_parser(
        "console",
        help="show the trucks and the alerts in a browser; the API",
        description="Serve the console and the API under /api/v1. Prints its address, and at the first start "
        "a one-time password for `admin`. Runs until SIGINT or SIGTERM. /healthz, /readyz and /metrics on "
        "port 9413, or KERBSAFE_HTTP_PORT.",
    )
    parser.add_argument("--host", help="address to listen on (default: KERBSAFE_CONSOLE_HOST, 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port; 0: a free one (default: KERBSAFE_CONSOLE_PORT, 9400)")
    parser.add_argument(
        "--demo", action="store_true", help="ask nobody for a password; only on loopback, for trying"
    )
    parser.add_argument(
        "--streets",
        type=Path,
        metavar="FILE",
        help="GeoJSON street lines to draw (default: KERBSAFE_STREETS)",
    )
    parser.add_argument("--open", action="store_true", help="open it in the browser of this machine")
    parser.set_defaults(run=run)
    actions = parser.add_subparsers(title="other things to do", metavar="ACTION", required=False)
    admin = actions.add_parser(
        "admin",
        help="print a new one-time password for `admin`",
        description="Give `admin` a new one-time password, print it, and end the sessions of `admin`.",
    )
    admin.set_defaults(run=run_admin)
    document = actions.add_parser("openapi", help="print the OpenAPI 3.1 document of the API")
    document.set_defaults(run=run_openapi)
    _add_user_parser(actions)
    _add_token_parser(actions)


def _add_user_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    user = actions.add_parser("user", help="people who log in at the console")
    kinds = user.add_subparsers(title="what to do", metavar="WHAT", required=True)
    add = kinds.add_parser("add", help="let somebody in, or give them a new one-time password and role")
    add.add_argument("name", help="how they log in, e.g. li.na")
    add.add_argument(
        "--role",
        choices=_ROLES,
        default="operator",
        help="operators act on alerts, viewers look (default: %(default)s)",
    )
    add.set_defaults(run=run_user_add)
    disable = kinds.add_parser("disable", help="let somebody in no more")
    disable.add_argument("name", help="how they logged in")
    disable.set_defaults(run=run_user_disable)
    listing = kinds.add_parser("list", help="list the people")
    listing.add_argument("--json", action="store_true", help="one JSON array")
    listing.set_defaults(run=run_user_list)


def _add_token_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    token = actions.add_parser("token", help="tokens with which programs read the API")
    kinds = token.add_subparsers(title="what to do", metavar="WHAT", required=True)
    add = kinds.add_parser("add", help="make a token and print it, once")
    add.add_argument("name", help="what the token is for, e.g. dispatch-board")
    add.add_argument("--days", type=int, help="how long it lasts (default: until it is revoked)")
    add.add_argument(
        "--scope",
        choices=_SCOPES,
        default="read",
        help="act: it may also acknowledge, resolve, reopen and comment (default: %(default)s)",
    )
    add.set_defaults(run=run_token_add)
    revoke = kinds.add_parser("revoke", help="end a token")
    revoke.add_argument("name", help="its name")
    revoke.set_defaults(run=run_token_revoke)
    listing = kinds.add_parser("list", help="list the tokens")
    listing.add_argument("--json", action="store_true", help="one JSON array")
    listing.set_defaults(run=run_token_list)


def run(args: argparse.Namespace) -> int:
    """Serve."""
    from console import process  # noqa: PLC0415 - keeps `kerbsafe --help` fast
    from fleet.settings import read_settings  # noqa: PLC0415
    from kerbsafe import processes  # noqa: PLC0415

    settings = read_settings()
    if args.streets is not None:
        settings = _with_streets(settings, args.streets)
    options = process.Options(
        host=args.host or settings.console_host,
        port=settings.console_port if args.port is None else _port(args.port),
        demo=args.demo,
    )

    def listening(address: str) -> None:
        print(address, flush=True)
        if args.open:
            import webbrowser  # noqa: PLC0415

            webbrowser.open(address)

    serving = process.run(settings, options, listening=listening, printed=_print_password)
    processes.run(serving, log_level=settings.log_level)
    return 0


def _with_streets(settings: Settings, path: Path) -> Settings:
    import dataclasses  # noqa: PLC0415

    from console.process import ConsoleError  # noqa: PLC0415

    if not path.is_file():
        raise ConsoleError(f"there is no file {path}: give --streets a GeoJSON file of street lines")
    return dataclasses.replace(settings, streets=path)


def _port(port: int) -> int:
    from console.process import ConsoleError  # noqa: PLC0415

    if not 0 <= port <= 65_535:  # noqa: PLR2004 - as TCP has them
        raise ConsoleError(f"{port} is not a port: give --port a number from 0 to 65535")
    return port


def _print_password(password: str) -> None:
    """Show a password to whoever sits there; it goes to no log."""
    _print_password_of("admin", password)


def _print_password_of(name: str, password: str) -> None:
    print(
        f"Log in as {name} with this one-time password, and choose your own:\n\n    {password}\n", flush=True
    )


def run_admin(_: argparse.Namespace) -> int:
    """Print a new one-time password."""
    from console import accounts  # noqa: PLC0415
    from kerbsafe.database import database  # noqa: PLC0415

    async def renew() -> str:
        async with database("console") as connection:
            return await accounts.issue_password(connection)

    _print_password(asyncio.run(renew()))
    return 0


def run_user_add(args: argparse.Namespace) -> int:
    """Let somebody in."""
    from console import accounts  # noqa: PLC0415
    from kerbsafe.database import database  # noqa: PLC0415

    async def add() -> str:
        async with database("console") as connection:
            return await accounts.issue_password(connection, args.name, args.role)

    _print_password_of(args.name, asyncio.run(add()))
    return 0


def run_user_disable(args: argparse.Namespace) -> int:
    """Let somebody in no more."""
    from console import accounts  # noqa: PLC0415
    from kerbsafe.database import database  # noqa: PLC0415

    async def disable() -> None:
        async with database("console") as connection:
            await accounts.disable_user(connection, args.name, _now_us())

    asyncio.run(disable())
    print(f"{args.name} is let in no more; what they did to alerts stays on record")
    return 0


def run_user_list(args: argparse.Namespace) -> int:
    """List the people."""
    from console import accounts  # noqa: PLC0415
    from kerbsafe.database import database  # noqa: PLC0415

    async def read() -> list[dict[str, object]]:
        async with database("console") as connection:
            return await accounts.list_users(connection)

    users = asyncio.run(read())
    if args.json:
        print(json.dumps(users, default=str))
        return 0
    for user in users:
        disabled = f", disabled {user['disabled_at']:%Y-%m-%d}" if user["disabled_at"] else ""
        waiting = ", has yet to choose a password" if user["one_time"] else ""
        print(f"{user['name']:<32} {user['role']}{waiting}{disabled}")
    if not users:
        print("no users")
    return 0


def run_openapi(_: argparse.Namespace) -> int:
    """Print the document."""
    from console.openapi import document  # noqa: PLC0415
    from console.server import OPERATIONS  # noqa: PLC0415

    print(json.dumps(document(OPERATIONS), ensure_ascii=False, indent=2))
    return 0


def run_token_add(args: argparse.Namespace) -> int:
    """Make a token."""
    from console import accounts  # noqa: PLC0415
    from kerbsafe.database import database  # noqa: PLC0415

    if args.days is not None and not 1 <= args.days <= _LONGEST_DAYS:
        raise accounts.AccountError(f"a token lasts 1 to {_LONGEST_DAYS} days, not {args.days}")

    async def add() -> str:
        async with database("console") as connection:
            return await accounts.add_token(connection, args.name, _now_us(), args.days, args.scope)

    print(asyncio.run(add()))
    print("This is the only time that it is shown. Send it as `Authorization: Bearer`.", file=sys.stderr)
    return 0


def run_token_revoke(args: argparse.Namespace) -> int:
    """End a token."""
    from console import accounts  # noqa: PLC0415
    from kerbsafe.database import database  # noqa: PLC0415

    async def revoke() -> None:
        async with database("console") as connection:
            await accounts.revoke_token(connection, args.name, _now_us())

    asyncio.run(revoke())
    print(f"the token {args.name} has ended; live connections that use it end within half a minute")
    return 0


def run_token_list(args: argparse.Namespace) -> int:
    """List the tokens."""
    from console import accounts  # noqa: PLC0415
    from kerbsafe.database import database  # noqa: PLC0415

    async def read() -> list[dict[str, object]]:
        async with database("console") as connection:
            return await accounts.list_tokens(connection)

    tokens = asyncio.run(read())
    if args.json:
        print(json.dumps(tokens, default=str))
        return 0
    for token in tokens:
        ended = f"revoked {token['revoked_at']:%Y-%m-%d}" if token["revoked_at"] else "in use"
        until = f", until {token['expires_at']:%Y-%m-%d}" if token["expires_at"] else ""
        print(f"{token['name']:<32} {token['scope']:<5} {ended}{until}")
    if not tokens:
        print("no tokens")
    return 0


def _now_us() -> int:
    return time.time_ns() // 1000
