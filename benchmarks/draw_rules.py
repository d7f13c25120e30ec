"""Draw one simulated case of each rule: `.venv/bin/python benchmarks/draw_rules.py docs/img/rules`.

Cases come from `rush`, through the files and the engine as `kerbsafe replay` takes them; of each rule the
first one is drawn that is seen whole.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import shapely

from alerts.episodes import episodes, turn_records
from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebooks
from alerts.live import replay
from alerts.rulebook import documents
from alerts.words.transitions import Rule
from fleet.columns import Phase
from fleet.geo import M_PER_UDEG
from fleet.units import MICROSECONDS
from kerbsafe.drives import recordings
from kerbsafe.replay.fence_file import Files, read_known
from simulators import recipes, scenario, writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from alerts.episodes.episodes import Episode
    from alerts.episodes.turn_records import Turn
    from alerts.in_force.watch import Watch
    from fleet.columns import CameraEvents, Fixes

START_US = 1_772_402_400_000_000
INK, RED, BLUE, FAINT, AMBER, PAPER = "#26323c", "#b5382e", "#2e6f8e", "#b9c2c9", "#d99a1c", "#ffffff"
#: Shown before and behind a case.
AROUND_S = 25.0
EXIT_M = 20.0
#: Half the width of a map of a fence's edge.
HALF_M = 90.0
NUMBERS = documents.default().numbers


class City(NamedTuple):
    """A simulated city as the engine sees it, and what it says."""

    fixes: Fixes
    camera: CameraEvents
    watch: Watch
    episodes: list[Episode]
    turns: list[Turn]

    def of(self, rule: Rule, min_s: float = 0.0, max_s: float = 1e9) -> Episode:
        """Return the first episode of a rule that is seen whole and about as long as wanted."""
        for one in self.episodes:
            lasted_s = ((one.ended_us or one.started_us) - one.started_us) / MICROSECONDS
            early = one.started_us < self.fixes.time_us.min() + 60 * MICROSECONDS
            late = (one.ended_us or 0) > self.fixes.time_us.max() - 60 * MICROSECONDS
            if one.rule == rule and min_s <= lasted_s <= max_s and not (early or late):
                return one
        sys.exit(f"nothing of {rule.name.lower()} happened in this city")

    def turn_of(self, episode: Episode) -> Turn:
        """Return the right turn nearest to the start of an episode."""
        own = (turn for turn in self.turns if turn.vehicle_id == episode.vehicle_id)
        return min(own, key=lambda turn: abs(turn.entered_us - episode.started_us))

    def near(self, vehicle_id: int, from_us: float, until_us: float) -> Fixes:
        """Return a vehicle's fixes between two times, in order."""
        fixes = self.fixes
        rows = (fixes.vehicle_id == vehicle_id) & (fixes.time_us >= from_us) & (fixes.time_us <= until_us)
        found = fixes.take(np.flatnonzero(rows))
        return found.take(np.argsort(found.time_us))


