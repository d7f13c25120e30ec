"""Jumps of the receiver: which positions are believed, and that nothing is made of those that are not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from alerts.episodes.episodes import collect
from alerts.folding import motion
from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebooks
from alerts.in_force.watch import Watch
from alerts.live import replay
from alerts.rulebook import documents
from fleet.columns import Fixes
from fleet.fences.passes import Passes
from fleet.fences.versions import Fences
from fleet.kinds import FenceKind
from fleet.units import MICROSECONDS
from tests.unit.alerts.fence_tracks import START_US, points
from tests.unit.alerts.tracks import BOOKS
from tests.unit.alerts.turn_tracks import UDEG_PER_M, context, driven, way
from tests.unit.fleet.fences.shapes import fence, places, rectangle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fleet.fences.versions import FenceVersion


def track(text: str, speed_kmh: str | float | None = None, hdop: str = "") -> Fixes:
    """Seconds and metres as in `points`; a speed for all, or one a fix as words; HDOP a fix."""
    at, x, y = np.array(points(text)).T
    lat, lon = places(*zip(x, y, strict=True))
    words = speed_kmh.split() if isinstance(speed_kmh, str) else [speed_kmh] * len(at)
    return Fixes.build(
        vehicle_id=1,
        time_us=START_US + np.rint(at * MICROSECONDS).astype(np.int64),
        lat_udeg=lat,
        lon_udeg=lon,
        speed_dkmh=[-1 if word is None else round(float(word) * 10) for word in words],
        hdop_tenths=[round(float(word) * 10) for word in hdop.split()] if hdop else -1,
    )


def told(fixes: Fixes) -> str:
    """A letter a fix: b believed, d doubted, | believed after a cut."""
    rules = Rulebooks([documents.default()]).numbers("motion", np.zeros(1, np.int32))
    state, letters = motion.blank(1), []
    for row in range(len(fixes)):
        moved = motion.step(state, fixes.take(slice(row, row + 1)), rules)
        state = moved.after
        letters.append("|" if moved.cut[0] else "b" if moved.trusted[0] else "d")
    return "".join(letters)


@pytest.mark.parametrize(
    ("fixes", "letters"),
    [
        # It drives at 36 km/h, and is 3 km aside for one, two and four fixes.
        (track("0:0,0 1:0,10 2:3000,20 3:0,30 4:0,40", 36), "bbdbb"),
        (track("0:0,0 1:0,10 2:3000,20 3:3000,30 4:0,40", 36), "bbddb"),
        (track("0:0,0 1:0,10 2:3000,20 3:3000,30 4:3000,40 5:3000,50 6:0,60"), "bbddddb"),
        # A place as near as 51 m, to a standing truck; 50 m is noise.
        (track("0..2:0,0 3:51,0 4:0,0", 0), "bbbdb"),
        (track("0..2:0,0 3:49.9,0 4:0,0", 0), "bbbbb"),
        # The truck truly is elsewhere, as after a tunnel: at 36 km/h followed from the seventh fix on, as
        # soon as five lead over 50 m; at 72 km/h from the fifth.
        (track("0:0,0 1:0,10 2:0,500 3:0,510 4:0,520 5:0,530 6:0,540 7:0,551 8:0,561", 36), "bbddddd|b"),
        (track("0:0,0 1:0,20 2:0,500 3:0,520 4:0,540 5:0,560 6:0,580 7:0,600", 72), "bbdddd|b"),
        # Its wheels told all the way that it went on: nothing contradicts.
        (track("0:0,0 1..20:0,10 21:0,250 22:0,260", 40), "b" * 11 + "d" * 10 + "bb"),
        # A silence is no jump; nor are a few hundred metres between two stops, half a minute apart.
        (track("0:0,0 1:0,10 300:3000,500 301:3000,510", 36), "bbbb"),
        (track("0:0,0 1:0,0 31:0,330 32:0,330", "0 0 0 0"), "bbbb"),
        # It stands there: a truth after five minutes.
        (track("0..1:0,0 2..301:200,0 302..303:200,0", 0), "bb" + "d" * 300 + "|b"),
        # A unit that tells no speed, every 5 s: slow round a corner, then off.
        (track("0:0,0 5:0,28 10:0,42 15:0,99 20:0,180"), "bbbbb"),
        # A unit that always sends speed 0, every 5 s at 110 km/h, all the way or from a stop.
        (track(" ".join(f"{5 * n}:0,{153 * n}" for n in range(7)), 0), "bdd|bbb"),
        # The first fix was wrong: what it alone supports, two refute.
        (track("0:2000,0 1..4:0,0", 0), "bd|bb"),
        # Two positions within a second: the better HDOP is believed, in either order.
        (track("0:0,0 1:0,10 2:500,20 2.4:0,24 3:0,30", 36, "0.9 0.9 9 0.9 0.9"), "bbdbb"),
        (track("0:0,0 1:0,10 2:0,20 2.4:500,24 3:0,30", 36, "0.9 0.9 0.9 9 0.9"), "bbbdb"),
        (track("0:500,0 0.4:0,4 1:0,10", 36, "9 0.9 0.9"), "b|b"),
        # An equal one is no better: the place that follows from what was before stays.
        (track("0:0,0 1:0,10 2:0,20 2.4:500,24 3:0,30", 36, "0.9 0.9 0.9 0.9 0.9"), "bbbdb"),
        (track("0:500,0 0.4:0,4 1:0,10", 36), "bd|"),
    ],
)
def test_what_is_believed(fixes: Fixes, letters: str) -> None:
    assert told(fixes) == letters


def aside(fixes: Fixes, first: int, many: int, east_m: float, north_m: float) -> Fixes:
    """Show some fixes of a drive elsewhere."""
    lat, lon = fixes.lat_udeg.copy(), fixes.lon_udeg.copy()
    lat[first : first + many] += round(north_m * UDEG_PER_M)
    lon[first : first + many] += round(east_m * UDEG_PER_M)
    return replace(fixes, lat_udeg=lat, lon_udeg=lon)


def side_by_side(drives: Iterable[Fixes]) -> Fixes:
    return Fixes.concat(
        [
            replace(drive, vehicle_id=np.full(len(drive), number, np.int32))
            for number, drive in enumerate(drives)
        ]
    )


OFFSETS_M = [(60, 0), (-92, 0), (63, -20), (0, 200), (3000, 0)]


@pytest.mark.parametrize(("every_s", "reports"), [(1, True), (2, True), (3, True), (1, False), (2, False)])
def test_no_jump_is_a_turn(every_s: float, reports: bool) -> None:
    """On a straight street, driven or stood on, for some fixes, at the beginning and later, and for good."""
    street = way(1200)
    drives = [driven(street, speed, every_s=every_s, reports=reports) for speed in (20, 36, 50)]
    drives.append(driven(street, 36, every_s=every_s, reports=reports, stops=[(400, 60)]))
    jumps = [
        aside(drive, first, many, *offset)
        for drive in drives
        for first in (0, 45)
        for many in (1, 2, 4, 6, 12, 30, len(drive))
        for offset in OFFSETS_M
    ]
    judgement = replay.settled(side_by_side(jumps), context())
    assert (len(judgement.turns), len(judgement.transitions)) == (0, 0)


@pytest.mark.parametrize("many", [1, 2, 3, 4])
def test_a_jump_in_a_turn_takes_nothing_from_it_and_adds_nothing(many: int) -> None:
    """90 degrees at 20 km/h on a radius of 12 m; the jump is over before the new place is believed."""
    drive = driven(way(300, 90, 300), 20, reports=True)
    jumps = [aside(drive, first, many, *offset) for first in range(46, 66) for offset in OFFSETS_M]
    turns = replay.settled(side_by_side(jumps), context()).turns
    assert sorted(turns.vehicle_id.tolist()) == list(range(len(jumps)))
    assert all(60 <= turned <= 90 for turned in turns.course_change_deg.tolist())
    assert turns.lateral_g.max() <= 0.35


ZONE = rectangle(-2000, 1000, 8000, 1400)
YARD = rectangle(-60, -60, 60, 60)


def said(fixes: Fixes, version: FenceVersion) -> list[tuple[str, float, float | None]]:
    """Rule, start and end of the episodes in a fence, seconds."""
    watch = Watch(Fences([version]), Passes([]))
    judge = Context(BOOKS, replay.UniformFacts(limit_kmh=80), watch)
    found = collect(replay.settled(fixes, judge).transitions, judge.rulebooks)
    return [(e.rule_name, _seconds(e.started_us), _seconds(e.ended_us)) for e in found]


def _seconds(time_us: int | None) -> float | None:
    return None if time_us is None else (time_us - START_US) / MICROSECONDS


@pytest.mark.parametrize("speed_kmh", [36, None])
@pytest.mark.parametrize("many", range(1, 31))
def test_a_jump_over_a_forbidden_fence_crosses_nothing(many: int, speed_kmh: float | None) -> None:
    """3 km over it and back, while the truck drives along it."""
    places_m = [(10 * n, 3000 if 50 <= n < 50 + many else 0) for n in range(120)]
    fixes = track(" ".join(f"{n}:{x},{y}" for n, (x, y) in enumerate(places_m)), speed_kmh)
    assert said(fixes, fence(1, ZONE)) == []


@pytest.mark.parametrize("speed_kmh", [0, None])
@pytest.mark.parametrize("kind", [FenceKind.PERMITTED, FenceKind.FORBIDDEN, FenceKind.SITE])
def test_who_stands_has_left_nothing(kind: FenceKind, speed_kmh: float | None) -> None:
    """150 m away for 40 s, and back: what holds in the fence goes on as if that had not been shown."""
    still, jumps = (track(f"0..79:0,0 80..120:{x},0 121..200:0,0", speed_kmh) for x in (0, 150))
    assert said(jumps, fence(1, YARD, kind)) == said(still, fence(1, YARD, kind))


def test_who_is_shown_in_a_fence_for_long_has_not_been_seen_to_enter() -> None:
    """After five minutes the place is believed: in the fence since then, as a vehicle that is found there."""
    fixes = track("0..10:0,-500 11..400:0,0", 0)
    assert said(fixes, fence(1, YARD)) == [("forbidden", 311, 400)]
