"""Whose turn it is: live before history, but history not never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.mqtt.inbox import Chunk, Inbox
from ingest.mqtt.mqtt_link import Address
from ingest.mqtt.mqtt_log import MqttLog, MqttOptions
from ingest.mqtt.salvage import Salvaged

if TYPE_CHECKING:
    from collections.abc import Sequence

OPTIONS = MqttOptions(
    Address("127.0.0.1", 1), batch_messages=80, linger_s=0.002, history_receive_max=20, history_every_s=0.05
)


class NoLine:
    def acknowledge(self, packet_ids: Sequence[int]) -> int:  # noqa: ARG002 - the interface of a connection
        return 0


def put(inbox: Inbox, count: int, arrived_s: float = 0.0) -> None:
    if count:
        messages = [Salvaged("a/fix", b"{}", i, duplicate=False) for i in range(1, count + 1)]
        inbox.put(Chunk(list(messages), 10 * count, arrived_s, NoLine()))


@pytest.mark.parametrize(
    ("live", "history", "rested_s", "turn"),
    [
        (0, 0, 1.00, None),
        (1, 0, 1.00, "live"),
        (0, 5, 0.00, "history"),
        (10, 5, 0.04, "live"),
        (10, 5, 0.06, "history"),  # live traffic of a city is never quite idle: one batch in 50 ms is history
        (11, 5, 1.00, "live"),  # more than an eighth of a batch is a pile
        (80, 20, 99.0, "live"),
    ],
)
async def test_live_goes_first_and_history_when_little_is_pending(
    live: int, history: int, rested_s: float, turn: str | None
) -> None:
    log = MqttLog(OPTIONS, now_us=lambda: 0)
    put(log._history.inbox, 1)
    log._cut("history", 100.0)
    put(log._live.inbox, live)
    put(log._history.inbox, history)
    assert log._choose(100.0 + rested_s) == turn


@pytest.mark.parametrize(
    ("pending", "age_s", "wait_s"), [(1, 0.0, 0.002), (1, 0.0015, 0.0005), (1, 0.1, -0.098), (80, 0.0, 0.0)]
)
async def test_a_young_batch_waits_for_company_unless_it_is_full(
    pending: int, age_s: float, wait_s: float
) -> None:
    log = MqttLog(OPTIONS, now_us=lambda: 0)
    put(log._live.inbox, pending, arrived_s=7.0)
    assert log._company_in_s("live", 7.0 + age_s) == pytest.approx(wait_s)


async def test_caught_up_is_since_the_last_batch_that_left_something_behind() -> None:
    now_us = 1_000
    log = MqttLog(OPTIONS, now_us=lambda: now_us)
    assert log.caught_up_since_us is None, "not connected"
    log._live.connected_since_us = 900
    assert log.caught_up_since_us == 900
    put(log._live.inbox, 81)
    assert log.caught_up_since_us is None, "messages pile up"
    log.release(log._cut("live", 0.0))
    assert log.caught_up_since_us == 1_000, "the broker may have had more than that"
    now_us = 2_000
    put(log._live.inbox, 5)
    log.release(log._cut("live", 0.0))
    assert log.caught_up_since_us == 1_000
    log._live.connected_since_us = 3_000
    assert log.caught_up_since_us == 3_000, "connected again"
