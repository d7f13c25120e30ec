"""The `kerbsafe` command: finds the subcommands, turns errors for people into one line and exit code 2."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, NoReturn

import structlog

from fleet.errors import KerbsafeError
from fleet.language import language, told
from fleet.printable import printable
from kerbsafe import commands

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """Tells what is wrong with the arguments in one line, as every other error; so do its subcommands."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_BAD_INPUT, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def build_parser(arguments: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser for these arguments: with the command that they name, or with a line on each.

    Only the module of the command that is named is imported: `kerbsafe --help` waits for no database driver.
    """
    parser = _Parser(
        prog="kerbsafe",
        description="Fleet telematics and safety backend for concrete mixers and bulk-cement trucks.",
        epilog="Start with `kerbsafe demo`. `kerbsafe doctor` lists the settings.",
    )
    parser.add_argument("--version", action="version", version=f"kerbsafe {version('kerbsafe')}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    known = commands.names()
    if arguments and arguments[0] in known:
        commands.load(arguments[0]).add_parser(subparsers)
    else:
        for name in known:
            subparsers.add_parser(name, help=commands.summary(name))
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        arguments = sys.argv[1:] if argv is None else argv
        args = build_parser(arguments).parse_args(arguments)
        _mind_the_log()
        return int(args.run(args))
    except KerbsafeError as error:
        # It may hold what a file of a stranger says.
        lines = told(error, language(os.environ)).splitlines()
        print("kerbsafe:", "\n".join(map(printable, lines)), file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        if (stays := _what_stays()) is not None:
            print(f"kerbsafe: {stays}", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, e.g. `kerbsafe alerts | head`
        sys.stderr.close()
        return 0
    except Exception as error:
        if (said := _said(error)) is None:
            raise
        print(f"kerbsafe: {said}", file=sys.stderr)
        return EXIT_BAD_INPUT


def _mind_the_log() -> None:
    """Keep what a process would log off the standard output, where a command prints its result."""
    if not structlog.is_configured():  # a process configures its own
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
            logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        )


def _what_stays() -> str | None:
    """Return what an interrupted command has written, if it has written anything."""
    if "kerbsafe.shell.database" not in sys.modules:
        return None
    from kerbsafe.shell.database import COMMITS  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    sentence = COMMITS.sentence()
    return None if sentence is None else sentence.to(language(os.environ))


def _said(error: Exception) -> str | None:
    """Return what a person can mend of an error that no command has put into words: a disk, a network.

    What is left is a fault of ours, and its trace is what we need.
    """
    if isinstance(error, OSError):
        why = error.strerror or str(error) or type(error).__name__
        return why if error.filename is None else f"{error.filename}: {why}"
    if "asyncpg" not in sys.modules:
        return None
    from fleet.db import failed  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    refused = failed(error)
    return None if refused is None else str(refused)
