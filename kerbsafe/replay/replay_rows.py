"""What a replay found, as the lines that it prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alerts.episodes import episodes, turn_records
from alerts.episodes.turn_records import Turn
from alerts.words.transitions import LIVE
from fleet.units import MICROSECONDS, to_datetime

if TYPE_CHECKING:
    from alerts.episodes.comparison import Difference
    from alerts.episodes.episodes import Episode
    from alerts.episodes.matching import StoredEpisode
    from alerts.in_force.rulebooks import Rulebooks
    from alerts.words.transitions import Judgement
    from fleet.trackfile.account import Account

Row = dict[str, Any]
#: Seconds that count from 1970 and not from a moment of the recording: from 2001 on.
_FIRST_EPOCH_S = 1e9
#: What rows of turns are called, by kind.
_TURN_KINDS = {"turn": "right_turn", "bend": "bend"}


def collect(judgement: Judgement, rulebooks: Rulebooks) -> tuple[list[Episode], list[Turn]]:
    """Return the episodes and right turns of a judgement."""
    return (
        episodes.collect(judgement.transitions, rulebooks),
        turn_records.collect(judgement.turns, rulebooks),
    )


def live(found: tuple[list[Episode], list[Turn]]) -> tuple[list[Episode], list[Turn]]:
    """Return what was found without what is in shadow."""
    judged, turns = found
    return [episode for episode in judged if episode.mode == LIVE], turns


def of_file(account: Account) -> Row:
    """Return a row about a file of which something is to be said: what was left out, how it was read."""
    return {"kind": "file"} | account.as_json()


def in_order(found: tuple[list[Episode], list[Turn]]) -> list[Episode | Turn]:
    """Return episodes and right turns by vehicle and time."""
    judged, turns = found
    rows: list[tuple[int, int, Episode | Turn]] = [(e.vehicle_id, e.started_us, e) for e in judged]
    rows += [(t.vehicle_id, t.entered_us, t) for t in turns]
    return [what for *_when, what in sorted(rows, key=lambda row: row[:2])]


def row(found: Episode | StoredEpisode | Turn, track: str, vehicle: str | None, origin_us: int) -> Row:
    """Return one episode or turn; times are seconds after `origin_us`."""
    of = {"track": track} if vehicle is None else {"track": track, "vehicle": vehicle}
    if isinstance(found, Turn):
        return {"kind": _TURN_KINDS[found.kind]} | of | _turn_row(found, origin_us)
    return {"kind": found.rule.name.lower()} | of | _episode_row(found, origin_us)


def _turn_row(turn: Turn, origin_us: int) -> Row:
    return {
        "entered_s": _seconds(turn.entered_us - origin_us),
        "exited_s": _seconds(turn.exited_us - origin_us),
        "course_change_deg": turn.course_change_deg,
        "max_speed_kmh": turn.max_kmh,
        "min_speed_kmh": turn.min_kmh,
        "stop": turn.stop,
        "evaluable": turn.evaluable,
        "reason": turn.reason,
        "confidence": turn.confidence,
        "outcome": turn.outcome,
    }


def _episode_row(episode: Episode | StoredEpisode, origin_us: int) -> Row:
    made = {
        "started_s": _seconds(episode.started_us - origin_us),
        "ended_s": None if episode.ended_us is None else _seconds(episode.ended_us - origin_us),
        "peak": episode.peak,
        "limit": episode.limit,
        "limit_source": episode.limit_source,
        **(episode.measures if episodes.about(episode.measures) else {}),
    }
    return made if episode.mode == LIVE else made | {"mode": episode.mode}


def difference(one: Difference, track: str, vehicle: str | None) -> Row:
    """Return one difference: what it is about, and what the two sides say."""
    fields = {
        _shown_name(name): [_shown(name, other), _shown(name, own)]
        for name, (other, own) in one.fields.items()
    }
    return {"difference": one.how} | row(one.row, track, vehicle, 0) | ({"fields": fields} if fields else {})


def _shown_name(name: str) -> str:
    return f"{name.removesuffix('_us')}_s" if name.endswith("_us") else name


def _shown(name: str, value: Any) -> Any:
    return _seconds(value) if name.endswith("_us") and value is not None else value


def _seconds(time_us: int) -> float:
    return round(time_us / MICROSECONDS, 3)


def line(made: Row) -> str:
    """Return a row for people."""
    how = f"{made['difference']:8}" if "difference" in made else ""
    changed = "".join(f"; {name} {old} -> {new}" for name, (old, new) in made.get("fields", {}).items())
    return f"{how}{_line(made)}{changed}"


def _line(made: Row) -> str:
    if made["kind"] in _TURN_KINDS.values():
        unsure = "" if made["evaluable"] else f", not evaluable: {made['reason']}"
        return (
            f"{made['track']}  {made['kind']}  {_span(made['entered_s'], made['exited_s'])}  "
            f"{made['course_change_deg']:g}°, {made['min_speed_kmh']:g}–{made['max_speed_kmh']:g} km/h"
            f"{unsure}"
        )
    about = f" {made['fence']}" if "fence" in made else ""
    seen = ", seen after silence" if made.get("seen_after_silence") else ""
    mode = f"  {made['mode']}" if "mode" in made else ""
    return (
        f"{made['track']}  {made['kind']}{about}  {_span(made['started_s'], made['ended_s'])}  "
        f"peak {made['peak']:g}, limit {made['limit']:g} ({made['limit_source']}){seen}{mode}"
    )


def _span(started_s: float, ended_s: float | None) -> str:
    """Return from when until when: UTC, or seconds where the file's clock is its own."""
    if started_s < _FIRST_EPOCH_S:
        return f"{started_s:.10g}–{'open' if ended_s is None else f'{ended_s:.10g}'} s"
    return f"{_moment(started_s)}Z–{'open' if ended_s is None else _moment(ended_s).partition('T')[2]}"


def _moment(at_s: float) -> str:
    moment = to_datetime(round(at_s * MICROSECONDS))
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")
