"""How much of what is refused is kept, and of what all that came is there."""

from __future__ import annotations

import pytest

from fleet.units import MICROSECONDS
from fleet.wire.batch import KEPT_BYTES, Published, Rejected
from fleet.wire.reasons import Reason
from ingest.pipeline.log import Batch, Refused
from ingest.pipeline.parts import Part, whole
from ingest.pipeline.rejects import WHOLE_BYTES, WHOLE_BYTES_OF_SENDER, RejectQuota
from tests.unit.ingest.test_parts import screened

HOUR_US = 3600 * MICROSECONDS
TOPIC = "kerbsafe/v1/acme/T9/history"


def reject(payload: bytes, vehicle_id: int | None = None, **fields: object) -> Rejected:
    made = Rejected(0, None, Reason.UNKNOWN_VEHICLE, "", payload[:KEPT_BYTES], vehicle_id)
    return made._replace(**fields)


@pytest.mark.parametrize(
    ("payload", "fields", "kept_bytes", "retriable"),
    [
        (b"{}", {}, 2, True),
        (b"x" * (KEPT_BYTES - 1), {}, KEPT_BYTES - 1, True),
        (b"x" * 100_000, {}, 100_000, True),
        (b"", {}, 0, False),  # there is nothing to read
        (b"x" * 100_000, {"element": 3}, KEPT_BYTES, False),  # one element, and where it ends is not known
        (b"{}", {"element": 3}, 2, True),
        (b"{}", {"reason": Reason.CONFLICTING_DUPLICATE}, 2, False),  # nothing to mend
        (b"{}", {"reason": Reason.UNSTORABLE}, 2, False),  # the columns, not what was sent
        (b"x" * (WHOLE_BYTES_OF_SENDER + 1), {}, KEPT_BYTES, False),
    ],
)
def test_what_is_there_to_the_last_byte_can_be_read_again(
    payload: bytes, fields: dict[str, object], kept_bytes: int, retriable: bool
) -> None:
    (row,) = RejectQuota().rows([(TOPIC, payload, reject(payload, **fields))], 0).kept
    assert (len(row.payload), row.retriable) == (kept_bytes, retriable)


def test_what_the_log_did_not_keep_cannot() -> None:
    refused = Refused(TOPIC, b"x" * KEPT_BYTES, 700, 4, Reason.TOO_MUCH_WAITING)
    part: Part = whole(Batch([Published(TOPIC, b"{}")], 0, "live", 2, None, [refused]), screened(0), {})
    of_log = part.screened.rejects[-1]
    (row,) = RejectQuota().rows([(part.topic(of_log), part.payload(of_log), of_log)], 0).kept
    assert (row.topic, row.observations, len(row.payload), row.retriable) == (TOPIC, 700, KEPT_BYTES, False)


def test_the_room_of_an_hour_is_shared() -> None:
    """A sender has half of it, so that one that sends rubbish leaves some to the others."""
    quota, megabyte = RejectQuota(), b"x" * (1 << 20)

    def kept(vehicle_id: int | None, at_us: int = 0) -> int:
        rows = quota.rows([(TOPIC, megabyte, reject(megabyte, vehicle_id))] * 6, at_us).kept
        return sum(row.retriable for row in rows)

    assert (WHOLE_BYTES_OF_SENDER >> 20, WHOLE_BYTES >> 20) == (4, 8)
    assert [kept(None), kept(7), kept(8), kept(None)] == [4, 4, 0, 0]
    assert kept(8, HOUR_US) == 4
