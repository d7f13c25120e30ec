"""Right turns on labelled real drives: `.venv/bin/python benchmarks/turn_accuracy.py [docs/img]`.

Prints the tables of docs/accuracy.md: recall and false turns as published, over the threshold and over the
confidence, and of the same drives thinned. With a folder it draws the curve there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from labelled_drives import Drives, Variant, scorer, thin

from fleet.geo import distance_m
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from alerts.episodes.turn_records import Turn

FROM_DEG = (25, 30, 35, 40, 45, 50, 55, 60)
DEFAULT_DEG = 40
MIN_CONFIDENCE = (0.75, 0.8, 0.85, 0.9)
EVERY_S = (1, 2, 3, 5, 10)
EVALUABLE_S, GAP_S = 3.0, 5.0
#: Faster is a jump of the positions, not way driven.
JUMP_MPS = 60.0
INK, RED, BLUE, FAINT = "#26323c", "#b5382e", "#2e6f8e", "#b9c2c9"


def main() -> None:
    drives = Drives()
    by_threshold = [Variant(numbers=(("turn_from_deg", deg),)) for deg in FROM_DEG]
    thinned = [Variant(every_s=every) for every in EVERY_S]
    found = drives.judge([*by_threshold, *thinned])
    curve = [(deg, drives.score(turns)) for deg, turns in zip(FROM_DEG, found, strict=False)]
    default = found[FROM_DEG.index(DEFAULT_DEG)]
    sure = [
        (least, drives.score([turn for turn in default if turn.confidence >= least]))
        for least in MIN_CONFIDENCE
    ]
    print("right turns as published:", drives.score(default))
    print_curve("turn_from_deg", curve)
    print_curve("confidence from", sure)
    print("| interval | km evaluable | labels sampled well | recall of these | found at all, of all |")
    print("|---|---|---|---|---|")
    for every, turns in zip(EVERY_S, found[len(FROM_DEG) :], strict=True):
        print_thinned(drives, every, turns)
    if len(sys.argv) > 1:
        draw(Path(sys.argv[1]) / "turn-tradeoff.png", curve, sure)


def print_curve(name: str, curve: list[tuple[float, dict[str, Any]]]) -> None:
    print(f"| {name} | detections | recall | false per 100 km | wrong side | median apex error |")
    print("|---|---|---|---|---|---|")
    for value, score in curve:
        print(
            f"| {value:g} | {score['detections']} | {score['recall']:.3f} | {score['false_per_100_km']:.2f} "
            f"| {score['wrong_side']} | {score['median_apex_error_s']:.2f} s |"
        )


def print_thinned(drives: Drives, every_s: float, turns: list[Turn]) -> None:
    """A label is sampled well where the fixes of its own window allow a turn to be judged."""
    km = np.array([evaluable_km(thin(track.fixes, every_s)) for track in drives.tracks]).sum(axis=0)
    clear = [event for event in drives.wanted if is_sampled_well(drives, event, every_s)]
    judged = found_labels(drives, [turn for turn in turns if turn.evaluable], clear)
    anyhow = found_labels(drives, turns, drives.wanted)
    recall = f"{judged / len(clear):.3f} ({judged} of {len(clear)})" if clear else "none"
    print(
        f"| {every_s:g} s | {km[0] / km[1]:.3f} | {len(clear)} of {len(drives.wanted)} | {recall} "
        f"| {anyhow / len(drives.wanted):.3f} |"
    )


def evaluable_km(fixes: Any) -> tuple[float, float]:
    """Return the way driven at intervals of `EVALUABLE_S` or less, and all of it."""
    lat, lon = fixes.lat_udeg, fixes.lon_udeg
    distance_m = distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
    took_s = np.diff(fixes.time_us) / MICROSECONDS
    driven = distance_m <= JUMP_MPS * took_s
    return distance_m[driven & (took_s <= EVALUABLE_S)].sum() / 1000, distance_m[driven].sum() / 1000


def is_sampled_well(drives: Drives, event: dict[str, Any], every_s: float) -> bool:
    fixes = thin(drives.tracks[drives.names.index(event["track"])].fixes, every_s)
    time_s = fixes.time_us / MICROSECONDS
    first, last = np.searchsorted(time_s, [event["t_enter"] - 3, event["t_exit"] + 5])
    steps = np.diff(time_s[max(first - 1, 0) : last + 1])
    return len(steps) > 0 and bool(np.median(steps) <= EVALUABLE_S and steps.max() <= GAP_S)


def found_labels(drives: Drives, turns: list[Turn], events: list[dict[str, Any]]) -> int:
    rows = list(drives.rows(turns))
    overlaps = scorer().overlaps
    return sum(any(r["track"] == e["track"] and overlaps(r, e) for r in rows) for e in events)


def draw(
    path: Path, curve: list[tuple[float, dict[str, Any]]], sure: list[tuple[float, dict[str, Any]]]
) -> None:
    figure, axes = plt.subplots(figsize=(7.2, 4.6), layout="constrained")
    for points, colour, name, mark, beside in (
        (curve, RED, "threshold turn_from_deg, degrees", "o", (6, -11)),
        (sure, BLUE, "threshold 40, confidence at least", "s", (-26, 3)),
    ):
        x, y = ([score[key] for _, score in points] for key in ("false_per_100_km", "recall"))
        axes.plot(x, y, mark, color=colour, label=name, linestyle="-", linewidth=1, markersize=5)
        for (value, _), x_, y_ in zip(points, x, y, strict=True):
            axes.annotate(
                f"{value:g}", (x_, y_), beside, textcoords="offset points", color=colour, fontsize=8
            )
    axes.axhline(0.97, color=FAINT, linewidth=0.8, linestyle="--")
    axes.axvline(4.0, color=FAINT, linewidth=0.8, linestyle="--")
    axes.text(
        4.05,
        axes.get_ylim()[0],
        " wanted: left of this,\n above the dashed line",
        fontsize=8,
        color=INK,
        va="bottom",
    )
    axes.set_xlim(left=-0.9)
    axes.set_xlabel("false turns per 100 km")
    axes.set_ylabel("share of 88 labelled right turns found")
    axes.legend(frameon=False, fontsize=8.5, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
