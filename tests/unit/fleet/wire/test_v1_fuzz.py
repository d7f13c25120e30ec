"""Any bytes and any topics: nothing is raised, every observation is accounted for, none changes hands."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from fleet.wire.reasons import Reason
from fleet.wire.v1 import Published, decode

if TYPE_CHECKING:
    from fleet.columns import Columns
    from fleet.wire.v1 import Decoded, Directory

#: Reasons that are said of a message as a whole because nobody can read it.
UNREADABLE = {
    Reason.EMPTY_PAYLOAD,
    Reason.NOT_UTF8,
    Reason.MALFORMED_JSON,
    Reason.NESTED_TOO_DEEPLY,
}

good = st.builds(
    lambda ms, lat, lon, more: {"time": ms, "lat": lat, "lon": lon} | more,
    st.integers(1_700_000_000_000, 1_800_000_000_000),
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.fixed_dictionaries(
        {},
        optional={
            "speed_kmh": st.floats(0, 400),
            "ignition": st.booleans(),
            "load": st.sampled_from(["empty", "loaded"]),
            "datum": st.sampled_from(["wgs84", "gcj02", "bd09"]),
            "signals": st.fixed_dictionaries({}, optional={"brake": st.booleans()}),
        },
    ),
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
FIELDS = [
    "time",
    "lat",
    "lon",
    "speed_kmh",
    "satellites",
    "signals",
    "datum",
    "id",
    "side",
    "phase",
    "camera",
    "x",
]
odd = st.builds(
    lambda base, extra: base | extra, good, st.dictionaries(st.sampled_from(FIELDS), anything, max_size=2)
)
elements = st.one_of(good, odd, anything)
documents = (elements | st.lists(elements, max_size=5)).map(lambda value: json.dumps(value).encode())


@st.composite
def mutilated(draw: st.DrawFn) -> bytes:
    """Good bytes with a part cut out, put in twice, or replaced by other bytes."""
    data = draw(documents)
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 8)))
    return (
        data[:start] + draw(st.sampled_from([b"", data[start:end] * 2]) | st.binary(max_size=4)) + data[end:]
    )


payloads = st.one_of(documents, mutilated(), st.binary(max_size=30))
kinds = st.sampled_from(["fix", "history", "camera", "health", "ack", "command"])
topics = st.one_of(
    kinds.map("kerbsafe/v1/jiaxing/truck-1/{}".format),
    kinds.map("kerbsafe/v1/jiaxing/truck-2/{}".format),
    st.text(max_size=20),
    st.text(max_size=8).map("kerbsafe/v1/jiaxing/{}/fix".format),
)
messages = st.builds(Published, topics, payloads)


def rows(columns: Columns, message: np.ndarray) -> list[tuple[object, ...]]:
    """Return each row with the message it came from."""
    return list(
        zip(message.tolist(), *(getattr(columns, name).tolist() for name in columns.dtypes()), strict=True)
    )


def content(result: Decoded, first: int = 0) -> list[object]:
    """Return all that a result says, with `first` added to the numbers of messages."""
    parts = (
        rows(result.fixes, result.fix_message + first),
        rows(result.camera, result.camera_message + first),
        rows(result.health, result.health_message + first),
        [(int(i) + first, *ack) for i, ack in zip(result.ack_message, result.acks, strict=True)],
        [reject._replace(message=reject.message + first) for reject in result.rejects],
    )
    return [*parts]


def observations(result: Decoded) -> Counter[int]:
    """Return how many observations are accounted for of each message."""
    counted = Counter[int]()
    for index in (result.fix_message, result.camera_message, result.health_message, result.ack_message):
        counted.update(index.tolist())
    for reject in result.rejects:
        counted[reject.message] += reject.observations
    return counted


@given(st.lists(messages, max_size=6))
@example([Published("kerbsafe/v1/jiaxing/truck-1/fix", b"[" * 5000), Published("", b"")])
def test_every_observation_is_accounted_for(directory: Directory, batch: list[Published]) -> None:
    result = decode(batch, directory)
    counted = observations(result)
    assert result.received == counted.total()
    assert sorted(counted) == list(range(len(batch)))
    unreadable = {
        reject.message for reject in result.rejects if reject.reason in UNREADABLE and reject.element is None
    }
    for i, message in enumerate(batch):
        assert counted[i] == (1 if i in unreadable else elements(message.payload))


def elements(payload: bytes) -> int:
    """Return how many elements an array has; 1 of anything else, also of what is no JSON."""
    try:
        value = json.loads(payload, parse_constant=int)  # NaN is none: int() refuses it
    except (ValueError, RecursionError):
        return 1
    return max(1, len(value)) if isinstance(value, list) else 1


@given(st.lists(messages, max_size=6))
def test_a_message_means_the_same_whatever_it_is_batched_with(
    directory: Directory, batch: list[Published]
) -> None:
    """No bytes of one device can make, shift or hide an observation of another."""
    together = content(decode(batch, directory))
    alone: list[list[object]] = [[], [], [], [], []]
    for i, message in enumerate(batch):
        for part, more in zip(alone, content(decode([message], directory), first=i), strict=True):
            part.extend(more)  # type: ignore[arg-type]
    assert together == alone


FIX = '{"time":1,"lat":%d,"lon":2}'


def test_bytes_that_would_shift_values_in_a_joined_text(directory: Directory) -> None:
    """What a decoder of joined lines would read as values of the neighbours stays a reject of the sender."""
    attacks = [
        [f"{FIX % 8} {FIX % 9}", ""],
        [f"{FIX % 8}\n{FIX % 9}", " "],
        [f"[{FIX % 8}", f"{FIX % 9}]"],
        ['{"time":1,"lat":8,"x":"', '","lon":2}'],
        ['{"time":1,', '"lat":8,"lon":2}'],
    ]
    for first, last in attacks:
        payloads = [first, FIX % 1, FIX % 2, last]
        trucks = ["truck-1", "truck-2", "truck-2", "truck-1"]
        batch = [
            Published(f"kerbsafe/v1/jiaxing/{truck}/fix", payload.encode())
            for truck, payload in zip(trucks, payloads, strict=True)
        ]
        result = decode(batch, directory)
        assert result.fix_message.tolist() == [1, 2]
        assert result.fixes.lat_udeg.tolist() == [1_000_000, 2_000_000]
        assert result.fixes.vehicle_id.tolist() == [2, 2]
        assert [reject.message for reject in result.rejects] == [0, 3]


@given(st.lists(good, min_size=1, max_size=8), st.data())
def test_good_fixes_are_kept_beside_anything(
    directory: Directory, fixes: list[dict[str, object]], data: st.DataObject
) -> None:
    """However bad its neighbours in the array, a good element gives the fix that it gives alone."""
    array: list[object] = [*fixes]
    for value in data.draw(st.lists(anything.filter(lambda v: not isinstance(v, dict)), max_size=3)):
        array.insert(data.draw(st.integers(0, len(array))), value)
    payload = json.dumps(array).encode()
    try:
        msgspec.json.decode(payload)
    except msgspec.DecodeError:  # NaN, or half a surrogate pair
        return
    topic = "kerbsafe/v1/jiaxing/truck-1/history"
    together = decode([Published(topic, payload)], directory)
    alone = decode([Published(topic, json.dumps(fix).encode()) for fix in fixes], directory)
    assert len(alone.fixes) == len(fixes)
    assert all(
        np.array_equal(getattr(together.fixes, name), getattr(alone.fixes, name))
        for name in alone.fixes.dtypes()
    )
    assert len(together.rejects) == len(array) - len(fixes)
