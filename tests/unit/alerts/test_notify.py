"""Why a notice is due, or why not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.notices.notify import DUE, News, Reason, Told, reason

MINUTE_US = 60_000_000
NOW_US = 2_000_000_000_000_000


def news(change: str, state: str = "open", severity: int = 3, *, late: bool = False) -> News:
    return News(change, state, severity, late, NOW_US)


def told(what: str, severity: int = 3, minutes_ago: float = 1) -> Told:
    return Told(Reason(what), severity, NOW_US - round(minutes_ago * MINUTE_US))


CASES = [
    # What is new is told once.
    (news("opened"), None, None, "raised"),
    (news("updated"), None, None, "raised"),
    (news("closed"), None, None, "raised"),
    (news("lost"), None, None, "raised"),
    (news("added"), None, None, "raised"),
    (news("opened", "acknowledged"), None, None, "raised"),
    (news("updated"), told("raised"), None, "not_news"),
    (news("closed"), told("raised"), None, "not_news"),
    # Nobody can act on what was judged too late, and nobody need on what is done with.
    (news("added", late=True), None, None, "late"),
    (news("updated", late=True, severity=4), told("raised"), None, "late"),
    (news("closed", "resolved"), None, None, "not_news"),
    (news("updated", "withdrawn"), None, None, "not_news"),
    # It got worse.
    (news("updated", severity=4), told("raised"), None, "worsened"),
    (news("updated", severity=4), told("worsened"), None, "worsened"),
    (news("updated", severity=4), told("reopened"), None, "worsened"),
    (news("updated", severity=4), told("withdrawn"), None, "not_news"),
    (news("updated", severity=2), told("raised"), None, "not_news"),
    # Repeats of the rule on the vehicle.
    (news("opened"), None, told("raised", minutes_ago=9.99), "grouped"),
    (news("opened"), None, told("raised", minutes_ago=10), "raised"),
    (news("opened", severity=4), None, told("raised"), "raised"),
    (news("opened", severity=3), None, told("worsened", severity=4), "grouped"),
    (news("updated"), told("grouped"), told("raised"), "not_news"),
    (news("updated", severity=4), told("grouped"), told("raised"), "raised"),
    (news("updated", severity=4), told("grouped"), told("raised", severity=4), "grouped"),
    # What people did, and settling, if the alert was told.
    (news("resolved", "resolved"), told("raised"), None, "resolved"),
    (news("resolved", "resolved"), told("reopened"), None, "resolved"),
    (news("resolved", "resolved"), None, None, "not_news"),
    (news("resolved", "resolved"), told("grouped"), None, "not_news"),
    (news("reopened"), told("resolved"), None, "reopened"),
    (news("reopened"), None, None, "not_news"),
    (news("withdrawn", "withdrawn"), told("raised"), None, "withdrawn"),
    (news("withdrawn", "withdrawn", late=True), told("raised"), None, "withdrawn"),
    (news("withdrawn", "withdrawn"), told("withdrawn"), None, "not_news"),
    (news("withdrawn", "withdrawn"), None, None, "not_news"),
    (news("withdrawn", "resolved"), told("resolved"), None, "not_news"),
]


@pytest.mark.parametrize(("entry", "mine", "group", "wanted"), CASES)
def test_why(entry: News, mine: Told | None, group: Told | None, wanted: str) -> None:
    assert reason(entry, mine, group) == wanted


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["opened", "updated", "closed", "resolved", "reopened", "withdrawn"]),
            st.sampled_from(["open", "acknowledged", "resolved", "withdrawn"]),
            st.integers(1, 4),
        )
    )
)
def test_nobody_is_told_twice_in_a_row_of_the_same(entries: list[tuple[str, str, int]]) -> None:
    last: Told | None = None
    heard: list[tuple[Reason, int]] = []
    for number, (change, state, severity) in enumerate(entries):
        found = reason(News(change, state, severity, False, NOW_US + number), last, None)
        if found in DUE:
            last = Told(found, severity, NOW_US + number)
            heard.append((found, severity))
    assert all(first != second for first, second in pairwise(heard))
    assert not heard or heard[0][0] is Reason.RAISED
    assert [what for what, _ in heard].count(Reason.RAISED) <= 1
