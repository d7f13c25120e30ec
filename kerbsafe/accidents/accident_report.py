"""What the ledger says, as JSON and for people. A range is `[low, high]`; `null` is what nobody has said.

For people a range is `0-1`, and `0+` where more may come.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
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
from analytics.ledger.columns import BY_NAME
from analytics.ledger.counting import By
from analytics.ledger.history import changed_fields, in_order, known_to
from analytics.ledger.scopes import UNDECIDED, YES, Scope, in_scope
from analytics.ledger.severity import severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from analytics.ledger.accident import Facts
    from analytics.ledger.counting import Counts
    from analytics.ledger.history import Version
    from analytics.ledger.severity import Class
    from fleet.language import Language

    Json = dict[str, Any]


def told(at: datetime) -> str:
    """Return a time as all of our JSON has it, to the microsecond where it has any."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").replace(".000000Z", "Z")


def accident_document(code: str, version: Version) -> Json:
    """Return an accident in short: what counts."""
    facts = version.facts
    domestic, abroad = (toll(facts, days) for days in (DOMESTIC_WINDOW_DAYS, INTERNATIONAL_WINDOW_DAYS))
    return {
        "code": code,
        "occurred": str(facts.occurred),
        "county": facts.county or None,
        "place": facts.place or None,
        "status": version.status,
        "merged_into": version.merged_into or None,
        "companies": list(facts.companies),
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


# -- for people


def _list_lines(document: Json, wanted: Language) -> Iterator[str]:
    for each in document["accidents"]:
        yield "  ".join(
            (
                each["code"],
                each["occurred"],
                each["county"] or "-",
                _people(each, wanted),
                _scopes(each),
                ",".join(filter(None, each["companies"])) or "-",
                each["status"],
            )
        )
    zh, number = wanted == "zh", len(document["accidents"])
    if number:
        yield f"{number} 起" if zh else f"{number} accidents"
    else:
        yield "台账中没有登记" if zh else "nothing is recorded"
    if document["unknown_codes"]:
        cited = ", ".join(
            f"{BY_NAME[each['column']].label.to(wanted)} {each['code']} ({each['accidents']})"
            for each in document["unknown_codes"]
        )
        yield f"{'代码表中没有的代码' if zh else 'codes that no table has'}: {cited}"
    if document["possible_duplicates"]:
        yield (
            f"可能重复 {document['possible_duplicates']} 对：kerbsafe accidents duplicates"
            if zh
            else f"{document['possible_duplicates']} pairs may be one accident: kerbsafe accidents duplicates"
        )


def _people(each: Json, wanted: Language) -> str:
    dead, later, serious, light = (
        _shown(*each[name]) for name in ("deaths_7d", "deaths_30d", "serious", "light")
    )
    if wanted == "zh":
        return f"死{dead}{'' if dead == later else f'（30日{later}）'} 重{serious} 轻{light}"
    return f"dead {dead}{'' if dead == later else f' (30 d: {later})'} serious {serious} light {light}"


def _shown(low: int, high: int | None) -> str:
    return f"{low}+" if high is None else str(Range(low, high))


def _scopes(each: Json) -> str:
    found = (
        f"{scope}{'?' if answer is None else ''}"
        for scope, answer in each["scopes"].items()
        if answer is not False
    )
    return " ".join(found) or "-"


def _show_lines(document: Json, wanted: Language) -> Iterator[str]:
    yield "  ".join((document["code"], document["occurred"], document["status"]))
    yield f"{_people(document, wanted)}  {_scopes(document)}"
    systems = {"three": "分类" if wanted == "zh" else "class", "1991": "1991", "493": "493"}
    for name, label in systems.items():
        found = document["severity"][name]
        yield f"{label}: {found[wanted]}{'' if found['certain'] else '+'}"
    for name in ("county", "place", "reporter", "police_no", "claim_no", "loss_yuan"):
        if document[name] is not None:
            yield f"{BY_NAME[name].label.to(wanted)}: {document[name]}"
    for name in CODE_TABLES:
        if found := document.get(name):
            unknown = "" if found["known"] else " ?"
            yield f"{BY_NAME[name].label.to(wanted)}: {found['code']} {found[wanted]}{unknown}"
    for vehicle in document["vehicles"]:
        manoeuvre = vehicle["manoeuvre"] and vehicle["manoeuvre"][wanted]
        said = (vehicle["vehicle"], vehicle["company"], vehicle["kind"], manoeuvre, vehicle["responsibility"])
        yield f"{'车辆' if wanted == 'zh' else 'vehicle'}: {'  '.join(part or '-' for part in said)}"
    for version in document["versions"]:
        yield _version_line(version)


def _version_line(version: Json) -> str:
    parts = [
        f"v{version['version']}",
        version["known_from"],
        version["reason"],
        version["who"],
        version["why"],
    ]
    parts += [f"-> {version['merged_into']}"] if version["merged_into"] else []
    parts += [", ".join(version["changes"])] if version.get("changes") else []
    return "  ".join(filter(None, parts))


#: Columns of the table of counts: ranges, then numbers.
_RANGES = ("accidents", "fatal_7d", "deaths_7d", "deaths_30d", "serious", "light")
_NUMBERS = {"pending": "pending", "unknown": "without_casualties", "open_30d": "open_30d"}


def _count_lines(document: Json, _wanted: Language) -> Iterator[str]:
    by = document["by"]
    headers = (*_RANGES, *_NUMBERS)
    yield "  ".join((*headers, by))
    for each in document["counts"]:
        # What an accident may add of which nobody has said who was hurt.
        more = {name: "+" if each["without_casualties"] and name != "accidents" else "" for name in _RANGES}
        ranges = (f"{Range(*each[name])}{more[name]}" for name in _RANGES)
        cells = (*ranges, *(str(each[name]) for name in _NUMBERS.values()))
        padded = [cell.rjust(len(header)) for header, cell in zip(headers, cells, strict=True)]
        yield "  ".join((*padded, each["group"] or (by if by == By.CITY else "?")))
    first, last = (document["recorded"][end] for end in ("from", "to"))
    yield f"recorded accidents happened from {first} to {last}; of other times nobody has said anything"


def _duplicate_lines(document: Json, _wanted: Language) -> Iterator[str]:
    for pair in document["pairs"]:
        yield f"{pair['score']:.2f}  {pair['one']}  {pair['other']}  {', '.join(pair['shared'])}"
    yield f"{len(document['pairs'])} pairs; merge one: kerbsafe accidents merge CODE --into CODE --why TEXT"


def _changed_lines(document: Json, _wanted: Language) -> Iterator[str]:
    yield f"{document['code']}  {_version_line(document)}"


LINES: Mapping[str, Callable[[Json, Language], Iterator[str]]] = {
    "list": _list_lines,
    "show": _show_lines,
    "count": _count_lines,
    "duplicates": _duplicate_lines,
    "changed": _changed_lines,
}
