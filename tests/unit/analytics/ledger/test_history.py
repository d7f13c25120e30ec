"""Versions: every transition, and the state as of any time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.ledger import history
from analytics.ledger.accident import LedgerError
from analytics.ledger.history import Reason, Status, Version
from tests.unit.analytics.ledger.cases import (
    EQUAL,
    LIGHT,
    PENDING,
    SERIOUS,
    accident,
    at,
    died,
    hurt,
    mixer,
    writer,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    Step = Callable[[list[Version]], object]

FIRST = accident(casualties=hurt(SERIOUS))


def reported() -> list[Version]:
    return [history.report(FIRST, writer("2016-03-13 09:00"))]


@pytest.mark.parametrize(
    ("known", "reason"),
    [("2016-03-13 09:00", Reason.NEW), ("2016-04-05 23:00", Reason.NEW), ("2016-04-06 00:10", Reason.LATE)],
)
def test_what_is_known_after_the_flash_figures_comes_late(known: str, reason: Reason) -> None:
    version = history.report(FIRST, writer("2016-07-01 09:00", known))
    assert (version.number, version.status, version.reason) == (1, Status.REPORTED, reason)


def test_the_flash_figures_of_december_are_made_in_january() -> None:
    assert history.flash_day(at("2016-12-31").date()).isoformat() == "2017-01-05"


@pytest.mark.parametrize(
    ("changed", "status", "reason"),
    [
        ({"casualties": (died("2016-03-15", SERIOUS),)}, Status.FOLLOWED_UP, Reason.DEATHS_WITHIN_7_DAYS),
        ({"casualties": (died("2016-03-25", SERIOUS),)}, Status.FOLLOWED_UP, Reason.DEATHS_WITHIN_30_DAYS),
        ({"casualties": (died("2016-06-25", SERIOUS),)}, Status.FOLLOWED_UP, Reason.CORRECTION),
        ({"vehicles": (mixer(responsibility=EQUAL),)}, Status.DETERMINED, Reason.RESPONSIBILITY),
        ({"county": "海盐县"}, Status.FOLLOWED_UP, Reason.CORRECTION),
        ({"casualties": hurt(LIGHT)}, Status.FOLLOWED_UP, Reason.CORRECTION),
    ],
)
def test_a_new_account_says_what_it_changes(changed: dict, status: Status, reason: Reason) -> None:
    version = history.revise(reported(), replace(FIRST, **changed), writer("2016-07-01 09:00"))
    assert version is not None
    assert (version.number, version.status, version.reason) == (2, status, reason)
    assert history.changed_fields(FIRST, version.facts) == list(changed)


def test_the_same_account_again_is_no_version() -> None:
    assert history.revise(reported(), FIRST, writer("2016-04-01 09:00")) is None


def test_withdrawn_merged_reinstated_closed() -> None:
    versions = reported()
    twin = [history.report(replace(FIRST, police_no="33"), writer("2016-03-14 09:00"))]
    versions.append(history.merge(versions, twin, "JX-2", writer("2016-03-15 09:00")))
    assert (versions[-1].status, versions[-1].merged_into) == (Status.WITHDRAWN, "JX-2")
    assert not versions[-1].counts
    with pytest.raises(LedgerError, match="withdrawn"):
        history.revise(versions, replace(FIRST, county="海盐县"), writer("2016-03-16 09:00"))
    versions.append(history.reinstate(versions, writer("2016-03-16 09:00")))
    versions.append(history.close(versions, writer("2016-03-17 09:00")))
    assert (versions[-1].status, versions[-1].reason) == (Status.CLOSED, Reason.CLOSED)
    later = history.revise(versions, replace(FIRST, county="海盐县"), writer("2016-03-18 09:00"))
    assert later is not None
    assert (later.number, later.status, later.reason) == (5, Status.CLOSED, Reason.CORRECTION)
    versions.append(later)
    versions.append(history.withdraw(versions, writer("2016-03-19 09:00")))
    assert versions[-1].reason is Reason.NOT_COUNTED
    with pytest.raises(LedgerError, match="withdrawn"):
        history.withdraw(versions, writer("2016-03-20 09:00"))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (lambda v: history.withdraw(v, writer("2016-04-01", why=" ")), "--why"),
        (lambda v: history.reinstate(v, writer("2016-04-01")), "nothing to reinstate"),
        (lambda v: history.close(v, writer("2016-03-13 08:00")), "clock is behind"),
        (lambda v: history.close(v, writer("2016-04-01", "2016-04-02")), "later than it is recorded"),
        (
            lambda v: history.revise(v, accident("2017-01-01"), writer("2016-04-01")),
            "lies in the future",
        ),
        (
            lambda v: history.merge(
                v, [history.report(accident("2016-03-20"), writer("2016-03-21"))], "X", writer("2016-04-01")
            ),
            "8 days apart",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(step: Step, words: str) -> None:
    with pytest.raises(LedgerError, match=words):
        step(reported())


def test_as_of_is_what_was_recorded_and_known_last() -> None:
    versions = reported()
    # What the hospital knew on the 15th is recorded in April, after what the police found on the 20th.
    police = history.revise(versions, replace(FIRST, county="海盐县"), writer("2016-03-20 12:00"))
    assert police is not None
    versions.append(police)
    hospital = history.revise(
        versions, replace(FIRST, place="东西大道"), writer("2016-04-02 12:00", "2016-03-15 12:00")
    )
    assert hospital is not None
    versions.append(hospital)
    assert history.as_of(versions, at("2016-03-12")) is None
    assert [
        history.as_of(versions, at(when)).number  # type: ignore[union-attr]
        for when in ("2016-03-14", "2016-03-20 13:00", "2016-04-03")
    ] == [1, 2, 2]
    assert [history.known_to(versions, number) for number in (1, 3, 2)] == [
        at("2016-03-15 12:00"),
        at("2016-03-20 12:00"),
        None,
    ]


hours = st.integers(0, 2_000)
steps = st.lists(st.tuples(hours, hours, st.sampled_from("ABCDE")), min_size=1, max_size=8)


def recorded(said: list[tuple[int, int, str]]) -> list[Version]:
    """Accounts as they would be recorded one after the other, each known some hours before."""
    versions: list[Version] = []
    start = at("2016-03-13")
    for recorded_at, delay, county in sorted(said):
        recorded_on = start + timedelta(hours=recorded_at)
        by = replace(
            writer("2016-03-13"), recorded_at=recorded_on, known_from=recorded_on - timedelta(hours=delay)
        )
        facts = replace(FIRST, county=county)
        version = history.revise(versions, facts, by) if versions else history.report(facts, by)
        versions += [] if version is None else [version]
    return versions


@given(steps, st.randoms(use_true_random=False), hours)
def test_any_order_of_versions_gives_the_same_answer(said: list, dice: random.Random, asked: int) -> None:
    versions = recorded(said)
    shuffled = dice.sample(versions, len(versions))
    when = at("2016-03-13") + timedelta(hours=asked)
    assert history.as_of(shuffled, when) == history.as_of(versions, when)


@given(steps)
def test_what_is_recorded_later_changes_no_old_answer(said: list) -> None:
    versions = recorded(said)
    for length, version in enumerate(versions):
        before = version.recorded_at - timedelta(microseconds=1)
        earlier = [each for each in versions[:length] if each.recorded_at < version.recorded_at]
        assert history.as_of(versions, before) == history.as_of(earlier, before)


@given(st.permutations(range(4)))
def test_accounts_recorded_in_any_order_come_to_the_same(order: list[int]) -> None:
    """Whole accounts, each known on a day of its own, recorded in any order."""
    accounts = [replace(FIRST, county=county) for county in "ABCD"]
    versions: list[Version] = []
    for place, number in enumerate(order):
        by = replace(
            writer("2016-05-01"),
            recorded_at=at("2016-05-01") + timedelta(days=place),
            known_from=at("2016-04-01") + timedelta(days=number),
        )
        version = (
            history.revise(versions, accounts[number], by)
            if versions
            else history.report(accounts[number], by)
        )
        versions += [] if version is None else [version]
    found = history.as_of(versions, at("2016-06-01"))
    assert found is not None
    assert found.facts.county == "D"


def test_pending_is_not_determined() -> None:
    facts = accident(vehicles=(mixer(responsibility=EQUAL), mixer("TX-M-002", responsibility=PENDING)))
    assert history.report(facts, writer("2016-03-13")).status is Status.REPORTED
