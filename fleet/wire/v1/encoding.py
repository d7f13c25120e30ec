"""Columns to payloads of wire v1: what simulators, `kerbsafe play` and the gateway publish.

`decode(encode(x)) == x` for columns in stored units. Times are RFC 3339 with Z; unknown values are left
out. A fix without position that has another count of satellites than 0 is sent with 0, which says it.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np

from fleet.columns import UNKNOWN, UNKNOWN_ALTITUDE_M, FixFlag
from fleet.wire.v1 import quantising
from fleet.wire.v1.payloads import MAX_ELEMENTS, AckIn, CameraIn, FixIn, HealthIn, Signals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from fleet.columns import CameraEvents, Fixes, HealthReports
    from fleet.wire.batch import Ack

_encode = msgspec.json.Encoder().encode


def encode_fixes(fixes: Fixes) -> list[bytes]:
    """Return the payload of each fix, one object each; the vehicle is told by the topic."""
    return list(map(_encode, _fix_structs(fixes)))


def encode_fix(fixes: Fixes, row: int = 0) -> bytes:
    """Return the payload of one fix."""
    return encode_fixes(fixes.take(slice(row, row + 1)))[0]


def encode_arrays(fixes: Fixes, *, elements: int = 1000) -> list[bytes]:
    """Return the fixes of one vehicle as few payloads, arrays of at most `elements`: for back-fill."""
    if not 1 <= elements <= MAX_ELEMENTS:
        msg = f"an array has 1 to {MAX_ELEMENTS} elements, not {elements}"
        raise ValueError(msg)
    encoded = encode_fixes(fixes)
    return [b"[" + b",".join(encoded[i : i + elements]) + b"]" for i in range(0, len(encoded), elements)]


def encode_camera(events: CameraEvents) -> list[bytes]:
    """Return the payload of each camera event."""
    somewhere = (events.lat_udeg != 0) | (events.lon_udeg != 0)
    columns: tuple[Iterable[Any], ...] = (
        rfc3339(events.time_us),
        events.event_id.tolist(),
        _words(events.side, quantising.SIDES),
        _words(events.phase, quantising.PHASES),
        _words(events.target, quantising.TARGETS),
        _where(somewhere, (events.lat_udeg / 1e6).tolist()),
        _where(somewhere, (events.lon_udeg / 1e6).tolist()),
        _known(events.speed_dkmh, 10),
        _texts(events.evidence),
    )
    return list(map(_encode, map(CameraIn, *columns)))


def encode_health(reports: HealthReports) -> list[bytes]:
    """Return the payload of each health report."""
    columns: tuple[Iterable[Any], ...] = (
        rfc3339(reports.time_us),
        _words(reports.camera, quantising.CAMERA_STATES),
        _words(reports.power, quantising.POWER),
        _words(reports.gnss, quantising.GNSS),
        _texts(reports.firmware),
    )
    return list(map(_encode, map(HealthIn, *columns)))


def encode_ack(ack: Ack) -> bytes:
    """Return the payload of an answer to a command."""
    time = rfc3339_of(ack.time_us)
    said = AckIn(ack.command_id, ack.result, time, ack.detail or None, ack.values, ack.by or None)  # type: ignore[arg-type]
    return _encode(said)


def rfc3339_of(time_us: int) -> str:
    """Return one time as RFC 3339 in UTC."""
    return rfc3339(np.array([time_us]))[0]


def rfc3339(time_us: NDArray[np.int64]) -> list[str]:
    """Return times as RFC 3339 in UTC, each with as many decimals (0, 3 or 6) as it needs."""
    texts = np.empty(len(time_us), object)
    whole, thousandths = time_us % 1_000_000 == 0, time_us % 1000 == 0
    units: tuple[tuple[Literal["s", "ms", "us"], NDArray[np.bool_]], ...] = (
        ("s", whole),
        ("ms", thousandths & ~whole),
        ("us", ~thousandths),
    )
    for unit, these in units:
        if these.any():
            texts[these] = np.datetime_as_string(time_us[these].astype("M8[us]"), unit=unit)
    return [f"{text}Z" for text in texts.tolist()]


def _fix_structs(fixes: Fixes) -> Iterable[FixIn]:
    no_position = (fixes.flags & FixFlag.NO_POSITION) != 0
    nowhere = (fixes.lat_udeg == 0) & (fixes.lon_udeg == 0)
    satellites = np.where(no_position & ~nowhere, 0, fixes.satellites)
    columns: tuple[Iterable[Any], ...] = (
        rfc3339(fixes.time_us),
        (fixes.lat_udeg / 1e6).tolist(),
        (fixes.lon_udeg / 1e6).tolist(),
        _known(fixes.speed_dkmh, 10),
        _known(fixes.course_deg),
        _known(fixes.altitude_m, unknown=UNKNOWN_ALTITUDE_M),
        _known(fixes.odometer_hm, 10),
        _known(satellites),
        _known(fixes.hdop_tenths, 10),
        _known(fixes.limit_kmh),
        _of_bits(fixes.flags, _IGNITION),
        _of_bits(fixes.flags, _SIGNALS),
        _of_bits(fixes.flags, _LOAD),
    )
    return map(FixIn, *columns)


def _known(column: NDArray[Any], per_unit: int = 1, *, unknown: int = UNKNOWN) -> Iterable[Any]:
    """Return the values in the payload's unit, None where unknown."""
    values = (column if per_unit == 1 else column / per_unit).tolist()
    return _where(column != unknown, values)


def _where(known: NDArray[np.bool_], values: list[Any]) -> Iterable[Any]:
    if known.all():
        return values
    if not known.any():
        return repeat(None)
    return [value if there else None for value, there in zip(values, known.tolist(), strict=True)]


def _words(column: NDArray[np.int16], codes: Mapping[Any, int]) -> list[Any]:
    """Return the word of each code, None where the code means unknown and there is no word for it."""
    words = {int(code): word for word, code in codes.items()}
    return [words[code] for code in column.tolist()]


def _texts(column: NDArray[np.object_]) -> list[str | None]:
    return [text or None for text in column.tolist()]


def _of_bits(flags: NDArray[np.int16], meanings: Mapping[int, Any]) -> Iterable[Any]:
    """Return what the bits that `meanings` is about say."""
    mask = 0
    for bits in meanings:
        mask |= bits
    values, inverse = np.unique(flags & mask, return_inverse=True)
    found = [meanings[bits] for bits in values.tolist()]
    return repeat(found[0]) if len(found) == 1 else [found[i] for i in inverse.tolist()]


def _reversed(codes: Mapping[Any, int]) -> dict[int, Any]:
    return {bits: meaning for meaning, bits in codes.items()}


_IGNITION = _reversed(quantising.IGNITION)
_LOAD = _reversed(quantising.LOAD)
_SIGNALS: dict[int, Signals | None] = {
    bits: Signals(*meaning) if bits else None for meaning, bits in quantising.SIGNALS.items()
}
