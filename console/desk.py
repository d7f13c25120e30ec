"""What every handler of one console process shares."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from console.throttle import Throttle

if TYPE_CHECKING:
    import asyncpg

    from console.bell import Bell
    from console.feed import Feed
    from console.identity import Doorkeeper
    from console.installation_clock import InstallationClock
    from console.metrics import Metrics
    from console.models import Tiles
    from console.pages import Pages
    from console.whereabouts import Whereabouts

#: Wrong passwords that cost no wait: for a name at an address, and for an address.
_FREE_OF_NAME, _FREE_OF_ADDRESS = 5, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The database, who may look, what is known of it, and what is shown."""

    pool: asyncpg.Pool
    doorkeeper: Doorkeeper
    clock: InstallationClock
    whereabouts: Whereabouts
    feed: Feed
    bell: Bell
    metrics: Metrics
    pages: Pages
    tiles: Tiles | None
    #: GeoJSON, as it is served.
    streets: bytes
    wrong_names: Throttle = field(default_factory=lambda: Throttle(free=_FREE_OF_NAME))
    wrong_addresses: Throttle = field(default_factory=lambda: Throttle(free=_FREE_OF_ADDRESS))
    #: Passwords that are computed at once: 32 MiB and a fifth of a second each.
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    #: Set when the process ends: WebSockets say so and end with it.
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    #: Open WebSockets by who opened them.
    listeners: Counter[str] = field(default_factory=Counter)
