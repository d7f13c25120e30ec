"""Where a webhook is and with what it is signed, as settings say it. Neither is ever shown whole."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://host/…, without a password; http:// only to this machine"
SECRET_FILE = "a file whose first line is whsec_ and the base64 of 24 to 64 random bytes"  # noqa: S105 - a form
_PREFIX = b"whsec_"
_SHORTEST, _LONGEST = 24, 64


def parse_url(text: str) -> str:
    """Return an address that notices may be sent to. Raises `ValueError` with the form it must have."""
    try:
        url = urlsplit(text)
        usable = url.port != 0
    except ValueError as error:
        raise ValueError(URL) from error
    encrypted = url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.hostname or ""))
    if not usable or not encrypted or not url.hostname or "@" in url.netloc or url.fragment:
        raise ValueError(URL)
    if re.search(r"[^\x21-\x7e]", text):
        raise ValueError(URL)
    return text


def show_url(text: str) -> str:
    """Return what may be shown: path and query often hold a token."""
    url = urlsplit(text)
    return f"{url.scheme}://{url.netloc}/…"


def read_secret(path: Path) -> bytes:
    """Return the secret of a file. Raises `ValueError` with the form it must have, and never the secret."""
    line = path.read_bytes().partition(b"\n")[0].strip()
    try:
        secret = base64.b64decode(line.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(SECRET_FILE) from error
    if not line.startswith(_PREFIX) or not _SHORTEST <= len(secret) <= _LONGEST:
        raise ValueError(SECRET_FILE)
    return secret


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