def simulated(trucks: int, hours: float, **changes: Any) -> City:
    """Simulate, write, read and judge."""
    plan = scenario.build("rush", 3, trucks, hours * 3600, START_US, **changes)
    with TemporaryDirectory() as folder:
        writing.write(plan, Path(folder))
        drives = recordings.read([Path(folder) / writing.MESSAGES])
        files = Files(Path(folder) / writing.REGISTRY, Path(folder) / writing.FENCES, None)
        known = read_known(files, [drive.vehicle for drive in drives.drives], -1)
    books = Rulebooks([documents.default()])
    judgement = replay.settled(drives.fixes, Context(books, known.facts, known.watch), drives.sights)
    assert known.watch is not None
    return City(
        drives.fixes,
        drives.sights.camera,
        known.watch,
        episodes.collect(judgement.transitions, books),
        turn_records.collect(judgement.turns, books),
    )


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    city = simulated(60, 1.0)
    long = replace(recipes.MANY, long_dwell=1.0, forbidden=0.0, beyond=0.0)
    waiting = simulated(3, 5.0, dangers=long)
    pictures: dict[str, tuple[Callable[[City, Episode, Axes], None], City, Episode]] = {
        "speeding": (draw_speeding, city, city.of(Rule.SPEEDING, 20)),
        "right_turn_fast": (draw_fast_turn, city, city.of(Rule.RIGHT_TURN_FAST)),
        "right_turn_lateral": (draw_lateral, city, city.of(Rule.RIGHT_TURN_LATERAL)),
        "right_turn_no_stop": (draw_no_stop, city, city.of(Rule.RIGHT_TURN_NO_STOP)),
        "conflict": (draw_conflict, city, city.of(Rule.CONFLICT, 1.5)),
        "forbidden": (draw_fence, city, city.of(Rule.FORBIDDEN, 30, 200)),
        "left_permitted": (draw_fence, city, city.of(Rule.LEFT_PERMITTED, 20)),
        "dwell": (draw_dwell, waiting, waiting.of(Rule.DWELL, 600)),
    }
    for name, (draw, of, episode) in pictures.items():
        height = 3.1 if draw is draw_fence else 3.6
        figure, axes = plt.subplots(figsize=(6.6, height), layout="constrained", facecolor=PAPER)
        draw(of, episode, axes)
        figure.savefig(folder / f"{name}.png", dpi=110)
        plt.close(figure)


def clock(episode: Episode, time_us: Any) -> Any:
    """Return seconds after an episode's start."""
    return (time_us - episode.started_us) / MICROSECONDS


def around(city: City, episode: Episode) -> Fixes:
    end_us = episode.ended_us or episode.started_us
    margin = AROUND_S * MICROSECONDS
    return city.near(episode.vehicle_id, episode.started_us - margin, end_us + margin)


def plot_speed(axes: Axes, city: City, episode: Episode, label: str, label_at: float = 0.94) -> Fixes:
    """Draw the speed over time, and shade the episode."""
    fixes = around(city, episode)
    axes.plot(
        clock(episode, fixes.time_us), fixes.speed_dkmh / 10, ".-", color=INK, linewidth=1, markersize=3
    )
    axes.axvspan(0, clock(episode, episode.ended_us), color=RED, alpha=0.12, linewidth=0)
    axes.text(0, label_at, f" {label}", color=RED, fontsize=8.5, transform=axes.get_xaxis_transform())
    tidy(axes, "seconds after the start", "km/h")
    axes.set_ylim(bottom=0)
    return fixes


def tidy(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)


def level(axes: Axes, value: float, text: str, colour: str = BLUE) -> None:
    """Draw a limit across."""
    axes.axhline(value, color=colour, linewidth=1, linestyle="--")
    axes.text(
        0.995,
        value,
        text,
        color=colour,
        fontsize=8,
        ha="right",
        va="bottom",
        transform=axes.get_yaxis_transform(),
    )


def draw_speeding(city: City, episode: Episode, axes: Axes) -> None:
    fixes = plot_speed(axes, city, episode, f"episode, peak {episode.peak:.0f} km/h", 0.03)
    limit = np.where(fixes.limit_kmh > 0, fixes.limit_kmh, np.nan)
    axes.step(clock(episode, fixes.time_us), limit, color=BLUE, where="post", linewidth=1.2)
    tolerance = NUMBERS["speeding"]["tolerance_kmh"]
    level(axes, episode.limit, f"limit {episode.limit:.0f} ({episode.limit_source})")
    level(axes, episode.limit + tolerance, f"limit + {tolerance:.0f}: opens after 10 s above", RED)
    axes.set_title("Speeding: from the first sample above limit + tolerance", fontsize=10, loc="left")


def draw_fast_turn(city: City, episode: Episode, axes: Axes) -> None:
    turn = city.turn_of(episode)
    plot_speed(axes, city, episode, f"right turn of {turn.course_change_deg:.0f}°")
    level(axes, episode.limit, f"limit of right turns {episode.limit:.0f}")
    axes.set_title(
        f"Right turn too fast: {turn.max_kmh:.0f} km/h on a radius of {turn.radius_m:.0f} m",
        fontsize=10,
        loc="left",
    )
    inset(city, turn, axes)


