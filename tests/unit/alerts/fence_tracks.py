"""Small tracks against small fences, on a plane of metres: "0:-100,50 1:10,50" is seconds and x,y."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts.in_force.watch import Watch
from alerts.rulebook import documents
from alerts.rules.fence import relations, stays
from alerts.rules.fence.samples import Samples
from alerts.words.transitions import Change, Rule
from fleet.entities import Pass
from fleet.fences.passes import Passes, PassVersion
from fleet.fences.versions import Fences, FenceVersion
from fleet.units import MICROSECONDS, to_datetime
from tests.unit.fleet.fences.shapes import places

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: A Monday, 2026-06-01, 08:00 civil time; second 0 of every track.
START_US = 1_780_272_000 * MICROSECONDS
VEHICLE = 5


class Event(NamedTuple):
    """A change, told in seconds of the track."""

    at: float
    rule: str
    change: str
    fence: int
    started: float
    ended: float | None


def moment(seconds: float) -> int:
    return START_US + round(seconds * MICROSECONDS)


def leave(fence_id: int, from_s: float, until_s: float, vehicle_id: int = VEHICLE) -> PassVersion:
    """Return a pass."""
    allowed = Pass(
        code="P1",
        vehicle="T",
        fence=f"F{fence_id}",
        starts_at=to_datetime(moment(from_s)),
        ends_at=to_datetime(moment(until_s)),
    )
    return PassVersion(1, 0, vehicle_id, fence_id, allowed)


def points(text: str) -> list[tuple[float, float, float]]:
    """Seconds, x and y; "0..20:5,5" is a fix a second, "0..20/5:5,5" one every 5."""
    found = []
    for word in text.split():
        when, _, where = word.partition(":")
        x, y = (float(value) for value in where.split(","))
        span, _, every = when.partition("/")
        first, _, last = span.partition("..")
        times = np.arange(float(first), float(last or first) + 1e-9, float(every or 1)).tolist()
        found += [(at, x, y) for at in times]
    return sorted(found)


class Drive:
    """One vehicle judged by the rule alone."""

    def __init__(
        self, versions: Iterable[FenceVersion], passes: Iterable[PassVersion] = (), **numbers: float
    ) -> None:
        self.watch = Watch(Fences(versions), Passes(passes))
        section = dict(documents.default().numbers["fence"]) | numbers
        dtype = np.dtype([(name, "f8") for name in relations.PARAMETERS])
        self.rules = np.array([tuple(section[name] for name in relations.PARAMETERS)], dtype)[0]
        self.heads, self.stays = stays.blank_heads(1), stays.blank_stays(1)
        self.changes: list[tuple[float, np.void]] = []
        self.looked_at = 0

    def go(
        self, track: str | Sequence[tuple[float, float, float]], *, use_quiet: bool = True, **facts: Any
    ) -> Drive:
        """Fold the fixes of a track one by one."""
        for at, x, y in points(track) if isinstance(track, str) else track:
            self._fold(at, x, y, use_quiet=use_quiet, **facts)
        return self

    def _fold(self, at: float, x: float, y: float, *, use_quiet: bool, **facts: Any) -> None:
        lat, lon = places((x, y))
        time_us, cells = np.array([moment(at)]), self.watch.stays.cells(lat, lon)
        samples = Samples(
            vehicle_id=np.array([VEHICLE], np.int32),
            time_us=time_us,
            lat_udeg=lat,
            lon_udeg=lon,
            cells=cells,
            signature=self.watch.stays.signatures(lat, lon, time_us, cells),
            hdop_tenths=np.array([round(facts.get("hdop", -0.1) * 10)], np.int16),
            gap_s=np.array([facts.get("gap_s", 120.0)]),
            cut=np.array([facts.get("cut", False)]),
            is_mixer=np.array([facts.get("is_mixer", False)]),
            flags=np.array([facts.get("flags", 0)], np.int16),
            stands=np.array([facts.get("stands", False)]),
            rulebook=np.array([facts.get("rulebook", 0)], np.int32),
            rulebook_from_us=np.array([moment(facts.get("rulebook_from", -1e6))]),
        )
        before = self.heads
        rows, may_cross = relations.changing(before, samples, self.watch, self.rules)
        if not use_quiet:
            rows = np.zeros(1, np.intp)
            may_cross = before["time_us"] >= samples.time_us - samples.gap_s * MICROSECONDS
        self.heads = relations.moved(before, samples)
        self.looked_at += len(rows)
        if len(rows):
            outcome = relations.step(before, self.stays, samples, may_cross, self.watch, self.rules)
            self.heads, self.stays = outcome.heads, outcome.stays
            self.changes += [(at, change) for change in outcome.changes]

    def events(self) -> list[Event]:
        return [
            Event(
                at,
                Rule(change["rule"]).name.lower(),
                Change(change["change"]).name.lower(),
                int(change["fence_id"]),
                _seconds(change["started_us"]),
                None if change["ended_us"] < 0 else _seconds(change["ended_us"]),
            )
            for at, change in self.changes
        ]

    def intervals(self, rule: Rule = Rule.FORBIDDEN) -> list[tuple[int, float, float | None, str]]:
        """(fence, start, end, last change) of each episode of a rule, in the order they began."""
        found = {
            (e.fence, e.started): (e.ended, e.change) for e in self.events() if e.rule == rule.name.lower()
        }
        return [
            (number, start, *found[number, start])
            for number, start in sorted(found, key=lambda key: key[::-1])
        ]


def _seconds(time_us: int) -> float:
    return round((int(time_us) - START_US) / MICROSECONDS, 3)
