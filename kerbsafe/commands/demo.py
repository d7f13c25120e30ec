"""`kerbsafe demo`: a small city on embedded parts: trucks drive, alerts are raised and settled."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerbsafe.demo import demo, demo_view
from kerbsafe.demo.demo import Request
from kerbsafe.shell.numbers import above_zero, whole

if TYPE_CHECKING:
    from kerbsafe.demo.demo import Look

_MAX_TRUCKS = 500
_MAX_MINUTES = 24 * 60


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "demo",
        description="Start PostgreSQL and an MQTT broker from wheels on free loopback ports, ingest, gateway "
        "and worker, and a simulated city whose trucks publish over MQTT or, one in six, speak JT/T 808. "
        "Ctrl-C, or --minutes, ends it; then every trip is settled and compared with what the simulator had "
        "planned. For trying: the embedded broker asks nobody for a password.",
    )
    parser.add_argument(
        "--trucks", type=whole(1, _MAX_TRUCKS), default=40, metavar="N", help="default: %(default)s"
    )
    parser.add_argument(
        "--minutes",
        type=above_zero(_MAX_MINUTES, "a number of minutes"),
        metavar="M",
        help="end after M minutes (default: at Ctrl-C)",
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open the console in a browser")
    parser.add_argument(
        "--data-dir", type=_folder, metavar="DIR", help="keep the data in DIR (default: discard it)"
    )
    parser.add_argument("--summary", type=_new_file, metavar="FILE.json", help="write the summary to a file")
    parser.add_argument(
        "--seed", type=whole(0, 2**31), default=1, metavar="S", help="which city (default: 1)"
    )
    parser.set_defaults(run=run)


def _folder(text: str) -> Path:
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder")
    return path


def _new_file(text: str) -> Path:
    """Return a path that can be written to: better refused now than at the end of the run."""
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a file in a folder that is there")
    return path


def run(args: argparse.Namespace) -> int:
    """Run the demo."""
    request = Request(trucks=args.trucks, minutes=args.minutes, data_dir=args.data_dir, seed=args.seed)
    summary = asyncio.run(_run(request, open_browser=not args.no_browser))
    if args.summary is not None:
        args.summary.write_text(json.dumps(summary, indent=2) + "\n", "utf-8")
    return 0


async def _run(request: Request, *, open_browser: bool) -> dict[str, Any]:
    from rich.console import Console  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415

    console = Console()
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    looks: list[Look] = []
    addresses: list[str] = []
    with Live(
        console=console, get_renderable=lambda: _picture(demo_view, looks, addresses, request), transient=True
    ) as live:

        def show(look: Look) -> None:
            looks[:] = [look]
            live.refresh()

        def started(address: str) -> None:
            addresses[:] = [address]
            console.print(f"the console is at {address}")
            if open_browser:
                webbrowser.open(address)

        summary = await demo.run(
            request,
            stopping=stopping,
            started=started,
            show=show,
            say=lambda text: console.print(f"[dim]· {text}[/dim]"),
        )
    demo_view.print_summary(console, summary)
    return summary


def _picture(demo_view: Any, looks: list[Look], addresses: list[str], request: Request) -> Any:
    address = addresses[0] if addresses else None
    return demo_view.live_view(looks[-1] if looks else None, request.minutes, address)
