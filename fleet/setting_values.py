"""How the text of a setting is read: to its value, or `ValueError` with what it must be.

A name in capitals tells people what the reader below it takes.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from fleet import webhook

Parse = Callable[[str], Any]

_MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where an MQTT 5 broker is and who we are there."""

    host: str
    port: int
    tls: bool = False
    #: Login; None connects without one.
    user: str | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = "" if self.user is None else f"{self.user}@"
        return f"mqtt{'s' if self.tls else ''}://{user}{host}:{self.port}"


def whole(low: int, high: int) -> tuple[str, Parse]:
    """Return what people read of a whole number in a range, and how it is read."""
    allowed = f"a whole number from {low} to {high}"

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(allowed)
        return int(text)

    return allowed, parse


def choice(*choices: str) -> tuple[str, Parse]:
    """Return what people read of a choice of words, and how it is read: in any case."""
    allowed = "one of " + ", ".join(choices)

    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(allowed)
        return text.lower()

    return allowed, parse


READABLE = "the path of a file that can be read"


def readable(text: str) -> Path:
    """Read the path of a file; better refused now than when the file is wanted."""
    path = Path(text)
    if not path.is_file() or not os.access(path, os.R_OK):
        raise ValueError(READABLE)
    return path


def webhook_secret_file(text: str) -> Path:
    """Read the path of a file that holds a secret long enough to sign with."""
    path = readable(text)
    webhook.read_secret(path)
    return path


_SECRET_BYTES = 24
GATEWAY_SECRET_FILE = f"the path of a file whose first line has {_SECRET_BYTES} or more characters"


def gateway_secret_file(text: str) -> Path:
    """Read the path of a file whose first line cannot be guessed."""
    path = readable(text)
    if len(path.read_bytes().partition(b"\n")[0].strip()) < _SECRET_BYTES:
        raise ValueError(GATEWAY_SECRET_FILE)
    return path


DSN = "postgresql://user:password@host:port/name"


def dsn(text: str) -> str:
    """Read the address of a database."""
    if urlsplit(text).scheme not in {"postgresql", "postgres"}:
        raise ValueError(DSN)
    return text


BROKER = "mqtt://user@host:port or mqtts://user@host:port, without a password"


def parse_broker(text: str) -> BrokerAddress:
    """Return the address that a URL names. Raises `ValueError` with the form it must have."""
    try:
        url = urlsplit(text)
        port = _MQTT_PORTS[url.scheme] if url.port is None else url.port
    except (KeyError, ValueError) as error:
        raise ValueError(BROKER) from error
    if (
        not port
        or not url.hostname
        or url.password is not None
        or url.path.strip("/")
        or url.query
        or url.fragment
    ):
        raise ValueError(BROKER)
    return BrokerAddress(url.hostname, port, url.scheme == "mqtts", url.username or None)


PROBES = "NAME=host:port of ingest, worker and console, with commas between them"


class Probes(NamedTuple):
    """Where each process answers /healthz, /readyz and /metrics: host:port."""

    ingest: str = "127.0.0.1:9411"
    worker: str = "127.0.0.1:9412"
    console: str = "127.0.0.1:9413"

    def __str__(self) -> str:
        return ",".join(f"{name}={where}" for name, where in self._asdict().items())


def probes(text: str) -> Probes:
    """Read where processes answer; of those that are not named, the default."""
    named = dict(part.strip().partition("=")[::2] for part in text.split(","))
    if not named.keys() <= set(Probes._fields):
        raise ValueError(PROBES)
    for where in named.values():
        url = urlsplit(f"http://{where}")
        if not url.hostname or not url.port or url.netloc != where or "@" in where:
            raise ValueError(PROBES)
    return Probes(**named)


ARCHIVE = "the whole path of a folder, or s3://bucket/prefix"


def archive(text: str) -> str:
    """Take where the cold store is. Whether it is there shows when it is read: it may be mounted later."""
    url = urlsplit(text)
    if not Path(text).is_absolute() and not (url.scheme == "s3" and url.netloc and not url.query):
        raise ValueError(ARCHIVE)
    return text.rstrip("/") or text


TILE_URL = "http(s)://host/… or /… with {z}, {x} and {y}"


def tile_url(text: str) -> str:
    """Take the address of map tiles. No quotes or spaces: its host becomes part of a security header."""
    url = urlsplit(text)
    held = all(f"{{{name}}}" in text for name in "xyz")
    placed = bool(url.netloc) if url.scheme in {"http", "https"} else not url.netloc and text.startswith("/")
    if not held or not placed or re.search(r"[\s;,'\"<>]", text) or "{" in url.netloc.replace("{s}", ""):
        raise ValueError(TILE_URL)
    return text


ORIGIN = "https://host or https://host:port, nothing behind it; http:// only on loopback"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def origin(text: str) -> str:
    """Read the origin of a web page, in lower case: scheme, host and port; https but on loopback."""
    url = urlsplit(text)
    if url.scheme not in {"http", "https"} or f"{url.scheme}://{url.netloc}" != text.rstrip("/"):
        raise ValueError(ORIGIN)
    if not re.fullmatch(r"[a-z0-9.-]+(:[0-9]{1,5})?|\[[0-9a-f:]+\](:[0-9]{1,5})?", url.netloc.lower()):
        raise ValueError(ORIGIN)
    if url.scheme == "http" and url.hostname not in _LOOPBACK:
        raise ValueError(ORIGIN)
    return text.rstrip("/").lower()


@dataclass(frozen=True, slots=True)
class Proxies:
    """Addresses of proxies that are believed when they say whom they forward for."""

    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    def __contains__(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self.networks)

    def __str__(self) -> str:
        return ",".join(str(network) for network in self.networks)


PROXIES = "addresses or networks with commas between them, e.g. 127.0.0.1,10.0.3.0/24; not all there are"
#: A network with fewer fixed bits than this holds more than proxies.
_SHORTEST_PREFIX = 8


def proxies(text: str) -> Proxies:
    """Read addresses and networks of proxies."""
    try:
        networks = tuple(ipaddress.ip_network(part.strip()) for part in text.split(","))
    except ValueError as error:
        raise ValueError(PROXIES) from error
    if any(network.prefixlen < _SHORTEST_PREFIX for network in networks):
        raise ValueError(PROXIES)
    return Proxies(networks)


def first_line(path: Path) -> bytes:
    """Return the first line of a file, without its end: a secret."""
    return path.read_bytes().partition(b"\n")[0].rstrip(b"\r")
