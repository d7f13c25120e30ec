"""The settings as the environment says them: read once, all that is wrong together, shown without secrets."""

from __future__ import annotations

import os
from dataclasses import Field, fields
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from fleet import webhook
from fleet.errors import KerbsafeError
from fleet.setting_values import first_line
from fleet.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PREFIX = "KERBSAFE_"
#: Variables with our prefix that the test set-up reads, not a process of ours.
_NOT_SETTINGS = ("KERBSAFE_TEST_", "KERBSAFE_CACHE")
_DSN_FOR_FILE = "postgresql://user@host:port/name, without a password, with KERBSAFE_DSN_PASSWORD_FILE"


class SettingsError(KerbsafeError):
    """One or more settings cannot be used; names each, what it must be, and never a secret."""


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
    found: dict[str, Any] = {}
    problems = []
    for one in fields(Settings):
        about = one.metadata
        text = environment.get(about["variable"], "").strip()
        if not text:
            continue
        try:
            found[one.name] = about["parse"](text)
        except ValueError:
            shown = "is not usable" if not one.repr or "@" in text else f"is {text!r}"
            problems.append(f"{about['variable']} {shown}: it must be {about['allowed']}")
    if (password_file := found.get("dsn_password_file")) is not None:
        try:
            found["dsn"] = _with_password(found.get("dsn", Settings().dsn), first_line(password_file))
        except ValueError:
            problems.append(f"KERBSAFE_DSN is not usable: it must be {_DSN_FOR_FILE}")
    track_days, database_days = found.get("track_days"), found.get("database_days", Settings().database_days)
    if track_days is not None and track_days < database_days:
        problems.append(
            f"KERBSAFE_TRACK_DAYS is {track_days} and KERBSAFE_DATABASE_DAYS {database_days}: what is in the "
            "database is kept, so the first must not be less"
        )
    if "webhook_url" in found and "webhook_secret_file" not in found:
        problems.append(f"KERBSAFE_WEBHOOK_URL needs KERBSAFE_WEBHOOK_SECRET_FILE: {webhook.SECRET_FILE}")
    if problems:
        raise SettingsError("; ".join(problems))
    return Settings(**found)


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
