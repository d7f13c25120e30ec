"""Small tracks, written as the domain speaks: "0:50 10:95 15:50" is seconds and km/h."""

from __future__ import annotations

import numpy as np

from alerts.episodes.episodes import Episode, collect
from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebooks
from alerts.live import replay
from alerts.rulebook import documents
from fleet.columns import Fixes
from fleet.units import MICROSECONDS

#: No literal in a test depends on it.
START_US = 1_700_000_000 * MICROSECONDS
UDEG_PER_M = 180e6 / (np.pi * 6_371_008.8)


#: The default rulebook without the rules on trial: drawn tracks change their speed at once, which is harsh.
DOCUMENT = documents.DEFAULT_PATH.read_text("utf-8") + '\n[mode]\nharsh_braking = "off"\n'
BOOKS = Rulebooks([documents.parse(DOCUMENT)])


def context(limit_kmh: int = 60, **numbers: float) -> Context:
    """The default rulebook with some numbers of [speeding] replaced."""
    document = DOCUMENT
    for name, value in numbers.items():
        head, _, tail = document.partition(f"\n{name} = ")
        assert tail, f"the default rulebook has no {name}"
        document = f"{head}\n{name} = {value}\n{tail.partition(chr(10))[2]}"
    return Context(Rulebooks([documents.parse(document)]), replay.UniformFacts(limit_kmh=limit_kmh))


def samples(text: str) -> list[tuple[float, float]]:
    """Seconds and km/h; "0..20:80" is a sample a second from 0 to 20, "?" is an unknown speed."""
    found = []
    for word in text.split():
        when, _, speed = word.partition(":")
        value = float("nan") if speed == "?" else float(speed)
        first, _, last = when.partition("..")
        times = [float(first)] if not last else np.arange(float(first), float(last) + 1).tolist()
        found += [(at, value) for at in times]
    return found


def track(text: str, *, vehicle_id: int = 1, reports_speed: bool = True) -> Fixes:
    """A truck that drives north with the speeds of `text`; each holds until the next sample."""
    times, speeds = (np.array(column) for column in zip(*samples(text), strict=True))
    distance_m = np.r_[0.0, np.cumsum(np.diff(times) * np.nan_to_num(speeds[:-1]) / 3.6)]
    shown = np.where(np.isnan(speeds), -1, np.rint(np.nan_to_num(speeds) * 10)) if reports_speed else -1
    return Fixes.build(
        vehicle_id=vehicle_id,
        time_us=START_US + (times * MICROSECONDS).astype(np.int64),
        lat_udeg=30_000_000 + np.rint(distance_m * UDEG_PER_M).astype(np.int64),
        lon_udeg=np.full(len(times), 120_000_000),
        speed_dkmh=shown,
    )


def seconds(time_us: int | None) -> float | None:
    return None if time_us is None else (time_us - START_US) / MICROSECONDS


def judged(fixes: Fixes, judge: Context) -> list[Episode]:
    """The episodes of the complete record."""
    return collect(replay.settled(fixes, judge).transitions, judge.rulebooks)


def intervals(
    text: str, *, limit_kmh: int = 60, **numbers: float
) -> list[tuple[float, float | None, str | None]]:
    """(start, end, how it ended) of each speeding episode, seconds."""
    found = judged(track(text), context(limit_kmh, **numbers))
    return [(seconds(e.started_us), seconds(e.ended_us), e.ended_as) for e in found]
