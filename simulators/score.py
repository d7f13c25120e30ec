"""How well detections tell the truth: recall, precision and time errors of each kind, with intervals.

A detection matches a row of the truth of the same kind and vehicle that it overlaps, one to one, by
largest overlap, then earliest. A detection that overlaps only rows with `care` false counts neither for
nor against; a second detection of the same row counts against precision, as `split`.
Intervals are Wilson's (Wilson 1927, JASA 22:209), two-sided.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from simulators.errors import SimulatorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Row = dict[str, Any]

#: Truth and detection may lie this far apart and still mean the same.
TOLERANCE_S = 3.0
LEVEL = 0.95
#: Rows of `kerbsafe replay --json` that detect nothing.
_NO_DETECTIONS = frozenset({"file", "alert_budget"})
#: What detections are called -> the kind of the truth that they are to find.
TRUTH_OF = {
    "speeding": "speeding",
    "right_turn": "right_turn",
    "right_turn_fast": "turn_too_fast",
    "right_turn_lateral": "rollover_margin",
    "right_turn_no_stop": "no_stop",
    "conflict": "conflict",
    "forbidden": "forbidden",
    "left_permitted": "permitted",
    "dwell": "dwell",
}
#: And what only the hot path judges, of which a file tells nothing.
TRUTH_OF_ARRIVAL = {"offline": "offline", "camera_fault": "camera_covered"}
ALL_TRUTH_OF = TRUTH_OF | TRUTH_OF_ARRIVAL
#: A camera that does not see hides only what cameras are to see.
OVERLOOKED, CONFLICT = "overlooked", "conflict"
#: Faults that can hide what happened, in the order in which they are named.
CAUSES = (
    "outage",
    "silent_exit",
    "sparse",
    "frozen",
    "displaced",
    "clock_step",
    "wrong_datum",
    "speed_scaled",
    "speed_lags",
    OVERLOOKED,
)
UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the truth or a detection, in seconds since 1970."""

    kind: str
    vehicle: str
    from_s: float
    to_s: float
    care: bool = True
    row: Row = field(default_factory=dict)

    def overlap_s(self, other: Event) -> float:
        """Return for how long both hold, seconds; negative is how far apart they are."""
        return min(self.to_s, other.to_s) - max(self.from_s, other.from_s)


def wilson(hits: int, of: int, level: float = LEVEL) -> tuple[float, float] | None:
    """Return the interval of a share; None if there is nothing to share."""
    if of == 0:
        return None
    z = float(norm.ppf(0.5 + level / 2))
    share, slack = hits / of, z * z / of
    middle = (share + slack / 2) / (1 + slack)
    half = z / (1 + slack) * float(np.sqrt(share * (1 - share) / of + slack / of / 4))
    # Where all or none hit, one end is exact, and rounding must not push it past the share.
    return (0.0 if hits == 0 else middle - half), (1.0 if hits == of else middle + half)


def truth_events(rows: Iterable[Row]) -> list[Event]:
    """Return rows of `truth.ndjson` as events.

    Raises
    ------
    SimulatorError
        If a row lacks what every row of a truth has.
    """
    events = []
    for number, r in enumerate(rows, 1):
        if not (_names(r, "kind", "vehicle") and _spans(r.get("started_us"), r.get("ended_us"))):
            raise SimulatorError(
                f"row {number} is no truth: {str(r)[:120]}; give the truth.ndjson of simulate"
            )
        begin, end = r["started_us"] / 1e6, r["ended_us"] / 1e6
        events.append(Event(r["kind"], r["vehicle"], begin, end, r.get("care", True), r))
    return events


def _names(row: Row, *fields: str) -> bool:
    return all(isinstance(row.get(name), str) for name in fields)


def _spans(begin: object, end: object) -> bool:
    return all(isinstance(moment, int | float) for moment in (begin, end))


