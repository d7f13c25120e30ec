"""What is held of one session: chunks in, batches out, and nothing lost in the count."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.mqtt.inbox import Chunk, Inbox, Limits
from ingest.mqtt.mqtt_link import FIRST_RETRY_S, LAST_RETRY_S, retry_delays
from ingest.mqtt.salvage import Salvaged

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMITS = Limits(unreleased_bytes=1_000, unreleased_messages=50, batch_messages=8, batch_bytes=400)


class Line:
    """A connection: notes what is acknowledged, as long as it stands."""

    def __init__(self) -> None:
        self.acknowledged: list[int] = []
        self.stands = True

    def acknowledge(self, packet_ids: Sequence[int]) -> int:
        if not self.stands:
            return 0
        self.acknowledged += packet_ids
        return len(packet_ids)


def chunk(line: Line, ids: Sequence[int | None], size: int = 10, arrived_s: float = 0.0) -> Chunk:
    messages = [Salvaged("a/fix", b"%d" % (i or 0), i, duplicate=False) for i in ids]
    return Chunk(list(messages), size * len(ids), arrived_s, line)


def test_a_batch_is_whole_chunks_until_a_limit_is_reached() -> None:
    line, inbox = Line(), Inbox(LIMITS)
    for ids in ([1, 2, 3], [4, 5, 6], [7, 8, 9], [10]):
        inbox.put(chunk(line, ids))
    assert inbox.is_capped
    assert [m.packet_id for m in inbox.cut().messages] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [m.packet_id for m in inbox.cut().messages] == [10]
    assert inbox.cut().messages == []


def test_bytes_limit_a_batch_too() -> None:
    line, inbox = Line(), Inbox(LIMITS)
    for i in range(1, 5):
        inbox.put(chunk(line, [i], size=200))
    assert [len(inbox.cut().messages), len(inbox.cut().messages)] == [2, 2]


def test_only_released_messages_are_acknowledged_once_and_in_order() -> None:
    line, inbox = Line(), Inbox(LIMITS)
    inbox.put(chunk(line, [5, None, 3]))
    inbox.put(chunk(line, [9]))
    ticket = inbox.cut()
    assert line.acknowledged == []
    inbox.release(ticket)
    inbox.release(ticket)
    assert line.acknowledged == [5, 3, 9]
    assert inbox.counters.acknowledged == 3
    assert (inbox.unreleased_messages, inbox.unreleased_bytes) == (0, 0)


def test_each_connection_is_told_of_its_own_messages_only() -> None:
    old, new, inbox = Line(), Line(), Inbox(LIMITS)
    inbox.put(chunk(old, [1, 2]))
    old.stands = False
    inbox.put(chunk(new, [1]))
    inbox.release(inbox.cut())
    assert (old.acknowledged, new.acknowledged) == ([], [1])
    assert (inbox.counters.acknowledged, inbox.counters.acknowledgements_dropped) == (1, 2)


@pytest.mark.parametrize(
    ("messages", "size", "full"), [(50, 1, False), (51, 1, True), (4, 249, False), (4, 250, True)]
)
def test_it_is_full_at_its_bytes_and_above_its_messages(messages: int, size: int, full: bool) -> None:
    inbox = Inbox(LIMITS)
    inbox.put(chunk(Line(), range(1, messages + 1), size=size))
    assert inbox.is_full is full
    ticket = inbox.cut()
    assert inbox.is_full is full, "handing out is not releasing"
    inbox.release(ticket)
    assert not inbox.is_full


@pytest.mark.parametrize(("messages", "size", "behind"), [(1, 50, False), (2, 1, True), (1, 51, True)])
def test_messages_pile_up_above_an_eighth_of_a_batch(messages: int, size: int, behind: bool) -> None:
    inbox = Inbox(LIMITS)
    inbox.put(chunk(Line(), range(1, messages + 1), size=size))
    assert inbox.is_behind is behind


@given(st.lists(st.one_of(st.just("cut"), st.just("release"), st.integers(1, 12)), max_size=60))
def test_the_count_adds_up_whatever_happens(steps: list[str | int]) -> None:
    line, inbox = Line(), Inbox(LIMITS)
    sent, tickets, cut = 0, [], 0
    for step in steps:
        if step == "cut":
            tickets.append(inbox.cut())
            cut += len(tickets[-1].messages)
        elif step == "release" and tickets:
            inbox.release(tickets.pop(0))
        elif isinstance(step, int):
            inbox.put(chunk(line, range(sent + 1, sent + step + 1)))
            sent += step
        assert inbox.pending_messages == sent - cut
        assert inbox.pending_bytes == 10 * inbox.pending_messages
        assert inbox.unreleased_messages == sent - len(line.acknowledged)
        assert inbox.unreleased_bytes == 10 * inbox.unreleased_messages
        assert line.acknowledged == list(range(1, len(line.acknowledged) + 1))
    assert (inbox.counters.received_messages, inbox.counters.received_bytes) == (sent, 10 * sent)


def test_retries_come_quickly_at_first_and_regularly_later() -> None:
    delays = list(islice(retry_delays(), 12))
    assert FIRST_RETRY_S / 2 <= delays[0] <= FIRST_RETRY_S
    assert all(LAST_RETRY_S / 2 <= delay <= LAST_RETRY_S for delay in delays[8:])
    assert len(set(delays)) == 12, "drawn by lot, so that processes do not knock together"


def large(line: Line, packet_id: int, kib: int, topic: str = "a/fix") -> Chunk:
    """A large message that came with two small ones."""
    payload = b'{"time":1},' * (kib * 1024 // 11)
    messages = [
        Salvaged("b/fix", b"1", 100 * packet_id, duplicate=False),
        Salvaged(topic, payload, packet_id, duplicate=False),
        Salvaged("b/fix", b"2", 100 * packet_id + 1, duplicate=False),
    ]
    return Chunk(list(messages), len(payload) + 20, 0.0, line, largest_bytes=len(payload))


def test_no_small_message_stands_behind_a_large_one() -> None:
    line, inbox = Line(), Inbox(LIMITS)
    inbox.put(large(line, 1, kib=65))
    inbox.put(chunk(line, [2]))
    small, alone = inbox.cut(), inbox.cut_large()
    assert [m.packet_id for m in small.messages] == [100, 101, 2]
    assert [m.packet_id for m in alone.messages] == [1]
    inbox.release(small)
    assert line.acknowledged == [100, 101, 2]
    inbox.release(alone)
    assert (inbox.unreleased_messages, inbox.unreleased_bytes) == (0, 0)


def test_of_large_messages_a_topic_has_room_for_so_many_bytes() -> None:
    """Until they are released; another topic has its own room, and a message alone may be of any size."""
    limits = Limits(10**9, 50, 8, 400, large_bytes_of_topic=200 * 1024)
    line, inbox = Line(), Inbox(limits)
    for packet_id in (1, 2, 3):
        inbox.put(large(line, packet_id, kib=90))
    inbox.put(large(line, 4, kib=300, topic="c/fix"))
    assert inbox.pending_large == 3
    assert inbox.counters.refused == 1
    small = inbox.cut()
    (refused,) = small.refused
    assert (refused.topic, refused.packet_id, refused.observations) == ("a/fix", 3, 90 * 1024 // 11)
    assert len(refused.payload) == 4096
    inbox.release(small)
    assert 3 in line.acknowledged, "it is counted as a reject and not asked for again"
    handed_out = inbox.cut_large()
    inbox.put(large(line, 5, kib=90))
    assert len(inbox.cut().refused) == 1, "handed out is not released"
    inbox.release(handed_out)
    inbox.put(large(line, 6, kib=90))
    assert inbox.cut().refused == []


def test_where_all_can_wait_large_messages_are_among_the_others() -> None:
    """On the session of history: in order, none refused however many of a topic wait, and none forgotten."""
    line, inbox = Line(), Inbox(Limits(10**9, 200, 200, 10**9, large_bytes_of_topic=None))
    for packet_id in range(1, 61):
        inbox.put(large(line, packet_id, kib=90))
    assert (inbox.pending_large, inbox.has_pending) == (0, True)
    ticket = inbox.cut()
    assert [m.packet_id for m in ticket.messages if m.packet_id < 100] == [*range(1, 61)]
    assert ticket.refused == []
    inbox.release(ticket)
    assert (inbox.unreleased_messages, inbox.unreleased_bytes) == (0, 0)


def test_what_is_too_large_at_all_is_named_so_and_takes_nobodys_room() -> None:
    line, inbox = Line(), Inbox(LIMITS)
    for packet_id in (1, 2):
        inbox.put(large(line, packet_id, kib=4 * 1024 + 1))
    refused = inbox.cut().refused
    assert [(one.reason, one.observations) for one in refused] == [("payload_too_large", 1)] * 2
    assert (inbox.pending_large, inbox.unreleased_bytes) == (0, 40)


def test_a_refused_message_alone_makes_a_batch() -> None:
    """So that it is counted and acknowledged although nothing else comes."""
    line, inbox = Line(), Inbox(LIMITS)
    payload = b"x" * (3 << 20)
    for packet_id in (1, 2):
        messages = [Salvaged("a/fix", payload, packet_id, duplicate=False)]
        inbox.put(Chunk(list(messages), len(payload), 0.0, line, largest_bytes=len(payload)))
    assert inbox.has_pending
    ticket = inbox.cut()
    assert ([*ticket.messages], [one.packet_id for one in ticket.refused]) == ([], [2])
    inbox.release(ticket)
    assert line.acknowledged == [2]
