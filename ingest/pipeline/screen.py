"""What of a decoded batch can be stored. Pure.

Observations too old or from the future are rejected; of several with one key in a batch one is kept.
Whether a fix can be judged at once is another question (`alerts.live.timeliness`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.units import MICROSECONDS, to_datetime
from fleet.wire.batch import KEPT_BYTES, Ack, Decoded, Message, Rejected
from fleet.wire.reasons import NEWEST_HOURS, OLDEST_DAYS, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fleet.columns import CameraEvents, Columns, Fixes, HealthReports

OLDEST_US = OLDEST_DAYS * 86_400 * MICROSECONDS
NEWEST_US = NEWEST_HOURS * 3600 * MICROSECONDS
DAY_US = 86_400 * MICROSECONDS
#: GPS counts weeks to 1,024 and begins again; a receiver that does not know of it is so far back.
GPS_ROLLOVER_US = 1024 * 7 * DAY_US


@dataclass(frozen=True, slots=True)
class Screened:
    """What may be stored, each row with the index of its message; received is accounted for in full."""

    fixes: Fixes
    fix_message: NDArray[np.intp]
    camera: CameraEvents
    camera_message: NDArray[np.intp]
    health: HealthReports
    health_message: NDArray[np.intp]
    acks: list[Ack]
    received: int
    duplicates: int
    rejects: list[Rejected]


class _Kept(NamedTuple):
    rows: NDArray[np.intp]
    duplicates: int


def screen(decoded: Decoded, messages: Sequence[Message], received_us: int) -> Screened:
    """Sort out what cannot be stored, with a reason each."""
    rejects = list(decoded.rejects)

    def keep(columns: Columns, message: NDArray[np.intp], key: tuple[str, ...]) -> _Kept:
        return _keep(columns, message, key, _Sorting(messages, received_us, rejects))

    fixes = keep(decoded.fixes, decoded.fix_message, ("vehicle_id", "time_us"))
    camera = keep(decoded.camera, decoded.camera_message, ("vehicle_id", "time_us", "event_id"))
    health = keep(decoded.health, decoded.health_message, ("vehicle_id", "time_us"))
    return Screened(
        fixes=decoded.fixes.take(fixes.rows),
        fix_message=decoded.fix_message[fixes.rows],
        camera=decoded.camera.take(camera.rows),
        camera_message=decoded.camera_message[camera.rows],
        health=decoded.health.take(health.rows),
        health_message=decoded.health_message[health.rows],
        acks=decoded.acks,
        received=decoded.received,
        duplicates=fixes.duplicates + camera.duplicates + health.duplicates,
        rejects=rejects,
    )


def screen_or_reject(decoded: Decoded, messages: Sequence[Message], received_us: int) -> Screened:
    """Screen; should the screen itself fail, reject what it was given: nothing unscreened is stored."""
    try:
        return screen(decoded, messages, received_us)
    except Exception:  # noqa: BLE001  # whatever it is, the batch must come to an end with a reason
        return _all_rejected(decoded, messages)


def _all_rejected(decoded: Decoded, messages: Sequence[Message]) -> Screened:
    reason, nothing = Reason.SCREEN_FAILED, Decoded()
    taken = [decoded.fix_message, decoded.camera_message, decoded.health_message, decoded.ack_message]
    indices, counts = np.unique(np.concatenate(taken), return_counts=True)
    rejects = [
        Rejected(
            index, None, reason, reason.sentence, bytes(messages[index].payload[:KEPT_BYTES]), None, count
        )
        for index, count in zip(indices.tolist(), counts.tolist(), strict=True)
    ]
    return Screened(
        nothing.fixes,
        nothing.fix_message,
        nothing.camera,
        nothing.camera_message,
        nothing.health,
        nothing.health_message,
        acks=[],
        received=decoded.received,
        duplicates=0,
        rejects=[*decoded.rejects, *rejects],
    )


class _Sorting(NamedTuple):
    messages: Sequence[Message]
    received_us: int
    rejects: list[Rejected]


def _keep(columns: Columns, message: NDArray[np.intp], key: tuple[str, ...], sorting: _Sorting) -> _Kept:
    """Return the rows to keep in time order a vehicle, and how many were the same as one of them."""
    if not len(columns):
        return _Kept(np.empty(0, np.intp), 0)
    time_us: NDArray[np.int64] = columns.time_us  # type: ignore[attr-defined]  # every batch has it
    old = time_us < sorting.received_us - OLDEST_US
    ahead = time_us > sorting.received_us + NEWEST_US
    _reject(columns, message, np.flatnonzero(old), Reason.TOO_OLD, sorting)
    _reject(columns, message, np.flatnonzero(ahead), Reason.FUTURE, sorting)
    rows = np.flatnonzero(~(old | ahead))
    order = _ordered(columns, rows, key)
    again = _same_as_before(columns, order, key)
    if not again.any():
        return _Kept(order, 0)
    # Equal keys stand together, the smallest content first: which one stays does not depend on order.
    rest = [name for name in columns.dtypes() if name not in key]
    order = _ordered(columns, rows, [*key, *rest])
    again = _same_as_before(columns, order, key)
    same = again & _same_as_before(columns, order, (*key, *rest))
    _reject(columns, message, order[again & ~same], Reason.CONFLICTING_DUPLICATE, sorting)
    return _Kept(order[~again], int(same.sum()))


def _ordered(columns: Columns, rows: NDArray[np.intp], names: Sequence[str]) -> NDArray[np.intp]:
    """Return the rows sorted by columns, the first of them first."""
    return np.asarray(rows[np.lexsort([getattr(columns, name)[rows] for name in reversed(names)])])


def _same_as_before(columns: Columns, order: NDArray[np.intp], names: Sequence[str]) -> NDArray[np.bool_]:
    """Mark the rows, in `order`, that agree with the one before in every named column."""
    same = np.ones(len(order), np.bool_)
    same[:1] = False
    for name in names:
        values = getattr(columns, name)[order]
        same[1:] &= values[1:] == values[:-1]
    return same


def _reject(
    columns: Columns, message: NDArray[np.intp], rows: NDArray[np.intp], reason: Reason, sorting: _Sorting
) -> None:
    """Reject rows, one entry a message: an array of ten thousand old fixes is one entry that counts them."""
    if not len(rows):
        return
    vehicle_id: NDArray[np.int32] = columns.vehicle_id  # type: ignore[attr-defined]  # every batch has it
    time_us: NDArray[np.int64] = columns.time_us  # type: ignore[attr-defined]
    indices, first, counts = np.unique(message[rows], return_index=True, return_counts=True)
    for index, row, count in zip(indices.tolist(), rows[first].tolist(), counts.tolist(), strict=True):
        payload = bytes(sorting.messages[index].payload[:KEPT_BYTES])
        vehicle = int(vehicle_id[row])
        detail = reason.sentence
        if reason in {Reason.TOO_OLD, Reason.FUTURE}:
            detail += f" {_said_of_time(int(time_us[row]), sorting.received_us)}"
        sorting.rejects.append(Rejected(index, None, reason, detail, payload, vehicle, count))


def _said_of_time(time_us: int, received_us: int) -> str:
    """Return the time as it was read, and what it looks like."""
    read = f"Read: {to_datetime(time_us).isoformat()}."
    if abs(received_us - time_us - GPS_ROLLOVER_US) > DAY_US:
        return read
    return f"{read} That is 1,024 weeks back: the receiver counts GPS weeks from zero again."
