"""Speeding on real drives with recorded limits: `.venv/bin/python benchmarks/speeding_share.py`.

Prints for each drive of the UAH-DriveSet beside the project (Romera et al. 2016) the share of samples more
than 5 km/h above the limit, in episodes of the engine.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.episodes.episodes import collect
from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebooks
from alerts.live import replay
from alerts.rulebook import documents
from alerts.words.transitions import Rule
from fleet.columns import Fixes
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.episodes.episodes import Episode

SPEED = Path(__file__).resolve().parents[1].parent / "shared/data/tracks/speed"
START_US = 1_447_000_000 * MICROSECONDS
#: Columns of RAW_GPS.txt and PROC_OPENSTREETMAP_DATA.txt.
_TIME, _KMH, _LAT, _LON, _COURSE = 0, 1, 2, 3, 7
_LIMIT, _DELAY = 1, 8
TOLERANCE_KMH = 5


class Drive(NamedTuple):
    """One drive and what the engine calls speeding on it."""

    name: str
    fixes: Fixes
    episodes: list[Episode]

    @property
    def above(self) -> NDArray[np.bool_]:
        """Which samples are above limit + tolerance."""
        fixes = self.fixes
        return np.asarray((fixes.limit_kmh > 0) & (fixes.speed_dkmh > 10 * (fixes.limit_kmh + TOLERANCE_KMH)))

    def inside(self, episode: Episode) -> NDArray[np.bool_]:
        """Which samples are in an episode."""
        time_us = self.fixes.time_us
        return np.asarray((time_us >= episode.started_us) & (time_us < (episode.ended_us or 0)))

    @property
    def share(self) -> float:
        """Share of the samples with a known limit that are above it, in episodes."""
        speeding = sum((self.inside(episode) & self.above).sum() for episode in self.episodes)
        return float(speeding / (self.fixes.limit_kmh > 0).sum())


def read(folder: Path) -> Fixes:
    """Return the samples of a drive with their limits; -1 where none is recorded.

    A street comes some seconds after the sample that it was asked for, and holds until the next.
    """
    gps = np.genfromtxt(folder / "RAW_GPS.txt")
    streets = np.genfromtxt(folder / "PROC_OPENSTREETMAP_DATA.txt", usecols=range(9))
    asked_s = streets[:, _TIME] - streets[:, _DELAY]
    row = np.searchsorted(asked_s, gps[:, _TIME] + 0.5) - 1
    limit = np.where(row >= 0, streets[np.maximum(row, 0), _LIMIT], -1)
    return Fixes.build(
        vehicle_id=np.zeros(len(gps)),
        time_us=START_US + np.rint(gps[:, _TIME] * MICROSECONDS).astype(np.int64),
        lat_udeg=np.rint(gps[:, _LAT] * 1e6),
        lon_udeg=np.rint(gps[:, _LON] * 1e6),
        speed_dkmh=np.rint(gps[:, _KMH] * 10),
        course_deg=np.rint(gps[:, _COURSE]) % 360,
        limit_kmh=np.where(limit > 0, limit, -1),
    )


def drives() -> list[Drive]:
    """Judge all drives: cars, so no class limit binds them below the street's."""
    context = Context(Rulebooks([documents.default()]), replay.UniformFacts(limit_kmh=200))
    judged = []
    for folder in sorted(path for path in SPEED.iterdir() if path.is_dir()):
        fixes = read(folder)
        found = collect(replay.settled(fixes, context).transitions, context.rulebooks)
        judged.append(Drive(folder.name, fixes, [e for e in found if e.rule == Rule.SPEEDING]))
    return judged


def main() -> None:
    if not SPEED.is_dir():
        sys.exit(f"the drives are not here: no folder {SPEED}; nothing was measured")
    print("| drive | samples with a limit | share above limit + 5 | episodes | fewest samples above in one |")
    print("|---|---|---|---|---|")
    for drive in drives():
        fewest = min(((drive.inside(episode) & drive.above).sum() for episode in drive.episodes), default=0)
        known = (drive.fixes.limit_kmh > 0).sum()
        name = drive.name.split("-", 2)[2]
        print(f"| {name} | {known} | {drive.share:.3f} | {len(drive.episodes)} | {fewest} |")


if __name__ == "__main__":
    main()
