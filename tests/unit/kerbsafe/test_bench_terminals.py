"""Frames that the bench of terminals builds in columns are those of the codec."""

from __future__ import annotations

import resource

import pytest

from fleet import open_files
from fleet.wire.jt808 import Cutter, decode
from kerbsafe.bench import gatewaying
from kerbsafe.bench.reporting import Reports

#: 2026-03-15 10:15:30 in Beijing.
AT_S = 1_773_540_930
#: A count of reports at which a serial holds a byte that is escaped.
ESCAPED = 0x7E


@pytest.mark.parametrize("serial", [0, ESCAPED, 0x1_0002])
def test_each_terminals_frame_is_one_of_the_codec(serial: int) -> None:
    phones = [f"139{number:08d}" for number in range(102)]
    frames = Reports(phones).frames(AT_S, serial, since_s=3)
    read = [decode(one) for one in Cutter().feed(b"".join(frames))]
    assert [one.faults for one in read] == [()] * len(phones)
    assert [one.header and (one.header.phone, one.header.serial) for one in read] == [
        (phone, serial & 0xFFFF) for phone in phones
    ]
    # A hundred to a line, a thousandth of a degree apart; each 90 millionths further north a second.
    assert [(p.lat_udeg, p.lon_udeg, p.time_digits) for one in read[99:102] for p in one.positions] == [
        (30_600_270, 120_699_000, "260315101530"),
        (30_601_270, 120_600_000, "260315101530"),
        (30_601_270, 120_601_000, "260315101530"),
    ]
    assert [[item.id for item in p.items] for p in read[0].positions] == [[0x01, 0x03, 0x25, 0x31]]


def test_a_limit_of_open_files_that_cannot_be_had_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 1_000))
    monkeypatch.setattr(resource, "setrlimit", lambda _what, _limits: None)
    assert open_files.raise_limit(500) == 500
    assert open_files.raise_limit(50) == 100
    with pytest.raises(
        gatewaying.TerminalsError, match=r"10200 files .* this process 1000: raise the hard limit"
    ):
        gatewaying.measure(terminals=10_000, seconds=1)
