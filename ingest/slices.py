"""Work cut into slices, so that the event loop goes on feeding the database and reading the broker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fleet.wire import v1
from fleet.wire.batch import Decoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.wire.batch import Directory, Message

#: Messages decoded in one go: some two milliseconds.
MESSAGES = 1000


async def decode(messages: Sequence[Message], directory: Directory) -> Decoded:
    """Return what `v1.decode` returns, with pauses in which others may run."""
    if len(messages) <= MESSAGES:
        return v1.decode(messages, directory)
    starts = range(0, len(messages), MESSAGES)
    parts = []
    for start in starts:
        parts.append(v1.decode(messages[start : start + MESSAGES], directory))
        await pause()
    return Decoded.join(parts, starts)


async def pause() -> None:
    """Let the event loop look at its sockets."""
    await asyncio.sleep(0)
