"""Running a long-lived process from the command line: its loop, its log, and how it ends."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import asyncpg
import structlog

from fleet.db import DatabaseError, said
from fleet.service import configure_logging

if TYPE_CHECKING:
    from collections.abc import Coroutine

_log = structlog.get_logger()


def run(main: Coroutine[Any, Any, Any], *, log_level: str) -> None:
    """Run a process to its end on the fastest loop there is; a lost database is told in one line.

    Whatever ends a process is the supervisor's to mend: it is started again, reloads, and is sent again
    what was not acknowledged.
    """
    configure_logging(log_level)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.get_loop().set_exception_handler(_tell)
            runner.run(main)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise DatabaseError(
            f"the process ends, since the database or the network failed: {said(error)}. Nothing that was "
            "acknowledged is lost; start it again when `kerbsafe doctor` finds both well"
        ) from error


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error that nobody asked for; of a bare future, as libraries leave behind, without a trace."""
    error, future = context.get("exception"), context.get("future")
    if error is None or future is None or isinstance(future, asyncio.Task):
        loop.default_exception_handler(context)
    else:
        _log.debug("left behind", reason=said(error))


def _loop_factory() -> Any:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415  # not on every platform

    return uvloop.new_event_loop
