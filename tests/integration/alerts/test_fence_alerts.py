"""Stays in forbidden fences in the store: one alert for a stay, over a rest and over settling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alerts.in_force.watch import Watch
from fleet.entities import Fence
from fleet.fences.passes import Passes
from fleet.fences.versions import Fences, FenceVersion
from fleet.kinds import FenceKind
from fleet.units import MICROSECONDS
from tests.integration.bench import NOW_US, Bench, arriving, fix

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Round the place of the bench's drives, a kilometre to each side.
RING = [[120.69, 30.69], [120.71, 30.69], [120.71, 30.71], [120.69, 30.71], [120.69, 30.69]]
OLD_TOWN = Fence(
    code="old-town",
    kind=FenceKind.FORBIDDEN,
    geometry={"type": "Polygon", "coordinates": [RING]},
)


def northwards(at_s: int, seconds: int, from_lat: float) -> Iterator[dict[str, object]]:
    """At 40 km/h, a fix a second."""
    for second in range(seconds):
        yield fix(at_s + second, 40, lat=round(from_lat + second * 1e-4, 6))


def standing(at_s: int, seconds: int, lat: float) -> Iterator[dict[str, object]]:
    """A fix a minute."""
    for second in range(0, seconds, 60):
        yield fix(at_s + second, 0, lat=lat)


async def stays(
    bench: Bench, rule: str = "forbidden", found: str = "found_inside"
) -> list[tuple[object, ...]]:
    return await bench.rows(
        f"""select round(extract(epoch from started_at) - {NOW_US // MICROSECONDS})::int,
               round(extract(epoch from ended_at) - {NOW_US // MICROSECONDS})::int,
               ended_as, measures ? '{found}', alert_id is not null
        from episode left join alert on alert_id = episode_id
        where rule = '{rule}' and episode.status <> 'withdrawn' order by started_at"""
    )


@pytest.mark.parametrize("live", [True, False])
async def test_a_stay_that_goes_on_over_a_rest_has_one_alert(bench: Bench, live: bool) -> None:
    """25 minutes of rest in the old town part two trips; the second finds the vehicle where it was."""
    bench.context = bench.context._replace(fences=Watch(Fences([FenceVersion(1, 0, OLD_TOWN)]), Passes()))
    fixes = [*northwards(-2100, 10, 30.7), *standing(-2090, 1500, 30.701), *northwards(-590, 120, 30.701)]
    await bench.push(*arriving(fixes, delay_s=0.2 if live else 300))
    if not live:
        assert await stays(bench) == []
    await bench.drain()
    first, second = await stays(bench)
    assert (first[0], first[2:]) == (-2100, ("lost", True, True))
    assert second[1:] == (-499, "closed", True, False)


async def test_who_has_left_and_is_found_inside_again_is_alerted_again(bench: Bench) -> None:
    """Out of the old town, then silent for more than an hour, then in it."""
    bench.context = bench.context._replace(fences=Watch(Fences([FenceVersion(1, 0, OLD_TOWN)]), Passes()))
    fixes = [*northwards(-5000, 150, 30.7), *northwards(-600, 20, 30.7)]
    await bench.push(*arriving(fixes))
    await bench.drain()
    first, second = await stays(bench)
    assert (first[2:], second[2:]) == (("closed", True, True), ("lost", True, True))


DEPOT = Fence(code="depot", kind=FenceKind.PERMITTED, geometry={"type": "Polygon", "coordinates": [RING]})


@pytest.mark.parametrize(
    ("between", "alerted"),
    [
        # Silent for three minutes out there, then found where it was: the alert before stands for it.
        ([], False),
        # Silent, seen in the depot, silent again, found outside again: somebody must know.
        ([*standing(-3000, 300, 30.7)], True),
    ],
)
async def test_who_is_found_outside_is_alerted_once(
    bench: Bench, between: list[dict[str, object]], alerted: bool
) -> None:
    bench.context = bench.context._replace(fences=Watch(Fences([FenceVersion(1, 0, DEPOT)]), Passes()))
    out = [*northwards(-4200, 10, 30.709), *northwards(-4190, 100, 30.71)]
    await bench.push(*arriving([*out, *between, *northwards(-2000, 60, 30.73)]))
    first, second = await stays(bench, "left_permitted", "seen_after_silence")
    assert (first[0], first[2:]) == (-4189, ("lost", False, True))
    assert (second[0], second[2:]) == (-2000, (None, True, alerted))
