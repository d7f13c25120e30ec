"""A simulated history in the words of the ledger, the facts and the registry. Pure."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, time
from itertools import groupby
from typing import TYPE_CHECKING, Any

from analytics.facts.fact import MonthFact, Source
from analytics.facts.measures import Measure
from analytics.facts.restating import Said
from analytics.ledger import history as knowledge
from analytics.ledger.accident import (
    Casualty,
    Facts,
    Injury,
    Moment,
    Reporter,
    Responsibility,
    Role,
    Vehicle,
)
from fleet.language import Words
from fleet.schedule import CIVIL_ZONE
from simulators.history.truth import company_code, vehicle_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from analytics.ledger.history import Version
    from simulators.history.accounts import Account
    from simulators.history.figures import Figure
    from simulators.history.setting import Setting
    from simulators.history.truth import History

WHO = "simulated"
_CODES = {"right_turn": "06", "straight": "01", "left_turn": "05", "reversing": "02", "starting": "starting"}


def ledger(accounts: Iterable[Account]) -> dict[str, list[Version]]:
    """Return the versions that the ledger would hold, had each account been entered when it was given."""
    found: dict[str, list[Version]] = defaultdict(list)
    for account in accounts:
        versions = found[account.code]
        by = knowledge.Writer(WHO, account.known_at, account.known_at)
        if not versions:
            versions.append(knowledge.report(_facts(account), by))
        elif (version := knowledge.revise(versions, _facts(account), by)) is not None:
            versions.append(version)
    return dict(found)


def _facts(account: Account) -> Facts:
    people = [Casualty(Injury.DEAD, Role(account.role), _day(day)) for day in account.died]
    people += [Casualty(Injury.SERIOUS, Role(account.role))] * account.serious
    people += [Casualty(Injury.LIGHT, Role(account.role))] * account.light
    share = Responsibility(account.responsibility) if account.responsibility else Responsibility.PENDING
    truck = Vehicle(
        is_fleet=True,
        vehicle=account.vehicle,
        company=account.company,
        kind="mixer",
        manoeuvre=_CODES[account.manoeuvre],
        responsibility=share,
    )
    return Facts(
        occurred=Moment(account.happened, is_exact=True),
        reporter=Reporter.POLICE,
        county=account.county,
        police_handled=True,
        police_no=account.code,
        casualties_known=True,
        casualties=tuple(people),
        vehicles=(truck,),
    )


def _day(day: Any) -> Moment:
    return Moment(datetime.combine(day, time(), CIVIL_ZONE), is_exact=False)


def said(figures: Sequence[Figure]) -> Iterator[tuple[datetime, list[Said]]]:
    """Yield what is said at each moment, in order."""
    for known_at, group in groupby(figures, key=lambda figure: figure.known_at):
        yield (
            known_at,
            [
                Said(
                    each.scope,
                    each.month,
                    Measure(each.measure),
                    each.value,
                    each.coverage,
                    Source.SIMULATED,
                )
                for each in group
            ],
        )


def month_facts(figures: Sequence[Figure]) -> list[MonthFact]:
    """Return the facts as they were known over time, as the database has them: each until the next."""
    found: list[MonthFact] = []
    standing: dict[tuple[str, Any, str], int] = {}
    for each in figures:
        key = each.scope, each.month, each.measure
        if key in standing:
            old = found[standing[key]]
            found[standing[key]] = MonthFact(
                old.scope,
                old.month,
                old.measure,
                old.value,
                old.coverage,
                old.source,
                old.known_from,
                each.known_at,
            )
        standing[key] = len(found)
        found.append(
            MonthFact(
                each.scope,
                each.month,
                Measure(each.measure),
                each.value,
                each.coverage,
                Source.SIMULATED,
                each.known_at,
            )
        )
    return found


def registry(history: History) -> dict[str, Any]:
    """Return companies and vehicles as `kerbsafe registry import` reads them."""
    companies = range(history.setting.companies)
    return {
        "companies": [
            {"code": company_code(at), "name": company_name(at).zh, "district": "样例"} for at in companies
        ],
        "vehicles": [
            {"code": vehicle_code(at, number), "company": company_code(at), "kind": "mixer"}
            for at in companies
            for number in range(int(history.vehicles[at]))
        ],
    }


def company_name(number: int) -> Words:
    """Return what a company is called, counted from 0."""
    return Words(f"sample company {number + 1}", f"样例{number + 1}号企业")


def names(setting: Setting) -> Mapping[str, Words]:
    """Return what people call the scopes of the simulated city."""
    counties = {f"county:{county.code}": Words(county.name, county.name) for county in setting.counties}
    return counties | {f"company:{company_code(at)}": company_name(at) for at in range(setting.companies)}
