"""What a vehicle recorded around an accident: figures, and a drawing, of small tracks."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from analytics.ledger.evidence.drawing import draw
from analytics.ledger.evidence.summary import Alarm, Around, Sign, Turn, digest, drawn, summarise
from fleet.columns import Fixes, FixFlag

#: The accident, in microseconds.
AT = 1_700_000_000_000_000
S = 1_000_000


def track(*spans: tuple[float, float, float], every_s: float = 10, **more: Any) -> Fixes:
    """Fixes from so many seconds before (negative) or after to the next, at a speed each."""
    seconds = np.concatenate([np.arange(begin, end, every_s) for begin, end, _ in spans])
    kmh = np.concatenate([np.full(len(np.arange(begin, end, every_s)), speed) for begin, end, speed in spans])
    return Fixes.build(
        vehicle_id=1,
        time_us=AT + (seconds * S).astype(np.int64),
        lat_udeg=30_750_000 + np.arange(len(seconds)) * 500,
        lon_udeg=120_760_000,
        speed_dkmh=np.round(kmh * 10),
        **more,
    )


def around(fixes: Fixes, *, exact: bool = True, **more: Any) -> Around:
    said: dict[str, Any] = {"turns": (), "alarms": (), "sign": None, "driver": None}
    return Around(AT, exact, fixes, **(said | more))


def test_the_speed_at_the_time_and_before() -> None:
    found = summarise(around(track((-120, -30, 60), (-30, 0, 35), (0, 60, 0))))
    assert (found.speed_kmh, found.speed_s_away, found.top_kmh_60s) == (0.0, 0.0, 60.0)
    assert (found.fix_interval_s, found.longest_gap_s, found.fixes) == (10.0, 10.0, 18)


@pytest.mark.parametrize(
    ("fixes", "speed", "top"),
    [
        (track((-120, -15, 50)), None, 50.0),  # nearest 20 s away
        (track((-120, -60, 50)), None, None),
        (track((-60, 60, -0.1)), None, None),  # no speeds
        (Fixes.empty(), None, None),
    ],
)
def test_what_nobody_can_know_is_not_zero(fixes: Fixes, speed: float | None, top: float | None) -> None:
    found = summarise(around(fixes))
    assert (found.speed_kmh, found.top_kmh_60s) == (speed, top)


def test_the_day_alone_has_no_figure_of_a_moment() -> None:
    found = summarise(around(track((0, 600, 40)), exact=False, driver="d1")).document()
    known = {name: value for name, value in found.items() if value not in (None, ())}
    assert known == {
        "is_exact": False,
        "fixes": 60,
        "fix_interval_s": 10.0,
        "longest_gap_s": 10.0,
        "driver": "d1",
    }


@pytest.mark.parametrize(
    ("turn", "kind", "stop"),
    [
        (Turn(AT - 5 * S, AT + 3 * S, 22.0, "not_stopped", None), "right_turn", "not_stopped"),
        (Turn(AT - 40 * S, AT - 30 * S, 22.0, None, None), "right_turn", None),
        (Turn(AT - 5 * S, AT, 22.0, "slow", "coarse"), "right_turn", "not_evaluable"),
        (Turn(AT - 60 * S, AT - 31 * S, 22.0, "slow", None), "none", None),
    ],
)
def test_the_turn_of_the_accident(turn: Turn, kind: str, stop: str | None) -> None:
    found = summarise(around(track((-60, 60, 20)), turns=[turn]))
    assert (found.turn, found.turn_stop) == (kind, stop)
    assert found.turn_kmh == (22.0 if kind == "right_turn" else None)


def test_without_positions_nobody_knows_of_a_turn() -> None:
    assert summarise(around(Fixes.empty())).turn is None


@pytest.mark.parametrize(
    ("sign", "said"),
    [
        (None, None),
        (Sign(AT - 3600 * S, works=True), "armed"),
        (Sign(AT - 3600 * S, works=False), "faulty"),
        (Sign(AT - 25 * 3600 * S, works=True), None),
    ],
)
def test_the_camera(sign: Sign | None, said: str | None) -> None:
    assert summarise(around(track((-60, 60, 20)), sign=sign)).camera == said


def test_hours_of_driving_since_the_last_rest() -> None:
    """An hour, a rest of 21 minutes, half an hour, two minutes at a light, half an hour to the accident."""
    spans = ((-8580, -4980, 50), (-4980, -3720, 0), (-3720, -1920, 50), (-1920, -1800, 0), (-1800, 1, 50))
    found = summarise(around(track(*spans)))
    assert (found.driven_24h_h, found.driven_since_rest_h) == (2.01, 1.01)
    assert found.unseen_24h_h == pytest.approx(24 - 8580 / 3600, abs=0.01)


def test_silence_is_neither_driving_nor_seen() -> None:
    found = summarise(around(track((-7200, -5400, 50), (-1800, 1, 50))))
    assert (found.driven_24h_h, found.driven_since_rest_h, found.unseen_24h_h) == (1.0, 0.5, 23.0)


def test_alarms_of_the_half_hour_before() -> None:
    found = summarise(around(track((-60, 60, 20)), alarms=[Alarm("speeding", AT - 600 * S, 3, settled=True)]))
    assert found.alarms == ({"rule": "speeding", "severity": 3, "before_s": 600, "settled": True},)


def test_the_seal_is_of_the_fixes_and_of_nothing_else() -> None:
    fixes = track((-60, 60, 20))
    assert digest(fixes).hex()[:16] == digest(fixes.take(slice(None))).hex()[:16]
    other = Fixes.build(**{name: getattr(fixes, name) for name in fixes.dtypes()} | {"vehicle_id": 7})
    assert digest(other) == digest(fixes)
    faster = track((-60, 60, 20.1))
    assert digest(faster) != digest(fixes)


def test_the_drawing_is_svg_with_the_moment_in_it() -> None:
    around_it = around(track((-300, 0, 40), (0, 120, 0)))
    root = ET.fromstring(draw(drawn(around_it), AT))  # noqa: S314 - our own
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "06:13:20" in texts
    assert "车速 speed, km/h" in texts
    assert "nan" not in draw(drawn(around_it), AT)


@pytest.mark.parametrize(
    "fixes",
    [Fixes.empty(), track((0, 10, 20)), track((0, 60, 20), flags=FixFlag.NO_POSITION)],
)
def test_nothing_is_drawn_of_fewer_than_two_positions(fixes: Fixes) -> None:
    assert draw(fixes, AT) == ""


def test_a_vehicle_that_stood_is_drawn_too() -> None:
    still = Fixes.build(vehicle_id=1, time_us=AT + np.arange(5) * S, lat_udeg=1, lon_udeg=1, speed_dkmh=-1)
    assert "无车速 no speeds" in draw(still, None)
    ET.fromstring(draw(still, None))  # noqa: S314 - our own
