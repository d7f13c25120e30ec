"""Fences of the registry as GeoJSON that `kerbsafe fences import` reads again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.datum import from_wgs84
from fleet.entities import BEGINNING_US
from fleet.fences.store import QUERIES, read_versions
from fleet.fences.versions import NEVER_US, untils_us
from fleet.installation import read_clock
from fleet.schedule import to_json
from fleet.units import to_datetime
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fleet.fences.versions import FenceVersion

#: As imported: a centimetre.
_DECIMALS = 7


async def stored(at_us: int | None, datum: str) -> dict[str, Any]:
    """Return the fences of KERBSAFE_DSN in force at a time, or now, as a FeatureCollection."""
    async with database("fences") as connection:
        rows = await connection.fetch(QUERIES["fence_versions"])
        now_us = (await read_clock(connection)).now_us()
    return collection(read_versions(rows), now_us if at_us is None else at_us, datum)


def collection(versions: Iterable[FenceVersion], at_us: int, datum: str) -> dict[str, Any]:
    """Return the fences in force at a time as a FeatureCollection in a datum.

    The properties are those of an import. From when until when a version is in force stands beside them, as
    `in_force`: an import says for itself from when it counts.
    """
    ordered = sorted(versions, key=lambda version: version[:2])
    ends_us = untils_us([v.fence_id for v in ordered], [v.valid_from_us for v in ordered])
    features = [
        _feature(version, end_us, datum)
        for version, end_us in zip(ordered, ends_us, strict=True)
        if version.valid_from_us <= at_us < end_us and not version.fence.retired
    ]
    return {"type": "FeatureCollection", "datum": datum, "features": features}


def _feature(version: FenceVersion, end_us: int, datum: str) -> dict[str, Any]:
    fence = version.fence
    said = {
        "code": fence.code,
        "kind": str(fence.kind),
        "name": fence.name or None,
        "limit_kmh": fence.limit_kmh,
        "schedule": to_json(fence.schedule),
        "max_dwell_s": fence.max_dwell_s,
    }
    return {
        "type": "Feature",
        "properties": {name: value for name, value in said.items() if value is not None},
        "geometry": _in_datum(fence.geometry, datum),
        "in_force": {"from": _shown(version.valid_from_us), "until": _shown(end_us)},
    }


def _shown(time_us: int) -> str | None:
    return to_datetime(time_us).isoformat() if BEGINNING_US < time_us < NEVER_US else None


def _in_datum(geometry: dict[str, Any], datum: str) -> dict[str, Any]:
    if datum == "wgs84":
        return geometry
    parts = geometry["coordinates"]
    if geometry["type"] == "Polygon":
        return {**geometry, "coordinates": _moved(parts, datum)}
    return {**geometry, "coordinates": [_moved(part, datum) for part in parts]}


def _moved(rings: Sequence[Any], datum: str) -> list[list[list[float]]]:
    moved = []
    for ring in rings:
        places = np.array(ring, float)
        lat, lon = from_wgs84(places[:, 1], places[:, 0], datum)
        moved.append(np.column_stack([lon, lat]).round(_DECIMALS).tolist())
    return moved
