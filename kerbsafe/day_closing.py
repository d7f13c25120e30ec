"""The work of `kerbsafe days`: close days by hand, and say how each of them stands."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from alerts.knowledge import Knowledge
from analytics.days import restating, store
from analytics.days.closing import Wait
from analytics.days.measuring import Terms
from analytics.days.nightly import civil_day
from analytics.days.reading import QUERIES
from analytics.days.store import Closed, Job
from fleet.errors import KerbsafeError
from fleet.language import Words, language
from fleet.printable import printable, to_json
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    import asyncpg

EXIT_OPEN = 1
#: `days list` shows so many days where no span is given.
_DAYS_SHOWN = 14


class DaysError(KerbsafeError):
    """The days that were asked for make no span."""


def run(args: argparse.Namespace) -> int:
    """Close or list, and print."""
    if args.action == "close":
        args.first = args.last = args.day
    document = asyncio.run(_list(args) if args.action == "list" else _close(args))
    if args.json:
        print(to_json(document))
    else:
        for line in _lines(document):
            print(printable(line.to(language(os.environ))))
    return EXIT_OPEN if args.action != "list" and document["waiting"] + document["failed"] else 0


async def _close(args: argparse.Namespace) -> dict[str, Any]:
    async with database("days") as connection:
        job = await _job(connection)
        total = Counter[str]()
        waits = Counter[str]()
        failures: list[dict[str, str]] = []
        async with store.closing_alone(connection):
            for day in _span(args, job):
                done = await store.close(
                    connection, day, job, again=args.again, progress=_progress_of(day, shown=not args.json)
                )
                total += _counts(done)
                waits += Counter(done.waits.values())
                failures += [{"day": str(day), "failure": why} for why in done.failed.values()]
            months = await restating.restate_due(connection, job)
    return {
        "from": str(args.first),
        "to": str(args.last),
        **{name: total[name] for name in ("closed", "unchanged", "fixes", "waiting", "failed")},
        "waits": {wait: waits[wait] for wait in Wait if waits[wait]},
        "failures": failures,
        "months": {
            f"{month:%Y-%m}": {
                "added": len(done.added),
                "ended": len(done.closed),
                "unchanged": done.unchanged,
            }
            for month, done in months.items()
        },
    }


def _counts(done: Closed) -> Counter[str]:
    return Counter(
        closed=done.changed,
        unchanged=done.unchanged,
        fixes=done.fixes,
        waiting=len(done.waits),
        failed=len(done.failed),
    )


def _progress_of(day: date, *, shown: bool) -> Any:
    if not shown or not sys.stderr.isatty():
        return None

    def progress(done: int, of: int) -> None:
        print(f"\r{day}: {done} of {of} vehicles", end="\n" if done == of else "", file=sys.stderr)

    return progress


async def _list(args: argparse.Namespace) -> dict[str, Any]:
    async with database("days") as connection:
        job = await _job(connection)
        days = [await _state(connection, day, job) for day in _span(args, job)]
        night = await connection.fetchrow(QUERIES["last_run"])
    return {
        "days": days,
        "last_night": None
        if night is None
        else {
            "began_at": night["began_at"].isoformat(),
            "ended_at": None if night["ended_at"] is None else night["ended_at"].isoformat(),
            "vehicle_days": night["vehicle_days"],
            "failure": night["failure"] or None,
        },
    }


async def _state(connection: asyncpg.Connection, day: date, job: Job) -> dict[str, Any]:
    found = await store.look(connection, day, job)
    closed = await connection.fetchval(QUERIES["closed_of_day"], day)
    waits = Counter(found.due.waits.values())
    due = len(found.due.vehicles)
    if waits[Wait.NOT_OVER]:
        state = "not_over"
    elif waits:
        state = "waiting"
    elif due:
        state = "due"
    else:
        state = "closed" if closed else "empty"
    return {
        "day": str(day),
        "state": state,
        "closed": closed,
        "due": due,
        "waits": {wait: waits[wait] for wait in Wait if waits[wait]},
    }


async def _job(connection: asyncpg.Connection) -> Job:
    knowledge = await Knowledge.read(connection)
    return Job(Terms.of(knowledge.context), knowledge.now_us)


def _span(args: argparse.Namespace, job: Job) -> list[date]:
    today = civil_day(job.now_us())
    args.last = args.last or max(today, args.first or today)
    args.first = args.first or args.last - timedelta(days=_DAYS_SHOWN - 1)
    if args.first > args.last:
        raise DaysError(f"--from {args.first} is after --to {args.last}: no day lies between them")
    if args.action != "list" and args.first > today:
        raise DaysError(f"{args.first} has not begun: today is {today}")
    return [args.first + timedelta(days=n) for n in range((args.last - args.first).days + 1)]


_WAITS = {
    Wait.NOT_OVER: Words("the day is not over, or not yet settled", "当日未结束，或未到定稿时间"),
    Wait.LATE_DATA: Words("late data is still to be judged", "补传数据待重新判定"),
    Wait.TRIP_NOT_SETTLED: Words("a trip has not ended or is not settled", "行程未结束或未定稿"),
    Wait.FIXES_GONE: Words("its positions are no longer in the database", "定位数据已不在数据库中"),
}
_STATES = {
    "closed": Words("closed", "已结算"),
    "due": Words("due", "待结算"),
    "waiting": Words("waiting", "等待中"),
    "not_over": Words("not over", "未结束"),
    "empty": Words("nobody registered, nothing heard", "无登记车辆，无数据"),
}


def _lines(document: dict[str, Any]) -> Iterator[Words]:
    if "days" in document:
        for day in document["days"]:
            line = Words("{day}  {state}: {closed} vehicles closed", "{day}  {state}：已结算 {closed} 辆")
            yield line.fill(**day | {"state": _STATES[day["state"]]}).then(_due(day)).then(_waiting(day))
        yield from _night(document["last_night"])
        return
    line = Words(
        "{closed} vehicle-days closed, {unchanged} unchanged, from {fixes} positions",
        "结算 {closed} 车日，{unchanged} 车日不变，共 {fixes} 个定位点",
    )
    yield line.fill(**document).then(_waiting(document))
    for failure in document["failures"]:
        yield Words("{day} failed: {failure}", "{day} 失败：{failure}").fill(**failure)
    for month, facts in document["months"].items():
        line = Words(
            "{month}: {added} facts written, {ended} ended, {unchanged} unchanged",
            "{month}：写入 {added} 项，终止 {ended} 项，不变 {unchanged} 项",
        )
        yield line.fill(month=month, **facts)


def _due(day: dict[str, Any]) -> Words:
    return Words(", {due} due", "，待结算 {due} 辆").fill(due=day["due"]) if day["due"] else Words("", "")


def _waiting(document: dict[str, Any]) -> Words:
    words = Words("", "")
    for wait, many in document["waits"].items():
        words = words.then(
            Words("; {many} wait: {why}", "；{many} 辆等待：{why}").fill(many=many, why=_WAITS[wait])
        )
    return words


def _night(night: dict[str, Any] | None) -> Iterator[Words]:
    if night is None:
        yield Words("the worker has not closed days yet", "后台进程尚未结算过")
    elif night["failure"]:
        yield Words(
            "the night of {began_at} failed: {failure}. It is tried again; see the log of `kerbsafe worker`",
            "{began_at} 的夜间结算失败：{failure}。将自动重试；请查看 `kerbsafe worker` 日志",
        ).fill(**night)
    elif night["ended_at"] is None:
        yield Words(
            "the night of {began_at} is under way, or was broken off", "{began_at} 的夜间结算未完成"
        ).fill(**night)
    else:
        yield Words(
            "last night: {began_at}, {vehicle_days} vehicle-days", "上次结算：{began_at}，{vehicle_days} 车日"
        ).fill(**night)
