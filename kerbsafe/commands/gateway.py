"""`kerbsafe gateway`: take in what terminals of JT/T 808 send over TCP, and pass it to the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.environment import read_settings
from ingest.gateway import process
from kerbsafe.shell import processes

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "gateway",
        description="Listen for terminals of JT/T 808 (2011, 2013, 2019) on port 6808, or "
        "KERBSAFE_GATEWAY_PORT, and publish what they report to the broker of KERBSAFE_BROKER as units of "
        "their trucks would. A terminal is a device of the registry whose login is its telephone; what "
        "it reports is acknowledged to it once the broker has it. Runs until SIGINT or SIGTERM. /healthz, "
        "/readyz and /metrics on port 9414, or KERBSAFE_HTTP_PORT. See docs/terminals.md.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the gateway."""
    del args
    settings = read_settings()
    processes.run(process.run(settings), log_level=settings.log_level)
    return 0
