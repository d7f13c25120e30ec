"""What is stored of vehicles that wait for the settler: all that it judges by, read in one snapshot."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.settling.decision import Standing
from alerts.settling.stretches import Dirty, Segment, Stretch, extended, first_stretch
from alerts.store import store, stored, turn_store
from alerts.store.store import QUERIES
from alerts.words.transitions import OF_ARRIVAL
from fleet import sights, tracks
from fleet.columns import Fixes
from fleet.tracks import Span, columns_of_spans
from fleet.units import MICROSECONDS, to_datetime, to_us

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import asyncpg

    from alerts.rules.camera.conflicts import Sights
    from alerts.settling.decision import Terms

#: Fixes of so many vehicles are read at once, until there are enough: an hour of 200 trucks is one round.
VEHICLES_READ, FIXES_AT_ONCE = 16, 750_000


class Version(NamedTuple):
    """A row that judges a vehicle: when it begins, and the transaction that wrote it."""

    begins_us: int
    writer: int


class Reading(NamedTuple):
    """What is stored of some stretches, as it was at one moment."""

    stretches: list[Stretch]
    fixes: Fixes
    sights: Sights
    #: By vehicle.
    segments: Mapping[int, Sequence[Segment]]
    dirty: Mapping[int, Sequence[Dirty]]
    standing: Standing
    versions: Mapping[int, Sequence[Version]]
    #: Vehicles whose stretch has more fixes or reports than was asked for; nothing of them is read.
    too_large: list[int]


async def read(
    connection: asyncpg.Connection,
    vehicles: Sequence[int],
    disagreed: Mapping[int, Stretch],
    terms: Terms,
    *,
    most: int | None,
) -> Reading:
    """Read the first stretch of each vehicle, in a transaction of its own; of many vehicles only some.

    A stretch of `disagreed`, whose end was found to be none, is read with one more segment. One with more
    fixes than `most`, or more reports, is only named.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        dirty = await _dirty_of(connection, vehicles)
        segments = await _segments_of(connection, vehicles, terms)
        wanted = [
            stretch
            for vehicle in vehicles
            if (stretch := _stretch(vehicle, segments.get(vehicle, []), dirty.get(vehicle, []), disagreed))
        ]
        stretches, fixes, too_large = await _read_some(connection, wanted, terms.reach.seen_us, most)
        spans = _recorded(stretches, terms.reach.seen_us)
        seen = await stored.read_sights(connection, spans, terms.context.rulebooks, terms.now_us)
        whole = spans_of(stretches, terms.ahead_us)
        standing = await standing_of(connection, whole)
        found = await versions(connection, whole)
    return Reading(stretches, fixes, seen, segments, dirty, standing, found, too_large)


def spans_of(stretches: Sequence[Stretch], until_us: int) -> list[Span]:
    """Return the time of each stretch; one to the end of the record ends at `until_us`."""
    return [
        Span(s.vehicle_id, s.from_us, until_us if s.boundary_us is None else s.boundary_us) for s in stretches
    ]


async def standing_of(connection: asyncpg.Connection, spans: Sequence[Span]) -> Standing:
    """Return the judged rows that begin in spans, one a vehicle."""
    return Standing(
        await store.episodes_between(connection, spans), await turn_store.between(connection, spans)
    )


async def versions(connection: asyncpg.Connection, spans: Sequence[Span]) -> dict[int, list[Version]]:
    """Return the versions of the rows that judge spans, by vehicle; one span a vehicle.

    While they are equal, none of these rows has been written, made or deleted.
    """
    beyond = [rule.name.lower() for rule in sorted(OF_ARRIVAL)]
    rows = await connection.fetch(QUERIES["versions"], *columns_of_spans(spans), beyond)
    return {row["vehicle"]: sorted(map(Version, row["begins"], row["writers"])) for row in rows}


def _recorded(stretches: Sequence[Stretch], until_us: int) -> list[Span]:
    """Return the time of each stretch with the first fix of what follows, which ends it."""
    return [
        span if stretch.boundary_us is None else span._replace(until_us=stretch.boundary_us + 1)
        for stretch, span in zip(stretches, spans_of(stretches, until_us), strict=True)
    ]


def _stretch(
    vehicle_id: int, segments: Sequence[Segment], dirty: Sequence[Dirty], disagreed: Mapping[int, Stretch]
) -> Stretch | None:
    if vehicle_id in disagreed:
        return extended(disagreed[vehicle_id], segments)
    return first_stretch(vehicle_id, segments, dirty)


async def _read_some(
    connection: asyncpg.Connection, wanted: Sequence[Stretch], until_us: int, most: int | None
) -> tuple[list[Stretch], Fixes, list[int]]:
    """Read stretches until there are enough; return those of which all may be read, and which are too large.

    What cameras and units report of a stretch counts as its fixes do, though it is read afterwards.
    """
    limit = None if most is None else most + 1
    parts, taken, too_large, enough = list[Fixes](), list[Stretch](), list[int](), FIXES_AT_ONCE
    for begin in range(0, len(wanted), VEHICLES_READ):
        if enough <= 0:
            break
        group = wanted[begin : begin + VEHICLES_READ]
        spans = _recorded(group, until_us)
        fixes = await tracks.read_spans(connection, spans, most=limit)
        large = _larger_than(most, fixes)
        if most is not None:
            reports = await sights.count_spans(connection, spans, most + 1)
            large |= {vehicle for vehicle, many in reports.items() if many > most}
            enough -= sum(many for vehicle, many in reports.items() if vehicle not in large)
        if large:
            fixes = fixes.take(~np.isin(fixes.vehicle_id, list(large)))
        taken += [stretch for stretch in group if stretch.vehicle_id not in large]
        too_large += large
        parts.append(fixes)
        enough -= len(fixes)
    return taken, Fixes.concat(parts), too_large


def _larger_than(most: int | None, fixes: Fixes) -> set[int]:
    """Return the vehicles that have more fixes."""
    if most is None or len(fixes) <= most:
        return set()
    vehicles, counts = np.unique(fixes.vehicle_id, return_counts=True)
    return set(vehicles[counts > most].tolist())


async def _dirty_of(connection: asyncpg.Connection, vehicles: Sequence[int]) -> dict[int, list[Dirty]]:
    found: dict[int, list[Dirty]] = {}
    for row in await connection.fetch(QUERIES["dirty_of"], vehicles):
        dirty = Dirty(row["dirty_id"], to_us(row["time"]), to_us(row["until"]))
        found.setdefault(row["vehicle_id"], []).append(dirty)
    return found


async def _segments_of(
    connection: asyncpg.Connection, vehicles: Sequence[int], terms: Terms
) -> dict[int, list[Segment]]:
    found: dict[int, list[Segment]] = {}
    due_after = timedelta(seconds=terms.due_after_us / MICROSECONDS)
    for row in await connection.fetch(QUERIES["segments_of"], vehicles, to_datetime(terms.now_us), due_after):
        ended_us = None if row["ended_at"] is None else to_us(row["ended_at"])
        at_rest = row["at_rest"] or (terms.drain and ended_us is None)
        segment = Segment(to_us(row["started_at"]), ended_us, row["settled"], at_rest)
        found.setdefault(row["vehicle_id"], []).append(segment)
    return found
