"""Work cut into slices, so that the event loop goes on feeding the database and reading the broker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fleet.wire.batch import Decoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.wire import v1
    from fleet.wire.batch import Message

#: Messages decoded in one go: some two milliseconds.
MESSAGES = 1000


async def decode(messages: Sequence[Message], decoder: v1.Decoder) -> Decoded:
    """Return what the decoder returns, with pauses in which others may run."""
    if len(messages) <= MESSAGES:
        return decoder.decode(messages)
    starts = range(0, len(messages), MESSAGES)
    parts = []
    for start in starts:
        parts.append(decoder.decode(messages[start : start + MESSAGES]))
        await pause()
    return Decoded.join(parts, starts)


async def pause() -> None:
    """Let the event loop look at its sockets."""
    await asyncio.sleep(0)
