"""Every setting of every process: one frozen record, which `fleet.environment` reads.

Secrets come from files or stand in the DSN, and neither is shown in `repr`, in errors or by
`kerbsafe doctor`. The table in `docs/settings.md` is made from this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleet import setting_values as values
from fleet import webhook

MIB = 2**20


def _about(variable: str, meaning: str, allowed: str, parse: values.Parse) -> dict[str, Any]:
    """Describe a setting; `meaning` and `allowed` are what people read of it. A secret has `repr=False`."""
    return {"variable": variable, "meaning": meaning, "allowed": allowed, "parse": parse}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, or the defaults."""

    dsn: str = field(
        default="postgresql://kerbsafe@127.0.0.1:5432/kerbsafe",
        repr=False,
        metadata=_about(
            "KERBSAFE_DSN",
            "The database. Add `?sslmode=verify-full` where it is not on this machine.",
            values.DSN,
            values.dsn,
        ),
    )
    dsn_password_file: Path | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_DSN_PASSWORD_FILE",
            "File whose first line is the password of the database's user, where KERBSAFE_DSN has none.",
            values.READABLE,
            values.readable,
        ),
    )
    broker: values.BrokerAddress = field(
        default=values.BrokerAddress("127.0.0.1", 1883),
        metadata=_about("KERBSAFE_BROKER", "The MQTT 5 broker.", values.BROKER, values.parse_broker),
    )
    broker_password_file: Path | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_BROKER_PASSWORD_FILE",
            "File whose first line is the password of our login at the broker.",
            values.READABLE,
            values.readable,
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
            *values.whole(0, 65_535),
        ),
    )
    rules: Path | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_RULES",
            "Rulebook file; changed, it needs a new version. Unset: the database's, or the one that ships.",
            values.READABLE,
            values.readable,
        ),
    )
    prompts: Path | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_PROMPTS",
            "File of what ingest has said to drivers in their cabs, by rule. Unset: nothing.",
            values.READABLE,
            values.readable,
        ),
    )
    receive_maximum: int = field(
        default=32_000,
        metadata=_about(
            "KERBSAFE_RECEIVE_MAXIMUM",
            "Live messages that the broker may have under way to us, not yet committed.",
            *values.whole(1, 65_535),
        ),
    )
    unacked_bytes: int = field(
        default=64 * MIB,
        metadata=_about(
            "KERBSAFE_UNACKED_BYTES",
            "Bytes of live messages that may be held in memory, not yet committed.",
            *values.whole(16 * MIB, 4096 * MIB),
        ),
    )
    batch_age_ms: int = field(
        default=2,
        metadata=_about(
            "KERBSAFE_BATCH_AGE_MS",
            "How long a batch waits for more messages before it is committed, milliseconds.",
            *values.whole(0, 10_000),
        ),
    )
    log_level: str = field(
        default="info",
        metadata=_about(
            "KERBSAFE_LOG_LEVEL",
            "Least severe level that is logged.",
            *values.choice("debug", "info", "warning", "error"),
        ),
    )
    probes: values.Probes = field(
        default=values.Probes(),
        metadata=_about(
            "KERBSAFE_PROBES",
            "Where `kerbsafe doctor` asks the processes whether they work.",
            values.PROBES,
            values.probes,
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
            "KERBSAFE_CONSOLE_PORT", "Port of the console; 0 takes a free one.", *values.whole(0, 65_535)
        ),
    )
    console_origin: str | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_CONSOLE_ORIGIN",
            "Address under which browsers reach the console, e.g. https://desk.example.cn.",
            values.ORIGIN,
            values.origin,
        ),
    )
    console_proxies: values.Proxies = field(
        default=values.Proxies(),
        metadata=_about(
            "KERBSAFE_CONSOLE_PROXIES",
            "Proxies before the console whose X-Forwarded-For is believed. Unset: none, and all who come "
            "through one are one address to whoever counts wrong passwords.",
            values.PROXIES,
            values.proxies,
        ),
    )
    console_admin_password_file: Path | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_CONSOLE_ADMIN_PASSWORD_FILE",
            "File whose first line becomes the password of `admin` where there is no user yet. Unset: a "
            "one-time password is printed.",
            values.READABLE,
            values.readable,
        ),
    )
    tile_url: str | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_TILE_URL",
            "Map tiles that the console draws under the trucks. Unset: none.",
            values.TILE_URL,
            values.tile_url,
        ),
    )
    tile_datum: str = field(
        default="wgs84",
        metadata=_about(
            "KERBSAFE_TILE_DATUM",
            "Datum of these tiles; Chinese ones are gcj02.",
            *values.choice("wgs84", "gcj02"),
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
            values.READABLE,
            values.readable,
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
            values.webhook_secret_file,
        ),
    )
    webhook_severity: int = field(
        default=3,
        metadata=_about("KERBSAFE_WEBHOOK_SEVERITY", "Least severity of a notice.", *values.whole(1, 4)),
    )

    audit_days: int = field(
        default=1096,
        metadata=_about(
            "KERBSAFE_AUDIT_DAYS",
            "For how long the audit is kept, days; the worker forgets what is older.",
            *values.whole(183, 36_500),
        ),
    )

    gateway_host: str = field(
        default="127.0.0.1",
        metadata=_about(
            "KERBSAFE_GATEWAY_HOST",
            "Address that the gateway listens on for terminals of JT/T 808.",
            "an address of this machine",
            str,
        ),
    )
    gateway_port: int = field(
        default=6808,
        metadata=_about(
            "KERBSAFE_GATEWAY_PORT",
            "TCP port of the same; 0 takes a free one and logs it.",
            *values.whole(0, 65_535),
        ),
    )
    gateway_secret_file: Path | None = field(
        default=None,
        metadata=_about(
            "KERBSAFE_GATEWAY_SECRET_FILE",
            "Secret that terminals' authentication codes are made with; the gateway needs one. Changed, all "
            "terminals must register again.",
            values.GATEWAY_SECRET_FILE,
            values.gateway_secret_file,
        ),
    )

    def gateway_secret(self) -> bytes | None:
        """Return the secret of authentication codes, None where there is no file of it."""
        return None if self.gateway_secret_file is None else values.first_line(self.gateway_secret_file)

    def broker_password(self) -> bytes | None:
        """Return the password at the broker, None where there is no file of it."""
        return None if self.broker_password_file is None else values.first_line(self.broker_password_file)

    def console_admin_password(self) -> bytes | None:
        """Return the password of the first administrator, None where there is no file of it."""
        file = self.console_admin_password_file
        return None if file is None else values.first_line(file)

    def rulebook_document(self) -> str | None:
        """Return the text of the rulebook file, None where none is given."""
        return None if self.rules is None else self.rules.read_text("utf-8")
