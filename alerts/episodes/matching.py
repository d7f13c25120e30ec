"""Settling: which provisional episode a settled one is, and what becomes of each."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from alerts.episodes.episodes import about
from alerts.episodes.pairing import Candidate, Verdict, free_id, one_to_one, verdict
from alerts.words.transitions import LIVE, Rule, episode_id
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterator, Mapping, Sequence

    from alerts.episodes.episodes import Episode

#: Two judgements of one instant are no farther apart than this.
SAME_INSTANT_US = 10 * MICROSECONDS
_FOR_EVER_US = 2**62


@dataclass(frozen=True, slots=True)
class StoredEpisode:
    """A judged row as the store has it."""

    id: uuid.UUID
    vehicle_id: int
    rule: Rule
    started_us: int
    ended_us: int | None
    ended_as: str | None
    severity: int
    peak: float
    limit: float
    limit_source: str
    rulebook: str
    measures: Mapping[str, Any]
    #: provisional, settled or withdrawn.
    status: str
    settled_as: Verdict | None
    #: `live`, or `shadow:<rulebook version>`.
    mode: str = LIVE


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of one episode; without `episode` it is withdrawn."""

    id: uuid.UUID
    verdict: Verdict
    episode: Episode | None
    #: The settled episode that covers a withdrawn one.
    merged_into: uuid.UUID | None = None
    #: There is no stored row yet.
    is_new: bool = False


def settle(stored: Sequence[StoredEpisode], judged: Sequence[Episode]) -> list[Settlement]:
    """Match what is stored with what the complete record shows; return every row that must be written.

    One to one within a vehicle, a mode, a rule and what it is about: rows still standing before withdrawn
    ones, then by largest overlap, then earliest. A match keeps the stored id.
    """
    match = matches(stored, judged)
    taken = {row.id for row in stored}
    settlements: list[Settlement] = []
    in_time = _InTime(judged)
    ids: dict[int, uuid.UUID] = {}
    for index, episode in enumerate(judged):
        row = match.get(index)
        if row is None:
            taken.add(own := free_id(episode.id, partial(_next_id, episode), taken))
            ids[index] = own
            settlements.append(Settlement(own, Verdict.ADDED, episode, is_new=True))
            continue
        ids[index] = row.id
        if (seen_as := verdict(row, same=_figures(row) == _figures(episode))) is not None:
            settlements.append(Settlement(row.id, seen_as, episode))
    matched = {row.id for row in match.values()}
    settlements += [
        Settlement(row.id, Verdict.WITHDRAWN, None, _covering(row, in_time, ids))
        for row in stored
        if row.id not in matched and row.status != "withdrawn"
    ]
    return settlements


def missed(stored: Sequence[StoredEpisode], judged: Sequence[Episode]) -> list[Settlement]:
    """Return what live has missed of a segment that still runs, and news of what was so added before.

    What was added is the settler's to follow: it grows, ends, or is withdrawn. Rows of the hot path are
    left alone.
    """
    standing = [row for row in stored if row.status != "withdrawn"]  # found again, it has its id again
    added = {r.id: r for r in standing if r.status == "provisional" and r.settled_as == Verdict.ADDED}
    return [
        settlement
        for settlement in settle(standing, judged)
        if (
            settlement.verdict == Verdict.ADDED
            and (settlement.id not in added or _is_news(added[settlement.id], settlement.episode))
        )
        or (settlement.verdict == Verdict.WITHDRAWN and settlement.id in added)
    ]


def _is_news(row: StoredEpisode, episode: Episode | None) -> bool:
    return episode is not None and _figures(row) != _figures(episode)


def _figures(row: StoredEpisode | Episode) -> tuple[Any, ...]:
    return (
        row.started_us,
        row.ended_us,
        row.ended_as,
        row.severity,
        row.peak,
        row.limit,
        row.limit_source,
        row.rulebook,
        dict(row.measures),
    )


def matches(stored: Sequence[StoredEpisode], judged: Sequence[Episode]) -> dict[int, StoredEpisode]:
    """Return the stored row that each judged episode is, by the index of that; as `settle` sees it."""
    in_time = _InTime(judged)
    return one_to_one(
        Candidate(row, index, -overlap_us, judged[index].started_us, row.started_us)
        for row in stored
        for index in in_time.near(row)
        if (overlap_us := _overlap_us(row, judged[index])) > 0
    )


def _next_id(episode: Episode, number: int) -> uuid.UUID:
    mode = f"{episode.mode}#{number}"
    return episode_id(episode.vehicle_id, episode.rule, episode.started_us, mode, episode.about)


def _subject(row: StoredEpisode | Episode) -> tuple[int, str, Rule, str]:
    return row.vehicle_id, row.mode, row.rule, about(row.measures)


class _InTime:
    """Judged episodes by what they are about and in order of time, so that thousands can be matched."""

    def __init__(self, judged: Sequence[Episode]) -> None:
        self.judged = judged
        of: dict[tuple[int, str, Rule, str], list[int]] = {}
        for index in sorted(range(len(judged)), key=lambda index: judged[index].started_us):
            of.setdefault(_subject(judged[index]), []).append(index)
        #: By subject: indices, beginnings, and the latest end of all up to each.
        self._of = {
            subject: (
                indices,
                [judged[index].started_us for index in indices],
                list(accumulate((_end_us(judged[index]) for index in indices), max)),
            )
            for subject, indices in of.items()
        }

    def near(self, row: StoredEpisode) -> Iterator[int]:
        """Yield the indices of those about the same that may overlap a row, and perhaps of others."""
        indices, starts_us, latest_us = self._of.get(_subject(row), ((), (), ()))
        place = bisect_right(starts_us, _end_us(row) + SAME_INSTANT_US)
        while place > 0 and latest_us[place - 1] >= row.started_us - SAME_INSTANT_US:
            place -= 1
            yield indices[place]


def _end_us(interval: StoredEpisode | Episode) -> int:
    return _FOR_EVER_US if interval.ended_us is None else interval.ended_us


def _overlap_us(row: StoredEpisode | Episode, episode: Episode) -> float:
    """Return for how long both hold; of instants a share of a microsecond, more where they are nearer."""
    # Two that begin together overlap, however short: a stay that was seen once begins and ends with one fix.
    together = row.started_us == episode.started_us
    overlap_us = min(_end_us(row), _end_us(episode)) - max(row.started_us, episode.started_us) + together
    apart_us = abs(row.started_us - episode.started_us)
    is_instant = row.started_us == row.ended_us or episode.started_us == episode.ended_us
    return max(overlap_us, 1 - apart_us / SAME_INSTANT_US) if is_instant else overlap_us


def _covering(row: StoredEpisode, in_time: _InTime, ids: Mapping[int, uuid.UUID]) -> uuid.UUID | None:
    """Return the settled episode that covers most of a withdrawn one, if any does."""
    covers = [
        (overlap, -index)
        for index in in_time.near(row)
        if (overlap := _overlap_us(row, in_time.judged[index])) > 0
    ]
    return ids[-max(covers)[1]] if covers else None
