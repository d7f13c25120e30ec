"""Episodes: what the transitions of one episode add up to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alerts.words.limits import LimitSource
from alerts.words.transitions import LIVE, Change, Rule, episode_id

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping

    from alerts.in_force.rulebooks import Rulebooks
    from alerts.words.transitions import Transitions

#: How an episode ended, as the store and the API call it.
ENDED_AS = {Change.CLOSED: "closed", Change.LOST: "lost", Change.RULE_CHANGE: "rule_change"}


@dataclass(frozen=True, slots=True)
class Episode:
    """The interval [started_us, ended_us) in which a rule held, with its figures. Times since 1970."""

    vehicle_id: int
    rule: Rule
    started_us: int
    #: None while open.
    ended_us: int | None
    ended_as: str | None
    severity: int
    peak: float
    limit: float
    limit_source: str
    rulebook: str
    measures: Mapping[str, Any]
    #: Time of the fix or tick that decided last.
    decided_us: int
    #: `live`, or `shadow:<rulebook version>`: nobody is alerted.
    mode: str = LIVE

    @property
    def id(self) -> uuid.UUID:
        """The id that the same judgement always has."""
        return episode_id(self.vehicle_id, self.rule, self.started_us, self.mode, self.about)

    @property
    def about(self) -> str:
        """What the episode is about beside its rule: the code of its fence, or nothing."""
        return about(self.measures)

    @property
    def rule_name(self) -> str:
        """The rule's name outside the engine."""
        return self.rule.name.lower()


def about(measures: Mapping[str, Any]) -> str:
    """Return what an episode with these measures is about; two of one rule may begin together."""
    return str(measures.get("fence", ""))


def describe(transitions: Transitions, rulebooks: Rulebooks) -> Iterable[tuple[Change, Episode]]:
    """Yield each transition's change with the episode as it stands after it."""
    columns = (getattr(transitions, name).tolist() for name in transitions.dtypes())
    for row in zip(*columns, strict=True):
        (
            vehicle_id,
            rule,
            change,
            at_us,
            started_us,
            ended_us,
            severity,
            peak,
            limit,
            source,
            book,
            measures,
        ) = row
        yield (
            Change(change),
            Episode(
                vehicle_id=vehicle_id,
                rule=Rule(rule),
                started_us=started_us,
                ended_us=None if ended_us < 0 else ended_us,
                ended_as=ENDED_AS.get(Change(change)),
                severity=severity,
                peak=peak,
                limit=limit,
                limit_source=LimitSource(source).name.lower(),
                rulebook=rulebooks.version(book),
                measures=measures,
                decided_us=at_us,
                mode=rulebooks.mode(book, Rule(rule)),
            ),
        )


def collect(transitions: Transitions, rulebooks: Rulebooks) -> list[Episode]:
    """Return the last state of each episode, by vehicle, rule and start."""
    last = {
        (episode.vehicle_id, episode.rule, episode.started_us, episode.about): episode
        for _change, episode in describe(transitions, rulebooks)
    }
    return [last[key] for key in sorted(last)]
