"""Tell systemd, where it has started us, how we are: sd_notify(3), without a library."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

from fleet.stopping import rest

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

READY = "READY=1"
STOPPING = "STOPPING=1"
_ALIVE = "WATCHDOG=1"
#: Says that we live this many times in each interval after which systemd would take us for hung.
_BEATS = 3


def tell(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Send one state; nothing where nobody listens. A supervisor that is away is no reason to fail."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    name = "\0" + address[1:] if address.startswith("@") else address  # @: Linux's abstract names
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as talking:
        talking.sendto(state.encode(), name)


def beat_s(environment: Mapping[str, str] = os.environ) -> float | None:
    """Return how often systemd wants to hear that our event loop turns, seconds; None: it does not ask."""
    interval_us = environment.get("WATCHDOG_USEC", "")
    asked = environment.get("WATCHDOG_PID", str(os.getpid()))
    if not interval_us.isdigit() or not int(interval_us) or asked != str(os.getpid()):
        return None
    return int(interval_us) / 1e6 / _BEATS


async def stay_alive(stopping: asyncio.Event) -> None:
    """Tell systemd, until the process stops, that the event loop turns; returns at once if nobody asks."""
    every_s = beat_s()
    if every_s is None:
        return
    while not stopping.is_set():
        tell(_ALIVE)
        await rest(stopping, every_s)
