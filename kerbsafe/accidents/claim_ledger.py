"""The work of `kerbsafe claims`: import a list, show it, compare it with the accidents of the police."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from analytics.ledger import documents, history
from analytics.ledger.accident import LedgerError
from analytics.ledger.claims.columns import CLAIMS
from analytics.ledger.claims.matching import MATCHING_RULES
from analytics.ledger.claims.reading import understand
from analytics.ledger.claims.reconciling import common_period, reconcile
from analytics.ledger.claims.store import import_claims, read_claims
from analytics.ledger.counting import Period
from analytics.ledger.store import read_versions
from fleet.installation import read_clock
from fleet.language import Words, language
from fleet.printable import printable, to_json
from fleet.registry_import.problem import ImportRefusedError
from fleet.units import to_datetime
from kerbsafe.accidents import claim_report
from kerbsafe.accidents.accident_files import (
    EXIT_LEFT_OUT,
    EXIT_REFUSED,
    print_plan,
    print_refused,
    read_contents,
    say_problems,
    writer,
)
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from analytics.ledger.accident import Facts
    from analytics.ledger.claims.claim import Claim
    from analytics.ledger.claims.planning import ClaimsPlan
    from analytics.ledger.claims.reading import ClaimsSaid


def run_import(args: argparse.Namespace) -> int:
    """Record a list and say what was done, or everything that is wrong with it."""
    try:
        said = understand(read_contents(args, CLAIMS), ignore_unknown=args.ignore_unknown)
        plan = asyncio.run(_import(args, said))
    except ImportRefusedError as refused:
        if args.json:
            print_refused(refused.problems)
        say_problems(args, refused.problems)
        return EXIT_REFUSED
    print_plan(args, plan)
    return EXIT_REFUSED if plan.is_refused else EXIT_LEFT_OUT if plan.problems else 0


async def _import(args: argparse.Namespace, said: ClaimsSaid) -> ClaimsPlan:
    async with database("claims") as connection:
        now = to_datetime((await read_clock(connection)).now_us())
        by = writer(args, now, "; ".join(filter(None, (args.why, args.file.name))))
        return await import_claims(connection, said, by, insurer=args.insurer.strip(), dry_run=args.dry_run)


def run(args: argparse.Namespace) -> int:
    """Answer, as JSON or for people."""
    document = asyncio.run(_answer(args))
    if args.json:
        print(to_json(document))
        return 0
    for line in claim_report.LINES[document["what"]](document, language(os.environ)):
        print(printable(line))
    return 0


async def _answer(args: argparse.Namespace) -> dict[str, Any]:
    async with database("claims") as connection:
        now = to_datetime((await read_clock(connection)).now_us())
        at = args.as_of or now
        if at > now:
            raise LedgerError(documents.AS_OF_FUTURE)
        claims = {code: versions[-1].claim for code, versions in (await read_claims(connection, at)).items()}
        ledger = {} if args.action == "list" else await read_versions(connection, at)
    said = {"what": args.action, "as_of": documents.told(at)}
    if args.action == "list":
        return said | {"claims": claim_report.claims_document(claims)}
    current = {code: history.as_of(versions, at) for code, versions in ledger.items()}
    accidents = {code: one.facts for code, one in current.items() if one is not None and one.counts}
    period = _period(args, accidents, claims)
    found = reconcile(accidents, claims, period)
    return said | {
        "rules": {"matching": MATCHING_RULES},
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        **claim_report.reconciliation_document(found),
    }


def _period(args: argparse.Namespace, accidents: Mapping[str, Facts], claims: Mapping[str, Claim]) -> Period:
    """Return the days that are compared: those asked for, else those of which both lists speak."""
    if not claims:
        raise LedgerError(_NO_CLAIMS)
    if not any(facts.police_handled for facts in accidents.values()):
        raise LedgerError(_NO_POLICE)
    both = common_period((facts for facts in accidents.values() if facts.police_handled), claims.values())
    if both is None and (args.first is None or args.last is None):
        raise LedgerError(_NO_PERIOD)
    first, last = both or (args.first, args.last)
    period = Period(args.first or first, args.last or last)
    if period.first > period.last:
        raise LedgerError(documents.FROM_AFTER_TO)
    return period


_NO_CLAIMS = Words(
    "no claims are recorded as of then: `kerbsafe claims import FILE` records a list",
    "截至该时间没有理赔记录：用 `kerbsafe claims import FILE` 导入",
)
_NO_POLICE = Words(
    "no accidents of the police are recorded as of then: `kerbsafe accidents import FILE` records a list",
    "截至该时间台账中没有公安处理的事故：用 `kerbsafe accidents import FILE` 导入",
)
_NO_PERIOD = Words(
    "no day is in both lists: say which days to compare with --from and --to",
    "两份清单没有共同的日期：请用 --from 和 --to 指定对账期间",
)
