"""`kerbsafe command`: order something of a vehicle's unit, and see what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerbsafe.orders import ordering
from kerbsafe.shell.numbers import whole
from kerbsafe.shell.times import parse_time

if TYPE_CHECKING:
    import argparse

_LONGEST_WAIT_S = 3600


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "command",
        description="Orders to units: a text read to the driver, parameters, where it is. They reach units "
        "that speak MQTT and terminals of JT/T 808 that the gateway has let in. Who ordered what stays on "
        "record. Details: docs/commands.md.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_send(actions)
    listing = _action(actions, "list", "list commands, newest first")
    listing.add_argument("--vehicle", help="only of this vehicle code")
    listing.add_argument(
        "--limit",
        type=whole(1, 100_000),
        default=100,
        metavar="N",
        help="at most so many (default: %(default)s)",
    )
    commission = _action(
        actions, "commission", "set a terminal so that it sees right turns, and read it back"
    )
    commission.add_argument("vehicle", metavar="VEHICLE", help="code of the vehicle")
    commission.add_argument(
        "--interval", type=whole(1, 60), default=1, metavar="S", help="seconds between reports (default: 1)"
    )
    commission.add_argument(
        "--turn", type=whole(0, 179), default=20, metavar="DEG", help="turn for an extra report (default: 20)"
    )
    _add_wait(commission, 120)
    _action(
        actions, "terminals", "say of each vehicle whether its terminal, as it is set, can see a right turn"
    )
    effect = _action(actions, "effect", "compare what drivers did after prompts and without")
    for name, dest, text in (("--from", "since", "first moment"), ("--to", "until", "moment after the last")):
        effect.add_argument(
            name, dest=dest, type=parse_time, required=True, metavar="TIME", help=f"{text}, with its offset"
        )


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.set_defaults(run=run, action=name)
    return parser


def _add_send(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "send",
        help="queue an order",
        description="Queue an order to a vehicle's unit. With --wait, say what became of it: the exit code "
        "is 0 only if the unit acknowledged it.",
    )
    parser.add_argument("vehicle", metavar="VEHICLE", help="code of the vehicle")
    kinds = parser.add_subparsers(title="orders", metavar="ORDER", required=True, dest="order")
    tts = _order(kinds, "tts", "have a text read aloud and shown to the driver")
    tts.add_argument("text", metavar="TEXT", help="up to 100 characters of GBK; 20 are heard in 5 s")
    parameters = _order(kinds, "parameters", "set parameters of the terminal")
    parameters.add_argument(
        "settings",
        metavar="NAME=VALUE",
        nargs="+",
        help="e.g. report_default_s=1; names: docs/jt808.md; 0xf367=hex:0505 for what has no name",
    )
    query = _order(kinds, "query", "ask for parameters of the terminal")
    query.add_argument("names", metavar="NAME", nargs="*", help="those; without any, all")
    _order(kinds, "locate", "ask where it is now")
    track = _order(kinds, "track", "have it report more often for a while")
    track.add_argument("--every", type=whole(0, 3600), required=True, metavar="S", help="seconds; 0 ends it")
    track.add_argument(
        "--for", dest="for_s", type=whole(1, 86_400), default=600, metavar="S", help="(default: 600)"
    )


def _order(
    kinds: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = kinds.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.add_argument(
        "--valid-for",
        type=whole(1, 604_800),
        metavar="S",
        help="seconds after which it is not carried out any more (default: 60 for tts, else 300)",
    )
    _add_wait(parser, 0)
    parser.set_defaults(run=run, action="send")
    return parser


def _add_wait(parser: argparse.ArgumentParser, default: int) -> None:
    parser.add_argument(
        "--wait",
        type=whole(0, _LONGEST_WAIT_S),
        default=default,
        metavar="S",
        help="seconds to wait for the answer (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    return ordering.run(args)
