"""Payloads of one kind to structs: a fast path for whole payloads, an exact one that names what is wrong.

Both use the same typed decoder, so they cannot disagree about what is right. The exact path cuts an array
into its elements' bytes and decodes each alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from msgspec.json import Decoder

from fleet.wire.batch import KEPT_BYTES, Rejected
from fleet.wire.reasons import Reason
from fleet.wire.v1.faults import fault_of
from fleet.wire.v1.payloads import (
    MAX_ELEMENTS,
    MAX_PAYLOAD_BYTES,
    MAX_TIME_US,
    MIN_TIME_US,
    AckIn,
    CameraIn,
    FixIn,
    HealthIn,
)
from fleet.wire.v1.quantising import times_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from fleet.wire.batch import Message

#: Bad elements of one message that are named one by one; the rest are counted by reason.
NAMED_ELEMENTS = 100
#: In `Rows.element`: the payload was one object, not an array.
WHOLE = -1

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_VALUE: Callable[[bytes], msgspec.Raw] = Decoder(msgspec.Raw).decode
_ELEMENTS: Callable[[bytes], list[msgspec.Raw]] = Decoder(list[msgspec.Raw]).decode


@dataclass(frozen=True, slots=True, eq=False)
class Format:
    """How payloads of one kind are decoded: one object or an array of them; one object."""

    decode: Callable[[bytes], Any]
    decode_one: Callable[[msgspec.Raw], Any]


def _format(struct: Any) -> Format:
    array = Annotated[list[struct], Meta(min_length=1, max_length=MAX_ELEMENTS)]
    return Format(Decoder(struct | array).decode, Decoder(struct).decode)


FIX, CAMERA, HEALTH, ACK = map(_format, (FixIn, CameraIn, HealthIn, AckIn))


@dataclass(slots=True)
class Rows:
    """Structs of one kind with their times, and the message and array element that each came from."""

    structs: list[Any]
    time_us: NDArray[np.int64]
    message: NDArray[np.intp]
    element: NDArray[np.intp]


@dataclass(slots=True)
class _Kept:
    """What remains of a payload that had something wrong."""

    structs: list[Any]
    elements: list[int]


def read(form: Format, messages: Sequence[Message], indices: Sequence[int], rejects: list[Rejected]) -> Rows:
    """Decode the messages at `indices`; append what cannot be taken to `rejects`."""
    payloads = [messages[i].payload for i in indices]
    values = _read_fast(form, payloads)
    if values is None:
        values = [_read_one(form, i, payload, rejects) for i, payload in zip(indices, payloads, strict=True)]
    structs, message, element = _flattened(values, indices)
    rows = Rows(structs, times_us(structs), message, element)
    possible = (rows.time_us >= MIN_TIME_US) & (rows.time_us <= MAX_TIME_US)
    return rows if possible.all() else _without_impossible_times(rows, possible, messages, rejects)


def count_observations(payload: bytes) -> int:
    """Return how many observations a payload holds that nobody reads; 1 where that cannot be told."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        return 1
    try:
        return max(1, len(_split(payload)[0]))
    except _UNREADABLE:
        return 1


def _read_fast(form: Format, payloads: list[bytes]) -> list[Any] | None:
    """Return the value of each payload, or None if one of them needs a closer look."""
    if max(map(len, payloads), default=0) > MAX_PAYLOAD_BYTES or not all(map(bytes.isascii, payloads)):
        return None
    decode = form.decode
    try:
        return [decode(payload) for payload in payloads]
    except _UNREADABLE:
        return None


def _read_one(form: Format, i: int, payload: bytes, rejects: list[Rejected]) -> Any:
    """Return the value of one payload, or what remains of it."""
    fault = _fault_of_bytes(payload)
    if fault is None:
        try:
            return form.decode(payload)
        except _UNREADABLE:
            return _read_elements(form, i, payload, rejects)
    rejects.append(_reject(i, WHOLE, *fault, payload))
    return _Kept([], [])


def _fault_of_bytes(payload: bytes) -> tuple[Reason, str] | None:
    """Return what is wrong with a payload before it is looked at as JSON."""
    if not payload:
        return Reason.EMPTY_PAYLOAD, "no bytes"
    if len(payload) > MAX_PAYLOAD_BYTES:
        return Reason.PAYLOAD_TOO_LARGE, f"{len(payload)} bytes; at most {MAX_PAYLOAD_BYTES}"
    try:
        # The decoder does not look into the text of fields that it skips.
        payload.isascii() or payload.decode()
    except UnicodeDecodeError as error:
        return fault_of(error)
    return None


