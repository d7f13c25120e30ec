"""Registering whoever reports, for the demo and sandboxes only: never in a store of real data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.entities import Company, RegistryError, Vehicle
from fleet.kinds import VehicleKind
from fleet.registry import register
from fleet.wire.reasons import Reason
from fleet.wire.topics import Address, parse_topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from alerts.knowledge import Knowledge
    from fleet.wire.batch import Message


class AutoRegistration:
    """Creates the company and the vehicle that a topic names, if they are not there."""

    def __init__(self, connection: asyncpg.Connection, knowledge: Knowledge) -> None:
        if not knowledge.clock.sandbox:
            raise RegistryError(
                "--auto-register works in a sandbox only, where nothing is real: make one with "
                "`kerbsafe migrate --sandbox`, or register vehicles with `kerbsafe registry import`"
            )
        self._connection = connection
        self._knowledge = knowledge
        self._seen: set[str] = set()

    async def register(self, messages: Sequence[Message]) -> None:
        """Register the senders of a batch that nobody knows yet."""
        topics = {message.topic for message in messages} - self._seen
        self._seen |= topics
        unknown: dict[str, set[str]] = {}
        directory = self._knowledge.directory()
        for topic in topics:
            address = parse_topic(topic)
            if isinstance(address, Address) and isinstance(
                directory.find(address.company, address.vehicle), Reason
            ):
                unknown.setdefault(address.company, set()).add(address.vehicle)
        for company, codes in unknown.items():
            vehicles = [Vehicle(code=code, company=company, kind=VehicleKind.OTHER) for code in sorted(codes)]
            await register(self._connection, Company(code=company), vehicles)
        if unknown:
            await self._knowledge.refresh(self._connection)
