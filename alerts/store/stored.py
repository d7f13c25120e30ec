"""Reading back what was observed, as replay takes it: complete and in order, or as it arrived."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from alerts.live.arrivals import Refused
from alerts.live.replay import Arrival
from alerts.rules.camera.conflicts import NO_GAPS, NO_SIGHTS, Sights
from alerts.store.store import QUERIES
from fleet import sights, tracks
from fleet.columns import Fixes
from fleet.tracks import Span
from fleet.units import MICROSECONDS, to_datetime, to_us

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import asyncpg
    from numpy.typing import NDArray

    from alerts.in_force.rulebooks import Rulebooks


async def read_sights(
    connection: asyncpg.Connection, spans: Sequence[Span], rulebooks: Rulebooks, now_us: int
) -> Sights:
    """Return what cameras and units report in spans, one a vehicle, with what belongs to it.

    Clocks of cameras may differ, and what somebody is armed by may be older: what the rulebook in force at
    `now_us` allows of both is read too.
    """
    rules = rulebooks.now("blind_spot", now_us)
    apart_us = round(float(rules["clock_max_s"] + rules["detection_s"]) * MICROSECONDS)
    wider = [Span(s.vehicle_id, s.from_us - apart_us, s.until_us + apart_us) for s in spans]
    age = timedelta(seconds=float(rules["armed_s"]))
    return Sights(*await sights.read_spans(connection, wider, age), await _read_gaps(connection, wider))


async def _read_gaps(connection: asyncpg.Connection, spans: Sequence[Span]) -> NDArray[np.int64]:
    """Return when, within the spans, data may have been lost on the way to us."""
    if not spans:
        return NO_GAPS
    from_at = to_datetime(min(span.from_us for span in spans))
    until_at = to_datetime(max(span.until_us for span in spans))
    rows = await connection.fetch(QUERIES["transport_gaps"], from_at, until_at)
    return np.array([(to_us(row["from_at"]), to_us(row["until_at"])) for row in rows], np.int64).reshape(
        -1, 2
    )


async def read_arrivals(
    connection: asyncpg.Connection, vehicle_id: Sequence[int], from_at: datetime, until_at: datetime
) -> list[Arrival]:
    """Return what arrived in [from_at, until_at), batch by batch; a tick is a batch with nothing in it."""
    seen = await sights.read_arrivals(connection, vehicle_id, from_at, until_at)
    refused = await _read_refused(connection, vehicle_id, from_at, until_at)
    arrivals = []
    for received_us, fixes in await tracks.read_arrivals(connection, vehicle_id, from_at, until_at):
        found = NO_SIGHTS if not len(fixes) else Sights(*seen.pop(received_us, NO_SIGHTS))
        beside = Refused.of(refused.pop(received_us, []))
        arrivals.append(Arrival(received_us, fixes, found, beside))
    arrivals += [Arrival(received_us, Fixes.empty(), Sights(*found)) for received_us, found in seen.items()]
    return sorted(arrivals, key=lambda arrival: arrival.received_us)


async def _read_refused(
    connection: asyncpg.Connection, vehicle_id: Sequence[int], from_at: datetime, until_at: datetime
) -> dict[int, list[tuple[int, str]]]:
    """Return of whom something was refused, and why, by when it was received."""
    found: dict[int, list[tuple[int, str]]] = {}
    for row in await connection.fetch(QUERIES["refused_arrivals"], vehicle_id, from_at, until_at):
        found.setdefault(to_us(row["received_at"]), []).append((row["vehicle_id"], row["reason"]))
    return found
