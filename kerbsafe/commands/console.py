"""`kerbsafe console`: show the trucks and the alerts in a browser; the API."""

from __future__ import annotations

import dataclasses
import json
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from console import accounts, process
from console.openapi import document
from console.process import ConsoleError
from console.server import OPERATIONS
from fleet.environment import read_settings
from kerbsafe.access import console_accounts
from kerbsafe.shell import processes
from kerbsafe.shell.numbers import whole

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from fleet.settings import Settings

_LONGEST_DAYS = 3650


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and what belongs to it."""
    parser = commands.add_parser(
        "console",
        description="Serve the console and the API under /api/v1. Prints its address, and at the first start "
        "a one-time password for `admin`. Runs until SIGINT or SIGTERM. /healthz, /readyz and /metrics on "
        "port 9413, or KERBSAFE_HTTP_PORT.",
    )
    parser.add_argument("--host", help="address to listen on (default: KERBSAFE_CONSOLE_HOST, 127.0.0.1)")
    parser.add_argument(
        "--port",
        type=whole(0, 65_535),
        metavar="PORT",
        help="port; 0: a free one (default: KERBSAFE_CONSOLE_PORT, 9400)",
    )
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
    admin.set_defaults(run=_runner("admin"))
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
        choices=accounts.ROLES,
        default="operator",
        help="operators act on alerts, viewers look (default: %(default)s)",
    )
    add.set_defaults(run=_runner("user add"))
    disable = kinds.add_parser("disable", help="let somebody in no more")
    disable.add_argument("name", help="how they logged in")
    disable.set_defaults(run=_runner("user disable"))
    listing = kinds.add_parser("list", help="list the people")
    listing.add_argument("--json", action="store_true", help="one JSON array")
    listing.set_defaults(run=_runner("user list"))


def _add_token_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    token = actions.add_parser("token", help="tokens with which programs read the API")
    kinds = token.add_subparsers(title="what to do", metavar="WHAT", required=True)
    add = kinds.add_parser("add", help="make a token and print it, once")
    add.add_argument("name", help="what the token is for, e.g. dispatch-board")
    add.add_argument(
        "--days",
        type=whole(1, _LONGEST_DAYS),
        metavar="DAYS",
        help="how long it lasts (default: until it is revoked)",
    )
    add.add_argument(
        "--scope",
        choices=accounts.SCOPES,
        default="read",
        help="act: it may also acknowledge, resolve, reopen and comment (default: %(default)s)",
    )
    add.set_defaults(run=_runner("token add"))
    revoke = kinds.add_parser("revoke", help="end a token")
    revoke.add_argument("name", help="its name")
    revoke.set_defaults(run=_runner("token revoke"))
    listing = kinds.add_parser("list", help="list the tokens")
    listing.add_argument("--json", action="store_true", help="one JSON array")
    listing.set_defaults(run=_runner("token list"))


def _runner(action: str) -> Callable[[argparse.Namespace], int]:
    def run(args: argparse.Namespace) -> int:
        return console_accounts.ACTIONS[action](args)

    return run


def run(args: argparse.Namespace) -> int:
    """Serve."""
    settings = read_settings()
    if args.streets is not None:
        settings = _with_streets(settings, args.streets)
    options = process.Options(
        host=args.host or settings.console_host,
        port=settings.console_port if args.port is None else args.port,
        demo=args.demo,
    )

    def listening(address: str) -> None:
        print(address, flush=True)
        if args.open:
            webbrowser.open(address)

    def printed(password: str) -> None:
        console_accounts.print_password(accounts.ADMINISTRATOR, password)

    serving = process.run(settings, options, listening=listening, printed=printed)
    processes.run(serving, log_level=settings.log_level)
    return 0


def _with_streets(settings: Settings, path: Path) -> Settings:
    if not path.is_file():
        raise ConsoleError(f"there is no file {path}: give --streets a GeoJSON file of street lines")
    return dataclasses.replace(settings, streets=path)


def run_openapi(_: argparse.Namespace) -> int:
    """Print the document."""
    print(json.dumps(document(OPERATIONS), ensure_ascii=False, indent=2))
    return 0
