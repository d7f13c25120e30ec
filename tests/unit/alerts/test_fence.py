"""Fences: a forbidden square of 1 km; x from 0 to 1000 m, y from 0 to 1000 m."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.words.transitions import Rule
from fleet.columns import FixFlag
from fleet.kinds import FenceKind
from fleet.schedule import parse_schedule
from tests.unit.alerts.fence_tracks import Drive, Event, leave, moment
from tests.unit.fleet.fences.shapes import fence, parts, rectangle

SQUARE = rectangle(0, 0, 1000, 1000)
STRIP = rectangle(0, 0, 15, 1000)  # a street, 15 m wide
HOLED = rectangle(0, 0, 1000, 1000, (400, 400, 600, 600))


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        # enter: two fixes, dated back to the first
        ("0:-50,500 1:-10,500 2:10,500 3:30,500", [(1, 2, None, "opened")]),
        ("0:-50,500 1:-10,500 2:10,500 3:-10,500 4:-30,500", []),  # one stray fix
        ("0:-50,500 1:10,500 2:-10,500 3:10,500 4:-10,500", []),  # two, but not in a row
        # enter: or one that counts for 10 s
        ("0:-50,500 30:300,500 60:-50,500 90:-300,500", [(1, 30, 60, "closed")]),
        ("0:-5,500 9:5,500 18:-5,500 27:-30,500", []),
        ("0:-5,500 9:5,500 19:-5,500 29:-30,500 30:-30,500", [(1, 9, 19, "closed")]),
        # exit: two fixes beyond 20 m, dated back to the first fix outside
        ("0..9:10,500 10:-10,500 11:-30,500 12:-50,500", [(1, 0, 10, "closed")]),
        ("0..9:10,500 10:-10,500 11:-30,500 12:-10,500 13:10,500", [(1, 0, None, "opened")]),
        ("0..9:10,500 10..99:-19,500", [(1, 0, None, "opened")]),  # never far enough to be sure
        ("0..9:10,500 10..19:-19,500 20..21:-21,500", [(1, 0, 10, "closed")]),
        ("0..9:10,500 10..59/2:-19,500 11..59/2:-21,500", [(1, 0, None, "opened")]),
        # exit: or one that counts for 10 s, even if the next is near again
        ("0..9:10,500 10:-30,500 19:-10,500 20:10,500", [(1, 0, None, "opened")]),
        ("0..9:10,500 10:-30,500 20:-10,500 21:-5,500", [(1, 0, 10, "closed")]),
        ("0..9:10,500 10:-30,500 40:10,500 70:20,500", [(1, 0, 10, "closed"), (1, 40, None, "opened")]),
        # a segment that begins inside counts from its first fix
        ("0:500,500", [(1, 0, None, "opened")]),
        ("0:-5,500 1:500,500", []),
        # on the boundary is inside
        ("0:-50,0 1:0,0 2:0,10", [(1, 1, None, "opened")]),
        ("0:-50,0 1:-0.2,0 2:-0.2,10", []),
        # gaps: what was is lost; where the vehicle is then found, it has entered
        ("0..9:10,500 130:500,500", [(1, 0, 9, "lost"), (1, 130, None, "opened")]),
        ("0..9:10,500 129:500,500", [(1, 0, None, "opened")]),
        ("0..9:10,500 200:-500,500", [(1, 0, 9, "lost")]),
        ("0:-50,500 1:10,500 200:-500,500", []),
    ],
)
def test_forbidden(track: str, expected: list[tuple[int, float, float | None, str]]) -> None:
    assert Drive([fence(1, SQUARE)]).go(track).intervals() == expected


@pytest.mark.parametrize(
    ("wandering", "ended"),
    [
        # Parked inside near the edge: where it seems to go is noise, unless it is far off, or stays away.
        ("10..290/10:-30,500 300:5,500", None),
        ("10:-30,500 20:-30,500 30..600/10:-15,500", None),
        ("10..400/10:-30,500", 10),
        ("10..20/10:-60,500", 10),
        ("10:-60,500 20:-15,500", None),
    ],
)
def test_who_stands_does_not_leave_by_the_noise_of_its_positions(wandering: str, ended: float | None) -> None:
    drive = Drive([fence(1, SQUARE)]).go("0:5,500", stands=False).go(wandering, stands=True)
    assert drive.intervals() == [(1, 0, ended, "opened" if ended is None else "closed")]


def test_who_drives_on_has_left_where_it_stood_outside() -> None:
    drive = Drive([fence(1, SQUARE)]).go("0:5,500 1:2,500").go("10..90/10:-30,500", stands=True)
    assert drive.go("91:-35,500").intervals() == [(1, 0, 10, "closed")]


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        ("0:-50,500 60:1050,500", [(2.727, 57.273)]),
        ("0:-50,500 2:1050,500", [(0.091, 1.909)]),
        ("0:-50,500 1:-10,500 2:25,500", []),  # enters
        # not deep enough, and one end is near
        ("0:-10,5 1:5,-10", []),
        ("0:-100,21 1:10,-14", []),  # 6 m of corner
        # a street: the ends are too near to be sure, or far enough on both sides
        ("0:-15,900 1:15,1030", [(0.5, 0.769)]),
        # passing by
        ("0:-50,500 60:-50,-500", []),
        ("0:-50,500 130:1050,500", []),  # a gap: nobody knows the way
        # through a hole: outside at both ends
        ("0:500,500 10:500,1200", [(1.429, 7.143)]),
    ],
)
def test_crossings_between_fixes(track: str, expected: list[tuple[float, float]]) -> None:
    shape = HOLED if "0:500,500" in track else SQUARE
    assert [event[4:] for event in Drive([fence(1, shape)]).go(track).events() if event.ended] == expected


@pytest.mark.parametrize(
    ("track", "crossed"),
    [
        ("0:-10,500 1:25,500", False),  # 15 m inside, one end within 20 m: noise could explain it
        ("0:-25,500 1:40,500", True),
        ("0:-10,400 1:30,600", True),  # slantwise: 76 m inside
    ],
)
def test_a_narrow_fence_is_crossed_only_for_sure(track: str, crossed: bool) -> None:
    assert bool(Drive([fence(1, STRIP)]).go(track).changes) is crossed


@pytest.mark.parametrize(("interval", "sure", "severity"), [(10, True, 2), (11, False, 1), (100, False, 1)])
def test_a_crossing_over_a_long_interval_is_less_sure(interval: float, sure: bool, severity: int) -> None:
    drive = Drive([fence(1, SQUARE)]).go([(0, -50, 500), (interval, 1050, 500)])
    (_, opened), (_, closed) = drive.changes
    for change in (opened, closed):
        assert (bool(change["sure"]), int(change["severity"]), float(change["interval_s"])) == (
            sure,
            severity,
            interval,
        )


def test_exit_is_told_before_cross_and_cross_before_enter() -> None:
    """A coarse track out of one fence, across another and into a third."""
    drive = Drive(
        [
            fence(3, rectangle(0, 0, 90, 90)),
            fence(2, rectangle(400, 0, 500, 90)),
            fence(1, rectangle(910, 0, 999, 90)),
        ]
    )
    drive.go("0:50,50 30:200,50 31:950,50 32:950,50")
    assert drive.events()[1:] == [
        Event(31, "forbidden", "closed", 3, 0, 30),
        Event(31, "forbidden", "opened", 2, 30.267, None),
        Event(31, "forbidden", "closed", 2, 30.267, 30.4),
        Event(32, "forbidden", "opened", 1, 31, None),
    ]


def test_a_track_along_the_boundary_does_not_flutter() -> None:
    """Noise of 5 m on a road that is the boundary: one stay at most, and no crossing."""
    dice = np.random.default_rng(3)
    noise = dice.normal(0, 5, 300)
    drive = Drive([fence(1, SQUARE)]).go([(at, noise[at], 3 * at) for at in range(300)])
    assert len(drive.intervals()) == 1


@pytest.mark.parametrize(("hdop", "ended"), [(-0.1, 2), (2.0, 2), (2.9, None), (2.2, None)])
def test_a_doubtful_position_must_be_farther_out(hdop: float, ended: float | None) -> None:
    """Two standard errors of 5 m for each unit of HDOP; the fixes are 21.0 m outside."""
    drive = Drive([fence(1, SQUARE)]).go("0:5,500 1:5,500 2:-21,500 3:-21,500", hdop=hdop)
    assert drive.intervals()[0][2] == ended


def test_a_hole_is_outside() -> None:
    drive = Drive([fence(1, HOLED)]).go(
        "0:500,500 1:500,450 2:500,390 3:500,350 4:500,420 5:500,450 6:500,450"
    )
    assert drive.intervals() == [(1, 2, 4, "closed")]


def test_two_parts_are_one_fence() -> None:
    """From one part to the other without leaving: the gap of 15 m is no exit."""
    drive = Drive([fence(1, parts((0, 0, 100, 100), (115, 0, 200, 100)))])
    drive.go("0:90,50 1:98,50 2:107,50 3:116,50 4:120,50")
    assert drive.intervals() == [(1, 0, None, "opened")]


def test_two_fences_have_two_episodes() -> None:
    drive = Drive([fence(1, SQUARE), fence(2, rectangle(500, 0, 2000, 1000))])
    drive.go("0..4:100,500 5..9:700,500 10..14:1500,500 15..20:3000,500")
    assert drive.intervals() == [(1, 0, 10, "closed"), (2, 5, 15, "closed")]


# ---------------------------------------------------------------- hours, versions, rulebooks, passes


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("mon 08:00-09:00", [(1, 0, 3600, "closed")]),  # the hour ends while it is inside
        ("mon 08:30-09:00", [(1, 1800, 3600, "closed")]),  # and begins while it is inside
        ("tue 08:00-09:00", []),
        ("sun 22:00-08:30", [(1, 0, 1800, "closed")]),  # since yesterday, over midnight
        ("mon 22:00-08:30", []),
    ],
)
def test_a_schedule_is_kept_to_the_minute(
    hours: str, expected: list[tuple[int, float, float | None, str]]
) -> None:
    """Inside from 08:00 to 09:10 on a Monday; a fix every 5 s."""
    drive = Drive([fence(1, SQUARE, schedule=parse_schedule(hours))]).go("0..4200/5:500,500")
    assert drive.intervals() == expected


def test_a_new_version_ends_the_episode_and_begins_one() -> None:
    """The same place under a new version: the rule changed at second 5."""
    drive = Drive([fence(1, SQUARE, since_us=0), fence(1, SQUARE, since_us=moment(5.5))])
    drive.go("0..9:500,500 10..13:-500,500")
    assert drive.intervals() == [(1, 0, 5.5, "rule_change"), (1, 5.5, 10, "closed")]


def test_a_version_elsewhere_only_ends_the_episode() -> None:
    drive = Drive([fence(1, SQUARE), fence(1, rectangle(5000, 0, 5100, 100), since_us=moment(5))])
    drive.go("0..9:500,500")
    assert drive.intervals() == [(1, 0, 5, "rule_change")]


def test_a_retired_fence_only_ends_the_episode() -> None:
    drive = Drive([fence(1, SQUARE), fence(1, SQUARE, since_us=moment(5), retired=True)])
    drive.go("0..9:500,500")
    assert drive.intervals() == [(1, 0, 5, "rule_change")]


def test_a_fence_that_is_no_longer_known_ends_the_episode() -> None:
    drive = Drive([fence(1, SQUARE)]).go("0..4:500,500")
    drive.watch = Drive([]).watch
    drive.go("5..9:500,500")
    assert drive.intervals() == [(1, 0, 5, "rule_change")]


def test_a_fence_of_another_kind_from_now_on() -> None:
    drive = Drive([fence(1, SQUARE), fence(1, SQUARE, FenceKind.SITE, since_us=moment(5))])
    drive.go("0..9:500,500")
    assert drive.intervals() == [(1, 0, 5, "rule_change")]
    assert drive.intervals(Rule.SITE) == [(1, 5, None, "opened")]


def test_a_fence_that_comes_into_force_finds_who_is_inside() -> None:
    drive = Drive([fence(1, SQUARE, since_us=moment(5))]).go("0..9:500,500")
    assert drive.intervals() == [(1, 5, None, "opened")]


def test_a_new_rulebook_ends_the_episode_and_begins_one() -> None:
    drive = Drive([fence(1, SQUARE)]).go("0..4:500,500")
    drive.go("5..9:500,500", rulebook=1, rulebook_from=4.5)
    assert drive.intervals() == [(1, 0, 4.5, "rule_change"), (1, 4.5, None, "opened")]


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (leave(1, 0, 100), []),
        (leave(1, 0, 100, vehicle_id=6), [(1, 0, None, "opened")]),
        (leave(2, 0, 100), [(1, 0, None, "opened")]),
        (leave(1, 0, 5), [(1, 5, None, "opened")]),  # it ends while the vehicle is inside
        (leave(1, 5, 100), [(1, 0, 5, "closed")]),  # it begins
        (leave(1, 3, 6), [(1, 0, 3, "closed"), (1, 6, None, "opened")]),
    ],
)
def test_a_pass_covers(allowed: object, expected: list[tuple[int, float, float | None, str]]) -> None:
    assert Drive([fence(1, SQUARE)], [allowed]).go("0..9:500,500").intervals() == expected


def test_a_pass_covers_a_crossing() -> None:
    assert not Drive([fence(1, SQUARE)], [leave(1, 0, 100)]).go("0:-50,500 60:1050,500").changes


# ---------------------------------------------------------------- permitted


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        ("0:500,500 1:1010,500 2:1030,500 3:1050,500", [(1, 1, None, "opened")]),
        # found outside, at first or after a silence: out from that fix on, if it was no stray one
        ("0..5:5000,500", [(1, 0, None, "opened")]),
        ("0..1:500,500 200..201:5000,500", [(1, 200, None, "opened")]),
        ("0..1:500,500 200:5000,500 201..209:500,500", []),
        ("0..1:-300,500 200..201:-300,500", [(1, 0, 1, "lost"), (1, 200, None, "opened")]),
        ("0:-10,500 1..9:-30,500 10..11:10,500", [(1, 0, 10, "closed")]),
        ("0..99:-15,500", []),  # not far enough to be sure
        ("0:500,500 1:1030,500 2:1050,500 3..9:3000,500 10:990,500 11:500,500", [(1, 1, 10, "closed")]),
        # into another permitted fence: it has not left
        ("0:500,500 1:990,500 2:1010,500 3:1030,500 4:1030,500 5:1030,500", []),
        ("0..1:500,-500 2..3:1500,500", [(1, 0, 2, "closed")]),
        ("0:500,500 10:1500,500 20:1500,500 30:3000,500 40:3000,500", [(2, 30, None, "opened")]),
        # between two parts for a while
        (
            "0:500,-100 1:500,500 2:500,500 3:-30,500 4:-60,500 5..9:-90,500 10:1500,500 11:1500,500",
            [(1, 3, 10, "closed")],
        ),
        ("0:500,500 1:500,500 2:-300,500 200:-300,500", []),
    ],
)
def test_permitted(track: str, expected: list[tuple[int, float, float | None, str]]) -> None:
    """A square, and another that begins where it ends (from x 1005 where the track goes there)."""
    fences = [fence(1, SQUARE, FenceKind.PERMITTED)]
    if "1500" in track or "1010,500 3:1030,500 4" in track:
        fences.append(fence(2, rectangle(1005, 0, 2000, 1000), FenceKind.PERMITTED))
    assert Drive(fences).go(track).intervals(Rule.LEFT_PERMITTED) == expected


def test_how_long_a_vehicle_was_outside_a_permitted_fence_is_told() -> None:
    drive = Drive([fence(1, SQUARE, FenceKind.PERMITTED)])
    drive.go("0:500,500 1:1100,500 2:1200,500 3:1900,500 4:1500,500 5:500,500 6:500,500")
    assert float(drive.changes[-1][1]["peak"]) == 4


@pytest.mark.parametrize(
    ("facts", "later", "ended"),
    [
        ({}, {}, (None, "opened")),
        ({"schedule": parse_schedule("mon 08:00-08:01")}, {}, (60, "closed")),
        ({}, {"retired": True}, (55, "rule_change")),
    ],
)
def test_what_was_left_ends_with_its_fence(
    facts: dict[str, Any], later: dict[str, Any], ended: tuple[float | None, str]
) -> None:
    """Far away, where no grid tells of it."""
    versions = [fence(1, SQUARE, FenceKind.PERMITTED, **facts)]
    if later:
        versions.append(fence(1, SQUARE, FenceKind.PERMITTED, since_us=moment(55), **later))
    drive = Drive(versions).go("0:500,500 1:1100,500 2..70:5000,500")
    assert drive.intervals(Rule.LEFT_PERMITTED) == [(1, 1, *ended)]


def test_who_is_outside_when_a_fence_changes_is_outside_the_new_one() -> None:
    versions = [
        fence(1, SQUARE, FenceKind.PERMITTED),
        fence(1, rectangle(0, 0, 900, 900), FenceKind.PERMITTED, since_us=moment(55)),
    ]
    drive = Drive(versions).go("0:500,500 1:1100,500 2..70:5000,500")
    assert drive.intervals(Rule.LEFT_PERMITTED) == [(1, 1, 55, "rule_change"), (1, 55, None, "opened")]


def test_the_nearest_permitted_fence_in_force_is_the_one_that_was_left() -> None:
    kind, at_nine = FenceKind.PERMITTED, parse_schedule("mon 09:00-10:00")
    fences = [
        fence(1, SQUARE, kind),
        fence(2, rectangle(5000, 0, 6000, 1000), kind),
        fence(3, rectangle(7000, 0, 8000, 1000), kind, schedule=at_nine),
    ]
    assert Drive(fences).go("0..5:6900,500").intervals(Rule.LEFT_PERMITTED) == [(2, 0, None, "opened")]
    nobody = Drive([fence(3, SQUARE, kind, schedule=at_nine)]).go("0..5:5000,500")
    assert nobody.intervals(Rule.LEFT_PERMITTED) == []


def test_what_was_left_is_lost_in_silence_and_changes_with_the_rulebook() -> None:
    drive = Drive([fence(1, SQUARE, FenceKind.PERMITTED)]).go("0:500,500 1:1100,500 2..9:5000,500")
    drive.go("10:5000,500", rulebook=1, rulebook_from=9.5).go("200:5000,500", rulebook=1)
    assert drive.intervals(Rule.LEFT_PERMITTED) == [(1, 1, 9.5, "rule_change"), (1, 9.5, 10, "lost")]


# ---------------------------------------------------------------- sites


def test_arrival_dwell_and_departure() -> None:
    """At most 10 minutes: the dwell begins when they are over, not when a fix comes."""
    drive = Drive([fence(1, SQUARE, FenceKind.SITE, max_dwell_s=600)])
    drive.go("0:-50,500 10..900/7:500,500 907:-100,500 908:-100,500")
    assert drive.events() == [
        Event(17, "site", "opened", 1, 10, None),
        Event(612, "dwell", "opened", 1, 610, None),
        Event(908, "dwell", "closed", 1, 610, 907),
        Event(908, "site", "closed", 1, 10, 907),
    ]
    dwell, visit = (change for _, change in drive.changes[-2:])
    assert (dwell["peak"], dwell["limit"], dwell["own_limit"]) == (897, 600, True)
    assert (visit["peak"], visit["severity"]) == (897, 1)


@pytest.mark.parametrize(
    ("facts", "dwells"),
    [
        ({"is_mixer": True}, [(1, 5400, None, "opened")]),
        ({"is_mixer": True, "flags": FixFlag.IGNITION_KNOWN}, []),  # parked
        ({"is_mixer": True, "flags": FixFlag.LOAD_KNOWN}, []),  # empty
        (
            {"is_mixer": True, "flags": FixFlag.LOAD_KNOWN | FixFlag.LOADED | FixFlag.IGNITION_KNOWN},
            [],
        ),
        ({"is_mixer": True, "flags": FixFlag.LOAD_KNOWN | FixFlag.LOADED}, [(1, 5400, None, "opened")]),
        ({"is_mixer": False}, []),
    ],
)
def test_a_loaded_mixer_must_not_stay_where_no_limit_is_given(
    facts: dict[str, Any], dwells: list[tuple[int, float, float | None, str]]
) -> None:
    drive = Drive([fence(1, SQUARE, FenceKind.SITE)]).go("0..5500/50:500,500", **facts)
    assert drive.intervals(Rule.DWELL) == dwells
    assert drive.intervals(Rule.SITE) == [(1, 0, None, "opened")]


def test_the_dwell_goes_on_over_a_new_version() -> None:
    versions = [
        fence(1, SQUARE, FenceKind.SITE, max_dwell_s=60 * n, since_us=moment(30) * (n > 1)) for n in (1, 2)
    ]
    drive = Drive(versions).go("0..150/5:500,500")
    assert drive.intervals(Rule.SITE) == [(1, 0, 30, "rule_change"), (1, 30, None, "opened")]
    assert drive.intervals(Rule.DWELL) == [(1, 120, None, "opened")]


# ---------------------------------------------------------------- cost and sameness

KINDS = [FenceKind.FORBIDDEN, FenceKind.PERMITTED, FenceKind.SITE]


def test_nothing_is_looked_at_where_nothing_changes() -> None:
    """Far from fences, and well inside of some."""
    versions = [fence(1, SQUARE, FenceKind.SITE), fence(2, SQUARE, FenceKind.PERMITTED)]
    drive = Drive(versions).go("0..99:-2000,500")
    assert drive.looked_at == 2  # found outside, left
    drive.go("100..300:500,500")
    assert drive.looked_at == 5  # entering, entered, no longer outside
    assert Drive(versions[:1]).go("0..99:-2000,500").looked_at == 0


@st.composite
def drives(draw: st.DrawFn) -> tuple[Drive, Drive, list[tuple[float, float, float]]]:
    """Return two equal drives and a track that goes in and out of fences of all kinds, versions and hours."""
    versions = []
    for number in range(1, draw(st.integers(1, 5)) + 1):
        west, south = draw(st.integers(-300, 300)), draw(st.integers(-300, 300))
        sides = west, south, west + draw(st.integers(10, 400)), south + draw(st.integers(10, 400))
        hours = draw(st.sampled_from([None, None, "mon 08:00-08:01; mon 08:03-08:05"]))
        for since in draw(st.sampled_from([[0], [0, moment(100)], [moment(50)]])):
            facts = {
                "max_dwell_s": draw(st.sampled_from([None, 40])),
                "schedule": hours and parse_schedule(hours),
            }
            versions.append(
                fence(number, rectangle(*sides), draw(st.sampled_from(KINDS)), since_us=since, **facts)
            )
    steps = draw(
        st.lists(
            st.tuples(st.sampled_from([1, 1, 1, 5, 30, 130]), st.integers(-90, 90), st.integers(-90, 90)),
            max_size=60,
        )
    )
    track = np.cumsum(np.array([(0, 0, 0), *steps], float), axis=0).tolist()
    passes = [leave(1, 60, 120)]
    return Drive(versions, passes), Drive(versions, passes), track


@given(drives())
def test_quiet_fixes_change_nothing(made: tuple[Drive, Drive, list[tuple[float, float, float]]]) -> None:
    """Looking at every fix says the same as looking only at those that are not quiet."""
    one, other, track = made
    one.go(track, is_mixer=True)
    other.go(track, is_mixer=True, use_quiet=False)
    assert one.events() == other.events()
    assert one.stays.tolist() == other.stays.tolist()
    assert one.looked_at <= other.looked_at


@given(drives())
def test_episodes_are_well_formed(made: tuple[Drive, Drive, list[tuple[float, float, float]]]) -> None:
    """Each opens once and ends once, not before it began, and those of one fence do not overlap."""
    drive, _, track = made
    open_since: dict[tuple[str, int], float] = {}
    last_end: dict[tuple[str, int], float] = {}
    for event in drive.go(track).events():
        key = (event.rule, event.fence)
        if event.change == "opened":
            assert key not in open_since
            assert event.started >= last_end.get(key, 0)
            open_since[key] = event.started
        else:
            assert open_since.pop(key) == event.started
            assert event.ended is not None
            assert event.started <= event.ended <= event.at
            last_end[key] = event.ended
