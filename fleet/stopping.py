"""Waiting that ends early when the process is asked to stop."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

_Result = TypeVar("_Result")


async def rest(stopping: asyncio.Event, seconds: float) -> None:
    """Return after some seconds, or once `stopping` is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)


async def unless(stopping: asyncio.Event, work: Coroutine[Any, Any, _Result]) -> _Result | None:
    """Return what some work returns; once `stopping` is set it is broken off, and None is returned.

    What it raises then is no news: a database's connection cannot even roll back when it is broken off in the
    middle of a COPY.
    """
    task = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(stopping.wait())
    stop.add_done_callback(lambda _: task.cancel())
    try:
        return await task
    except (Exception, asyncio.CancelledError):
        ourselves = asyncio.current_task()
        if not stopping.is_set() or (ourselves is not None and ourselves.cancelling()):
            raise
        return None
    finally:
        stop.cancel()