def detected_events(rows: Iterable[Row], shift_s: float = 0.0) -> list[Event]:
    """Return lines of `kerbsafe replay --json` as events.

    Parameters
    ----------
    rows
        With `kind`, `vehicle` (or `track`), `started_s` and `ended_s` (or `entered_s` and `exited_s`),
        seconds since 1970. An episode without an end is taken as ending where it began. A `kind` that the
        truth calls otherwise (`TRUTH_OF`) gets that name. Rows about a file or a rule are passed over.
    shift_s
        What was added to all times when they were played; it is taken off again.

    Raises
    ------
    SimulatorError
        If a row lacks one of these.
    """
    events = []
    for number, row in enumerate(rows, 1):
        if row.get("kind") in _NO_DETECTIONS:
            continue
        begin: Any = row.get("started_s", row.get("entered_s"))
        ended: Any = row.get("ended_s", row.get("exited_s"))
        who = "vehicle" if row.get("vehicle") else "track"
        end = begin if ended is None else ended
        if not (_names(row, "kind", who) and _spans(begin, end)):
            raise SimulatorError(
                f"detection {number} lacks kind, vehicle or started_s, or they are no names and seconds:"
                f" {str(row)[:120]}"
            )
        kind: str = row["kind"]
        kind = ALL_TRUTH_OF.get(kind, kind)
        events.append(Event(kind, row[who], begin - shift_s, end - shift_s, row=row))
    return events


def score(
    truth: Sequence[Event],
    detected: Sequence[Event],
    *,
    faults: Iterable[Row] = (),
    kinds: Iterable[str] | None = None,
    tolerance_s: float = TOLERANCE_S,
) -> dict[str, Any]:
    """Return figures for each kind.

    Parameters
    ----------
    faults
        Rows of `faults.ndjson`: what may explain a miss.
    kinds
        What to score, by its name in the truth; None: every kind of the truth that something detects.
        Kinds of the truth that are not scored are listed as such, and so are detections that no truth
        is written for.

    Raises
    ------
    SimulatorError
        If a kind is none that a truth or a detection has, or a fault does not say of what and whom it is.
    """
    known, found = {event.kind for event in truth}, {event.kind for event in detected}
    possible = known | found | set(ALL_TRUTH_OF.values())
    if kinds is not None and (unheard := sorted(set(kinds) - possible)):
        raise SimulatorError(f"nothing is of kind {unheard[0]!r}; choose from {', '.join(sorted(possible))}")
    detectable = set(TRUTH_OF.values()) | (found & known)
    wanted = sorted(detectable & (known | found) | {"speeding"}) if kinds is None else sorted(set(kinds))
    hiding = _by_vehicle(faults)
    figures = {}
    for kind in wanted:
        of_kind = [e for e in truth if e.kind == kind], [e for e in detected if e.kind == kind]
        figures[kind] = _score_kind(*of_kind, hiding, tolerance_s)
    grave = [row["critical"] for row in figures.values()]
    return {
        "kinds": figures,
        "critical": _counted(sum(row["matched"] for row in grave), sum(row["truth"] for row in grave)),
        "not_scored": sorted(known - set(wanted)),
        "without_truth": sorted(found - known - set(wanted)),
        "level": LEVEL,
        "tolerance_s": tolerance_s,
    }


def match(
    truth: Sequence[Event], detected: Sequence[Event], tolerance_s: float
) -> tuple[dict[int, int], set[int]]:
    """Return truth -> detection, one to one, and the detections that overlap anything of the truth."""
    by_vehicle: dict[str, list[int]] = defaultdict(list)
    for j, event in enumerate(detected):
        by_vehicle[event.vehicle].append(j)
    pairs = [
        (-overlap, event.from_s, i, j)
        for i, event in enumerate(truth)
        for j in by_vehicle[event.vehicle]
        if (overlap := event.overlap_s(detected[j])) >= -tolerance_s
    ]
    matched: dict[int, int] = {}
    taken: set[int] = set()
    # What is cared for is matched first, so that an ambiguous neighbour takes nothing from it.
    for _, _, i, j in sorted(pairs, key=lambda pair: (not truth[pair[2]].care, *pair)):
        if i not in matched and j not in taken:
            matched[i] = j
            taken.add(j)
    return matched, {j for *_, j in pairs}


