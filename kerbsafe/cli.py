"""The `kerbsafe` command: finds the subcommands, turns errors for people into one line and exit code 2."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import pkgutil
import sys
from importlib.metadata import version
from typing import NoReturn

import structlog

from fleet.errors import KerbsafeError
from fleet.language import language, told
from fleet.printable import printable
from kerbsafe import commands

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """Tells what is wrong with the arguments in one line, as every other error; so do its subcommands."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_BAD_INPUT, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every module of `kerbsafe.commands` as a subcommand."""
    parser = _Parser(
        prog="kerbsafe",
        description="Fleet telematics and safety backend for concrete mixers and bulk-cement trucks.",
        epilog="Start with `kerbsafe demo`. `kerbsafe doctor` lists the settings.",
    )
    parser.add_argument("--version", action="version", version=f"kerbsafe {version('kerbsafe')}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in sorted(info.name for info in pkgutil.iter_modules(commands.__path__)):
        importlib.import_module(f"{commands.__name__}.{module}").add_parser(subparsers)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        args = build_parser().parse_args(argv)
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
