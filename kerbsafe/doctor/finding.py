"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    #: Worth knowing; the installation works.
    NOTICE = "notice"
    #: Something does not work, or data may be lost.
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    level: Level
    said: str
    #: How to mend it; empty where nothing needs mending or `said` has it.
    remedy: str = ""


def ok(check: str, said: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, Level.OK, said)


def notice(check: str, said: str, remedy: str = "") -> Finding:
    """Return a finding that somebody should know."""
    return Finding(check, Level.NOTICE, said, remedy)


def wrong(check: str, said: str, remedy: str = "") -> Finding:
    """Return a finding that somebody must mend."""
    return Finding(check, Level.WRONG, said, remedy)
