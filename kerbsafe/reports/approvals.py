"""The work of `kerbsafe baseline` and `kerbsafe policy`: record what is approved, and say what it changes."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

from analytics.policies.approved import (
    Approved,
    PolicyError,
    baseline_in_force,
    policy_in_force,
    require_next_baseline,
    require_next_policy,
)
from analytics.policies.comparison import compare
from analytics.policies.store import approve, freeze, read_baselines, read_policies
from analytics.statistics.baseline import Baseline, read_baseline
from analytics.statistics.policy import WORDING, Policy, State, policy_from
from analytics.statistics.records import accept
from fleet.audit import at_the_shell
from fleet.installation import read_clock
from fleet.language import Words, language
from fleet.printable import printable, to_json
from fleet.units import to_datetime
from kerbsafe.reports.verdicts import judged_runs
from kerbsafe.shell.database import database
from kerbsafe.shell.json_files import read_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from datetime import datetime

    import asyncpg

    from analytics.policies.comparison import Compared, Verdict

    Json = dict[str, Any]


def freeze_baseline(args: argparse.Namespace) -> int:
    """Record an approved baseline; print every verdict under it and under the one that it supersedes."""
    problems: list[str] = []
    value = accept(read_baseline(read_json(args.file), problems), problems, "the baseline")
    return asyncio.run(_record(args, value))


def approve_policy(args: argparse.Namespace) -> int:
    """Record an approved policy; print every verdict under it and under the one before."""
    return asyncio.run(_record(args, policy_from(read_json(args.file))))


async def _record(args: argparse.Namespace, value: Baseline | Policy) -> int:
    who = (args.by or at_the_shell().name).strip()
    async with database("approvals") as connection:
        now = to_datetime((await read_clock(connection)).now_us())
        is_new = await _is_next(connection, value, now)
        rows = await _verdicts_under_both(connection, value, now) if is_new else []
        if is_new and not args.dry_run:
            await _write(connection, value, who, now)
    done = "unchanged" if not is_new else "would_record" if args.dry_run else "recorded"
    document = {"done": done, "name": _name(value), "hash": value.hash, "verdicts": list(map(_json, rows))}
    if args.json:
        print(to_json(document))
        return 0
    _say(_DONE[done].fill(name=_name(value), hash=value.hash, approver=value.approved_by))
    if isinstance(value, Baseline) and not value.accidents:
        _say(_ZERO)
    if rows:
        _say(_UNDER_BOTH.fill(changed=sum(row.differs for row in rows), runs=len(rows)))
        for row in rows:
            _say(_line(row))
    return 0


async def _is_next(connection: asyncpg.Connection, value: Baseline | Policy, now: datetime) -> bool:
    if isinstance(value, Baseline):
        return require_next_baseline(value, await read_baselines(connection), now)
    return require_next_policy(value, await read_policies(connection), now)


async def _write(connection: asyncpg.Connection, value: Baseline | Policy, who: str, now: datetime) -> None:
    if isinstance(value, Baseline):
        await freeze(connection, value, who, now)
    else:
        await approve(connection, value, who, now)


async def _verdicts_under_both(
    connection: asyncpg.Connection, value: Baseline | Policy, now: datetime
) -> list[Compared]:
    """Return every verdict under what is in force and under the value; none where nothing is in force yet."""
    try:
        policy = policy_in_force(await read_policies(connection), now)
    except PolicyError:
        policy = None
    baselines = await read_baselines(connection)
    if isinstance(value, Policy):
        compared: list[Compared] = []
        for name in sorted({each.value.id for each in baselines}):
            base = baseline_in_force(baselines, now, name)
            if policy is not None:
                compared += await _compare(connection, (base, policy), (base, value), now)
        return compared
    older = [each.value for each in baselines if each.value.id == value.id]
    if policy is None or not older:
        return []
    return await _compare(connection, (older[-1], policy), (value, policy), now)


async def _compare(
    connection: asyncpg.Connection,
    old: tuple[Baseline, Policy],
    new: tuple[Baseline, Policy],
    now: datetime,
) -> list[Compared]:
    return compare(*[await judged_runs(connection, *each, now) for each in (old, new)])


def list_baselines(args: argparse.Namespace) -> int:
    """List every version of every baseline."""
    found, now = asyncio.run(_read(read_baselines))
    if args.json:
        print(to_json({"baselines": [_document(each) for each in found]}))
        return 0
    for each in found:
        value = each.value
        is_current = value == baseline_in_force(found, now, value.id)
        mark = "* " if is_current else "  "
        counts = f"{value.accidents}/{value.fatal_accidents}/{value.deaths}"
        base = f"{value.year}  {counts} on {value.exposure:,.0f} {value.denominator}"
        approval = f"{value.approved_at} {value.approved_by}"
        print(printable(f"{mark}{value.id} {value.version}  {base}  {approval}"))
    _say_if_empty(found, _NO_BASELINES)
    return 0


def list_policies(args: argparse.Namespace) -> int:
    """List every policy."""
    found, now = asyncio.run(_read(read_policies))
    if args.json:
        print(to_json({"policies": [_document(each) for each in found]}))
        return 0
    for each in found:
        value = each.value
        mark = "* " if value == policy_in_force(found, now) else "  "
        target = f"≤ {value.target_ratio:g} by {value.target_year}"
        print(printable(f"{mark}{value.version}  {target}  {value.approved_at} {value.approved_by}"))
    _say_if_empty(found, _NO_POLICIES)
    return 0


def show_baseline(args: argparse.Namespace) -> int:
    """Print one baseline."""
    found, now = asyncio.run(_read(read_baselines))
    if args.version is None:
        value = baseline_in_force(found, now, args.id)
    else:
        same = [
            each.value
            for each in found
            if each.value.version == args.version and args.id in {None, each.value.id}
        ]
        if len(same) != 1:
            raise PolicyError(
                f"there {'is no' if not same else 'is more than one'} baseline {args.id or ''} version "
                f"{args.version}: `kerbsafe baseline list` shows them"
            )
        (value,) = same
    print(_pretty(json.loads(value.text) | {"hash": value.hash}))
    return 0


def show_policy(args: argparse.Namespace) -> int:
    """Print one policy."""
    found, now = asyncio.run(_read(read_policies))
    if args.version is None:
        value = policy_in_force(found, now)
    else:
        same = [each.value for each in found if each.value.version == args.version]
        if not same:
            raise PolicyError(f"there is no policy {args.version}: `kerbsafe policy list` shows them")
        (value,) = same
    print(_pretty(json.loads(value.text)))
    return 0


async def _read(read: Any) -> tuple[list[Any], datetime]:
    async with database("approvals") as connection:
        return await read(connection), to_datetime((await read_clock(connection)).now_us())


def _document(each: Approved[Any]) -> Json:
    recorded = {"recorded_at": f"{each.recorded_at:%Y-%m-%dT%H:%M:%SZ}", "recorded_by": each.who}
    values: Json = json.loads(each.value.text)
    return values | {"hash": each.value.hash} | recorded


def _pretty(document: Json) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)


def _name(value: Baseline | Policy) -> str:
    return f"{value.id} {value.version}" if isinstance(value, Baseline) else value.version


def _json(row: Compared) -> Json:
    return {
        "to": row.last.isoformat(),
        "old": None if row.old is None else row.old._asdict(),
        "new": None if row.new is None else row.new._asdict(),
        "differs": row.differs,
    }


def _line(row: Compared) -> Words:
    old, new = _state(row.old), _state(row.new)
    arrow = Words("  →  ", "  →  ") if row.differs else Words("  =  ", "  =  ")
    return Words(f"{row.last}  ", f"{row.last}  ").then(old).then(arrow).then(new)


def _state(verdict: Verdict | None) -> Words:
    return Words("not judged", "未判定") if verdict is None else _in_words(verdict.overall)


def _in_words(state: State) -> Words:
    """Return a state without the numbers that belong to one run."""
    texts = [
        WORDING[name][state].partition("(")[0].partition("；")[0].partition(";")[0] for name in ("en", "zh")
    ]
    return Words(texts[0].strip(), texts[1].strip())


def _say(words: Words) -> None:
    print(printable(words.to(language(os.environ))))


def _say_if_empty(found: Sequence[Any], words: Words) -> None:
    if not found:
        _say(words)


_DONE = {
    "recorded": Words(
        "recorded: {name}, approved by {approver}, {hash}", "已登记：{name}，批准人 {approver}，{hash}"
    ),
    "would_record": Words(
        "would be recorded: {name}, approved by {approver}, {hash}",
        "将登记：{name}，批准人 {approver}，{hash}",
    ),
    "unchanged": Words(
        "recorded before, nothing changes: {name}, {hash}", "此前已登记，无变化：{name}，{hash}"
    ),
}
_ZERO = Words(
    "it counts no accident: no fall can be defined against it, and every verdict will say so; use several "
    "years",
    "该基数事故为零，降幅无法定义，判定均将如此注明；请改用多年平均基数",
)
_UNDER_BOTH = Words(
    "verdicts under both, by the last day of the period ({changed} of {runs} differ):",
    "新旧对照判定，按统计期末日（{runs} 期中 {changed} 期不同）：",
)
_NO_BASELINES = Words(
    "no baseline is frozen: `kerbsafe baseline freeze FILE` records one",
    "尚无已冻结的基数：请用 `kerbsafe baseline freeze 文件` 登记",
)
_NO_POLICIES = Words(
    "no policy is approved: `kerbsafe policy approve FILE` records one",
    "尚无已批准的判定规则：请用 `kerbsafe policy approve 文件` 登记",
)
