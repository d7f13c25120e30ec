"""Draw right turns on real drives: `.venv/bin/python benchmarks/draw_turns.py docs/img/turns`.

`detected.png`: ten turns with their labels. `unlabelled.png`: a dozen detections that the score calls false.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from labelled_drives import Drives, Variant, scorer

from fleet.geo import M_PER_UDEG
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from alerts.episodes.turn_records import Turn

INK, RED, BLUE, FAINT = "#26323c", "#b5382e", "#2e6f8e", "#b9c2c9"
BEFORE_S, AFTER_S = 30.0, 30.0
#: Half the width of a map: of labelled turns, and of those where the surroundings tell what they are.
NEAR_M, WIDE_M = 75.0, 110.0


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    drives = Drives()
    (turns,) = drives.judge([Variant()])
    turns = [turn for turn in turns if drives.names[turn.vehicle_id] in drives.recommended]
    labelled = [(turn, label) for turn in turns if (label := label_of(drives, turn, wanted=True)) is not None]
    unlabelled = [(turn, None) for turn in turns if label_of(drives, turn, wanted=False) is None]
    sheet(folder / "detected.png", drives, spread(labelled, 10), (2, 5), NEAR_M)
    sheet(folder / "unlabelled.png", drives, spread(unlabelled, 12), (3, 4), WIDE_M)


def label_of(drives: Drives, turn: Turn, *, wanted: bool) -> dict[str, Any] | None:
    """Return the label that a turn overlaps: one that recall counts, or any at all."""
    (row,) = drives.rows([turn])
    events = drives.wanted if wanted else drives.labels["events"]
    near = (event for event in events if event["track"] == row["track"] and scorer().overlaps(row, event))
    return next(near, None)


def spread(found: list[Any], count: int) -> list[Any]:
    """Return so many, evenly from first to last: none was chosen by its looks."""
    return [
        found[index] for index in np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(int)
    ]


def sheet(path: Path, drives: Drives, found: list[Any], shape: tuple[int, int], half_m: float) -> None:
    figure, axes = plt.subplots(*shape, figsize=(2.9 * shape[1], 3.15 * shape[0]), layout="constrained")
    for place, (turn, label) in zip(axes.flat, found, strict=False):
        draw(place, drives, turn, label, half_m)
    for place in axes.flat[len(found) :]:
        place.axis("off")
    figure.savefig(path, dpi=110)


def draw(axes: Axes, drives: Drives, turn: Turn, label: dict[str, Any] | None, half_m: float) -> None:
    fixes = drives.tracks[turn.vehicle_id].fixes
    time_s = fixes.time_us / MICROSECONDS
    entered_s, exited_s = turn.entered_us / MICROSECONDS, turn.exited_us / MICROSECONDS
    near = (time_s >= entered_s - BEFORE_S) & (time_s <= exited_s + AFTER_S)
    x, y = metres(turn, fixes.lat_udeg[near], fixes.lon_udeg[near])
    inside = (time_s[near] >= entered_s) & (time_s[near] <= exited_s)
    axes.plot(x, y, ".-", color=FAINT, linewidth=1, markersize=3)
    axes.plot(x[inside], y[inside], ".-", color=RED, linewidth=2, markersize=5)
    ahead = np.flatnonzero(np.hypot(x, y) < 0.95 * half_m)[:2]
    if len(ahead) > 1:
        first, second = ahead
        axes.annotate(
            "", (x[second], y[second]), (x[first], y[first]), arrowprops={"arrowstyle": "->", "color": INK}
        )
    track = drives.names[turn.vehicle_id].lstrip("0") or "0"
    title = f"drive {track}, {entered_s:.0f}–{exited_s:.0f} s: {turn.course_change_deg:.0f}°"
    if label is not None:
        lx, ly = metres(turn, np.array([label["lat"] * 1e6]), np.array([label["lon"] * 1e6]))
        axes.plot(lx, ly, "+", color=BLUE, markersize=14, markeredgewidth=2)
        title += f"\nlabel {label['t_enter']:.0f}–{label['t_exit']:.0f} s: {label['map_turn_deg']:.0f}°"
    else:
        title += f"\n{turn.min_kmh:.0f}–{turn.max_kmh:.0f} km/h, confidence {turn.confidence:.2f}"
    axes.set_title(title, fontsize=8.5, loc="left", color=INK)
    axes.set(xlim=(-half_m, half_m), ylim=(-half_m, half_m), aspect="equal", xticks=[], yticks=[])
    axes.plot([half_m - 60, half_m - 10], [10 - half_m] * 2, color=INK, linewidth=1.5)
    axes.text(half_m - 35, 13 - half_m, "50 m", ha="center", va="bottom", fontsize=7, color=INK)
    axes.spines[:].set_color(FAINT)


def metres(turn: Turn, lat_udeg: Any, lon_udeg: Any) -> tuple[Any, Any]:
    """Return places in metres east and north of the middle of the turn."""
    east = (lon_udeg - turn.lon_udeg) * M_PER_UDEG * np.cos(np.deg2rad(turn.lat_udeg / 1e6))
    return east, (lat_udeg - turn.lat_udeg) * M_PER_UDEG


if __name__ == "__main__":
    main()
