"""What does not move: fences, streets, and the rulebook that judges."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations
from typing import Any, Literal

import msgspec

from console.models.words import Input, Text


class FenceProperties(msgspec.Struct, frozen=True, kw_only=True):
    """What a fence is."""

    code: str
    kind: Literal["site", "forbidden", "permitted", "speed_zone", "must_stop", "district"]
    name: str
    limit_kmh: int | None
    schedule: Any
    max_dwell_s: int | None


class FenceFeature(msgspec.Struct, frozen=True, kw_only=True):
    """A fence as a GeoJSON Feature."""

    type: Literal["Feature"]
    geometry: dict[str, Any]
    properties: FenceProperties


class Fences(msgspec.Struct, frozen=True, kw_only=True):
    """The fences in force, GeoJSON, WGS 84."""

    type: Literal["FeatureCollection"]
    features: list[FenceFeature]


class Streets(msgspec.Struct, frozen=True, kw_only=True):
    """Street lines to draw under the trucks, GeoJSON, WGS 84; empty where none are configured."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]


class RulebookPlace(Input, frozen=True):
    """Which version."""

    version: Text


class Rulebook(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the rulebook: the TOML document that judged."""

    version: str
    valid_from: datetime
    document: str
