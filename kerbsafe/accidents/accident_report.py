"""What the ledger says, for people: a range is `0-1`, and `0+` where more may come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.ledger import words
from analytics.ledger.accident import Range
from analytics.ledger.codes import CODE_TABLES
from analytics.ledger.columns import BY_NAME
from analytics.ledger.counting import By
from fleet.language import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fleet.language import Language

    Json = dict[str, Any]


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
                words.STATUSES[each["status"]].to(wanted),
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


_SYSTEMS = {
    "three": Words("class", "事故分类"),
    "1991": Words("1991", "1991 年标准"),
    "493": Words("493", "493 号令"),
    "uk": Words("Great Britain", "英国分类"),
}
_VEHICLE, _PERSON = Words("vehicle", "车辆"), Words("casualty", "伤亡人员")
_DIED, _WITHIN = Words("died {day}", "{day} 死亡"), Words("within {days} days", "{days} 日内死亡")


def _show_lines(document: Json, wanted: Language) -> Iterator[str]:
    status = words.STATUSES[document["status"]].to(wanted)
    yield "  ".join((document["code"], document["occurred"], status))
    yield f"{_people(document, wanted)}  {_scopes(document)}"
    yield from _fact_lines(document, wanted)
    for vehicle in document["vehicles"]:
        yield f"{_VEHICLE.to(wanted)}: {_vehicle(vehicle, wanted)}"
    for person in document["casualties"]:
        yield f"{_PERSON.to(wanted)}: {_casualty(person, wanted)}"
    for version in document["versions"]:
        yield _version_line(version, wanted)


def _fact_lines(document: Json, wanted: Language) -> Iterator[str]:
    for name, label in _SYSTEMS.items():
        if (found := document["severity"][name]) is not None:
            yield f"{label.to(wanted)}: {found[wanted]}{'' if found['certain'] else '+'}"
    reporter = words.REPORTERS[document["reporter"]].to(wanted)
    for name in ("county", "place", "reporter", "police_no", "claim_no", "loss_yuan"):
        if document[name] is not None:
            said = reporter if name == "reporter" else document[name]
            yield f"{BY_NAME[name].label.to(wanted)}: {said}"
    if (place := document["position"]) is not None:
        yield f"{words.fact('position').to(wanted)}: {place['lat']}, {place['lon']}"
    codes = {name: document[name] for name in CODE_TABLES if document.get(name)}
    yield from (f"{BY_NAME[name].label.to(wanted)}: {_coded(code, wanted)}" for name, code in codes.items())


def _coded(found: Json, wanted: Language) -> str:
    """Return a code with its meaning; one that its table does not have says so."""
    if found["known"]:
        return f"{found['code']} {found[wanted]}"
    missing = words.NO_MEANING.to(wanted)
    return f"{found['code']}（{missing}）" if wanted == "zh" else f"{found['code']} ({missing})"


def _vehicle(vehicle: Json, wanted: Language) -> str:
    if not vehicle["is_fleet"]:
        parts = [words.OTHER_VEHICLE.to(wanted)]
    else:
        kind = words.KINDS[vehicle["kind"]].to(wanted) if vehicle["kind"] else "-"
        parts = [vehicle["vehicle"] or "-", vehicle["company"] or "-", kind]
    manoeuvre, share = vehicle["manoeuvre"], vehicle["responsibility"]
    parts.append(_coded(manoeuvre, wanted) if manoeuvre else "-")
    parts.append(words.SHARES[share].to(wanted) if share else "-")
    return "  ".join(parts)


def _casualty(person: Json, wanted: Language) -> str:
    parts = [words.INJURIES[person["injury"]], words.ROLES[person["role"]]]
    if person["died"] is not None:
        parts.append(_DIED.fill(day=person["died"]))
    elif person["died_within_days"] is not None:
        parts.append(_WITHIN.fill(days=person["died_within_days"]))
    return "  ".join(part.to(wanted) for part in parts)


def _version_line(version: Json, wanted: Language) -> str:
    parts = [
        f"v{version['version']}",
        version["known_from"],
        words.REASONS[version["reason"]].to(wanted),
        version["who"],
        version["why"],
    ]
    parts += [f"-> {version['merged_into']}"] if version["merged_into"] else []
    changes = [words.fact(name).to(wanted) for name in version.get("changes", ())]
    parts += [("、" if wanted == "zh" else ", ").join(changes)] if changes else []
    return "  ".join(filter(None, parts))


#: Columns of the table of counts: ranges, then numbers, with their headers.
_RANGES = {
    "accidents": Words("accidents", "起数"),
    "fatal_7d": Words("fatal_7d", "7日死亡事故"),
    "deaths_7d": Words("deaths_7d", "7日死亡"),
    "deaths_30d": Words("deaths_30d", "30日死亡"),
    "serious": Words("serious", "重伤"),
    "light": Words("light", "轻伤"),
}
_NUMBERS = {
    "pending": Words("pending", "责任未定"),
    "without_casualties": Words("unknown", "伤亡不明"),
    "open_30d": Words("open_30d", "未满30日"),
}
_GROUPS = {
    By.CITY: Words("city", "全市"),
    By.COMPANY: Words("company", "企业"),
    By.COUNTY: Words("county", "区县"),
    By.MONTH: Words("month", "月份"),
}
_RECORDED = Words(
    "recorded accidents happened from {first} to {last}; of other times nobody has said anything",
    "已登记的事故发生于 {first} 至 {last}；其他时间无人报告，不等于没有事故",
)


def _count_lines(document: Json, wanted: Language) -> Iterator[str]:
    headers = [label.to(wanted) for label in (*_RANGES.values(), *_NUMBERS.values())]
    group = _GROUPS[document["by"]].to(wanted)
    yield "  ".join((*headers, group))
    for each in document["counts"]:
        # What an accident may add of which nobody has said who was hurt.
        more = {name: "+" if each["without_casualties"] and name != "accidents" else "" for name in _RANGES}
        ranges = (f"{Range(*each[name])}{more[name]}" for name in _RANGES)
        cells = (*ranges, *(str(each[name]) for name in _NUMBERS))
        padded = [cell.rjust(_width(header)) for header, cell in zip(headers, cells, strict=True)]
        yield "  ".join((*padded, each["group"] or (group if document["by"] == By.CITY else "?")))
    recorded = document["recorded"]
    yield _RECORDED.fill(first=recorded["from"], last=recorded["to"]).to(wanted)


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: a Chinese character two."""
    return sum(1 if character.isascii() else 2 for character in text)


