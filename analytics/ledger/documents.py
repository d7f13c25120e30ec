"""What the ledger says, as JSON. A range is `[low, high]`; `null` is what nobody has said."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import UTC
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from analytics.ledger.accident import (
    DOMESTIC_WINDOW_DAYS,
    INTERNATIONAL_WINDOW_DAYS,
    Range,
    toll,
    unknown_codes,
)
from analytics.ledger.codes import CODE_TABLES
from analytics.ledger.history import changed_fields, in_order, known_to
from analytics.ledger.scopes import UNDECIDED, YES, Scope, in_scope
from analytics.ledger.severity import severity
from fleet.language import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from analytics.ledger.accident import Facts
    from analytics.ledger.counting import Counts
    from analytics.ledger.history import Version
    from analytics.ledger.severity import Class

    Json = dict[str, Any]


AS_OF_FUTURE = Words(
    "--as-of lies in the future: nobody knows yet what will be known then",
    "--as-of 晚于当前时间：届时的情况现在无人知晓",
)
FROM_AFTER_TO = Words("--from is after --to", "--from 晚于 --to")


def told(at: datetime) -> str:
    """Return a time as all of our JSON has it, to the microsecond where it has any."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").replace(".000000Z", "Z")


def accident_document(code: str, version: Version) -> Json:
    """Return an accident in short: what counts."""
    facts = version.facts
    domestic, abroad = (toll(facts, days) for days in (DOMESTIC_WINDOW_DAYS, INTERNATIONAL_WINDOW_DAYS))
    return {
        "code": code,
        "occurred": str(facts.occurred),
        "county": facts.county or None,
        "place": facts.place or None,
        "position": None if facts.position is None else facts.position._asdict(),
        "status": version.status,
        "merged_into": version.merged_into or None,
        "companies": list(facts.companies),
        "fleet_vehicles": [vehicle.vehicle for vehicle in facts.fleet if vehicle.vehicle],
        "scopes": {scope: _answer(in_scope(facts, scope)) for scope in Scope},
        "casualties_known": facts.casualties_known,
        "deaths_7d": _range(domestic.dead, facts),
        "deaths_30d": _range(abroad.dead, facts),
        "serious": _range(domestic.serious, facts),
        "light": _range(Range(domestic.light, domestic.light), facts),
    }


def _range(people: Range, facts: Facts) -> list[int | None]:
    """Return how many; without a high end while nobody has said that these are all."""
    return [people.low, people.high if facts.casualties_known else None]


def _answer(counted: Range) -> bool | None:
    return None if counted == UNDECIDED else counted == YES


def details_document(facts: Facts) -> Json:
    """Return the rest of what is known, and what follows from it."""
    classes = severity(facts)
    return {
        "reporter": facts.reporter,
        "police_handled": facts.police_handled,
        "police_no": facts.police_no or None,
        "claim_no": facts.claim_no or None,
        "loss_yuan": facts.loss_yuan,
        **{name: _code(name, getattr(facts, name)) for name in CODE_TABLES if name != "manoeuvre"},
        "severity": {
            "three": _class(classes.three),
            "1991": _class(classes.of_1991),
            "493": _class(classes.of_493),
            "uk": None if classes.uk is None else _class(classes.uk),
        },
        "casualties": [
            {
                "injury": person.injury,
                "role": person.role,
                "died": None if person.died is None else str(person.died),
                "died_within_days": person.died_within_days,
            }
            for person in facts.casualties
        ],
        "vehicles": [
            {
                "is_fleet": vehicle.is_fleet,
                "vehicle": vehicle.vehicle or None,
                "plate": vehicle.plate or None,
                "company": vehicle.company or None,
                "kind": vehicle.kind or None,
                "manoeuvre": _code("manoeuvre", vehicle.manoeuvre),
                "responsibility": vehicle.responsibility,
            }
            for vehicle in facts.vehicles
        ],
    }


def _code(name: str, code: str) -> Json | None:
    if not code:
        return None
    label = CODE_TABLES[name].label(code)
    return {"code": code, "known": CODE_TABLES[name].knows(code), "en": label.en, "zh": label.zh}


def _class(found: Class) -> Json:
    return {"en": found.label.en, "zh": found.label.zh, "certain": found.is_certain}


def version_document(version: Version) -> Json:
    """Return one version without its facts."""
    return {
        "version": version.number,
        "recorded_at": told(version.recorded_at),
        "known_from": told(version.known_from),
        "status": version.status,
        "reason": version.reason,
        "who": version.who,
        "why": version.why,
        "merged_into": version.merged_into or None,
    }


def versions_document(versions: Sequence[Version]) -> list[Json]:
    """Return all versions in the order in which they replace one another, with what each changes."""
    ordered = in_order(versions)
    changes = [[], *(changed_fields(one.facts, other.facts) for one, other in pairwise(ordered))]
    documents = []
    for version, changed in zip(ordered, changes, strict=True):
        until = known_to(ordered, version.number)
        document = version_document(version)
        documents.append(document | {"known_to": None if until is None else told(until), "changes": changed})
    return documents


def unknown_codes_document(accidents: Sequence[Facts]) -> list[Json]:
    """Return the codes that no table has, and how many accidents have each."""
    found = Counter(code for facts in accidents for code in unknown_codes(facts))
    return [
        {"column": name, "code": code, "accidents": number} for (name, code), number in sorted(found.items())
    ]


def counts_document(counts: Mapping[str, Counts]) -> list[Json]:
    """Return counts by group."""
    return [{"group": group or None, **asdict(found)} for group, found in counts.items()]
