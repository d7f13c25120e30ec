"""What the broker dropped or forgot: when data may be missing, from two looks at it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

Source = Literal["queue_full", "session_forgotten", "broker_restarted"]

#: A figure of the broker may be this old: Mosquitto tells them every 10 s.
FIGURE_AGE_US = 15 * MICROSECONDS
#: The queues of deploy/mosquitto hold 2,400,000 messages each: no city fills them sooner.
FILLS_US = 300 * MICROSECONDS
#: Under this name it is kept what was known of the broker's drops.
DROPPED = "dropped"


class Gap(NamedTuple):
    """A time of which data may be missing, microseconds since 1970."""

    source: Source
    from_us: int
    until_us: int
    session: str = ""
    #: How many messages are missing at most; None: nobody can know.
    messages: int | None = None


class Known(NamedTuple):
    """What was known last."""

    #: The client id of a session, or `DROPPED`.
    name: str
    #: Up to here nothing was missing, as far as this tells.
    known_us: int
    #: Of `DROPPED`: how many the broker had thrown away since its start.
    dropped: int | None = None


class Told(NamedTuple):
    """What the broker tells of itself."""

    #: How many messages it has thrown away since its start.
    dropped: int
    started_us: int


class Up(NamedTuple):
    """A session came up."""

    session: str
    at_us: int
    #: The broker still knew it, and what it had kept for it.
    resumed: bool


def forgotten(ups: Iterable[Up], before: Known | None) -> list[Gap]:
    """Return the gaps of a session that came up, once or more often, since it was known.

    Of a session that was never known nothing can be missing: it is new.
    """
    gaps = []
    known_us = None if before is None else before.known_us
    for up in ups:
        if not up.resumed and known_us is not None:
            gaps.append(Gap("session_forgotten", min(known_us, up.at_us), up.at_us, up.session))
        known_us = up.at_us
    return gaps


def dropped(told: Told, before: Known | None, now_us: int) -> list[Gap]:
    """Return the gaps that the broker's count of dropped messages tells; it begins anew with the broker.

    What it had dropped before it was started anew, long after it was heard last, nobody can know.
    """
    if before is None or before.dropped is None:
        return []
    from_us, more, gaps = min(before.known_us - FIGURE_AGE_US, now_us), told.dropped - before.dropped, []
    if more < 0 or told.started_us > before.known_us + FIGURE_AGE_US:
        more = told.dropped
    if told.started_us > before.known_us + FILLS_US:
        gaps.append(Gap("broker_restarted", from_us, told.started_us))
        from_us = told.started_us
    if more:
        gaps.append(Gap("queue_full", from_us, now_us, messages=more))
    return gaps
