"""The work of `kerbsafe accidents` beside the import: list, show, count, and the changes that people make."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from analytics.ledger import documents, history
from analytics.ledger.accident import LedgerError
from analytics.ledger.counting import By, Period, count, rule_versions
from analytics.ledger.duplicates import find_duplicates
from analytics.ledger.scopes import Scope
from analytics.ledger.store import change, no_accident, read_versions
from fleet.installation import read_clock
from fleet.language import Words, language
from fleet.printable import printable, to_json
from fleet.units import to_datetime
from kerbsafe.accidents import accident_report
from kerbsafe.accidents.accident_files import writer
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from analytics.ledger.accident import Facts
    from analytics.ledger.history import Version, Writer

    Ledger = Mapping[str, Sequence[Version]]


_INTO_ITSELF = Words("an accident cannot be merged into itself", "事故不能与自身合并")
_NOTHING_RECORDED = Words(
    "nothing is recorded in the ledger as of then, which is not that nothing happened: "
    "`kerbsafe accidents import FILE` records a list",
    "截至该时间台账中没有登记，不等于没有事故：用 `kerbsafe accidents import FILE` 导入",
)


def run(args: argparse.Namespace) -> int:
    """Answer, as JSON or for people."""
    document = asyncio.run(_answer(args))
    if args.json:
        print(to_json(document))
        return 0
    for line in accident_report.LINES[document["what"]](document, language(os.environ)):
        print(printable(line))
    return 0


async def _answer(args: argparse.Namespace) -> dict[str, Any]:
    async with database("accidents") as connection:
        now = to_datetime((await read_clock(connection)).now_us())
        if args.action in _CHANGES:
            codes = [args.code, *([args.into] if args.action == "merge" else [])]
            by = writer(args, now, args.why)
            version = await change(connection, codes, now, lambda ledger: _changed(args, ledger, by))
            return {"what": "changed", "code": args.code, **documents.version_document(version)}
        at = args.as_of or now
        if at > now:
            raise LedgerError(documents.AS_OF_FUTURE)
        asked = [args.code] if args.action == "show" else None
        ledger = await read_versions(connection, at, asked)
    return {"what": args.action, "as_of": documents.told(at), **_ANSWERS[args.action](args, ledger, at)}


def _changed(args: argparse.Namespace, ledger: Ledger, by: Writer) -> Version:
    if args.action == "merge":
        if args.into == args.code:
            raise LedgerError(_INTO_ITSELF)
        return history.merge(ledger[args.code], ledger[args.into], args.into, by)
    return _STEPS[args.action](ledger[args.code], by)


_STEPS: Mapping[str, Callable[[Sequence[Version], Writer], Version]] = {
    "withdraw": history.withdraw,
    "reinstate": history.reinstate,
    "close": history.close,
}
_CHANGES = frozenset({"merge", *_STEPS})


def _current(ledger: Ledger, at: datetime) -> dict[str, Version]:
    """Return the account of each accident that counted at a time."""
    found = {code: history.as_of(versions, at) for code, versions in ledger.items()}
    return {code: version for code, version in found.items() if version is not None}


def _counting(ledger: Ledger, at: datetime) -> dict[str, Facts]:
    return {code: version.facts for code, version in _current(ledger, at).items() if version.counts}


def _list(args: argparse.Namespace, ledger: Ledger, at: datetime) -> dict[str, Any]:
    current = _current(ledger, at)
    shown = {code: version for code, version in current.items() if args.all or version.counts}
    ordered = sorted(shown.items(), key=lambda pair: (pair[1].facts.occurred.at, pair[0]))
    return {
        "rules": rule_versions(),
        "accidents": [documents.accident_document(code, version) for code, version in ordered],
        "unknown_codes": documents.unknown_codes_document([version.facts for version in shown.values()]),
        "possible_duplicates": len(find_duplicates(_counting(ledger, at))),
    }


def _show(args: argparse.Namespace, ledger: Ledger, at: datetime) -> dict[str, Any]:
    version = _current(ledger, at).get(args.code)
    if version is None:
        raise no_accident(args.code)
    return {
        "rules": rule_versions(),
        **documents.accident_document(args.code, version),
        **documents.details_document(version.facts),
        "versions": documents.versions_document(ledger[args.code]),
    }


def _count(args: argparse.Namespace, ledger: Ledger, at: datetime) -> dict[str, Any]:
    if args.first > args.last:
        raise LedgerError(documents.FROM_AFTER_TO)
    accidents = _counting(ledger, at).values()
    if not accidents:
        raise LedgerError(_NOTHING_RECORDED)
    happened = sorted(facts.occurred.day for facts in accidents)
    found = count(accidents, Scope(args.scope), Period(args.first, args.last), at, By(args.by))
    return {
        "rules": rule_versions(),
        "scope": args.scope,
        "from": args.first.isoformat(),
        "to": args.last.isoformat(),
        "by": args.by,
        "recorded": {"from": happened[0].isoformat(), "to": happened[-1].isoformat()},
        "counts": documents.counts_document(found),
    }


def _duplicates(_args: argparse.Namespace, ledger: Ledger, at: datetime) -> dict[str, Any]:
    pairs = find_duplicates(_counting(ledger, at))
    return {"pairs": [pair._asdict() for pair in pairs]}


_ANSWERS = {"list": _list, "show": _show, "count": _count, "duplicates": _duplicates}
