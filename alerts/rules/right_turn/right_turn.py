"""Right turns: a change of course to the right within a short way, found in positions alone.

At each point of the path (`path`) the course change over the way just driven is read (`chords`). A turn is
a reading that rises above a threshold: its height is the course change, its ridge tells the place.

Trailing data only. A turn is decided where its reading falls or has not risen for a while, and, since time
matters more than the last degree, at the first fix or tick `decide_s` after its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts.folding.records import copied
from alerts.rules.right_turn import chords, path, path_memory
from alerts.rules.right_turn.path import of_rows
from alerts.rules.right_turn.turn_figures import Ended, figures
from alerts.words.turns import Reason, Stop, Turns
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.rules.right_turn.path import Bools, Floats, Parameters, Times
    from alerts.rules.right_turn.path_memory import Rows

    Numbers = NDArray[np.int64]

NONE = -1

#: One vehicle's memory of the rule, beside the ring of its path. Times in microseconds since 1970.
STATE = np.dtype(
    [
        ("path", path_memory.HEAD),
        ("straight_us", "i8"),  # since when the vehicle that turns goes straight, as far as is known
        ("straight", "i4"),  # number of the point
        ("straight_deg", "f4"),  # the turn up to there
        ("peak", "i4"),  # number of the point where the reading is highest; NONE: no turn is watched
        ("peak_deg", "f4"),
        ("is_spent", "?"),  # the turn was decided, and the reading has not fallen since
    ],
    align=True,
)

#: Numbers of one rulebook version: what they mean, and the lowest and highest that make sense.
PARAMETERS = {
    "turn_from_deg": ("a turn is a change of course by at least this", 20, 90),
    "turn_to_deg": ("and at most this: beyond is turning back", 100, 180),
    "before_m": ("length of the line before the turn", 15, 40),
    "min_before_m": ("where less of the way before is known, this is enough", 10, 40),
    "between_m": ("way on which the course changes", 10, 40),
    "after_m": ("length of the line after the turn", 10, 30),
    "straight_share": ("a line's ends are at least this share of its way apart", 0.5, 1),
    "fallen_deg": ("a turn is decided when the reading has fallen by this", 2, 30),
    "passed_m": ("or has not risen over this way", 5, 30),
    "settled_deg": ("or when no more than this was turned, since a while", 1, 20),
    "decide_s": ("of so long", 0, 5),
    "wait_s": ("who then stands or is silent is not waited for longer than this", 0, 5),
    "stopped_in_turn_s": ("who stops while it rises goes on within this, or it is decided", 10, 600),
    "evaluable_interval_s": (
        "a turn can be judged if the median interval of its fixes is at most this",
        1,
        10,
    ),
    "evaluable_gap_s": ("and none is longer than this", 1, 30),
    "agree_kmh": ("and the reported speed is no farther than this from that of the positions", 2, 50),
    "agree_share": ("or than this share of it", 0.05, 1),
    "within_s": ("a turn takes at most this long, not counting slow motion and standing", 5, 120),
    "impossible_g": ("a lateral acceleration that no truck survives: positions have jumped", 0.6, 5),
    "approach_m": ("way before the turn on which a stop counts", 10, 50),
    **path.PARAMETERS,
    "limit_kmh": ("a right turn is too fast above this speed", 5, 60),
    "junction_radius_m": ("wider than this none is too fast as a turn", 15, 200),
    "bend_kmh": ("and if it was driven no slower than this, it is a bend of the street", 20, 100),
    "stopped_s": ("before a must-stop junction one stands for at least this long", 0, 30),
    "slow_kmh": ("or, slower than this, has not quite stopped", 3, 30),
    "lateral_g": ("a lateral acceleration above this is dangerous, of a truck that may be empty", 0.1, 1),
    "lateral_loaded_g": ("and above this, of a loaded one", 0.1, 1),
}
#: A turn ends no earlier than this before it is decided: until then it was not seen to be over.
_WITHIN_US = 5 * MICROSECONDS
#: The newest bit of the way, over which the course is taken to see whether the vehicle still turns.
_NEWEST_POINTS = 2


def blank(size: int) -> NDArray[np.void]:
    """Return the memory of `size` vehicles that have reported nothing."""
    state = np.zeros(size, STATE)
    state["path"] = path_memory.blank(size)
    state["peak"] = NONE
    return state


_BLANK = blank(1)[0]
_NOTHING_ENDED = Ended(*(np.empty(0, np.int64),) * len(Ended._fields))


class Outcome(NamedTuple):
    """The memory after the samples, and the turns that they decide."""

    after: NDArray[np.void]
    #: `vehicle_id` is the row of the sample.
    turns: Turns


class Memory(NamedTuple):
    """What is remembered of some vehicles: `STATE` of theirs, and the rings of all, written in place."""

    state: NDArray[np.void]
    rings: NDArray[np.void]
    slot: NDArray[np.integer[Any]]

    @property
    def walked(self) -> path_memory.Walked:
        """The paths."""
        return path_memory.Walked(self.state["path"], self.rings, self.slot)


def step(before: Memory, samples: path.Samples, begins: Bools, parameters: Parameters) -> Outcome:
    """Fold one fix a vehicle into its memory; where a segment `begins`, memory is cleared before.

    A turn that is overdue is decided as a tick before the fix would have done.
    """
    after = copied(before.state)
    memory = before._replace(state=after)
    found = [end_overdue(memory, samples.time_us, parameters)]
    after[begins] = _BLANK
    walked = memory.walked
    anew, pieces = path.extend(walked, samples, parameters)
    after["peak"][anew] = NONE
    after["is_spent"][anew] = False
    for points in path.lay(walked, pieces):
        ended = _watch(after, walked, points, samples.time_us, parameters)
        found.append(_tell(after, walked, ended, parameters))
    return Outcome(after, Turns.concat([turns for turns in found if len(turns)]))


def end_overdue(memory: Memory, now_us: Times, parameters: Parameters) -> Turns:
    """Decide, in place, the turns for which nothing more is awaited; `now_us` is one a row."""
    state, walked = memory.state, memory.walked
    row = np.flatnonzero(state["peak"] != NONE)
    if not len(row):
        return Turns.empty()
    rules, newest = of_rows(parameters, row), walked.head["newest"][row]
    # Of who stopped before it was seen that he goes straight, more is awaited.
    turns, reached_us = state["straight"][row] == newest, walked.get("us", row, newest)
    over_us = np.where(turns, reached_us, state["straight_us"][row])
    due = now_us[row] >= over_us + _us(np.where(turns, rules["stopped_in_turn_s"], rules["wait_s"]))
    ended = _end(state, row[due], now_us[row[due]], over_us[due])
    return _tell(state, walked, ended, parameters)


def _tell(state: NDArray[np.void], walked: path_memory.Walked, ended: Ended, parameters: Parameters) -> Turns:
    """Return the turns that are over; where the course has changed too little yet, watch on, in place."""
    told = figures(walked, ended, of_rows(parameters, ended.row))
    state["is_spent"][told.too_little] = False
    return told.turns


def _us(seconds: Floats) -> Times:
    return np.rint(np.asarray(seconds) * MICROSECONDS).astype(np.int64)


def _end(state: NDArray[np.void], row: Rows, at_us: Times, turning_us: Times) -> Ended:
    """Stop watching some rows, in place."""
    peak, straight = (state[name][row].astype(np.int64) for name in ("peak", "straight"))
    state["peak"][row] = NONE
    state["is_spent"][row] = True
    return Ended(row, peak, straight, at_us, turning_us)


def _watch(
    state: NDArray[np.void],
    walked: path_memory.Walked,
    points: path.Points,
    at_us: Times,
    parameters: Parameters,
) -> Ended:
    """Read the course change at new points, and follow what rises, in place; return what is over."""
    rules = of_rows(parameters, points.row)
    chord = chords.lay(walked, points.row, points.number, rules)
    reading_deg = np.where(chord.known, chord.turned_deg, 0.0)
    counts = chord.known & (chord.straight >= rules["straight_share"])
    matters = (state["peak"] != NONE) | state["is_spent"]
    matters[points.row[counts & (reading_deg >= rules["turn_from_deg"])]] = True
    place = np.where(matters[points.row], points.place, NONE)
    found = []
    for now in (np.flatnonzero(place == n) for n in range(place.max() + 1)):
        row, number, here = points.row[now], points.number[now], of_rows(rules, now)
        newest_deg = chords.between_deg(walked, row, number - _NEWEST_POINTS, number)
        news = _News(
            row=row,
            number=number,
            reading_deg=reading_deg[now],
            counts=counts[now],
            turned_deg=reading_deg[now] + chords.wrapped(newest_deg - chord.after_deg[now]),
            middle_us=walked.get("us", row, number - _NEWEST_POINTS // 2),
            reached_us=walked.get("us", row, number),
        )
        ends = _follow(state, news, here)
        over = row[ends]
        # After a longer interval, that the turn is over could have been seen before the fix.
        prompt_us = news.reached_us[ends] + _us(of_rows(here, ends)["evaluable_gap_s"])
        turning_us = np.minimum(at_us[over], prompt_us) - _WITHIN_US
        found.append(_end(state, over, at_us[over], turning_us))
        # The next turn can begin when the reading has fallen since the last.
        state["is_spent"][row] &= reading_deg[now] >= here["turn_from_deg"] - here["fallen_deg"]
    return Ended(*map(np.concatenate, zip(*found, strict=True))) if found else _NOTHING_ENDED


class _News(NamedTuple):
    """One more point of some rows."""

    row: Rows
    number: Numbers
    reading_deg: Floats
    #: The reading is one of straight lines.
    counts: Bools
    #: Course change up to the newest bit of the way, and when the vehicle was in the middle of that.
    turned_deg: Floats
    middle_us: Times
    #: When the vehicle was at the point.
    reached_us: Times


def _follow(state: NDArray[np.void], news: _News, rules: Parameters) -> Rows:
    """Follow the readings, in place; return which turns are over."""
    row, number, reading_deg = news.row, news.number, news.reading_deg
    watched = state["peak"][row] != NONE
    starts = ~watched & ~state["is_spent"][row] & news.counts & (reading_deg >= rules["turn_from_deg"])
    grows = starts | (watched & news.counts & (reading_deg > state["peak_deg"][row]))
    turns = starts | (watched & (news.turned_deg > state["straight_deg"][row] + rules["settled_deg"]))
    for changes, values in (
        (grows, {"peak": number, "peak_deg": reading_deg}),
        (turns, {"straight": number, "straight_deg": news.turned_deg, "straight_us": news.middle_us}),
    ):
        for name, value in values.items():
            state[name][row[changes]] = value[changes]
    fallen = reading_deg < state["peak_deg"][row] - rules["fallen_deg"]
    passed = number - state["peak"][row] >= chords.points(rules["passed_m"])
    settled = news.reached_us - state["straight_us"][row] >= _us(rules["decide_s"])
    # Who still turns has passed nothing: on a tight arc the lines may be too bent to count.
    return np.flatnonzero((watched | starts) & (fallen | (passed & ~turns) | settled))


def stop_class(turns: Turns, parameters: Parameters) -> NDArray[np.int16]:
    """Return how each turn would have been approached if one had to stop before it, as `Stop`.

    Who stood for `stopped_s` on the way before the entry has stopped; who came down to `slow_kmh` was
    slow. A turn that was not seen well enough says nothing, nor does a way to it that is known in part and
    without a stop.
    """
    stood = turns.approach_stood_s >= parameters["stopped_s"]
    slow = turns.approach_kmh <= parameters["slow_kmh"]
    seen_whole = turns.approach_known_m >= parameters["approach_m"]
    rolled = np.where(seen_whole, Stop.NOT_STOPPED, Stop.NOT_EVALUABLE)
    stop = np.where(stood, Stop.STOPPED, np.where(slow, Stop.SLOW, rolled))
    return np.where(turns.reason == Reason.NONE, stop, Stop.NOT_EVALUABLE).astype(np.int16)
