"""Every setting of every process: one frozen record, read once from the environment.

All that is wrong is reported together. Secrets come from files or stand in the DSN, and neither is shown in
`repr`, in errors or by `kerbsafe doctor`. The table in `docs/settings.md` is made from this module.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from fleet import webhook
from fleet.errors import KerbsafeError

MIB = 2**20
_PREFIX = "KERBSAFE_"
#: Variables with our prefix that the test set-up reads, not a process of ours.
_NOT_SETTINGS = ("KERBSAFE_TEST_", "KERBSAFE_CACHE")
_MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}


class SettingsError(KerbsafeError):
    """One or more settings cannot be used; names each, what it must be, and never a secret."""


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


Parse = Callable[[str], Any]


def _about(variable: str, meaning: str, allowed: str, parse: Parse) -> dict[str, Any]:
    """Describe a setting; `meaning` and `allowed` are what people read of it. A secret has `repr=False`."""
    return {"variable": variable, "meaning": meaning, "allowed": allowed, "parse": parse}


def _whole(low: int, high: int) -> tuple[str, Parse]:
    """Return what people read of a whole number in a range, and how it is read."""
    allowed = f"a whole number from {low} to {high}"

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(allowed)
        return int(text)

    return allowed, parse


def _choice(*choices: str) -> tuple[str, Parse]:
    allowed = "one of " + ", ".join(choices)

    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(allowed)
        return text.lower()

    return allowed, parse


_READABLE = "the path of a file that can be read"


def _readable(text: str) -> Path:
    path = Path(text)
    if not path.is_file() or not os.access(path, os.R_OK):
        raise ValueError(_READABLE)
    return path


def _webhook_secret_file(text: str) -> Path:
    path = _readable(text)
    webhook.read_secret(path)
    return path


_DSN = "postgresql://user:password@host:port/name"


def _dsn(text: str) -> str:
    if urlsplit(text).scheme not in {"postgresql", "postgres"}:
        raise ValueError(_DSN)
    return text


_DSN_FOR_FILE = "postgresql://user@host:port/name, without a password, with KERBSAFE_DSN_PASSWORD_FILE"
_BROKER = "mqtt://user@host:port or mqtts://user@host:port, without a password"


def parse_broker(text: str) -> BrokerAddress:
    """Return the address that a URL names. Raises `ValueError` with the form it must have."""
    try:
        url = urlsplit(text)
        port = _MQTT_PORTS[url.scheme] if url.port is None else url.port
    except (KeyError, ValueError) as error:
        raise ValueError(_BROKER) from error
    if (
        not port
        or not url.hostname
        or url.password is not None
        or url.path.strip("/")
        or url.query
        or url.fragment
    ):
        raise ValueError(_BROKER)
    return BrokerAddress(url.hostname, port, url.scheme == "mqtts", url.username or None)


_TILE_URL = "http(s)://host/… or /… with {z}, {x} and {y}"


def _tile_url(text: str) -> str:
    """Take the address of map tiles. No quotes or spaces: its host becomes part of a security header."""
    url = urlsplit(text)
    held = all(f"{{{name}}}" in text for name in "xyz")
    placed = bool(url.netloc) if url.scheme in {"http", "https"} else not url.netloc and text.startswith("/")
    if not held or not placed or re.search(r"[\s;,'\"<>]", text) or "{" in url.netloc.replace("{s}", ""):
        raise ValueError(_TILE_URL)
    return text


_ORIGIN = "http(s)://host or http(s)://host:port, nothing behind it"


def _origin(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in {"http", "https"} or f"{url.scheme}://{url.netloc}" != text.rstrip("/"):
        raise ValueError(_ORIGIN)
    if not re.fullmatch(r"[a-z0-9.-]+(:[0-9]{1,5})?|\[[0-9a-f:]+\](:[0-9]{1,5})?", url.netloc.lower()):
        raise ValueError(_ORIGIN)
    return text.rstrip("/").lower()


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, or the defaults."""

    dsn: str = field(
        default="postgresql://kerbsafe@127.0.0.1:5432/kerbsafe",
        repr=False,
        metadata=_about(
            "KERBSAFE_DSN",
            "The database. Add `?sslmode=verify-full` where it is not on this machine.",
            _DSN,
            _dsn,
        ),
    )
    dsn_password_file: Path | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_DSN_PASSWORD_FILE",
            "File whose first line is the password of the database's user, where KERBSAFE_DSN has none.",
            _READABLE,
            _readable,
        ),
    )
    broker: BrokerAddress = field(
        default=BrokerAddress("127.0.0.1", 1883),
        metadata=_about("KERBSAFE_BROKER", "The MQTT 5 broker.", _BROKER, parse_broker),
    )
    broker_password_file: Path | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_BROKER_PASSWORD_FILE",
            "File whose first line is the password of our login at the broker.",
            _READABLE,
            _readable,
        ),
    )
    http_host: str = field(
        default="127.0.0.1",
        metadata=_about(
            "KERBSAFE_HTTP_HOST",
            "Address that /healthz, /readyz and /metrics listen on.",
            "an address of this machine",
            str,
        ),
    )
    http_port: int | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_HTTP_PORT",
            "Port of the same; 0 takes a free one and logs it. Unset: each command has its own.",
            *_whole(0, 65_535),
        ),
    )
    rules: Path | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_RULES",
            "Rulebook file. Unset: the rulebook of the database, or the one that comes with Kerbsafe.",
            _READABLE,
            _readable,
        ),
    )
    receive_maximum: int = field(
        default=20_000,
        metadata=_about(
            "KERBSAFE_RECEIVE_MAXIMUM",
            "Live messages that the broker may have under way to us, not yet committed.",
            *_whole(1, 65_535),
        ),
    )
    unacked_bytes: int = field(
        default=64 * MIB,
        metadata=_about(
            "KERBSAFE_UNACKED_BYTES",
            "Bytes of live messages that may be held in memory, not yet committed.",
            *_whole(16 * MIB, 4096 * MIB),
        ),
    )
    batch_age_ms: int = field(
        default=2,
        metadata=_about(
            "KERBSAFE_BATCH_AGE_MS",
            "How long a batch waits for more messages before it is committed, milliseconds.",
            *_whole(0, 10_000),
        ),
    )
    log_level: str = field(
        default="info",
        metadata=_about(
            "KERBSAFE_LOG_LEVEL",
            "Least severe level that is logged.",
            *_choice("debug", "info", "warning", "error"),
        ),
    )
    mosquitto_password_file: Path | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_MOSQUITTO_PASSWORD_FILE",
            "Mosquitto's password file, which `kerbsafe device add` writes.",
            "a path",
            Path,
        ),
    )
    mosquitto_acl_file: Path | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_MOSQUITTO_ACL_FILE",
            "Mosquitto's ACL file, which `kerbsafe device add` writes.",
            "a path",
            Path,
        ),
    )
    console_host: str = field(
        default="127.0.0.1",
        metadata=_about(
            "KERBSAFE_CONSOLE_HOST",
            "Address that the console listens on. Other than loopback, it needs an origin and a user.",
            "an address of this machine",
            str,
        ),
    )
    console_port: int = field(
        default=9400,
        metadata=_about(
            "KERBSAFE_CONSOLE_PORT", "Port of the console; 0 takes a free one.", *_whole(0, 65_535)
        ),
    )
    console_origin: str | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_CONSOLE_ORIGIN",
            "Address under which browsers reach the console, e.g. https://desk.example.cn.",
            _ORIGIN,
            _origin,
        ),
    )
    console_admin_password_file: Path | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_CONSOLE_ADMIN_PASSWORD_FILE",
            "File whose first line becomes the password of `admin` where there is no user yet. Unset: a "
            "one-time password is printed.",
            _READABLE,
            _readable,
        ),
    )
    tile_url: str | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_TILE_URL",
            "Map tiles that the console draws under the trucks. Unset: none.",
            _TILE_URL,
            _tile_url,
        ),
    )
    tile_datum: str = field(
        default="wgs84",
        metadata=_about(
            "KERBSAFE_TILE_DATUM", "Datum of these tiles; Chinese ones are gcj02.", *_choice("wgs84", "gcj02")
        ),
    )
    tile_attribution: str = field(
        default="",
        metadata=_about("KERBSAFE_TILE_ATTRIBUTION", "Whose map it is, shown in its corner.", "text", str),
    )
    streets: Path | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_STREETS",
            "GeoJSON of street lines (WGS 84) that the console draws under the trucks.",
            _READABLE,
            _readable,
        ),
    )

    webhook_url: str | None = field(
        default=None,
        repr=False,
        metadata=_about(
            "KERBSAFE_WEBHOOK_URL",
            "Where the worker sends notices of alerts. Unset: nowhere.",
            webhook.URL,
            webhook.parse_url,
        )
        | {"shown": webhook.show_url},
    )
    webhook_secret_file: Path | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_WEBHOOK_SECRET_FILE",
            "Secret that notices are signed with; needed with KERBSAFE_WEBHOOK_URL.",
            webhook.SECRET_FILE,
            _webhook_secret_file,
        ),
    )
    webhook_severity: int = field(
        default=3,
        metadata=_about("KERBSAFE_WEBHOOK_SEVERITY", "Least severity of a notice.", *_whole(1, 4)),
    )

    def broker_password(self) -> bytes | None:
        """Return the password at the broker, None where there is no file of it."""
        return None if self.broker_password_file is None else _first_line(self.broker_password_file)

    def rulebook_document(self) -> str | None:
        """Return the text of the rulebook file, None where none is given."""
        return None if self.rules is None else self.rules.read_text("utf-8")


