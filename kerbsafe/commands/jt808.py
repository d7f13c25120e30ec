"""`kerbsafe jt808`: what terminals of JT/T 808 send, in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kerbsafe.shell.numbers import whole

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "jt808",
        help="read what a JT/T 808 terminal sends, e.g. out of a capture",
        description="Read JT/T 808, the protocol of China's vehicle terminals: docs/jt808.md.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_decode(actions)
    _add_live(actions)
    models = actions.add_parser(
        "models",
        help="list the tables of regions and device models",
        description="List the tables of regions and device models that --model takes.",
    )
    models.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    models.set_defaults(run=run_models)
    document = actions.add_parser(
        "document",
        help="write the page that lists the messages",
        description="Print docs/jt808.md, made from the table of messages.",
    )
    document.set_defaults(run=run_document)


def _add_decode(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "decode",
        help="decode frames given as hexadecimal digits",
        description="Decode frames given as hexadecimal digits. Each argument is a stream of its own and may "
        "hold several frames, whole or broken; bytes given one by one (7e 00 02 ...) are one stream, and "
        "so is standard input. Frames are cut and fragments joined as on a connection of a terminal. "
        "What is wrong with a frame stands in its errors; exit code 2 is for what is not hexadecimal.",
    )
    parser.add_argument(
        "hex", nargs="*", metavar="HEX", help="hexadecimal digits; - or nothing for standard input"
    )
    parser.add_argument("--model", default="su", help="tables of the region or device model (default: su)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a frame, nothing else")
    parser.set_defaults(run=run_decode)


def _add_live(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    live = (
        "Answers every terminal that connects, as a platform does. Nothing that it sends comes into a "
        "database, though it is acknowledged: for trucks in the yard, not for trucks at work. Runs until "
        "interrupted."
    )
    listening = actions.add_parser(
        "listen",
        help="show live what terminals send, to put one into operation",
        description=f"Print what terminals say and what they are answered, frame by frame. {live}",
    )
    listening.add_argument("--model", default="su", help="tables of the region or device model (default: su)")
    listening.add_argument("--json", action="store_true", help="print one JSON object a frame, nothing else")
    listening.set_defaults(run=run_listen)
    recording = actions.add_parser(
        "record",
        help="write what terminals send to a file, byte by byte",
        description="Write all bytes of all connections to a file, one JSON object a piece: `at`, `peer`, "
        f"`from` (terminal or platform), `hex`. {live}",
    )
    recording.add_argument("file", type=Path, metavar="FILE", help="it is added to if it is there")
    recording.set_defaults(run=run_record)
    for parser in (listening, recording):
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
        parser.add_argument(
            "--port", type=whole(0, 65_535), default=6808, help="TCP port (default: 6808; 0: a free one)"
        )


def run_listen(args: argparse.Namespace) -> int:
    """Show live traffic."""
    from kerbsafe.jt808 import jt808_live  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return jt808_live.listen(args.host, args.port, args.model, as_json=args.json)


def run_record(args: argparse.Namespace) -> int:
    """Record live traffic."""
    from kerbsafe.jt808 import jt808_live  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return jt808_live.record(args.host, args.port, args.file)


def run_decode(args: argparse.Namespace) -> int:
    """Decode."""
    from kerbsafe.jt808 import jt808_decode  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return jt808_decode.run(args.hex or ["-"], args.model, as_json=args.json)


def run_models(args: argparse.Namespace) -> int:
    """List the tables."""
    from fleet.printable import to_json  # noqa: PLC0415 - keeps `kerbsafe --help` fast
    from fleet.wire.jt808 import models  # noqa: PLC0415

    known = [models.model(name) for name in models.names()]
    if args.json:
        print(to_json({"models": [{"name": m.name, "title": m.title, "source": m.source} for m in known]}))
    else:
        for one in known:
            print(f"{one.name:<12} {one.title}. Source: {one.source}.")
    return 0


def run_document(args: argparse.Namespace) -> int:
    """Print the page."""
    from kerbsafe.jt808 import jt808_page  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    del args
    print(jt808_page.page(), end="")
    return 0