def inset(city: City, turn: Turn, axes: Axes) -> None:
    """Draw the way of a turn into the corner of a picture."""
    corner = axes.inset_axes((0.02, 0.04, 0.27, 0.48))
    fixes = city.near(turn.vehicle_id, turn.entered_us - 9 * MICROSECONDS, turn.exited_us + 7 * MICROSECONDS)
    x, y = metres(fixes.lat_udeg, fixes.lon_udeg, (turn.lat_udeg, turn.lon_udeg))
    inside = (fixes.time_us >= turn.entered_us) & (fixes.time_us <= turn.exited_us)
    corner.plot(x, y, ".-", color=FAINT, linewidth=1, markersize=3)
    corner.plot(x[inside], y[inside], ".-", color=RED, linewidth=2, markersize=4)
    corner.annotate("", (x[1], y[1]), (x[0], y[0]), arrowprops={"arrowstyle": "->", "color": INK})
    corner.set(aspect="equal", xticks=[], yticks=[])
    corner.set_facecolor("#ffffffcc")
    corner.spines[:].set_color(FAINT)


def draw_lateral(city: City, episode: Episode, axes: Axes) -> None:
    turn = city.turn_of(episode)
    speed = np.linspace(5, 45, 200)
    for radius, colour, width in ((10.0, FAINT, 1.0), (turn.radius_m, INK, 1.8), (35.0, FAINT, 1.0)):
        axes.plot(speed, g_of(speed, radius), color=colour, linewidth=width)
        at = min(42.0, 3.6 * float(np.sqrt(0.57 * 9.80665 * radius)))
        text = f"{radius:.0f} m "
        axes.text(at, g_of(at, radius), text, fontsize=8, color=INK, va="bottom", ha="right")
    axes.plot(3.6 * np.sqrt(turn.lateral_g * 9.80665 * turn.radius_m), turn.lateral_g, "o", color=RED)
    loaded = "loaded" if turn.loaded else "empty or unknown"
    level(axes, NUMBERS["right_turn"]["lateral_g"], "empty or unknown: 0.35 g")
    level(axes, NUMBERS["right_turn"]["lateral_loaded_g"], "loaded: 0.25 g", AMBER)
    axes.set(ylim=(0, 0.6), xlim=(5, 50))
    tidy(axes, "speed on the arc, km/h", "lateral acceleration v²/r, g")
    axes.set_title(
        f"Rollover margin: {turn.lateral_g:.2f} g on a radius of {turn.radius_m:.0f} m, {loaded}",
        fontsize=10,
        loc="left",
    )
    inset_at_left(city, turn, axes)


def g_of(speed_kmh: Any, radius_m: float) -> Any:
    """Return the lateral acceleration in units of g."""
    return (speed_kmh / 3.6) ** 2 / radius_m / 9.80665


def inset_at_left(city: City, turn: Turn, axes: Axes) -> None:
    corner = axes.inset_axes((0.02, 0.62, 0.2, 0.36))
    corner.axis("off")
    fixes = city.near(turn.vehicle_id, turn.entered_us - 6 * MICROSECONDS, turn.exited_us + 5 * MICROSECONDS)
    x, y = metres(fixes.lat_udeg, fixes.lon_udeg, (turn.lat_udeg, turn.lon_udeg))
    inside = (fixes.time_us >= turn.entered_us) & (fixes.time_us <= turn.exited_us)
    corner.plot(x, y, ".-", color=FAINT, linewidth=1, markersize=3)
    corner.plot(x[inside], y[inside], ".-", color=RED, linewidth=2, markersize=4)
    corner.set_aspect("equal")


