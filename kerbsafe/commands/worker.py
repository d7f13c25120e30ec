"""`kerbsafe worker`: judge ended trips again from the complete record, and close days at night."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from alerts import worker
from fleet.environment import read_settings
from kerbsafe.days.nights import nights
from kerbsafe.shell import processes

if TYPE_CHECKING:
    import argparse

    from alerts.settling.settle import Settled


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "worker",
        description="Settle segments a horizon after they have ended, and again when late fixes arrive: "
        "alerts are confirmed, amended, added or withdrawn. From 03:00 civil time on, days that are settled "
        "are closed. Runs until SIGINT or SIGTERM. /healthz, /readyz and /metrics on port 9412, or "
        "KERBSAFE_HTTP_PORT.",
    )
    parser.add_argument(
        "--drain", action="store_true", help="settle all that is stored, whatever its age, and exit"
    )
    parser.add_argument("--json", action="store_true", help="with --drain: print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the worker, or one drain of it."""
    settings = read_settings()
    if not args.drain:
        processes.run(worker.run(settings, nights), log_level=settings.log_level)
        return 0
    done: list[Settled] = []

    async def drain() -> None:
        done.append(await worker.drain(settings, progress=_progress))

    processes.run(drain(), log_level=settings.log_level)
    summary = _summary(done[0])
    print(json.dumps(summary) if args.json else _sentence(summary))
    return 0


def _progress(total: Settled) -> None:
    if sys.stderr.isatty():
        print(f"\rsettled {total.segments} segments, {total.fixes} fixes", end="", file=sys.stderr)


def _summary(settled: Settled) -> dict[str, int]:
    verdicts = ("confirmed", "amended", "added", "withdrawn")
    return {
        "vehicles": settled.vehicles,
        "segments": settled.segments,
        "fixes": settled.fixes,
        **{verdict: settled.verdicts.get(verdict, 0) for verdict in verdicts},
    }


def _sentence(summary: dict[str, int]) -> str:
    return (
        "settled {segments} segments of {vehicles} vehicles from {fixes} fixes: {confirmed} alerts "
        "confirmed, {amended} amended, {added} added late, {withdrawn} withdrawn"
    ).format(**summary)
