"""What may be done to an alert in each state, by whom, and what it then is. Pure.

    open -> acknowledged -> resolved (confirmed, false_positive, not_actionable, device_fault) -> open again

People acknowledge, resolve, reopen and comment. Settling withdraws what nobody has resolved, and revives what
it had withdrawn. A rule expires what nobody has touched. Whatever is not in the table is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from fleet.printable import has_visible

#: Whatever but confirming an alert of this severity takes two people.
CRITICAL = 4


class State(StrEnum):
    """What an alert is."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Action(StrEnum):
    """What somebody asks for."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    COMMENT = "comment"
    #: By settling only.
    WITHDRAW = "withdraw"
    REVIVE = "revive"
    #: By a rule only.
    EXPIRE = "expire"


class Step(StrEnum):
    """What was done: a row of `alert_action`, and the change that the feed tells."""

    ACKNOWLEDGED = "acknowledged"
    #: The first of two people would dismiss a critical alert.
    PROPOSED = "proposed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    COMMENTED = "commented"
    WITHDRAWN = "withdrawn"
    REVIVED = "revived"
    EXPIRED = "expired"


class Disposition(StrEnum):
    """What a person made of an alert."""

    CONFIRMED = "confirmed"
    FALSE_POSITIVE = "false_positive"
    NOT_ACTIONABLE = "not_actionable"
    DEVICE_FAULT = "device_fault"


#: Whatever says that the alert was none: of a critical one this is no one person's word.
DISMISSING = frozenset(Disposition) - {Disposition.CONFIRMED}


class ActorKind(StrEnum):
    """What kind of being acts."""

    PERSON = "person"
    #: Something with a token.
    PROGRAM = "program"
    #: A part of Kerbsafe.
    SYSTEM = "system"


class Actor(NamedTuple):
    """Who acts. Names of people are personal data: they stand in the record and in no log."""

    kind: ActorKind
    name: str


SETTLER = Actor(ActorKind.SYSTEM, "settler")


class Refusal(StrEnum):
    """Why something cannot be done."""

    STATE = "state"
    REASON_NEEDED = "reason_needed"
    DISPOSITION_NEEDED = "disposition_needed"
    SECOND_PERSON_NEEDED = "second_person_needed"


class RefusedError(Exception):
    """It cannot be done; the sentence says why."""

    def __init__(self, refusal: Refusal, sentence: str) -> None:
        super().__init__(sentence)
        self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What an alert is before somebody acts."""

    state: State
    severity: int
    disposition: Disposition | None = None
    #: The dismissal that waits for a second person, and who proposed it.
    proposed: Disposition | None = None
    proposed_by: Actor | None = None


class Decision(NamedTuple):
    """What was done, and what the alert then is."""

    step: Step
    state: State
    disposition: Disposition | None = None
    proposed: Disposition | None = None


#: What each action makes of each state; what is missing is refused.
TABLE: dict[tuple[State, Action], tuple[Step, State]] = {
    (State.OPEN, Action.ACKNOWLEDGE): (Step.ACKNOWLEDGED, State.ACKNOWLEDGED),
    (State.OPEN, Action.RESOLVE): (Step.RESOLVED, State.RESOLVED),
    (State.OPEN, Action.WITHDRAW): (Step.WITHDRAWN, State.WITHDRAWN),
    (State.OPEN, Action.EXPIRE): (Step.EXPIRED, State.EXPIRED),
    (State.ACKNOWLEDGED, Action.RESOLVE): (Step.RESOLVED, State.RESOLVED),
    (State.ACKNOWLEDGED, Action.WITHDRAW): (Step.WITHDRAWN, State.WITHDRAWN),
    (State.RESOLVED, Action.REOPEN): (Step.REOPENED, State.OPEN),
    (State.EXPIRED, Action.REOPEN): (Step.REOPENED, State.OPEN),
    (State.WITHDRAWN, Action.REVIVE): (Step.REVIVED, State.OPEN),
    **{(state, Action.COMMENT): (Step.COMMENTED, state) for state in State},
}
_REASON_NEEDED = frozenset({Action.RESOLVE, Action.REOPEN, Action.COMMENT})


def decide(
    situation: Situation,
    action: Action,
    actor: Actor,
    *,
    reason: str = "",
    disposition: Disposition | None = None,
) -> Decision:
    """Return what an action makes of an alert.

    Raises
    ------
    RefusedError
        If the state does not allow it, a reason or a disposition is missing, or another person must agree.
    """
    found = TABLE.get((situation.state, action))
    if found is None:
        raise RefusedError(
            Refusal.STATE, f"An alert that is {situation.state} cannot be given the action {action}."
        )
    if action in _REASON_NEEDED and not has_visible(reason):
        raise RefusedError(Refusal.REASON_NEEDED, f"The action {action} needs a reason that can be read.")
    step, state = found
    if action is Action.RESOLVE:
        return _resolve(situation, actor, disposition)
    keeps = state in {State.OPEN, State.ACKNOWLEDGED} and action is not Action.REOPEN
    return Decision(
        step,
        state,
        situation.disposition if state is State.RESOLVED else None,
        situation.proposed if keeps else None,
    )


def _resolve(situation: Situation, actor: Actor, disposition: Disposition | None) -> Decision:
    if disposition is None:
        raise RefusedError(Refusal.DISPOSITION_NEEDED, "Say what the alert was: its disposition.")
    done = Decision(Step.RESOLVED, State.RESOLVED, disposition)
    if disposition not in DISMISSING or situation.severity < CRITICAL:
        return done
    if actor.kind is not ActorKind.PERSON:
        raise RefusedError(
            Refusal.SECOND_PERSON_NEEDED,
            "All but confirming a critical alert takes two people; a program is none.",
        )
    if situation.proposed != disposition:
        return Decision(Step.PROPOSED, situation.state, proposed=disposition)
    if situation.proposed_by == actor:
        raise RefusedError(
            Refusal.SECOND_PERSON_NEEDED,
            "All but confirming a critical alert takes two people: another must agree.",
        )
    return done
