"""Messages that came in fragments: put together again, within bounds of memory and time.

A set is told by telephone, message id and number of fragments, and a fragment is placed by its index: the
serials of one set have gaps in practice, and say only that a fragment belongs to another set of that kind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fleet.wire.jt808.header import Header

_SERIALS = 1 << 16


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait, and for how long."""

    max_fragments: int = 2048
    max_sets: int = 8
    max_bytes: int = 4 << 20
    #: After so long without a fragment the missing ones are asked for.
    quiet_s: float = 5.0
    #: How often.
    requests: int = 3
    #: After so long without a fragment a set is given up.
    timeout_s: float = 60.0
    #: Serials of a set that other messages may have taken.
    serial_gap: int = 32


class Whole(NamedTuple):
    """A message whose fragments have all arrived; the header is that of the last to arrive."""

    header: Header
    body: bytes
    #: Headers of the fragments that are not acknowledged yet, in order.
    owed: tuple[Header, ...] = ()


class Missing(NamedTuple):
    """Fragments to ask a terminal for (0x8003)."""

    header: Header
    first_serial: int
    indexes: list[int]


class _Key(NamedTuple):
    phone_bcd: bytes
    message_id: int
    total: int


@dataclass(slots=True)
class _Set:
    header: Header
    first_serial: int
    touched_s: float
    asked_s: float
    parts: dict[int, bytes] = field(default_factory=dict)
    owed: dict[int, Header] = field(default_factory=dict)
    requests: int = 0

    @property
    def size(self) -> int:
        return sum(map(len, self.parts.values()))


@dataclass(slots=True)
class Assembler:
    """Sets that are not whole yet.

    Attributes
    ----------
    given_up : int
        Sets so far that were dropped: too old, too large, or mixed with another.
    """

    bounds: Bounds = field(default_factory=Bounds)
    given_up: int = 0
    _sets: dict[_Key, _Set] = field(default_factory=dict)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of all fragments that wait."""
        return sum(one.size for one in self._sets.values())

    def has(self, header: Header, payload: bytes) -> bool:
        """Tell whether this fragment waits already: it has been sent again, then."""
        if header.fragment is None:
            return False
        waiting = self._sets.get(_Key(header.phone_bcd, header.message_id, header.fragment.total))
        return waiting is not None and waiting.parts.get(header.fragment.index) == payload

    def add(
        self, header: Header, payload: bytes, now_s: float, *, is_acknowledged: bool = False
    ) -> Whole | None:
        """Take one fragment; return the message if it is whole now."""
        if header.fragment is None:
            return Whole(header, payload)
        total, index = header.fragment.total, header.fragment.index
        if not 1 <= index <= total:
            return None
        if total > self.bounds.max_fragments:
            self.given_up += 1
            return None
        key = _Key(header.phone_bcd, header.message_id, total)
        waiting = self._set_of(key, header, payload, now_s)
        waiting.parts[index] = payload
        waiting.owed[index] = header
        if is_acknowledged and len(waiting.parts) < total:
            del waiting.owed[index]
        waiting.touched_s = waiting.asked_s = now_s
        if len(waiting.parts) == total:
            del self._sets[key]
            body = b"".join(waiting.parts[place] for place in range(1, total + 1))
            return Whole(header, body, tuple(waiting.owed[place] for place in sorted(waiting.owed)))
        self._bound(key)
        return None

    def _set_of(self, key: _Key, header: Header, payload: bytes, now_s: float) -> _Set:
        """Return the set that a fragment belongs to: a new one if what waits is of another message."""
        index = header.fragment.index if header.fragment else 1
        first_serial = (header.serial - index + 1) % _SERIALS
        waiting = self._sets.get(key)
        if waiting is not None:
            apart = (first_serial - waiting.first_serial) % _SERIALS
            apart = min(apart, _SERIALS - apart)  # fragments may arrive in any order
            same = waiting.parts.get(index, payload) == payload
            if same and apart <= self.bounds.serial_gap + key.total:
                if index == 1:
                    waiting.first_serial = first_serial
                return waiting
            self._drop(key)
        self._sets[key] = _Set(header, first_serial, now_s, now_s)
        return self._sets[key]

    def _bound(self, newest: _Key) -> None:
        """Drop the sets that have waited longest until the rest is within the bounds."""
        while len(self._sets) > self.bounds.max_sets or self.waiting_bytes > self.bounds.max_bytes:
            others = [key for key in self._sets if key != newest] or [newest]
            self._drop(min(others, key=lambda key: self._sets[key].touched_s))

    def _drop(self, key: _Key) -> None:
        del self._sets[key]
        self.given_up += 1

    def due(self, now_s: float) -> list[Missing]:
        """Give up what is too old, and return what is to be asked for now."""
        for key in [key for key, one in self._sets.items() if now_s - one.touched_s >= self.bounds.timeout_s]:
            self._drop(key)
        asked = []
        for key, one in self._sets.items():
            if one.requests < self.bounds.requests and now_s - one.asked_s >= self.bounds.quiet_s:
                one.requests, one.asked_s = one.requests + 1, now_s
                missing = [index for index in range(1, key.total + 1) if index not in one.parts]
                asked.append(Missing(one.header, one.first_serial, missing))
        return asked
