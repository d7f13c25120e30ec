"""Draw a simulated shift: `.venv/bin/python benchmarks/draw_shift.py docs/img/simulated-shift.png`.

Left: the whole city with streets, fences and what trucks of `rush` sent, coloured by speed; planned
dangers as marks. Right: one junction, close: true path, observed fixes, and a right turn.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Polygon

from fleet.columns import Fixes
from simulators import scenario
from simulators.sampling import States

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection

    from simulators.scenario import Plan

START_US = 1_772_402_400_000_000
INK, FAINT, PAPER = "#26323c", "#b9c2c9", "#fbfaf7"
FENCES = {
    "forbidden": ("#b5382e", 0.28),
    "permitted": ("#2e6f8e", 0.0),
    "speed_zone": ("#d99a1c", 0.5),
    "site": ("#4c7a4c", 0.6),
}
MARKS = {
    "speeding": ("#b5382e", "^", "speeding"),
    "turn_too_fast": ("#d9731c", ">", "right turn too fast"),
    "no_stop": ("#7a3b8f", "s", "no stop where it is the law"),
    "conflict": ("#111111", "*", "somebody in the blind zone"),
    "forbidden": ("#b5382e", "X", "forbidden street"),
    "permitted": ("#2e6f8e", "X", "out of the operating area"),
}


def main() -> None:
    plan = scenario.build("rush", 4, trucks=110, duration_s=3600, start_us=START_US)
    steps = list(plan.steps())
    states = States.concat([step.states for step in steps])
    fixes = Fixes.concat(list(plan.columns()))
    figure = plt.figure(figsize=(14, 7.6), facecolor=PAPER)
    whole, close, bar = (
        figure.add_axes(box)
        for box in ((0.01, 0.09, 0.65, 0.86), (0.67, 0.32, 0.32, 0.63), (0.70, 0.2, 0.25, 0.02))
    )
    draw_city(whole, plan)
    shown = draw_tracks(whole, plan, fixes)
    draw_marks(whole, plan)
    whole.legend(loc="upper left", frameon=False, fontsize=10, ncols=3, bbox_to_anchor=(0, 0.02))
    whole.set_title(
        "110 trucks, an hour of rush: what they sent, and what was planned", fontsize=12, loc="left"
    )
    draw_turn(close, plan, states, fixes)
    figure.colorbar(shown, cax=bar, orientation="horizontal").set_label(
        "speed of the fixes, km/h", fontsize=10
    )
    figure.savefig(Path(sys.argv[1]), dpi=100, facecolor=PAPER)


def draw_city(axes: Axes, plan: Plan) -> None:
    streets = plan.world.city.streets
    ends = np.stack(
        [
            np.stack([streets.x_m[streets.start], streets.y_m[streets.start]], 1),
            np.stack([streets.x_m[streets.end], streets.y_m[streets.end]], 1),
        ],
        1,
    )
    width = np.where(streets.limit_kmh == 80, 1.8, np.where(streets.limit_kmh == 60, 1.3, 0.6))
    axes.add_collection(LineCollection(list(ends / 1000), colors=FAINT, linewidths=width, zorder=1))
    for area in plan.world.city.areas:
        if area.kind in FENCES:
            colour, alpha = FENCES[area.kind]
            axes.add_patch(
                Polygon(
                    area.ring_m / 1000,
                    facecolor=(*mpl.colors.to_rgb(colour), alpha),
                    edgecolor=colour,
                    linewidth=0.9,
                    linestyle="--" if area.kind == "permitted" else "-",
                    zorder=2,
                )
            )
    axes.set_aspect("equal")
    axes.autoscale()
    axes.set_axis_off()
    x, y = axes.get_xlim()[0], axes.get_ylim()[0]
    axes.plot([x, x + 5], [y, y], color=INK, linewidth=2)
    axes.text(x, y + 0.25, "5 km", fontsize=10, color=INK)


def draw_tracks(axes: Axes, plan: Plan, fixes: Fixes) -> PathCollection:
    x, y = plan.world.city.projection.to_metres(fixes.lat_udeg * 1e-6, fixes.lon_udeg * 1e-6)
    some = np.flatnonzero((fixes.speed_dkmh > 0) & (fixes.time_us // 1_000_000 % 4 == 0))
    return axes.scatter(
        x[some] / 1000,
        y[some] / 1000,
        c=fixes.speed_dkmh[some] / 10,
        s=2.5,
        cmap="viridis",
        vmin=0,
        vmax=90,
        zorder=3,
    )


def draw_marks(axes: Axes, plan: Plan) -> None:
    for kind, (colour, mark, label) in MARKS.items():
        rows = [row for row in plan.truth if row["kind"] == kind]
        x, y = metres(plan, rows)
        axes.scatter(
            x / 1000,
            y / 1000,
            color=colour,
            marker=mark,
            s=95 if mark == "*" else 48,
            edgecolor="white",
            linewidth=0.5,
            zorder=5,
            label=f"{label} ({len(rows)})",
        )


def metres(plan: Plan, rows: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    lat = np.array([row["where"]["lat"] for row in rows])
    lon = np.array([row["where"]["lon"] for row in rows])
    return plan.world.city.projection.to_metres(lat, lon)


def draw_turn(axes: Axes, plan: Plan, states: States, fixes: Fixes) -> None:
    turn = next(row for row in plan.truth if row["kind"] == "right_turn" and row["stop"] == "stopped")
    number = next(t.number for t in plan.trucks if t.code == turn["vehicle"])
    near = (states.truck == number) & (np.abs(states.time_us - turn["started_us"]) < 40e6)
    path = states.take(near)
    seen = fixes.take(near)
    x, y = plan.world.city.projection.to_metres(seen.lat_udeg * 1e-6, seen.lon_udeg * 1e-6)
    streets = plan.world.city.streets
    for edge in range(len(streets.start)):
        ends = [streets.start[edge], streets.end[edge]]
        axes.plot(
            streets.x_m[ends],
            streets.y_m[ends],
            color=FAINT,
            linewidth=20,
            solid_capstyle="round",
            zorder=0,
            alpha=0.5,
        )
    axes.plot(path.x_m, path.y_m, color=INK, linewidth=1.6, zorder=2, label="true path")
    axes.scatter(path.x_m, path.y_m, s=10, color=INK, zorder=2)
    axes.scatter(
        x,
        y,
        c=seen.speed_dkmh / 10,
        s=34,
        cmap="viridis",
        vmin=0,
        vmax=90,
        edgecolor="white",
        linewidth=0.5,
        zorder=3,
        label="fixes, 1 Hz",
    )
    middle_x, middle_y = metres(plan, [turn])
    axes.set_xlim(middle_x[0] - 90, middle_x[0] + 90)
    axes.set_ylim(middle_y[0] - 90, middle_y[0] + 90)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.plot([middle_x[0] - 85, middle_x[0] - 65], [middle_y[0] - 85] * 2, color=INK, linewidth=2)
    axes.text(middle_x[0] - 85, middle_y[0] - 82, "20 m", fontsize=10, color=INK)
    axes.legend(loc="upper right", frameon=False, fontsize=10)
    axes.set_title(
        f"a right turn: {turn['course_change_deg']:.0f}°, radius {turn['radius_m']:.0f} m,"
        f" {turn['max_speed_kmh']:.0f} km/h, after a stop",
        fontsize=12,
        loc="left",
    )


if __name__ == "__main__":
    main()
