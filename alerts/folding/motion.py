"""How a vehicle moves, from its fixes alone: plausibility, speed, distance, and where its segments begin.

Trailing data only: what is said of a fix never depends on a later one. A segment begins with the first
motion after 20 minutes of observed rest or after an hour without data, and at the first fix ever; a
parked vehicle's is cut at 24 hours. At its beginning all memory is cleared, so that a segment can be
judged alone, and many side by side.

A jump of the receiver is a gap (`belief`): a fix too far away for any truck is not believed, nor is what
follows from it, until the old place is back or the new one has proved itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.folding import belief
from alerts.folding.records import copied
from fleet import geo
from fleet.quality import has_position, reported_speed_kmh
from fleet.units import KMH_PER_MPS, MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.columns import Fixes

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    #: A row of `PARAMETERS`, or one a fix: both broadcast.
    Parameters = NDArray[np.void]

NEVER = -1
#: Positions kept for the trailing chord, about one a second: more than `chord_s` at any rate.
CHORD_POINTS = 8
#: A new chord point is kept only this long after the last, so that fast units do not fill the memory.
CHORD_SPACING_US = 900_000

#: One vehicle's memory. Times in microseconds since 1970; NEVER is none.
STATE = np.dtype(
    [
        ("watermark_us", "i8"),  # newest fix judged
        ("segment_us", "i8"),  # beginning of the present segment
        ("motion_us", "i8"),  # newest fix in motion
        ("rest_us", "i8"),  # first fix at rest since the newest in motion; NEVER while moving
        ("position_us", "i8"),  # newest fix with a position
        ("wrong_us", "i8"),  # since when the reported speed contradicts the positions
        ("frozen_us", "i8"),  # since when the position has not changed although the unit reports speed
        ("usual_s", "f8"),  # running mean of the interval between fixes
        ("chord_us", "i8", (CHORD_POINTS,)),  # newest first
        ("chord_lat_udeg", "i4", (CHORD_POINTS,)),
        ("chord_lon_udeg", "i4", (CHORD_POINTS,)),
        ("chord_dkmh", "i2", (CHORD_POINTS,)),  # as reported there, -1 unknown
        ("lat_udeg", "i4"),
        ("lon_udeg", "i4"),
        ("long_silence", "?"),  # an hour without data since the newest motion
        *belief.FIELDS,
    ],
    align=True,
)

#: Numbers of one rulebook version: what they mean, and the lowest and highest that make sense.
PARAMETERS = {
    "motion_kmh": ("at or above this speed a vehicle is in motion", 1, 20),
    "motion_m": ("a derived speed is motion only if the chord is at least this long", 0, 100),
    "chord_s": ("speed is derived over the newest trailing chord at least this long", 1, 7),
    "coarse_s": ("over a longer interval nothing is derived", 5, 120),
    "wrong_kmh": ("a reported speed is wrong if it is so far from what the chord shows", 5, 100),
    "wrong_share": ("and so far as a share of it", 0.05, 1),
    "wrong_s": ("and for so long: then the derived one counts", 5, 600),
    **belief.PARAMETERS,
    "frozen_kmh": ("a position that does not change at this reported speed", 1, 100),
    "frozen_s": ("for this long is frozen", 1, 600),
    "rest_s": ("a segment begins with the first motion after this much rest", 60, 86400),
    "silence_s": ("or after this long without data", 300, 86400),
    "parked_s": ("a parked vehicle's segment is cut at this age", 3600, 604800),
    "gap_s": ("silence that ends what is open as lost", 10, 3600),
    "gap_intervals": ("or this many usual intervals, if that is longer", 1, 100),
}

USUAL_WEIGHT = 0.1


def blank(size: int) -> NDArray[np.void]:
    """Return the memory of `size` vehicles that have reported nothing."""
    state = np.zeros(size, STATE)
    for name in (
        "watermark_us",
        "segment_us",
        "motion_us",
        "rest_us",
        "position_us",
        "wrong_us",
        "frozen_us",
        "chord_us",
    ):
        state[name] = NEVER
    state["usual_s"] = np.nan
    belief.begin(state)
    return state


_BLANK = blank(1)[0]


class Moved(NamedTuple):
    """What the fixes say of motion, one a vehicle; equal lengths."""

    after: NDArray[np.void]
    #: Reported, or derived over the trailing chord; NaN where unknown or not to be trusted.
    speed_kmh: Floats
    #: It is derived, since none is reported, or one that the positions have contradicted for long.
    derived: Bools
    #: Way since the newest position that was believed, metres; 0 where it is unknown.
    moved_m: Floats
    #: The position is there, is believed and is not frozen.
    trusted: Bools
    #: It is, but how the vehicle came there is unknown: a path, and what depends on one, begins anew.
    cut: Bools
    #: Silence after which the vehicle counts as lost, seconds.
    gap_s: Floats
    #: The fix begins a new segment.
    begins: Bools


def gap_s(state: NDArray[np.void], rules: Parameters) -> Floats:
    """Return the silence that counts as a gap: `gap_s`, or three usual intervals if that is longer."""
    return np.asarray(np.fmax(rules["gap_s"], rules["gap_intervals"] * state["usual_s"]))


def step(before: NDArray[np.void], fixes: Fixes, rules: Parameters) -> Moved:
    """Fold one fix a vehicle into its memory. Fixes are newer than each vehicle's watermark."""
    moved = _step(before, fixes, rules)
    if moved.begins.any():
        # The first fix of a segment is judged as if nothing had been before it.
        fresh = copied(before)
        fresh[moved.begins] = _BLANK
        moved = _step(fresh, fixes, rules)._replace(begins=moved.begins, gap_s=moved.gap_s)
        moved.after["segment_us"][moved.begins] = fixes.time_us[moved.begins]
    return moved


