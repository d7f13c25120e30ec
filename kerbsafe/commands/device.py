"""`kerbsafe device`: logins at the broker for devices and for our own services."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

_ROLES = ("ingest", "gateway")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "device",
        help="issue and revoke logins at the MQTT broker",
        description="Logins at Mosquitto: a device may write the topics of its own vehicle and no others. "
        "The database keeps the hash of a secret in the broker's own format; the broker reads it from a "
        "password file and an ACL file, which are written for all logins at once. Details: docs/registry.md.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_device(actions)
    _add_service(actions)
    revoke = _action(actions, "revoke", "take a login back", "Take a login back, of a device or a service.")
    revoke.add_argument("login", metavar="LOGIN", help="see `kerbsafe device list`")
    _add_files(revoke)
    write = _action(
        actions,
        "write-broker-files",
        "write the broker's files again",
        "Write the password file and the ACL file of all logins, e.g. after vehicles changed company.",
    )
    _add_files(write)
    _action(actions, "list", "list the logins", "List every login, its vehicle or role, and its state.")


def _add_device(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add = _action(
        actions,
        "add",
        "give a vehicle's device a login and show its secret once",
        "Give the device of a vehicle a login and print its secret, which is shown this once.",
    )
    add.add_argument("vehicle", metavar="VEHICLE", help="code of the vehicle")
    add.add_argument("--login", help="name of the login (default: the code of the vehicle)")
    add.add_argument("--renew", action="store_true", help="issue a new secret to a login that has one")
    _add_files(add)


def _add_service(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    service = _action(
        actions,
        "service-account",
        "give one of our own services a login",
        "Give a service a login and print its secret, which is shown this once. `ingest` reads what all "
        "devices send and sends them commands; `gateway` sends for all devices and reads their commands.",
    )
    service.add_argument("role", choices=_ROLES, help="what it may do")
    service.add_argument("--name", help="the login is kerbsafe.NAME (default: the role)")
    service.add_argument("--renew", action="store_true", help="issue a new secret to a login that has one")
    service.add_argument(
        "--secret-file",
        metavar="F",
        type=Path,
        help="take the secret from the first line of a file (KERBSAFE_BROKER_PASSWORD_FILE of the service) "
        "rather than making and showing one; may be repeated",
    )
    _add_files(service)


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str, description: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=summary, description=description)
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.set_defaults(run=_runner(name))
    return parser


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-file",
        metavar="F",
        type=Path,
        help="the broker's password file (default: KERBSAFE_MOSQUITTO_PASSWORD_FILE)",
    )
    parser.add_argument(
        "--acl-file",
        metavar="F",
        type=Path,
        help="the broker's ACL file (default: KERBSAFE_MOSQUITTO_ACL_FILE)",
    )
    parser.add_argument(
        "--reload",
        metavar="CMD",
        help="command that has the broker read its files again, e.g. 'systemctl reload mosquitto'; "
        "run without a shell",
    )


def _runner(name: str) -> Callable[[argparse.Namespace], int]:
    def run(args: argparse.Namespace) -> int:
        from kerbsafe.access import device_logins  # noqa: PLC0415 - keeps `kerbsafe --help` fast

        return device_logins.ACTIONS[name](args)

    return run
