"""What a replay says beside what is stored, or beside another replay: added, missing, changed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alerts.episodes import matching, turn_records
from alerts.episodes.matching import StoredEpisode
from alerts.episodes.pairing import Verdict
from alerts.episodes.turn_records import StoredTurn
from alerts.words.transitions import OF_ARRIVAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alerts.episodes.episodes import Episode
    from alerts.episodes.turn_records import Turn

#: What an episode is compared by, beside its measures; a turn by everything.
EPISODE_FIELDS = (
    "started_us",
    "ended_us",
    "ended_as",
    "severity",
    "peak",
    "limit",
    "limit_source",
    "rulebook",
    "mode",
)
_ENDS = frozenset({"ended_us", "ended_as"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One episode or turn that is not the same."""

    #: added (only the replay has it), missing (only the other side has it), changed.
    how: str
    #: As replayed; of what is missing, as the other side has it.
    row: Episode | StoredEpisode | Turn
    #: Of what changed: the other side's and the replay's value, by name.
    fields: Mapping[str, tuple[Any, Any]]


def with_episodes(
    stored: Sequence[StoredEpisode], judged: Sequence[Episode], ignore: frozenset[str] = frozenset()
) -> list[Difference]:
    """Compare a settled replay with the rows that stand, fields in `ignore` apart.

    Rules of arrival are the hot path's alone.
    """
    standing = [row for row in stored if row.status != "withdrawn" and row.rule not in OF_ARRIVAL]
    return _episodes(standing, judged, lambda _row: ignore)


def with_raised(
    stored: Sequence[StoredEpisode], judged: Sequence[Episode], ignore: frozenset[str] = frozenset()
) -> list[Difference]:
    """Compare a replay as arrived with what live has raised.

    Of a row that was amended since, the figures are those of the settler: there only its being there counts.
    Of one that was withdrawn, the end may be the settler's.
    """

    def ignored(row: StoredEpisode) -> frozenset[str]:
        if row.settled_as is Verdict.AMENDED:
            return frozenset((*EPISODE_FIELDS, "measures"))
        return ignore | (_ENDS if row.settled_as is Verdict.WITHDRAWN else frozenset())

    return _episodes([row for row in stored if row.settled_as is not Verdict.ADDED], judged, ignored)


def between(before: Sequence[Episode], after: Sequence[Episode]) -> list[Difference]:
    """Compare a replay as arrived, `before`, with a settled one; rules of arrival apart."""
    rows = [
        StoredEpisode(
            id=one.id,
            vehicle_id=one.vehicle_id,
            rule=one.rule,
            measures=one.measures,
            status="provisional",
            settled_as=None,
            **{name: getattr(one, name) for name in EPISODE_FIELDS},
        )
        for one in before
        if one.rule not in OF_ARRIVAL
    ]
    return _episodes(rows, after, lambda _row: frozenset())


def _episodes(stored: Sequence[StoredEpisode], judged: Sequence[Episode], ignored: Any) -> list[Difference]:
    match = matching.matches(stored, judged)
    found = [Difference("added", one, {}) for index, one in enumerate(judged) if index not in match]
    taken = {row.id for row in match.values()}
    found += [Difference("missing", row, {}) for row in stored if row.id not in taken]
    for index, row in match.items():
        fields = _differing(row, judged[index], (*EPISODE_FIELDS, "measures"), ignored(row))
        if fields:
            found.append(Difference("changed", judged[index], fields))
    return sorted(found, key=lambda one: (one.row.vehicle_id, _start_us(one.row)))


def turns(
    stored: Sequence[StoredTurn], judged: Sequence[Turn], ignore: frozenset[str] = frozenset()
) -> list[Difference]:
    """Compare a settled replay with the turns that stand."""
    standing = [row for row in stored if row.status != "withdrawn"]
    return _turns(standing, judged, lambda _row: ignore)


def turns_raised(
    stored: Sequence[StoredTurn], judged: Sequence[Turn], ignore: frozenset[str] = frozenset()
) -> list[Difference]:
    """Compare a replay as arrived with the turns that live has found; as `with_raised`."""
    live = [row for row in stored if row.settled_as is not Verdict.ADDED]
    everything = frozenset(turn_records.FIELDS)
    return _turns(live, judged, lambda row: everything if row.settled_as is Verdict.AMENDED else ignore)


def turns_between(before: Sequence[Turn], after: Sequence[Turn]) -> list[Difference]:
    """Compare two replays; `before` is the other side."""
    return _turns(
        [StoredTurn(one.id, one, "provisional", None) for one in before], after, lambda _: frozenset()
    )


def _turns(stored: Sequence[StoredTurn], judged: Sequence[Turn], ignored: Any) -> list[Difference]:
    match = turn_records.matches(stored, judged)
    found = [Difference("added", one, {}) for index, one in enumerate(judged) if index not in match]
    taken = {row.id for row in match.values()}
    found += [Difference("missing", row.turn, {}) for row in stored if row.id not in taken]
    for index, row in match.items():
        if fields := _differing(row.turn, judged[index], turn_records.FIELDS, ignored(row)):
            found.append(Difference("changed", judged[index], fields))
    return sorted(found, key=lambda one: (one.row.vehicle_id, _start_us(one.row)))


def _differing(
    stored: object, judged: object, names: Sequence[str], ignored: frozenset[str]
) -> dict[str, tuple[Any, Any]]:
    pairs = {name: (getattr(stored, name), getattr(judged, name)) for name in names if name not in ignored}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _start_us(row: Episode | StoredEpisode | Turn) -> int:
    return int(getattr(row, "started_us", 0) or getattr(row, "entered_us", 0))