def draw_no_stop(city: City, episode: Episode, axes: Axes) -> None:
    turn = city.turn_of(episode)
    fixes = plot_speed(axes, city, episode, "turn")
    x, y = metres(fixes.lat_udeg, fixes.lon_udeg, (turn.lat_udeg, turn.lon_udeg))
    way = np.r_[0, np.cumsum(np.hypot(np.diff(x), np.diff(y)))]
    entry_m = np.interp(turn.entered_us, fixes.time_us, way)
    from_us = np.interp(entry_m - NUMBERS["right_turn"]["approach_m"], way, fixes.time_us)
    axes.axvspan(clock(episode, from_us), 0, color=AMBER, alpha=0.2, linewidth=0)
    axes.text(
        0,
        0.9,
        "the last 30 m  ",
        color=AMBER,
        fontsize=8.5,
        ha="right",
        va="top",
        transform=axes.get_xaxis_transform(),
    )
    level(axes, NUMBERS["right_turn"]["slow_kmh"], "slower than 10: slow, but no stop")
    level(axes, 2, "stopped: at most 2 for 2 s", INK)
    axes.set_title(
        f"No stop at a must-stop junction: slowest before the turn {turn.approach_kmh:.0f} km/h",
        fontsize=10,
        loc="left",
    )


def draw_conflict(city: City, episode: Episode, axes: Axes) -> None:
    turn = city.turn_of(episode)
    entered, exited = (clock(episode, us) for us in (turn.entered_us, turn.exited_us))
    numbers = NUMBERS["blind_spot"]
    fixes = city.near(
        episode.vehicle_id, turn.entered_us - 12 * MICROSECONDS, turn.exited_us + 10 * MICROSECONDS
    )
    axes.plot(
        clock(episode, fixes.time_us), fixes.speed_dkmh / 10, ".-", color=FAINT, linewidth=1, markersize=3
    )
    axes.axvspan(
        entered - numbers["before_s"], exited + numbers["after_s"], color=AMBER, alpha=0.13, linewidth=0
    )
    axes.axvspan(entered, exited, color=AMBER, alpha=0.25, linewidth=0)
    seen = (city.camera.vehicle_id == episode.vehicle_id) & (city.camera.phase == Phase.START)
    near = np.abs(city.camera.time_us - episode.started_us) < 30 * MICROSECONDS
    axes.plot(
        clock(episode, city.camera.time_us[seen & near]), np.full((seen & near).sum(), 3.0), "v", color=RED
    )
    axes.plot([0, clock(episode, episode.ended_us)], [3, 3], color=RED, linewidth=5, solid_capstyle="butt")
    axes.text(0, 1.0, "somebody at the right-hand side", color=RED, fontsize=8.5, va="center")
    top = axes.get_xaxis_transform()
    axes.text(
        (entered + exited) / 2,
        0.97,
        "right turn",
        color=INK,
        fontsize=8.5,
        ha="center",
        va="top",
        transform=top,
    )
    axes.text(entered - 1.5, 0.86, "3 s", color=INK, fontsize=8, ha="center", va="top", transform=top)
    axes.text(exited + 1.0, 0.86, "2 s", color=INK, fontsize=8, ha="center", va="top", transform=top)
    tidy(axes, "seconds after the camera saw somebody", "km/h")
    axes.set_ylim(bottom=0)
    axes.set_title(
        "Conflict: a detection from 3 s before a right turn to 2 s after it", fontsize=10, loc="left"
    )


def draw_fence(city: City, episode: Episode, axes: Axes) -> None:
    """Draw the two ends of a stay; dashed is how far out one is before one has left."""
    fixes = around(city, episode)
    forbidden = episode.rule == Rule.FORBIDDEN
    version = city.watch.fences.codes.index(str(episode.measures["fence"]))
    seconds = clock(episode, episode.ended_us)
    told = "In a forbidden area" if forbidden else "Out of the operating area"
    axes.set_title(f"{told} for {seconds:.0f} s; dashed: {EXIT_M:.0f} m outside", fontsize=10, loc="left")
    axes.axis("off")
    ends = (
        (episode.started_us, "entered" if forbidden else "left"),
        (
            episode.ended_us or 0,
            "left" if forbidden else "back",
        ),
    )
    for place, (at_us, text) in enumerate(ends):
        draw_end(axes.inset_axes((0.51 * place, 0.0, 0.49, 0.98)), city, fixes, version, at_us, text)