_SHARED: Mapping[str, Words] = {
    "police_no": Words("same number of the police", "公安编号相同"),
    "vehicle": Words("same vehicle", "同一车辆"),
    "hour": Words("within an hour", "相差一小时内"),
    "day": Words("same day", "同日"),
    "next_day": Words("neighbouring days", "相邻两日"),
    "place": Words("similar place", "地点相近"),
    "county": Words("same county", "同一区县"),
    "toll": Words("same people hurt", "伤亡人数相同"),
}
_PAIRS = Words(
    "{pairs} pairs; merge one: kerbsafe accidents merge CODE --into CODE --why TEXT",
    "{pairs} 对；合并：kerbsafe accidents merge 编号 --into 编号 --why 理由",
)


def _duplicate_lines(document: Json, wanted: Language) -> Iterator[str]:
    for pair in document["pairs"]:
        shared = ("、" if wanted == "zh" else ", ").join(_SHARED[name].to(wanted) for name in pair["shared"])
        yield f"{pair['score']:.2f}  {pair['one']}  {pair['other']}  {shared}"
    yield _PAIRS.fill(pairs=len(document["pairs"])).to(wanted)


def _changed_lines(document: Json, wanted: Language) -> Iterator[str]:
    yield f"{document['code']}  {_version_line(document, wanted)}"


LINES: Mapping[str, Callable[[Json, Language], Iterator[str]]] = {
    "list": _list_lines,
    "show": _show_lines,
    "count": _count_lines,
    "duplicates": _duplicate_lines,
    "changed": _changed_lines,
}