def _read_elements(form: Format, i: int, payload: bytes, rejects: list[Rejected]) -> _Kept:
    """Decode a payload element by element, and name what is wrong with each that cannot be taken."""
    try:
        elements, numbers = _split(payload)
    except _UNREADABLE as error:
        rejects.append(_reject(i, WHOLE, *fault_of(error), payload))
        return _Kept([], [])
    if not 1 <= len(elements) <= MAX_ELEMENTS:
        fault = _reject(i, WHOLE, *_fault_of_length(len(elements)), payload)
        rejects.append(fault._replace(observations=max(1, len(elements))))
        return _Kept([], [])
    return _read_each(form, i, payload, zip(numbers, elements, strict=True), rejects)


def _read_each(
    form: Format,
    i: int,
    payload: bytes,
    elements: Iterable[tuple[int, msgspec.Raw]],
    rejects: list[Rejected],
) -> _Kept:
    kept, unnamed = _Kept([], []), Counter[Reason]()
    named = len(rejects) + NAMED_ELEMENTS
    for number, element in elements:
        try:
            kept.structs.append(form.decode_one(element))
            kept.elements.append(number)
        except _UNREADABLE as error:
            reason, detail = fault_of(error)
            if len(rejects) < named:
                rejects.append(_reject(i, number, reason, detail, bytes(element)))
            else:
                unnamed[reason] += 1
    rejects += _folded(i, unnamed, payload)
    return kept


def _split(payload: bytes) -> tuple[Sequence[msgspec.Raw], Iterable[int]]:
    """Return the bytes of each element of an array with its number, or of the only value; it is JSON then."""
    if not payload.lstrip(b" \t\r\n").startswith(b"["):
        return [_VALUE(payload)], [WHOLE]
    elements = _ELEMENTS(payload)
    return elements, range(len(elements))


def _fault_of_length(length: int) -> tuple[Reason, str]:
    if length:
        return Reason.TOO_MANY_ELEMENTS, f"{length} elements; at most {MAX_ELEMENTS}"
    return Reason.EMPTY_PAYLOAD, "an array without elements"


def _reject(i: int, element: int, reason: Reason, detail: str, payload: bytes) -> Rejected:
    return Rejected(i, None if element == WHOLE else element, reason, detail, payload[:KEPT_BYTES])


def _folded(i: int, unnamed: Counter[Reason], payload: bytes) -> list[Rejected]:
    return [
        _reject(i, WHOLE, reason, "more elements of this message", payload)._replace(observations=count)
        for reason, count in unnamed.items()
    ]


def _flattened(
    values: list[Any], indices: Sequence[int]
) -> tuple[list[Any], NDArray[np.intp], NDArray[np.intp]]:
    """Return the structs in a row, with the message and element of each."""
    if {list, _Kept}.isdisjoint(map(type, values)):  # the usual case, without a loop
        return values, np.array(indices, np.intp), np.full(len(values), WHOLE, np.intp)
    parts = [_part(value) for value in values]
    counts = [len(part.structs) for part in parts]
    structs = list(chain.from_iterable(part.structs for part in parts))
    elements = np.fromiter(chain.from_iterable(part.elements for part in parts), np.intp, len(structs))
    return structs, np.repeat(np.array(indices, np.intp), counts), elements


def _part(value: Any) -> _Kept:
    if isinstance(value, _Kept):
        return value
    return _Kept(value, list(range(len(value)))) if isinstance(value, list) else _Kept([value], [WHOLE])


def _without_impossible_times(
    rows: Rows, possible: NDArray[np.bool_], messages: Sequence[Message], rejects: list[Rejected]
) -> Rows:
    """Reject what an offset has moved out of the years 1 to 9999."""
    for row in np.flatnonzero(~possible).tolist():
        i, element = int(rows.message[row]), int(rows.element[row])
        detail = "the offset moves the time out of the years 1 to 9999"
        rejects.append(_reject(i, element, Reason.BAD_TIME, detail, messages[i].payload))
    structs = [struct for struct, ok in zip(rows.structs, possible.tolist(), strict=True) if ok]
    return Rows(structs, rows.time_us[possible], rows.message[possible], rows.element[possible])
