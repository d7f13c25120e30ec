"""`kerbsafe command effect`: what drivers did after prompts, and after alerts that were held out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.prompts.effect import Group, after, difference, group
from fleet.clock import WALL
from fleet.db import Queries
from fleet.units import to_datetime, to_us
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    import asyncpg

_SQL = Queries(Path(__file__).with_suffix(".sql"))
#: States of prompts that reached nobody: they stay in the comparison, and are told.
_SENT = ("acknowledged", "timed_out", "refused", "failed", "expired", "sent", "queued")


async def run(args: argparse.Namespace) -> int:
    """Compare."""
    async with database("command") as connection:
        rows = await connection.fetch(_SQL["prompts"], args.since, args.until, to_datetime(WALL.now_us()))
    found = {
        "rules": {rule: _compared([row for row in rows if row["rule"] == rule]) for rule in _rules(rows)}
    }
    found |= {"all": _compared(rows)}
    print(json.dumps(found, ensure_ascii=False) if args.json else _text(found))
    return 0


def _rules(rows: Sequence[asyncpg.Record]) -> list[str]:
    return sorted({row["rule"] for row in rows})


def _compared(rows: Sequence[asyncpg.Record]) -> dict[str, Any]:
    sent = [row for row in rows if not row["held_out"]]
    with_prompt, held_out = _group(sent), _group([row for row in rows if row["held_out"]])
    more = difference(with_prompt, held_out)
    return {
        "with_prompt": _figures(with_prompt),
        "held_out": _figures(held_out),
        "states": {state: sum(row["state"] == state for row in sent) for state in _SENT},
        "fell_more_often_by": None if more is None else more[0],
        "interval_95": None if more is None else list(more[1:]),
    }


def _group(rows: Sequence[asyncpg.Record]) -> Group:
    return group(
        after(to_us(row["at"]), [to_us(one) for one in row["times"] or ()], row["speeds"] or ())
        for row in rows
    )


def _figures(one: Group) -> dict[str, Any]:
    return {
        "situations": one.situations,
        "known": one.known,
        "fell": one.fell,
        "stood": one.stood,
        "unknown": one.unknown,
        "share": one.share,
        "interval_95": None if one.interval is None else list(one.interval),
    }


def _text(found: dict[str, Any]) -> str:
    lines = []
    for name, one in {**found["rules"], "all": found["all"]}.items():
        lines += [
            f"{name}",
            f"  with a prompt  {_words(one['with_prompt'])}",
            f"  held out       {_words(one['held_out'])}",
        ]
        states = ", ".join(f"{count} {state}" for state, count in one["states"].items() if count)
        lines.append(f"  prompts: {states or 'none'}")
        if one["fell_more_often_by"] is None:
            lines.append("  no comparison: one of the two has no situation in which it is known")
        else:
            low, high = one["interval_95"]
            lines.append(
                f"  more often by {one['fell_more_often_by']:+.0%} (95 %: {low:+.0%} to {high:+.0%})"
            )
    return "\n".join(lines)


def _words(one: dict[str, Any]) -> str:
    rest = f"{one['situations']} situations, {one['stood']} stood already, {one['unknown']} unknown"
    if one["share"] is None:
        return f"not known whether the speed fell ({rest})"
    low, high = one["interval_95"]
    share = f"{one['share']:.0%} (95 %: {low:.0%} to {high:.0%}; {rest})"
    return f"the speed fell in {one['fell']} of {one['known']}, {share}"
