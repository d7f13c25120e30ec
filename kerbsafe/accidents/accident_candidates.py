"""The work of `kerbsafe accidents candidates` and `link`: what telematics suggests, and what it was."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from analytics.ledger import documents
from analytics.ledger.accident import LedgerError
from analytics.ledger.candidates.rule import CANDIDATE_RULES, Why
from analytics.ledger.candidates.store import judge, read_candidates
from fleet.installation import read_clock
from fleet.language import Words, language
from fleet.printable import printable, to_json
from fleet.schedule import CIVIL_ZONE
from fleet.units import to_datetime
from kerbsafe.accidents.accident_files import writer
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from fleet.language import Language


def run(args: argparse.Namespace) -> int:
    """Answer, as JSON or for people."""
    document = asyncio.run(_answer(args))
    if args.json:
        print(to_json(document))
        return 0
    for line in _lines(document, language(os.environ)):
        print(printable(line))
    return 0


async def _answer(args: argparse.Namespace) -> dict[str, Any]:
    async with database("accidents") as connection:
        if args.action == "candidates":
            if args.first > args.last:
                raise LedgerError(documents.FROM_AFTER_TO)
            since = datetime.combine(args.first, time(), CIVIL_ZONE)
            until = datetime.combine(args.last, time(), CIVIL_ZONE) + timedelta(days=1)
            found = await read_candidates(connection, since, until)
            return {"what": "candidates", "rules": {"candidates": CANDIDATE_RULES}, "candidates": found}
        now = to_datetime((await read_clock(connection)).now_us())
        await judge(connection, args.episode, args.to, writer(args, now, args.why))
    return {"what": "linked", "episode_id": str(args.episode), "accident": args.to}


_WHYS = {
    Why.BRAKING_AND_STAY: Words("hard braking, then a long stay", "急刹车后长时间停留"),
    Why.ROLLOVER: Words("near rolling over in a right turn", "右转侧翻风险"),
    Why.CONFLICT_AND_STOP: Words("critical conflict, then a stop", "右转盲区紧急冲突后停车"),
}
_STOOD = Words("stood {s} s", "停留 {s} 秒")
_SILENT = Words("nothing received afterwards", "此后无数据")
_WAS, _NONE = Words("was {code}", "即 {code}"), Words("no accident", "不是事故")
_OPEN = Words("nobody has looked", "待核实")
_TOTAL = Words(
    "{n} candidates, {open} to look at; they count in no figure: kerbsafe accidents link EPISODE --to CODE",
    "{n} 条线索，{open} 条待核实；线索不计入统计：kerbsafe accidents link 事件 --to 事故编号",
)
_LINKED = Words("recorded", "已记录")


def _lines(document: dict[str, Any], wanted: Language) -> Iterator[str]:
    if document["what"] == "linked":
        yield f"{document['episode_id']}  {_LINKED.to(wanted)}"
        return
    for each in document["candidates"]:
        after = _SILENT if each["silent"] else _STOOD.fill(s=each["stood_s"]) if each["stood_s"] else None
        verdict = each["verdict"]
        made = (
            _OPEN
            if verdict is None
            else _WAS.fill(code=verdict["accident"])
            if verdict["accident"]
            else _NONE
        )
        parts = (each["episode_id"], each["started_at"], each["vehicle"], _WHYS[each["why"]].to(wanted))
        yield "  ".join((*parts, *((after.to(wanted),) if after else ()), made.to(wanted)))
    waiting = sum(each["verdict"] is None for each in document["candidates"])
    yield _TOTAL.fill(n=len(document["candidates"]), open=waiting).to(wanted)