def _first_line(path: Path) -> bytes:
    return path.read_bytes().partition(b"\n")[0].rstrip(b"\r")


def _with_password(dsn: str, password: bytes) -> str:
    """Return a DSN with the password of its user. Raises `ValueError` if it has one, or names no user."""
    url = urlsplit(dsn)
    user, at, host = url.netloc.rpartition("@")
    if not at or ":" in user:
        raise ValueError(_DSN_FOR_FILE)
    return urlunsplit(url._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings; an empty variable counts as unset.

    Raises
    ------
    SettingsError
        Naming every variable that cannot be used.
    """
    values: dict[str, Any] = {}
    problems = []
    for one in fields(Settings):
        about = one.metadata
        text = environment.get(about["variable"], "").strip()
        if not text:
            continue
        try:
            values[one.name] = about["parse"](text)
        except ValueError:
            shown = "is not usable" if not one.repr or "@" in text else f"is {text!r}"
            problems.append(f"{about['variable']} {shown}: it must be {about['allowed']}")
    if (password_file := values.get("dsn_password_file")) is not None:
        try:
            values["dsn"] = _with_password(values.get("dsn", Settings().dsn), _first_line(password_file))
        except ValueError:
            problems.append(f"KERBSAFE_DSN is not usable: it must be {_DSN_FOR_FILE}")
    if "webhook_url" in values and "webhook_secret_file" not in values:
        problems.append(f"KERBSAFE_WEBHOOK_URL needs KERBSAFE_WEBHOOK_SECRET_FILE: {webhook.SECRET_FILE}")
    if problems:
        raise SettingsError("; ".join(problems))
    return Settings(**values)


def unknown_settings(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return variables that look like ours and are not: misspelt, or of another version."""
    known = {one.metadata["variable"] for one in fields(Settings)}
    return sorted(
        name
        for name in environment
        if name.startswith(_PREFIX) and name not in known and not name.startswith(_NOT_SETTINGS)
    )


def in_use(settings: Settings) -> dict[str, str]:
    """Return variable and value of every setting, as they may be shown: the password of a DSN is not."""
    return {one.metadata["variable"]: _shown(one, getattr(settings, one.name)) for one in fields(Settings)}


def _shown(one: Field[Any], value: Any) -> str:
    if value is None:
        return ""
    hide: Callable[[str], str] = one.metadata.get("shown", redact)
    return str(value) if one.repr else hide(value)


def redact(dsn: str) -> str:
    """Return a DSN with what may be secret left out: the password and the query."""
    url = urlsplit(dsn)
    user, _, host = url.netloc.rpartition("@")
    user = user.partition(":")[0]
    return urlunsplit(url._replace(netloc=f"{user}@{host}" if user else host, query="", fragment=""))


def settings_table() -> str:
    """Return the Markdown table of all settings."""
    rows = ["| variable | meaning | must be | default |", "|---|---|---|---|"]
    for one in fields(Settings):
        about = one.metadata
        default = "" if one.default is None else f"`{one.default}`"
        rows.append(f"| `{about['variable']}` | {about['meaning']} | {about['allowed']} | {default} |")
    return "\n".join(rows) + "\n"
