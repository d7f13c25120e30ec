"""Waiting that ends early when the process is asked to stop."""

from __future__ import annotations

import asyncio
import contextlib


async def rest(stopping: asyncio.Event, seconds: float) -> None:
    """Return after some seconds, or once `stopping` is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
