"""Each state with each action: a cell a case."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.handling.lifecycle import (
    DISMISSING,
    SETTLER,
    Action,
    Actor,
    ActorKind,
    Decision,
    Disposition,
    Refusal,
    RefusedError,
    Situation,
    State,
    Step,
    decide,
)

WANG, LI = Actor(ActorKind.PERSON, "wang"), Actor(ActorKind.PERSON, "li")
BOARD = Actor(ActorKind.PROGRAM, "board")
#: What each action (column) makes of each state (row); "-" is refused.
CELLS = """
              acknowledge   resolve   reopen  comment       withdraw   revive  expire
open          acknowledged  resolved  -       open          withdrawn  -       expired
acknowledged  -             resolved  -       acknowledged  withdrawn  -       -
resolved      -             -         open    resolved      -          -       -
withdrawn     -             -         -       withdrawn     -          open    -
expired       -             -         open    expired       -          -       -
"""
STEPS = {
    Action.ACKNOWLEDGE: Step.ACKNOWLEDGED,
    Action.RESOLVE: Step.RESOLVED,
    Action.REOPEN: Step.REOPENED,
    Action.COMMENT: Step.COMMENTED,
    Action.WITHDRAW: Step.WITHDRAWN,
    Action.REVIVE: Step.REVIVED,
    Action.EXPIRE: Step.EXPIRED,
}


def cells() -> dict[tuple[State, Action], str]:
    head, *rows = CELLS.strip("\n").splitlines()
    actions = [Action(word) for word in head.split()]
    return {
        (State(row.split()[0]), action): cell
        for row in rows
        for action, cell in zip(actions, row.split()[1:], strict=True)
    }


def situation(state: State, severity: int = 2) -> Situation:
    resolved = Disposition.CONFIRMED if state is State.RESOLVED else None
    return Situation(state=state, severity=severity, disposition=resolved)


def refused(*arguments: object, **options: object) -> Refusal:
    with pytest.raises(RefusedError) as error:
        decide(*arguments, **options)  # type: ignore[arg-type]
    assert str(error.value).endswith(".")
    return error.value.refusal


def test_the_table_has_every_state_and_action() -> None:
    assert set(cells()) == set(product(State, Action))


@pytest.mark.parametrize(("state", "action"), list(product(State, Action)))
def test_a_cell(state: State, action: Action) -> None:
    wanted = cells()[state, action]
    arguments = {"reason": "seen", "disposition": Disposition.CONFIRMED}
    if wanted == "-":
        assert refused(situation(state), action, WANG, **arguments) is Refusal.STATE
        return
    done = decide(situation(state), action, WANG, **arguments)
    assert (done.step, done.state) == (STEPS[action], State(wanted))
    # Who comments on what is resolved changes nothing of how; what is reopened is not dismissed any more.
    assert done.disposition == (Disposition.CONFIRMED if wanted == "resolved" else None)


@pytest.mark.parametrize(
    "reason", ["", " ", "\u3000", "\u200b", "\u2060\ufeff", "\u3164", "\u2800", "\u0301", "\ufe0f"]
)
@pytest.mark.parametrize(
    ("action", "state"),
    [
        (Action.RESOLVE, State.OPEN),
        (Action.REOPEN, State.RESOLVED),
        (Action.COMMENT, State.WITHDRAWN),
    ],
)
def test_these_need_a_reason(action: Action, state: State, reason: str) -> None:
    options = {"reason": reason, "disposition": Disposition.CONFIRMED}
    assert refused(situation(state), action, WANG, **options) is Refusal.REASON_NEEDED


def test_acknowledging_needs_none() -> None:
    assert decide(situation(State.OPEN), Action.ACKNOWLEDGE, WANG).state is State.ACKNOWLEDGED


def test_resolving_says_what_it_was() -> None:
    asked = situation(State.OPEN), Action.RESOLVE, WANG
    assert refused(*asked, reason="seen") is Refusal.DISPOSITION_NEEDED


@pytest.mark.parametrize(
    ("severity", "disposition", "step"),
    [
        (3, Disposition.FALSE_POSITIVE, Step.RESOLVED),
        (3, Disposition.NOT_ACTIONABLE, Step.RESOLVED),
        (4, Disposition.CONFIRMED, Step.RESOLVED),
        (3, Disposition.DEVICE_FAULT, Step.RESOLVED),
        (4, Disposition.FALSE_POSITIVE, Step.PROPOSED),
        (4, Disposition.NOT_ACTIONABLE, Step.PROPOSED),
        (4, Disposition.DEVICE_FAULT, Step.PROPOSED),
    ],
)
@pytest.mark.parametrize("state", [State.OPEN, State.ACKNOWLEDGED])
def test_who_may_dismiss_alone(state: State, severity: int, disposition: Disposition, step: Step) -> None:
    done = decide(situation(state, severity), Action.RESOLVE, WANG, reason="seen", disposition=disposition)
    if step is Step.RESOLVED:
        assert done == Decision(step, State.RESOLVED, disposition, None)
    else:
        assert done == Decision(step, state, None, disposition)


def proposed(by: Actor = WANG, disposition: Disposition = Disposition.FALSE_POSITIVE) -> Situation:
    return Situation(state=State.ACKNOWLEDGED, severity=4, proposed=disposition, proposed_by=by)


def test_the_second_person_must_be_another() -> None:
    options = {"reason": "shadow of a sign", "disposition": Disposition.FALSE_POSITIVE}
    assert refused(proposed(), Action.RESOLVE, WANG, **options) is Refusal.SECOND_PERSON_NEEDED
    done = decide(proposed(), Action.RESOLVE, LI, reason="yes", disposition=Disposition.FALSE_POSITIVE)
    assert done == Decision(Step.RESOLVED, State.RESOLVED, Disposition.FALSE_POSITIVE, None)


def test_the_same_name_of_another_kind_is_another() -> None:
    """A program called wang proposed nothing, and wang cannot be two by having a token."""
    program = Actor(ActorKind.PROGRAM, "wang")
    options = {"reason": "x", "disposition": Disposition.FALSE_POSITIVE}
    assert refused(proposed(), Action.RESOLVE, program, **options) is Refusal.SECOND_PERSON_NEEDED


def test_two_who_disagree_do_not_dismiss() -> None:
    done = decide(proposed(), Action.RESOLVE, LI, reason="x", disposition=Disposition.NOT_ACTIONABLE)
    assert done == Decision(Step.PROPOSED, State.ACKNOWLEDGED, None, Disposition.NOT_ACTIONABLE)
    confirmed = decide(proposed(), Action.RESOLVE, LI, reason="x", disposition=Disposition.CONFIRMED)
    assert confirmed == Decision(Step.RESOLVED, State.RESOLVED, Disposition.CONFIRMED, None)


@pytest.mark.parametrize("disposition", sorted(DISMISSING))
def test_a_program_dismisses_nothing_critical(disposition: Disposition) -> None:
    asked = situation(State.OPEN, 4), Action.RESOLVE, BOARD
    assert refused(*asked, reason="x", disposition=disposition) is Refusal.SECOND_PERSON_NEEDED


@pytest.mark.parametrize(
    ("action", "kept"),
    [(Action.COMMENT, Disposition.FALSE_POSITIVE), (Action.WITHDRAW, None)],
)
def test_what_becomes_of_a_proposal(action: Action, kept: Disposition | None) -> None:
    assert decide(proposed(), action, SETTLER, reason="x").proposed == kept


@given(
    st.lists(
        st.tuples(st.sampled_from(Action), st.sampled_from([WANG, LI, BOARD]), st.sampled_from(Disposition)),
        max_size=30,
    )
)
def test_nobody_alone_ends_with_a_critical_alert_dismissed(
    asked: list[tuple[Action, Actor, Disposition]],
) -> None:
    now, proposers = situation(State.OPEN, 4), list[Actor]()
    for action, actor, disposition in asked:
        try:
            done = decide(now, action, actor, reason="x", disposition=disposition)
        except RefusedError:
            continue
        if done.step is Step.PROPOSED:
            proposers.append(actor)
        if done.step is Step.RESOLVED and done.disposition in DISMISSING:
            assert {actor, proposers[-1]} == {WANG, LI}
        assert (done.disposition is not None) == (done.state is State.RESOLVED)
        assert done.proposed is None or done.state in {State.OPEN, State.ACKNOWLEDGED}
        now = Situation(
            state=done.state,
            severity=4,
            disposition=done.disposition,
            proposed=done.proposed,
            proposed_by=proposers[-1] if done.proposed else None,
        )
