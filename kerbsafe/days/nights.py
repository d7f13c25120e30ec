"""The days that a worker closes at night, beside all else that it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.days.nightly import Metrics, Nightly

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alerts.knowledge import Knowledge
    from fleet.db import Connections
    from fleet.service import Task


async def nights(connections: Connections, knowledge: Knowledge) -> Mapping[str, Task]:
    """Return the task that closes days, on a connection of its own."""
    return {"days": Nightly(await connections.open("days"), knowledge, Metrics()).run}
