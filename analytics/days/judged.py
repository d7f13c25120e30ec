"""What was judged of a vehicle's day: turns, episodes and alerts, counted by where they were. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.words.transitions import Rule
from analytics.exposure.cells import UNKNOWN
from analytics.exposure.turn_counts import counts
from fleet.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from alerts.words.turns import Turns

    Bools = NDArray[np.bool_]

#: Rules whose settled episodes are counted, and as what.
COUNTED = {
    Rule.SPEEDING: "speedings",
    Rule.FATIGUE: "fatigues",
    Rule.FORBIDDEN: "forbidden_entries",
    Rule.LEFT_PERMITTED: "permitted_left",
}


class Judged(NamedTuple):
    """Settled judgements of a day, or of what of it lay in one county."""

    #: Right turns, as `analytics.exposure.turn_counts` counts them.
    right_turns: int = 0
    evaluable: int = 0
    #: Of the evaluable: somebody looked at the camera; it worked; it saw somebody.
    looked: int = 0
    armed: int = 0
    conflicts: int = 0
    #: Of the evaluable: at a must-stop junction and judged; without the stop; too fast.
    must_stop: int = 0
    not_stopped: int = 0
    too_fast: int = 0
    bends: int = 0
    #: Settled episodes that began on the day, and time driven beyond what is allowed without a rest.
    speedings: int = 0
    fatigues: int = 0
    fatigue_us: int = 0
    forbidden_entries: int = 0
    permitted_left: int = 0
    #: Alerts raised of what began on the day and not withdrawn; of these, resolved by a person.
    alerts: int = 0
    alerts_resolved: int = 0


NOTHING_JUDGED = Judged()


@dataclass(frozen=True, slots=True)
class Episodes(Columns):
    """Episodes that began on a day, equal lengths."""

    vehicle_id: NDArray[np.int32]
    began_us: NDArray[np.int64]
    #: -1: it has not ended.
    lasted_us: NDArray[np.int64]
    #: `Rule`.
    rule: NDArray[np.int16]
    #: 1: judged from the complete record. An alert about arrival never is, and counts as an alert alone.
    settled: NDArray[np.int16]
    #: 1: an alert was raised and stands; 2: and a person has resolved it.
    alert: NDArray[np.int16]
    #: Where the vehicle was; (0, 0): nobody knows.
    lat_udeg: NDArray[np.int32]
    lon_udeg: NDArray[np.int32]

    @classmethod
    def dtypes(cls) -> Mapping[str, str]:
        """Name and NumPy type of each column, in order."""
        return _DTYPES


_DTYPES = {
    "vehicle_id": "i4",
    "began_us": "i8",
    "lasted_us": "i8",
    "rule": "i2",
    "settled": "i2",
    "alert": "i2",
    "lat_udeg": "i4",
    "lon_udeg": "i4",
}


class Judgements(NamedTuple):
    """Turns and episodes of vehicles that began on a day, and in which county each was (-1 unknown)."""

    turns: Turns
    #: Of the turns: their rulebook calls them so (`alerts.turning.too_fast`).
    too_fast: Bools
    turn_county: NDArray[np.int32]
    episodes: Episodes
    episode_county: NDArray[np.int32]


class OfVehicle(NamedTuple):
    """What was judged of one vehicle: on the whole, and by fence id of the district."""

    whole: Judged
    counties: Mapping[int, Judged]


def count(vehicles: Sequence[int], of: Judgements) -> dict[int, OfVehicle]:
    """Count what was judged of each vehicle."""
    found = {}
    for vehicle_id in vehicles:
        turns, episodes = of.turns.vehicle_id == vehicle_id, of.episodes.vehicle_id == vehicle_id
        if not (turns.any() or episodes.any()):
            found[vehicle_id] = OfVehicle(NOTHING_JUDGED, {})
            continue
        counties = np.union1d(of.turn_county[turns], of.episode_county[episodes])
        found[vehicle_id] = OfVehicle(
            _counted(of, turns, episodes),
            {
                county: _counted(
                    of, turns & (of.turn_county == county), episodes & (of.episode_county == county)
                )
                for county in counties.tolist()
                if county != UNKNOWN
            },
        )
    return found


def _counted(of: Judgements, turns: Bools, episodes: Bools) -> Judged:
    turned = counts(of.turns.take(turns), of.too_fast[turns])
    own = of.episodes.take(episodes)
    settled = own.take(own.settled == 1)
    fatigue = settled.lasted_us[(settled.rule == Rule.FATIGUE) & (settled.lasted_us > 0)]
    return Judged(
        right_turns=turned.turns,
        evaluable=turned.evaluable,
        looked=turned.looked,
        armed=turned.armed or 0,
        conflicts=turned.conflicts or 0,
        must_stop=turned.must_stop,
        not_stopped=turned.not_stopped,
        too_fast=turned.too_fast,
        bends=turned.bends,
        fatigue_us=int(fatigue.sum()),
        alerts=int((own.alert > 0).sum()),
        alerts_resolved=int((own.alert > 1).sum()),
        **{name: int((settled.rule == rule).sum()) for rule, name in COUNTED.items()},
    )
