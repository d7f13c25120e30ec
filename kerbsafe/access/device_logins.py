"""The work of `kerbsafe device`: change credentials, and have the broker's files follow.

A secret is printed once and is neither stored nor logged. Changes and files are made under one lock that is
held to the end, so that of two commands at once the second writes what both have changed.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet import accounts, audit
from fleet.audit import Act, Entry
from fleet.credentials import (
    SALT_BYTES,
    SECRET_BYTES,
    Listener,
    Role,
    acl_file,
    hash_secret,
    password_file,
)
from fleet.entities import RegistryError
from fleet.environment import read_settings
from fleet.installation import read_clock
from fleet.wire.topics import is_code
from kerbsafe.access.broker_files import BrokerFileError, prepared, reload_broker
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    import asyncpg

    Change = Callable[[asyncpg.Connection], Awaitable[None]]

_RELOAD_BY_HAND = "kill -HUP $(pidof mosquitto)"
_SECRET_CHARACTERS = 24
_SERVICE_NAME = re.compile(r"[a-z0-9_-]{1,55}")


@dataclass(frozen=True, slots=True)
class BrokerFiles:
    """Where the broker reads logins and topics."""

    passwords: Path
    acl: Path


def run_add(args: argparse.Namespace) -> int:
    """Issue a secret to a device."""
    login = args.login or args.vehicle
    if not is_code(login):
        raise RegistryError(
            f"the login {login!r} must be 1 to 64 of the characters A-Z a-z 0-9 _ -: use --login"
        )
    secret, secret_hash = _new_secret()

    async def issue(connection: asyncpg.Connection) -> None:
        await accounts.put_device_secret(
            connection, vehicle=args.vehicle, login=login, secret_hash=secret_hash, renew=args.renew
        )

    entry = Entry(Act.DEVICE_ADMITTED, audit.at_the_shell(), login, f"vehicle {args.vehicle}")
    written = asyncio.run(_change(issue, _files(args), entry))
    return _told(args, {"login": login, "vehicle": args.vehicle, "secret": secret}, written)


def run_service(args: argparse.Namespace) -> int:
    """Issue a secret to one of our own services."""
    name = args.name or args.role
    if not _SERVICE_NAME.fullmatch(name):
        raise RegistryError(f"--name {name!r} must be 1 to 55 of the characters a-z 0-9 _ -")
    login = accounts.SERVICE_PREFIX + name
    given = None if args.secret_file is None else _read_secret(args.secret_file)
    secret, secret_hash = _new_secret(given)
    renew = args.renew or given is not None

    async def issue(connection: asyncpg.Connection) -> None:
        await accounts.put_service_secret(
            connection, login=login, role=Role(args.role), secret_hash=secret_hash, renew=renew
        )

    entry = Entry(Act.SERVICE_ADMITTED, audit.at_the_shell(), login, f"role {args.role}")
    written = asyncio.run(_change(issue, _files(args), entry))
    result = {"login": login, "role": args.role}
    return _told(args, result if given else result | {"secret": secret}, written)


def run_revoke(args: argparse.Namespace) -> int:
    """Take a login back."""
    entry = Entry(Act.LOGIN_REVOKED, audit.at_the_shell(), args.login)
    written = asyncio.run(
        _change(lambda connection: accounts.revoke(connection, args.login), _files(args), entry)
    )
    return _told(args, {"login": args.login, "revoked": True}, written)


def run_write(args: argparse.Namespace) -> int:
    """Write the broker's files again."""
    files = _files(args)
    if files is None:
        raise BrokerFileError("which files? Name --password-file and --acl-file, or set their variables")
    written = asyncio.run(_change(_nothing, files))
    return _told(args, {}, written)


def run_list(args: argparse.Namespace) -> int:
    """Print every login."""
    found = asyncio.run(_list())
    if args.json:
        print(json.dumps({"logins": found}, ensure_ascii=False))
        return 0
    for row in found:
        print(row["login"], row["vehicle"] or row["role"], row["state"], row["model"], sep="  ")
    return 0


ACTIONS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "add": run_add,
    "service-account": run_service,
    "revoke": run_revoke,
    "write-broker-files": run_write,
    "list": run_list,
}


def _read_secret(path: Path) -> str:
    """Return the secret that a file holds; what is short could be guessed, for the broker hashes lightly."""
    try:
        secret = path.read_text("ascii", "replace").partition("\n")[0].rstrip("\r")
    except OSError as error:
        raise RegistryError(f"cannot read a secret from {path}: {error.strerror or error}") from error
    if not re.fullmatch(rf"[!-~]{{{_SECRET_CHARACTERS},}}", secret):
        raise RegistryError(
            f"the first line of {path} must be {_SECRET_CHARACTERS} or more visible ASCII characters, as "
            "`openssl rand -hex 32` gives"
        )
    return secret


def _new_secret(given: str | None = None) -> tuple[str, str]:
    secret = given or secrets.token_urlsafe(SECRET_BYTES)
    return secret, hash_secret(secret, secrets.token_bytes(SALT_BYTES))


def _files(args: argparse.Namespace) -> BrokerFiles | None:
    """Return the files to write, None if none are named."""
    settings = read_settings()
    passwords = args.password_file or settings.mosquitto_password_file
    acl = args.acl_file or settings.mosquitto_acl_file
    if passwords is None and acl is None:
        if args.reload:
            raise BrokerFileError("--reload needs --password-file and --acl-file, or their variables")
        return None
    if passwords is None or acl is None:
        raise BrokerFileError("the broker needs both files: name --password-file and --acl-file")
    return BrokerFiles(passwords, acl)


async def _change(change: Change, files: BrokerFiles | None, entry: Entry | None = None) -> list[str]:
    """Change credentials, with an entry in the audit, and replace the broker's files; returns their names.

    The new files are complete on disk before the change is committed, and put in place after it.
    """
    async with database("device") as connection:
        await accounts.lock_accounts(connection)
        now_us = (await read_clock(connection)).now_us()
        with ExitStack() as stack:
            async with connection.transaction():
                await change(connection)
                if entry is not None:
                    await audit.record(connection, entry)
                contents = await _contents(connection, files, now_us)
                new = stack.enter_context(prepared(contents))
            new.replace()
        return [str(path) for path in contents]


async def _contents(
    connection: asyncpg.Connection, files: BrokerFiles | None, now_us: int
) -> Mapping[Path, str]:
    if files is None:
        return {}
    found = await accounts.read_accounts(connection, now_us)
    # The ACLs first: until the passwords follow, a new login cannot come in at all.
    acls = {listener.file(files.acl): acl_file(found, listener) for listener in Listener}
    passwords = {listener.file(files.passwords): password_file(found, listener) for listener in Listener}
    return acls | passwords


async def _nothing(_: asyncpg.Connection) -> None:
    """Change nothing."""


async def _list() -> list[dict[str, Any]]:
    async with database("device") as connection:
        return await accounts.list_accounts(connection)


def _told(args: argparse.Namespace, result: dict[str, Any], written: list[str]) -> int:
    """Print what was done, secret included; only then reload the broker, which may fail."""
    if args.json:
        print(json.dumps({**result, "written": written}, ensure_ascii=False), flush=True)
    else:
        for name, value in result.items():
            print(f"{name}: {value}")
        if "secret" in result:
            print("The secret is not shown again.", file=sys.stderr)
    if not written:
        print("No broker file was named: see `kerbsafe device write-broker-files --help`.", file=sys.stderr)
    elif args.reload:
        reload_broker(args.reload)
    else:
        print(f"Now have the broker read its files again: {_RELOAD_BY_HAND}", file=sys.stderr)
    return 0
