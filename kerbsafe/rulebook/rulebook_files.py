"""Rulebook files and the versions in the database, for `kerbsafe rules`."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from alerts.in_force.rulebooks import RulebookError
from alerts.rulebook import documents, rulebook_store
from fleet import audit
from fleet.audit import Act, Entry
from fleet.installation import read_clock
from fleet.units import to_datetime, to_us
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from alerts.in_force.rulebooks import Rulebook, Rulebooks

#: A rulebook is a page or two; what is larger is something else.
LARGEST_BYTES = 4 * documents.LARGEST
EXIT_FAULTS = 2


def read_text(path: Path) -> str:
    """Return the text of a rulebook file. Raise `RulebookError` that names the file."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        if len(content) > LARGEST_BYTES:
            raise RulebookError(f"{path}: larger than 1 MB, which no rulebook is")
        return content.decode("utf-8")
    except OSError as error:
        raise RulebookError(f"cannot read the rulebook {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RulebookError(f"{path}: a rulebook is UTF-8, and byte {error.start} is not") from error


def read(path: Path) -> Rulebook:
    """Return the rulebook of a file. Raise `RulebookError` that names the file and every fault."""
    text = read_text(path)
    try:
        return documents.parse(text)
    except RulebookError as error:
        raise RulebookError(f"{path}: {error}", error.faults) from error


def check(args: argparse.Namespace) -> int:
    """Print every fault of a file, one a line; return 2 if there is one."""
    text = read_text(args.file)
    faults: tuple[str, ...] = ()
    version: str | None = None
    try:
        version = documents.parse(text).version
    except RulebookError as error:
        faults = error.faults
    if args.json:
        found: dict[str, Any] = {
            "file": str(args.file),
            "version": version,
            "valid": not faults,
            "faults": list(faults),
        }
        print(json.dumps(found, ensure_ascii=False))
    elif faults:
        print(f"kerbsafe: {args.file}: {len(faults)} fault{'s' * (len(faults) > 1)}", file=sys.stderr)
        print("\n".join(f"  {fault}" for fault in faults), file=sys.stderr)
    else:
        print(f"{args.file}: version {version} is valid")
    return EXIT_FAULTS if faults else 0


def put_in_force(args: argparse.Namespace) -> int:
    """Record the version of a file, to be in force from a time on."""
    text = read_text(args.file)

    async def put() -> tuple[Rulebook, Rulebooks]:
        async with database("rules") as connection:
            now_us = (await read_clock(connection)).now_us()
            from_us = now_us + rulebook_store.NOTICE_US if args.since is None else to_us(args.since)
            async with connection.transaction():
                book = await rulebook_store.put_in_force(connection, text, from_us, now_us)
                recorded = await rulebook_store.read_rulebooks(connection)
                entry = Entry(
                    Act.RULEBOOK_RECORDED, audit.at_the_shell(), book.version, _since(book, recorded)
                )
                await audit.record(connection, entry)
            return book, recorded

    book, recorded = asyncio.run(put())
    print(f"version {book.version} is {_since(book, recorded)}")
    return 0


def _since(book: Rulebook, recorded: Rulebooks) -> str:
    """Say from when on a version that was just recorded judges."""
    if len(recorded.versions) == 1:
        return "in force: it is the first"
    return f"in force from {to_datetime(book.valid_from_us).isoformat()} on"


async def _recorded() -> tuple[Rulebooks, int]:
    async with database("rules") as connection:
        now_us = (await read_clock(connection)).now_us()
        try:
            return await rulebook_store.read_rulebooks(connection), now_us
        except RulebookError as error:
            raise RulebookError(
                "no version is recorded yet: the first process to start records the one that ships; or put "
                "one in force with `kerbsafe rules import FILE`"
            ) from error


def show_versions(args: argparse.Namespace) -> int:
    """List the versions, and which is in force."""
    books, now_us = asyncio.run(_recorded())
    current = books.in_force(now_us)
    rows = [
        {
            "version": book.version,
            "valid_from": to_datetime(book.valid_from_us).isoformat() if book.valid_from_us > 0 else None,
            "in_force": book is current,
            "overrides": [one.place for one in book.overrides],
            "shadow": book.in_mode("shadow"),
            "off": book.in_mode("off"),
        }
        for book in books.versions
    ]
    if args.json:
        print(json.dumps({"versions": rows}, ensure_ascii=False))
        return 0
    width = max(len(book.version) for book in books.versions)
    for row in rows:
        print(_version_line(row, width))
    return 0


def _version_line(row: dict[str, Any], width: int) -> str:
    said = [f"{name}: {', '.join(row[name])}" for name in ("overrides", "shadow", "off") if row[name]]
    mark, since = "*" if row["in_force"] else " ", row["valid_from"] or "since ever"
    return f"{mark} {row['version']:{width}}  {since:25}  {'  '.join(said)}".rstrip()


def show(args: argparse.Namespace) -> int:
    """Print the document of a version."""
    books, now_us = asyncio.run(_recorded())
    wanted = args.version or books.in_force(now_us).version
    for book in books.versions:
        if book.version == wanted:
            print(book.document, end="" if book.document.endswith("\n") else "\n")
            return 0
    raise RulebookError(f"no version {wanted!r} is recorded; see `kerbsafe rules list`")
