"""The trucks of the demo whose unit is a terminal of JT/T 808, and what their gateway needs."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from fleet.registry import QUERIES
from simulators.terminals.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import asyncpg

#: One truck in so many; of twenty, three.
ONE_IN = 6
_MODEL = "su"


def phone(number: int) -> str:
    """Return the telephone number of a terminal, by which it is known."""
    return f"1390000{number:04d}"


async def register(connection: asyncpg.Connection, vehicles: Sequence[str]) -> dict[str, Terminal]:
    """Register the devices of the trucks that carry a terminal; return these by truck.

    A terminal gets its authentication code from the gateway, when it registers there.
    """
    carrying = vehicles[ONE_IN - 1 :: ONE_IN]
    carried = {vehicle: Terminal(phone(number)) for number, vehicle in enumerate(carrying, 1)}
    logins = [terminal.phone for terminal in carried.values()]
    await connection.execute(QUERIES["put_devices"], logins, list(carried), [_MODEL] * len(carried))
    return carried


def gateway_settings(folder: Path, port: int) -> dict[str, str]:
    """Return what the gateway needs besides, with a secret of this run for its authentication codes."""
    secret = folder / "gateway-secret"
    secret.touch(mode=0o600)
    secret.write_text(secrets.token_hex(32) + "\n", "ascii")
    return {"KERBSAFE_GATEWAY_SECRET_FILE": str(secret), "KERBSAFE_GATEWAY_PORT": str(port)}
