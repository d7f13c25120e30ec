"""What every handler of one console process shares."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from console.guesses import Guesses

if TYPE_CHECKING:
    import asyncpg

    from console.bell import Bell
    from console.feed import Feed
    from console.identity import Authentication
    from console.installation_clock import InstallationClock
    from console.live_positions import LivePositions
    from console.metrics import Metrics
    from console.models.session import Tiles
    from console.pages import Pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The database, who may look, what is known of it, and what is shown."""

    pool: asyncpg.Pool
    authentication: Authentication
    clock: InstallationClock
    live_positions: LivePositions
    feed: Feed
    bell: Bell
    metrics: Metrics
    pages: Pages
    tiles: Tiles | None
    #: GeoJSON, as it is served.
    streets: bytes
    guesses: Guesses = field(default_factory=Guesses)
    #: Passwords that are computed at once: 32 MiB and a fifth of a second each. A known browser has a queue
    #: of its own, so that it gets in while strangers guess.
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    hashing_known: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    #: Set when the process ends: WebSockets say so and end with it.
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    #: Open WebSockets by who opened them.
    listeners: Counter[str] = field(default_factory=Counter)