def _score_kind(
    truth: Sequence[Event], detected: Sequence[Event], hiding: dict[str, list[Row]], tolerance_s: float
) -> dict[str, Any]:
    matched, near = match(truth, detected, tolerance_s)
    cared = {i for i, event in enumerate(truth) if event.care}
    hits = {i: j for i, j in matched.items() if i in cared}
    missed = sorted(cared - hits.keys())
    spare = set(range(len(detected))) - set(matched.values())
    ambiguous = _ambiguous(truth, detected, spare & near, tolerance_s)
    split, false = sorted((spare & near) - ambiguous), sorted(spare - near)
    judged = len(hits) + len(split) + len(false)
    misses = [{"cause": _cause(truth[i], hiding), "truth": truth[i].row} for i in missed]
    unexplained = sum(miss["cause"] == UNEXPLAINED for miss in misses)
    critical = {i for i in cared if truth[i].row.get("critical")}
    return {
        "truth": len(cared),
        "ignored": len(truth) - len(cared),
        "detected": len(detected),
        "matched": len(hits),
        "missed": len(missed),
        "false": len(false),
        "split": len(split),
        "recall": _share(len(hits), len(cared)),
        "recall_observable": _share(len(hits), len(hits) + unexplained),
        "critical": _counted(len(hits.keys() & critical), len(critical)),
        "precision": _share(len(hits), judged),
        "start_error_s": _errors([detected[j].from_s - truth[i].from_s for i, j in hits.items()]),
        "end_error_s": _errors([detected[j].to_s - truth[i].to_s for i, j in hits.items()]),
        "causes": dict(sorted(Counter(miss["cause"] for miss in misses).items())),
        "misses": misses,
        "false_detections": [detected[j].row for j in false + split],
    }


def _ambiguous(
    truth: Sequence[Event], detected: Sequence[Event], spare: set[int], tolerance_s: float
) -> set[int]:
    """Return the spare detections that overlap a row that nobody cares for."""
    careless = [event for event in truth if not event.care]
    return {
        j
        for j in spare
        if any(
            event.vehicle == detected[j].vehicle and event.overlap_s(detected[j]) >= -tolerance_s
            for event in careless
        )
    }


def _counted(hits: int, of: int) -> dict[str, Any]:
    return {"truth": of, "matched": hits, "recall": _share(hits, of)}


def _share(hits: int, of: int) -> dict[str, Any]:
    interval = wilson(hits, of)
    if interval is None:
        return {"value": None, "lower": None, "upper": None, "reason": "nothing to count"}
    return {"value": hits / of, "lower": interval[0], "upper": interval[1]}


def _errors(errors_s: list[float]) -> dict[str, float | None]:
    if not errors_s:
        return {"median": None, "p95_abs": None, "max_abs": None}
    errors = np.array(errors_s)
    return {
        "median": round(float(np.median(errors)), 3),
        "p95_abs": round(float(np.quantile(np.abs(errors), 0.95)), 3),
        "max_abs": round(float(np.abs(errors).max()), 3),
    }


def _by_vehicle(faults: Iterable[Row]) -> dict[str, list[Row]]:
    hiding: dict[str, list[Row]] = defaultdict(list)
    for number, row in enumerate(faults, 1):
        timed = "started_us" in row
        if not (
            _names(row, "kind", "vehicle") and (not timed or _spans(row["started_us"], row.get("ended_us")))
        ):
            raise SimulatorError(
                f"row {number} is no fault: {str(row)[:120]}; give the faults.ndjson of simulate"
            )
        if not row.get("backfilled", False):
            hiding[row["vehicle"]].append(row)
    return hiding


def _cause(event: Event, hiding: dict[str, list[Row]]) -> str:
    """Return the first listed fault of the vehicle that touches the event."""
    kinds = {row["kind"] for row in hiding.get(event.vehicle, []) if _touches(row, event)}
    if event.kind != CONFLICT:
        kinds.discard(OVERLOOKED)
    return next((cause for cause in CAUSES if cause in kinds), UNEXPLAINED)


def _touches(fault: Row, event: Event) -> bool:
    if "started_us" not in fault:
        return True
    return bool(fault["started_us"] / 1e6 <= event.to_s and fault["ended_us"] / 1e6 >= event.from_s)