def _step(before: NDArray[np.void], fixes: Fixes, rules: Parameters) -> Moved:
    time_us = fixes.time_us
    positioned = has_position(fixes)
    reported_kmh = reported_speed_kmh(fixes)
    after = copied(before)
    usable = positioned & (before["position_us"] >= 0)
    frozen, still = _hold_still(after, fixes, usable, reported_kmh, rules)
    step = _step_from(before, fixes, usable, still)
    believed, follows, cut, believed_m = belief.judge(after, fixes, positioned, step, rules)

    chord = _chord(before, fixes, rules)
    # To 0.1 km/h, as units report: the last bits of a float may depend on how many vehicles are
    # computed at once, and what is judged must not.
    derived_kmh = np.where(follows, np.rint(chord.length_m / chord.took_s * KMH_PER_MPS * 10) / 10, np.nan)
    derived = _hold_wrong(after, fixes, step, chord, derived_kmh, reported_kmh, rules)
    derived |= np.isnan(reported_kmh)
    known = (follows | believed) & ~frozen
    shown_kmh = np.where(known, np.where(derived, derived_kmh, reported_kmh), np.nan)
    trusted = believed & ~frozen
    speed_kmh = np.where(trusted, shown_kmh, np.nan)

    # A chord of a few metres is noise, not motion; a unit's own speed is filtered by the unit.
    # At a place that is doubted a vehicle drives and rests all the same.
    in_motion = (shown_kmh >= rules["motion_kmh"]) & (~derived | (chord.length_m >= rules["motion_m"]))
    at_rest = ~np.isnan(shown_kmh) & ~in_motion
    since_us = np.where(before["watermark_us"] >= 0, time_us - before["watermark_us"], 0)
    silence_s = since_us / MICROSECONDS
    begins = _begins(before, time_us, in_motion, at_rest, silence_s, rules)

    quiet_gap_s = gap_s(before, rules)
    _remember_motion(after, time_us, in_motion, at_rest, silence_s, quiet_gap_s, rules)
    _remember_position(after, fixes, positioned, positioned & ~follows)
    distance_m = np.where(trusted, believed_m, 0.0)
    return Moved(after, speed_kmh, derived, distance_m, trusted, cut, quiet_gap_s, begins)


def _step_from(before: NDArray[np.void], fixes: Fixes, usable: Bools, still: Bools) -> belief.Step:
    """Return the steps from each vehicle's newest position, in centimetres: see `derived_kmh`."""
    elapsed_s = np.where(usable, (fixes.time_us - before["position_us"]) / MICROSECONDS, 0.0)
    moved_m = geo.distance_m(before["lat_udeg"], before["lon_udeg"], fixes.lat_udeg, fixes.lon_udeg)
    return belief.Step(usable, np.rint(moved_m * 100) / 100, elapsed_s, still)


def _begins(
    before: NDArray[np.void],
    time_us: NDArray[np.int64],
    in_motion: Bools,
    at_rest: Bools,
    silence_s: Floats,
    rules: Parameters,
) -> Bools:
    first = before["watermark_us"] == NEVER
    rested = (before["rest_us"] != NEVER) & (time_us - before["rest_us"] >= rules["rest_s"] * MICROSECONDS)
    silent = before["long_silence"] | (silence_s >= rules["silence_s"])
    departs = in_motion & (rested | silent)
    parked = at_rest & rested & (time_us - before["segment_us"] >= rules["parked_s"] * MICROSECONDS)
    return np.asarray(first | departs | parked)


def _hold_still(
    after: NDArray[np.void], fixes: Fixes, usable: Bools, reported_kmh: Floats, rules: Parameters
) -> tuple[Bools, Bools]:
    """Remember since when the position stands still at speed; mark where for too long, and where at all."""
    still = (
        usable
        & (fixes.lat_udeg == after["lat_udeg"])
        & (fixes.lon_udeg == after["lon_udeg"])
        & (reported_kmh >= rules["frozen_kmh"])
    )
    since_us = np.where(after["frozen_us"] != NEVER, after["frozen_us"], after["position_us"])
    after["frozen_us"] = np.where(still, since_us, np.where(usable, NEVER, after["frozen_us"]))
    return np.asarray(still & (fixes.time_us - since_us >= rules["frozen_s"] * MICROSECONDS)), still


