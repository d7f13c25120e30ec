"""What claims say, as JSON and for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from analytics.ledger.claims.capture import MIN_IN_BOTH
from analytics.ledger.claims.matching import How
from analytics.ledger.claims.reconciling import Where
from fleet.language import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from analytics.ledger.claims.capture import Capture
    from analytics.ledger.claims.claim import Claim
    from analytics.ledger.claims.reconciling import Reconciliation
    from fleet.language import Language

    Json = dict[str, Any]


def claims_document(claims: Mapping[str, Claim]) -> list[Json]:
    """Return claims in order of time."""
    ordered = sorted(claims.items(), key=lambda pair: (pair[1].occurred.at, pair[0]))
    return [
        {
            "code": code,
            "occurred": str(claim.occurred),
            "insurer": claim.insurer or None,
            "vehicle": claim.vehicle.vehicle or None,
            "company": claim.vehicle.company or None,
            "county": claim.county or None,
            "place": claim.place or None,
            "police_no": claim.police_no or None,
            "dead": claim.dead,
            "hurt": claim.hurt,
            "paid_yuan": claim.paid_yuan,
        }
        for code, claim in ordered
    ]


def reconciliation_document(found: Reconciliation) -> Json:
    """Return what the lists say of each other; `null` is what cannot be said."""
    hows = {one.claim: one for one in found.matches}
    return {
        "counts": {where: found.count(where) for where in Where},
        "without_casualties": {where: found.count(where, has_casualties=False) for where in Where},
        "casualties_unknown": {where: found.count(where, has_casualties=None) for where in Where},
        "possible_pairs": found.possible_pairs,
        "capture": _capture(found.capture),
        "capture_if_possible": _capture(found.capture_if_possible),
        "events": [
            {
                "day": event.day.isoformat(),
                "where": event.where,
                "accident": event.accident or None,
                "claims": [
                    {
                        "code": code,
                        "how": hows[code].how if code in hows else None,
                        "minutes_apart": hows[code].minutes_apart if code in hows else None,
                    }
                    for code in event.claims
                ],
                "casualties": event.has_casualties,
                "possible": list(event.possible),
            }
            for event in found.events
        ],
    }


def _capture(one: Capture) -> Json:
    low, high = one.interval()
    sound = one.is_sound and math.isfinite(high)
    share = one.police_share
    return {
        "seen": one.seen,
        "estimate": round(one.total, 1) if sound else None,
        "interval95": [round(low, 1), round(high, 1)] if sound else None,
        "unseen": round(one.unseen, 1) if sound else None,
        "police_share": None if share is None else round(share, 3),
        "least_in_both": MIN_IN_BOTH,
    }


# -- for people

_WHERE: Mapping[str, Words] = {
    Where.BOTH: Words("both", "双方均有"),
    Where.POLICE_ONLY: Words("police only", "仅公安"),
    Where.INSURER_ONLY: Words("insurer only", "仅保险"),
    Where.NEITHER: Words("reported to neither", "均未报（仅企业等上报）"),
}
_HOW: Mapping[str, Words] = {
    How.NUMBER: Words("same number", "编号相同"),
    How.VEHICLE_TIME: Words("same vehicle and time", "同车同时"),
}
_WITH = Words(
    "accidents with casualties, {first} to {last}: {counts}", "伤亡事故（{first} 至 {last}）：{counts}"
)
_UNKNOWN = Words(
    "nobody has said whether anybody was hurt: {counts}; these are not compared",
    "伤亡不明：{counts}；不参与推算",
)
_ESTIMATE = Words(
    "all there were, by Chapman's estimate: {total} (95 %: {low} to {high}); known to neither list: {unseen}",
    "推算总数（Chapman）：{total} 起（95% 区间 {low} 至 {high}）；双方均未掌握：{unseen} 起",
)
_TOO_FEW = Words(
    "how many neither list has cannot be said: fewer than {least} accidents are in both",
    "双方均未掌握的起数无法推算：两份清单共有的事故不足 {least} 起",
)
_POSSIBLE = Words(
    "{pairs} more may be the same; look at them, and give the accident the number of the claim",
    "另有 {pairs} 起可能相同，请核对；确认相同的，请在事故中填写报案号",
)


def _list_lines(document: Json, wanted: Language) -> Iterator[str]:
    for each in document["claims"]:
        parts = (each["insurer"], each["vehicle"], each["county"], each["place"])
        dead, hurt = ("?" if each[name] is None else str(each[name]) for name in ("dead", "hurt"))
        people = f"死{dead} 伤{hurt}" if wanted == "zh" else f"dead {dead} hurt {hurt}"
        yield "  ".join((each["code"], each["occurred"], *(part or "-" for part in parts), people))
    number = len(document["claims"])
    yield f"{number} 件" if wanted == "zh" else f"{number} claims"


def _counts(counts: Json, wanted: Language) -> str:
    said = [f"{_WHERE[name].to(wanted)} {number}" for name, number in counts.items() if number]
    return ("，" if wanted == "zh" else ", ").join(said) or "0"


def _reconcile_lines(document: Json, wanted: Language) -> Iterator[str]:
    for event in document["events"]:
        if event["casualties"] is False:
            continue
        hows = {_HOW[claim["how"]].to(wanted) for claim in event["claims"] if claim["how"]}
        codes = [event["accident"] or "-", "+".join(claim["code"] for claim in event["claims"]) or "-"]
        may_be = f"? {', '.join(event['possible'])}" if event["possible"] else ""
        yield "  ".join(
            filter(None, (event["day"], _WHERE[event["where"]].to(wanted), *codes, *sorted(hows), may_be))
        )
    yield _WITH.fill(
        first=document["from"], last=document["to"], counts=_counts(document["counts"], wanted)
    ).to(wanted)
    if any(document["casualties_unknown"].values()):
        yield _UNKNOWN.fill(counts=_counts(document["casualties_unknown"], wanted)).to(wanted)
    capture = document["capture"]
    if capture["estimate"] is None:
        yield _TOO_FEW.fill(least=capture["least_in_both"]).to(wanted)
    else:
        low, high = capture["interval95"]
        yield _ESTIMATE.fill(total=capture["estimate"], low=low, high=high, unseen=capture["unseen"]).to(
            wanted
        )
    if document["possible_pairs"]:
        yield _POSSIBLE.fill(pairs=document["possible_pairs"]).to(wanted)


LINES: Mapping[str, Callable[[Json, Language], Iterator[str]]] = {
    "list": _list_lines,
    "reconcile": _reconcile_lines,
}
