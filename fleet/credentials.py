"""Logins at the broker: the hash of a secret, and the broker's password and ACL files as text. Pure.

Identity comes from the credential, never from the payload: each login has explicit topics of its own.
The formats are Mosquitto's (mosquitto_passwd(1), mosquitto.conf(5) `acl_file`), of version 2.0.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fleet.wire.topics import DEVICES_MOUNT, PREFIX, Kind, format_topic

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: Mosquitto's own number. The broker computes it on one thread at every connection and for every client at
#: a reload, so more would make a fleet's reconnecting slow; a random secret of 32 bytes needs no more.
ITERATIONS = 101
SALT_BYTES = 12
SECRET_BYTES = 32
_KEY_BYTES = 64

#: First line of the files; a file without it is somebody else's and is not overwritten.
HEADER = "# Written by `kerbsafe device`. Changes made here are lost.\n"

_DEVICE_WRITES = (Kind.FIX, Kind.HISTORY, Kind.CAMERA, Kind.HEALTH, Kind.ACK)


class Listener(StrEnum):
    """Whom a listener of the broker knows. Its files are called by it, `passwd_devices` beside `passwd`."""

    #: A broker with one listener.
    ALL = ""
    #: Devices alone, below `DEVICES_MOUNT`: the secret of a service is of no use from outside.
    DEVICES = "devices"
    #: Our own services alone: who reaches it with a device's secret takes over no session.
    SERVICES = "services"

    def file(self, path: Path) -> Path:
        """Return the listener's file beside that of all logins."""
        return path.with_name(f"{path.name}_{self}") if self else path


#: What stands before a topic of those whom a listener knows, as the broker sees it. Services have to do with
#: what devices send, and with what simulators and a gateway send at their own listener.
_MOUNTS = {
    Listener.ALL: ("",),
    Listener.DEVICES: (DEVICES_MOUNT,),
    Listener.SERVICES: ("", DEVICES_MOUNT),
}


class Role(StrEnum):
    """What one of our own services may do."""

    #: Reads what all devices send, and sends them commands.
    INGEST = "ingest"
    #: Sends for all devices, and reads their commands and what is said of them: the JT/T 808 gateway.
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Account:
    """A login, its hashed secret, and the topics that it may write and read."""

    login: str
    secret_hash: str
    writes: tuple[str, ...]
    reads: tuple[str, ...]

    @property
    def is_service(self) -> bool:
        """Whether it is one of our own services: their logins have a dot, which no vehicle's code has."""
        return "." in self.login


def hash_secret(secret: str, salt: bytes) -> str:
    """Return a secret as Mosquitto keeps it: `$7$iterations$salt$key`, PBKDF2 with SHA-512 (RFC 8018)."""
    key = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, ITERATIONS, _KEY_BYTES)
    return f"$7${ITERATIONS}${b64encode(salt).decode()}${b64encode(key).decode()}"


def device_account(login: str, secret_hash: str, vehicle: str, companies: Iterable[str]) -> Account:
    """Return the account of a device: it writes as its vehicle, of its company and of no other.

    While a change of company is waiting to come into force there are two: the device may change over
    at any time, and the registry decides which of them is accepted.
    """
    of = sorted(companies)
    return Account(
        login,
        secret_hash,
        tuple(format_topic(company, vehicle, kind) for company in of for kind in _DEVICE_WRITES),
        tuple(format_topic(company, vehicle, Kind.COMMAND) for company in of),
    )


def service_account(login: str, secret_hash: str, role: Role) -> Account:
    """Return the account of one of our own services."""
    if role is Role.INGEST:
        return Account(
            login, secret_hash, (f"{PREFIX}/+/+/{Kind.COMMAND}",), (f"{PREFIX}/#", "$SYS/broker/#")
        )
    writes = tuple(f"{PREFIX}/+/+/{kind}" for kind in _DEVICE_WRITES)
    reads = tuple(f"{PREFIX}/+/+/{kind}" for kind in (Kind.COMMAND, Kind.ACK))
    return Account(login, secret_hash, writes, reads)


def password_file(accounts: Iterable[Account], listener: Listener = Listener.ALL) -> str:
    """Return the text of the password file of a listener."""
    known = _known(accounts, listener)
    return HEADER + "".join(f"{account.login}:{account.secret_hash}\n" for account in known)


def acl_file(accounts: Iterable[Account], listener: Listener = Listener.ALL) -> str:
    """Return the text of the ACL file of a listener. What no line allows is refused."""
    return HEADER + "".join(_acl(account, listener) for account in _known(accounts, listener))


def _known(accounts: Iterable[Account], listener: Listener) -> list[Account]:
    known = [
        account
        for account in accounts
        if listener is Listener.ALL or account.is_service is (listener is Listener.SERVICES)
    ]
    return sorted(known, key=lambda account: account.login)


def _acl(account: Account, listener: Listener) -> str:
    mounts = _MOUNTS[listener]
    topics = [
        *(f"topic write {topic}\n" for topic in _mounted(account.writes, mounts)),
        *(f"topic read {topic}\n" for topic in _mounted(account.reads, mounts)),
    ]
    return f"\nuser {account.login}\n{''.join(topics)}"


def _mounted(topics: Iterable[str], mounts: Iterable[str]) -> list[str]:
    return [mount + topic for topic in topics for mount in (mounts if topic.startswith(PREFIX) else ("",))]