def draw_end(axes: Axes, city: City, fixes: Fixes, version: int, at_us: int, text: str) -> None:
    row = int(np.argmax(fixes.time_us >= at_us))
    origin = int(fixes.lat_udeg[row]), int(fixes.lon_udeg[row])
    shape = shapely.transform(
        city.watch.fences.polygons[version],
        lambda places: np.column_stack(metres(places[:, 1], places[:, 0], origin)),
    )
    forbidden = city.watch.fences.codes[version].startswith("forbidden")
    colour = RED if forbidden else BLUE
    axes.fill(*shape.exterior.xy, color=colour, alpha=0.12, linewidth=0)
    axes.plot(*shape.exterior.xy, color=colour, linewidth=1.4)
    axes.plot(*shape.buffer(EXIT_M).exterior.xy, color=colour, linewidth=0.9, linestyle="--")
    x, y = metres(fixes.lat_udeg, fixes.lon_udeg, origin)
    axes.plot(x, y, ".-", color=INK, linewidth=1, markersize=4)
    first = int(np.argmax((np.abs(x) < HALF_M) & (np.abs(y) < 0.8 * HALF_M)))
    axes.annotate(
        "",
        (x[first + 1], y[first + 1]),
        (x[first], y[first]),
        arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 2},
    )
    axes.plot(0, 0, "o", color=colour, markersize=8)
    axes.text(0.03, 0.95, text, fontsize=9, va="top", color=INK, transform=axes.transAxes)
    axes.set(xlim=(-HALF_M, HALF_M), ylim=(-0.8 * HALF_M, 0.8 * HALF_M), aspect="equal", xticks=[], yticks=[])
    axes.plot([HALF_M - 60, HALF_M - 10], [12 - 0.8 * HALF_M] * 2, color=INK, linewidth=1.5)
    axes.text(HALF_M - 35, 15 - 0.8 * HALF_M, "50 m", ha="center", va="bottom", fontsize=7.5, color=INK)
    axes.spines[:].set_color(FAINT)


def draw_dwell(city: City, episode: Episode, axes: Axes) -> None:
    before_us = (episode.peak + 600) * MICROSECONDS
    end_us = episode.ended_us or 0
    fixes = city.near(episode.vehicle_id, end_us - before_us, end_us + 600 * MICROSECONDS)
    version = city.watch.fences.codes.index(str(episode.measures["fence"]))
    middle = shapely.centroid(city.watch.fences.polygons[version])
    x, y = metres(fixes.lat_udeg, fixes.lon_udeg, (middle.y, middle.x))
    minutes = clock(episode, fixes.time_us) / 60
    arrived = (end_us / MICROSECONDS - episode.peak - episode.started_us / MICROSECONDS) / 60
    axes.plot(minutes, np.hypot(x, y), color=INK, linewidth=1)
    axes.axvspan(arrived, 0, color=AMBER, alpha=0.15, linewidth=0)
    axes.axvspan(0, clock(episode, end_us) / 60, color=RED, alpha=0.15, linewidth=0)
    top = axes.get_xaxis_transform()
    axes.text(
        arrived,
        0.95,
        f" at the site, limit {episode.limit / 60:.0f} min",
        color=AMBER,
        fontsize=8.5,
        va="top",
        transform=top,
    )
    axes.text(0, 0.95, " too long", color=RED, fontsize=8.5, va="top", transform=top)
    axes.set_ylim(0, 600)
    tidy(axes, "minutes after the limit was reached", "metres from the middle of the site")
    axes.set_title(f"Dwell: {episode.peak / 60:.0f} minutes at a building site", fontsize=10, loc="left")


def metres(lat_udeg: Any, lon_udeg: Any, origin: tuple[float, float]) -> tuple[Any, Any]:
    """Return places in metres east and north of (lat, lon) in micro-degrees."""
    lat, lon = origin
    east = (lon_udeg - lon) * M_PER_UDEG * np.cos(np.deg2rad(lat / 1e6))
    return east, (lat_udeg - lat) * M_PER_UDEG


if __name__ == "__main__":
    main()
