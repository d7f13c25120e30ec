"""A registry of two vehicles, and one call that decodes payloads of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fleet.wire.reasons import Reason
from fleet.wire.v1 import Decoded, Published, decode

if TYPE_CHECKING:
    from collections.abc import Callable


class TwoTrucks:
    """jiaxing has truck-1 (id 1) and truck-2 (id 2); haiyan has no truck."""

    def find(self, company: str, vehicle: str, /) -> int | Reason:
        if company not in {"jiaxing", "haiyan"}:
            return Reason.UNKNOWN_COMPANY
        if vehicle not in {"truck-1", "truck-2"}:
            return Reason.UNKNOWN_VEHICLE
        return int(vehicle[-1]) if company == "jiaxing" else Reason.WRONG_COMPANY


@pytest.fixture(scope="session")
def directory() -> TwoTrucks:
    return TwoTrucks()


@pytest.fixture(scope="session")
def decoded(directory: TwoTrucks) -> Callable[..., Decoded]:
    """Decode payloads (texts or bytes) of truck-1, all of one kind."""

    def decode_payloads(*payloads: str | bytes, kind: str = "fix") -> Decoded:
        as_bytes = (p.encode() if isinstance(p, str) else p for p in payloads)
        return decode([Published(f"kerbsafe/v1/jiaxing/truck-1/{kind}", p) for p in as_bytes], directory)

    return decode_payloads
