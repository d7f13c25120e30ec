"""What a check has found."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import asyncpg

from fleet.db import said

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

#: A check that takes longer has found out nothing. A connection alone may take 10 s.
CHECK_S = 25.0


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


async def found(
    check: str, looking: Coroutine[object, object, Sequence[Finding]], within_s: float = CHECK_S
) -> list[Finding]:
    """Return what a check finds; that it fails or does not end is one too: what is unknown is not well."""
    task = asyncio.ensure_future(looking)
    # Not waited for once it is given up: what it waits for may never come.
    if not (await asyncio.wait({task}, timeout=within_s))[0]:
        task.cancel()
        return [wrong(check, f"could not be found out within {within_s:.0f} s")]
    try:
        return list(task.result())
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [wrong(check, f"could not be found out: {said(error)}")]
