"""A verdict as a JSON object: what `kerbsafe rates verdict --json` prints and the report stores.

A value that is undefined is null, and its object then has a `reason`; a NaN or an infinity never gets here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.statistics.conclusions import conclusions, verdict_text
from analytics.statistics.runs import Phase

if TYPE_CHECKING:
    from analytics.statistics.assessment import Assessment, Indicator, Tested
    from analytics.statistics.rates import RateEstimate

Json = dict[str, Any]


def verdict_document(a: Assessment) -> Json:
    """Return a verdict: state, words, and the figures behind it."""
    can, cannot = conclusions(a)
    text = verdict_text(a)
    return {
        "state": a.state.value,
        "wording": a.wording,
        "phase": a.run.phase.value,
        "as_of": a.run.as_of.isoformat(),
        "period": {"from": a.run.first.isoformat(), "to": a.run.last.isoformat()},
        "exposure": a.run.exposure,
        "unit": a.baseline.denominator,
        "accidents": _indicator(a, a.accidents),
        "deaths": _indicator(a, a.deaths),
        "p_joint": a.joint.p_joint,
        "text": text,
        "can_conclude": {language: [t[language] for t in can] for language in text},
        "cannot_conclude": {language: [t[language] for t in cannot] for language in text},
        "baseline": {
            "id": a.baseline.id,
            "version": a.baseline.version,
            "year": a.baseline.year,
            "scope": a.baseline.scope,
            "death_window_days": a.baseline.death_window_days,
            "exposure": a.baseline.exposure,
            "source": a.baseline.source,
            "approved_by": a.baseline.approved_by,
            "hash": a.baseline.hash,
        },
        "policy": {
            "version": a.policy.version,
            "approved_by": a.policy.approved_by,
            "hash": a.policy.hash,
            "target_ratio": a.policy.target_ratio,
            "target_year": a.policy.target_year,
        },
    }


def _indicator(a: Assessment, indicator: Indicator) -> Json:
    judged = indicator.judged
    found: Json = {
        "state": indicator.published.value,
        "state_of_this_run": judged.state.value,
        "wording": indicator.wording,
        "count": indicator.count,
        "baseline_count": indicator.base_count,
        "ratio": indicator.ratio,
        "line_cap": judged.cap,
        "tested": _tested(a, indicator.tested, indicator.name),
    }
    if a.run.phase is Phase.BEFORE:
        found["required_ratio"] = a.run.required_ratio(a.policy)
    if a.run.phase is not Phase.FINAL:
        found["p_track" if a.run.phase is Phase.BEFORE else "p_line"] = judged.probability
    if judged.forecast is not None:
        found["forecast"] = {
            "mean_remaining": judged.forecast.mean_rest,
            "mean_total": judged.forecast.mean_total,
            "interval80": list(judged.forecast.interval80),
            "interval95": list(judged.forecast.interval95),
        }
    reasons = [
        text
        for missing, text in (
            (indicator.ratio is None, "the baseline count is zero: no ratio to it is defined"),
            (
                a.run.phase is not Phase.FINAL and judged.probability is None,
                f"the state {judged.state.value} rests on the counts alone, not on a probability",
            ),
        )
        if missing
    ]
    return found | ({"reason": "; ".join(reasons)} if reasons else {})


def _tested(a: Assessment, tested: Tested, name: str) -> Json:
    found: Json = {
        "what": "accidents" if name == "accidents" else "fatal_accidents",
        "count": tested.now.count,
        "baseline_count": tested.base.count,
        "rate": _rate(a, tested.rate),
        "baseline_rate": _rate(a, tested.base_rate),
        "ratio": tested.ratio.ratio,
        "ratio_lower": tested.ratio.lower,
        "ratio_upper": tested.ratio.upper,
        "p_two_sided": tested.p_two_sided,
        "p_target_one_sided": tested.p_target_one_sided,
        "p_half": tested.p_half,
        "p_half_range": list(tested.p_half_range),
        "p_any": tested.p_any,
    }
    return found | ({"reason": tested.ratio.reason} if tested.ratio.reason else {})


def _rate(a: Assessment, estimate: RateEstimate) -> Json:
    scale = a.baseline.unit.scale
    return {
        "rate": scale(estimate.rate),
        "lower": scale(estimate.lower),
        "upper": scale(estimate.upper),
        "unit": a.baseline.unit.en,
    }
