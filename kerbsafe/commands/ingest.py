"""`kerbsafe ingest`: take in what trucks send, judge it, raise alerts (the hot path)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.environment import read_settings
from ingest import process
from kerbsafe.shell import processes

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "ingest",
        description="Read fixes, camera events and health reports from the broker of KERBSAFE_BROKER, store "
        "and judge them in one transaction a batch, and acknowledge them only then. Runs until SIGINT or "
        "SIGTERM. /healthz, /readyz and /metrics on port 9411, or KERBSAFE_HTTP_PORT.",
    )
    parser.add_argument(
        "--auto-register",
        action="store_true",
        help="register companies and vehicles that nobody knows; in a sandbox only",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run ingest."""
    settings = read_settings()
    processes.run(process.run(settings, auto_register=args.auto_register), log_level=settings.log_level)
    return 0
