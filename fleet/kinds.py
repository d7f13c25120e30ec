"""Kinds of vehicles and of fences."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class VehicleKind(IntEnum):
    """What a vehicle carries; the names in lower case are those of the store and the files."""

    OTHER = 0
    MIXER = 1
    BULK_CEMENT = 2
    MORTAR = 3
    SILO_CARRIER = 4
    PUMP = 5

    @property
    def word(self) -> str:
        """Name in files, in the store and in rulebooks."""
        return self.name.lower()


class FenceKind(StrEnum):
    """What a fence means; what breaks it is in the rules."""

    SITE = "site"
    FORBIDDEN = "forbidden"
    PERMITTED = "permitted"
    SPEED_ZONE = "speed_zone"
    MUST_STOP = "must_stop"
    DISTRICT = "district"
