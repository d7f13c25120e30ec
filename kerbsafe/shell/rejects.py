"""The work of `kerbsafe rejects`: what was refused, and what became of it when it was tried again."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alerts.knowledge import Knowledge
from fleet.errors import KerbsafeError
from fleet.installation import make_days_ahead
from fleet.language import Words, language
from fleet.printable import printable
from fleet.wire.reasons import Reason
from ingest.history.retrying import QUERIES, Read, Retried, Wanted, retry
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

_Said = dict[str, Any]


def run_list(args: argparse.Namespace) -> int:
    """List what was refused."""
    found = asyncio.run(_list(_wanted(args), args.limit))
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    wanted = language(os.environ)
    for row in found["rejects"]:
        state = _STATES[_state(row)].to(wanted)
        print(
            f"#{row['reject_id']}  {row['received_at']}  {row['observations']} {row['reason']}  [{state}]  "
            f"{printable(row['topic'])}  {printable(row['detail'])}"
        )
    for total in found["reasons"]:
        print(_TOTAL.fill(**total).to(wanted))
    if not found["reasons"]:
        print(_NOTHING.to(wanted))
    return 0


def _state(row: Mapping[str, Any]) -> str:
    if row["retried_at"] is not None:
        return "taken in"
    return "kept" if row["retriable"] else "cut"


async def _list(wanted: Wanted, limit: int) -> _Said:
    async with database("rejects") as connection:
        rows = await connection.fetch(QUERIES["list_rejects"], *wanted, limit)
        totals = await connection.fetch(QUERIES["sum_rejects"], *wanted)
    times = ("received_at", "retried_at")
    return {
        "rejects": [
            dict(row) | {name: row[name] and row[name].isoformat(timespec="seconds") for name in times}
            for row in rows
        ],
        "reasons": [dict(row) for row in totals],
    }


@dataclass(slots=True)
class _Tally:
    """What became of all that was tried: observations."""

    rejects: int = 0
    taken: int = 0
    stored: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, done: Retried) -> None:
        self.rejects += len(done.each)
        self.stored += done.stored
        self.duplicates += done.duplicates
        self.refused.update(done.rejected or {})
        for read in done.each:
            self.taken += read.taken
            self.refused.update(read.refused)


def run_retry(args: argparse.Namespace) -> int:
    """Take in again what was refused."""
    wanted, said, in_language = _wanted(args), list[_Said](), language(os.environ)

    def tell(read: Read) -> None:
        if args.json:
            said.append(_as_json(read))
        else:
            print(_each(read, dry_run=args.dry_run).to(in_language), flush=True)

    tally = asyncio.run(_retry(wanted, tell, dry_run=args.dry_run))
    if args.json:
        total = {
            "observations": tally.taken,
            "stored": tally.stored,
            "duplicates": tally.duplicates,
            "refused": dict(tally.refused),
        }
        print(json.dumps({"dry_run": args.dry_run, "rejects": said, "total": total}, ensure_ascii=False))
    else:
        print(_sentence(tally, dry_run=args.dry_run).to(in_language))
    return 0


async def _retry(wanted: Wanted, tell: Callable[[Read], None], *, dry_run: bool) -> _Tally:
    tally = _Tally()
    async with database("rejects") as connection:
        knowledge = await Knowledge.read(connection)
        now_us = knowledge.now_us()
        if not dry_run:
            await make_days_ahead(connection, now_us)
        directory = knowledge.directory()
        async for done in retry(connection, wanted, directory, knowledge.context, now_us, dry_run=dry_run):
            tally.add(done)
            for read in done.each:
                tell(read)
    return tally


def _wanted(args: argparse.Namespace) -> Wanted:
    """Return which rejects are asked for; a reason that does not exist would look like nothing refused."""
    if args.reason is not None and args.reason not in list(Reason):
        raise KerbsafeError(_NO_REASON.fill(reason=args.reason, reasons=", ".join(Reason)))
    return Wanted(args.reason, args.vehicle)


def _as_json(read: Read) -> _Said:
    kept = read.kept
    return {"reject_id": kept.reject_id, "topic": kept.topic, "taken": read.taken, "refused": read.refused}


def _each(read: Read, *, dry_run: bool) -> Words:
    parts = []
    if read.taken:
        parts.append((_WOULD_BE_TAKEN if dry_run else _TAKEN).fill(count=read.taken))
    if read.refused:
        parts.append(_REFUSED.fill(reasons=_reasons(read.refused)))
    what = parts[0] if len(parts) == 1 else parts[0].then(Words("; ", "；")).then(parts[1])
    return Words("#{id}  {topic}: {what}", "#{id}  {topic}：{what}").fill(
        id=read.kept.reject_id, topic=printable(read.kept.topic), what=what
    )


def _sentence(tally: _Tally, *, dry_run: bool) -> Words:
    if not tally.rejects:
        return _NOTHING_KEPT
    again = _AGAIN.fill(reasons=_reasons(tally.refused)) if tally.refused else Words("", "")
    if dry_run:
        return _WOULD.fill(rejects=tally.rejects, taken=tally.taken).then(again)
    return _DONE.fill(rejects=tally.rejects, stored=tally.stored, duplicates=tally.duplicates).then(again)


def _reasons(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())


_STATES = {
    "kept": Words("kept in full", "已完整保留"),
    "cut": Words("not kept in full", "未完整保留"),
    "taken in": Words("taken in since", "后已接收"),
}
_TOTAL = Words(
    "{reason}: {observations} observations; of them {retriable} can be taken in again, {retried} have been",
    "{reason}：{observations} 条数据；其中可重新接收 {retriable} 条，已重新接收 {retried} 条",
)
_NOTHING = Words("nothing of that kind was refused", "没有此类拒收")
_NOTHING_KEPT = Words(
    "nothing that was refused can be taken in again; `kerbsafe rejects list` shows what there is",
    "没有可以重新接收的拒收数据；用 `kerbsafe rejects list` 查看全部拒收",
)
_NO_REASON = Words(
    "no reason {reason!r}: the reasons are {reasons}", "没有拒收原因 {reason!r}：可用的有 {reasons}"
)
_TAKEN = Words("{count} taken in", "接收 {count} 条")
_WOULD_BE_TAKEN = Words("{count} would be taken in", "可接收 {count} 条")
_REFUSED = Words("refused again: {reasons}", "再次拒收：{reasons}")
_DONE = Words(
    "{rejects} tried: {stored} observations stored, {duplicates} were there already; the worker settles them",
    "重试 {rejects} 条拒收记录：存入 {stored} 条数据，{duplicates} 条已有；由 worker 终判",
)
_WOULD = Words(
    "{rejects} tried: {taken} observations would be taken in; nothing was changed",
    "试读 {rejects} 条拒收记录：可接收 {taken} 条数据；未作任何更改",
)
_AGAIN = Words("; refused again: {reasons}", "；再次拒收：{reasons}")