class _Chord(NamedTuple):
    """The trailing chord of each vehicle; equal lengths."""

    length_m: Floats
    took_s: Floats
    #: What was reported at its beginning, NaN unknown.
    begin_kmh: Floats


def _chord(before: NDArray[np.void], fixes: Fixes, rules: Parameters) -> _Chord:
    """Return the trailing chord: to the newest point at least `chord_s` old.

    Points are sparse where fixes are: a chord may be longer. NaN where there is no point old enough, or
    none younger than `coarse_s`.
    """
    age_us = fixes.time_us[:, None] - before["chord_us"]
    chord_over_us = np.asarray(rules["chord_s"] * MICROSECONDS)[..., None]
    fits = (before["chord_us"] != NEVER) & (age_us >= chord_over_us)
    nearest = fits.argmax(axis=1)
    row = np.arange(len(fixes))
    chord_s = np.where(fits[row, nearest], age_us[row, nearest] / MICROSECONDS, np.nan)
    chord_s = np.where(chord_s <= rules["coarse_s"], chord_s, np.nan)
    chord_m = geo.distance_m(
        before["chord_lat_udeg"][row, nearest],
        before["chord_lon_udeg"][row, nearest],
        fixes.lat_udeg,
        fixes.lon_udeg,
    )
    begin_dkmh = before["chord_dkmh"][row, nearest]
    return _Chord(chord_m, chord_s, np.where(begin_dkmh < 0, np.nan, begin_dkmh * 0.1))


def _hold_wrong(
    after: NDArray[np.void],
    fixes: Fixes,
    step: belief.Step,
    chord: _Chord,
    derived_kmh: Floats,
    reported_kmh: Floats,
    rules: Parameters,
) -> Bools:
    """Remember since when the reported speed contradicts the positions; mark where that is too long.

    What a vehicle can do between two reports is no contradiction, nor is what is unknown.
    """
    told_kmh = (chord.begin_kmh + reported_kmh) / 2
    hidden_kmh = rules["jump_mps2"] * step.elapsed_s / 4 * KMH_PER_MPS
    share = rules["wrong_share"] * np.maximum(told_kmh, derived_kmh)
    wrong = np.abs(derived_kmh - told_kmh) > np.maximum(rules["wrong_kmh"], share) + hidden_kmh
    since_us = np.where(after["wrong_us"] == NEVER, fixes.time_us, after["wrong_us"])
    np.copyto(after["wrong_us"], np.where(wrong, since_us, NEVER), where=step.known)
    return np.asarray(wrong & (fixes.time_us - since_us >= rules["wrong_s"] * MICROSECONDS))


def _remember_motion(
    after: NDArray[np.void],
    time_us: NDArray[np.int64],
    in_motion: Bools,
    at_rest: Bools,
    silence_s: Floats,
    quiet_gap_s: Floats,
    rules: Parameters,
) -> None:
    after["watermark_us"] = time_us
    after["motion_us"] = np.where(in_motion, time_us, after["motion_us"])
    rests = at_rest & (after["rest_us"] == NEVER)
    after["rest_us"] = np.where(in_motion, NEVER, np.where(rests, time_us, after["rest_us"]))
    after["long_silence"] = ~in_motion & (after["long_silence"] | (silence_s >= rules["silence_s"]))
    usual = (silence_s > 0) & (silence_s <= quiet_gap_s)
    mean_s = np.where(np.isnan(after["usual_s"]), silence_s, after["usual_s"])
    after["usual_s"] = np.where(usual, mean_s + USUAL_WEIGHT * (silence_s - mean_s), after["usual_s"])


def _remember_position(after: NDArray[np.void], fixes: Fixes, positioned: Bools, jumped: Bools) -> None:
    after["chord_us"][jumped] = NEVER
    adds = positioned & (fixes.time_us - after["chord_us"][:, 0] >= CHORD_SPACING_US)
    for name, column in (
        ("chord_us", fixes.time_us),
        ("chord_lat_udeg", fixes.lat_udeg),
        ("chord_lon_udeg", fixes.lon_udeg),
        ("chord_dkmh", fixes.speed_dkmh),
    ):
        points = after[name]
        for place in range(CHORD_POINTS - 1, 0, -1):
            np.copyto(points[:, place], points[:, place - 1], where=adds)
        np.copyto(points[:, 0], column, where=adds)
    after["position_us"] = np.where(positioned, fixes.time_us, after["position_us"])
    after["lat_udeg"] = np.where(positioned, fixes.lat_udeg, after["lat_udeg"])
    after["lon_udeg"] = np.where(positioned, fixes.lon_udeg, after["lon_udeg"])
