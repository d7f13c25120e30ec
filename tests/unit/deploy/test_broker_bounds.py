"""What deploy/mosquitto lets the broker hold."""

from __future__ import annotations

from pathlib import Path

import pytest

DEPLOYED = Path(__file__).resolve().parents[3] / "deploy/mosquitto"
#: Of Mosquitto a message beside its payload (docs/operations.md, Capacity).
MESSAGE_BYTES = 500
#: Of container and unit.
MEMORY_BYTES = 4 * 2**30


@pytest.mark.parametrize("file", ["mosquitto.conf", "systemd.conf"])
def test_what_both_sessions_of_ingest_may_hold_leaves_room(file: str) -> None:
    """A broker without a byte left would not let ingest in that could empty it."""
    text = (DEPLOYED / file).read_text("utf-8")
    said = dict(line.split(" ", 1) for line in text.splitlines() if line.startswith("max_"))
    of_a_session = (
        int(said["max_queued_messages"]) * MESSAGE_BYTES
        + int(said["max_queued_bytes"])
        + int(said["max_inflight_bytes"])
    )
    assert 2 * of_a_session < 0.9 * MEMORY_BYTES
