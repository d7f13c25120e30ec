"""The questions of `kerbsafe rates`: arguments as they were typed in, a JSON object out.

Everything is checked here, with a sentence for whoever typed it. A value that is undefined is null, and its
object then has a `reason`; a NaN or an infinity never leaves.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from analytics.statistics import rates, target
from analytics.statistics.assessment import assess
from analytics.statistics.before_after import effect, expected_before, weight_from_prior
from analytics.statistics.inputs import (
    observed,
    read_choice,
    read_count,
    read_exposure,
    read_level,
    read_mean,
    read_number,
    read_positive,
    read_ratio,
    read_share,
)
from analytics.statistics.monitor import cusum_run_length
from analytics.statistics.rates import RATE_UNITS
from analytics.statistics.records import Fields, accept
from analytics.statistics.runs import read_case
from analytics.statistics.target import Severity
from analytics.statistics.verdict_document import verdict_document

if TYPE_CHECKING:
    from analytics.statistics.rates import Alternative, Method

Json = dict[str, Any]

METHODS = ("exact", "midp")
NOTHING_TESTED = "both counts are zero: nothing speaks for or against any ratio"
NO_ACCIDENT = "no accident in either period: the probabilities are the prior's alone"
NO_FATAL = "no fatal accident in either period: the fatal shares are the prior's alone"


def one(*, count: Any, exposure: Any, level: Any = 0.95, method: Any = "exact", unit: Any = None) -> Json:
    """Answer with one rate and its interval, scaled to a unit of `RATE_UNITS` if one is named."""
    how = _method(method)
    estimate = rates.rate_interval(observed(count, exposure), level=read_level(level), method=how)
    per = 1.0 if unit is None else RATE_UNITS[read_choice(unit, "unit", tuple(RATE_UNITS))].per
    return {
        "rate": estimate.rate * per,
        "lower": estimate.lower * per,
        "upper": estimate.upper * per,
        "per": per,
        "level": read_level(level),
        "method": how,
    }


def compare(
    *,
    count: Any,
    exposure: Any,
    baseline_count: Any,
    baseline_exposure: Any,
    target_ratio: Any = 0.5,
    level: Any = 0.95,
    method: Any = "exact",
) -> Json:
    """Answer with the ratio of two rates, its interval, p-values, and posterior probabilities."""
    now, base = observed(count, exposure), observed(baseline_count, baseline_exposure, what="baseline")
    ratio, confidence, how = read_share(target_ratio, "target"), read_level(level), _method(method)
    estimate = rates.ratio_interval(now, base, level=confidence, method=how)
    by_prior = target.prior_sensitivity(now, base, ratio)
    return _with_reason(
        {
            "ratio": estimate.ratio,
            "lower": estimate.lower,
            "upper": estimate.upper,
            "p_two_sided": rates.ratio_p_value(now, base, method=how),
            "p_target_one_sided": rates.ratio_tail(now, base, ratio=ratio, alternative="less", method=how),
            "p_half": target.probability_at_most(now, base, 0.5),
            "p_any": target.probability_at_most(now, base, 1.0),
            "p_target": target.probability_at_most(now, base, ratio),
            "p_target_by_prior": {f"{shape:g}": p for shape, p in by_prior.items()},
            "target": ratio,
            "level": confidence,
            "method": how,
        },
        estimate.reason,
    )


def test(
    *,
    count: Any,
    exposure: Any,
    baseline_count: Any,
    baseline_exposure: Any,
    ratio: Any,
    alternative: Any,
) -> Json:
    """Answer with the one-sided p-values of the ratio of two rates against a given one."""
    now, base = observed(count, exposure), observed(baseline_count, baseline_exposure, what="baseline")
    side = cast("Alternative", read_choice(alternative, "alternative", ("less", "greater")))
    null = read_ratio(ratio, "ratio")
    exact, midp = (
        rates.ratio_tail(now, base, ratio=null, alternative=side, method=cast("Method", how))
        for how in METHODS
    )
    found: Json = {"p_exact": exact, "p_midp": midp, "ratio": null, "alternative": side}
    return _with_reason(found, None if now.count + base.count else NOTHING_TESTED)


def eb(value: Any) -> Json:
    """Answer with the empirical Bayes estimate of one unit, and its effect where an after is given.

    Keys of the object: `expected` and `observed` (before), `b` or `weight`, and optionally `exposure_before`,
    `exposure_after`, `observed_after`.
    """
    given = _read_before_after(value)
    exposure, weight = given["exposure_before"], given["weight"]
    if weight is None:
        weight = weight_from_prior(given["b"], exposure=exposure, expected=given["expected"])
    before = expected_before(given["expected"], given["observed"], weight)
    found: Json = {"weight": before.weight, "estimate": before.estimate, "sd": before.sd}
    if given["observed_after"] is None:
        return found
    result = effect(
        before, exposure_ratio=given["exposure_after"] / exposure, observed_after=given["observed_after"]
    )
    return _with_reason(found | {"theta": result.theta, "theta_se": result.theta_se}, result.reason)


def _read_before_after(value: Any) -> Json:
    problems: list[str] = []
    fields = Fields(value, "input", problems)
    required = {"expected": read_mean, "observed": read_count}
    optional = {
        "b": read_positive,
        "weight": read_number,
        "exposure_before": read_exposure,
        "exposure_after": read_exposure,
        "observed_after": read_count,
    }
    given = {name: fields.take(name, read) for name, read in required.items()}
    given |= {name: fields.take(name, read, None) for name, read in optional.items()}
    fields.finish()
    after = [given[name] is not None for name in ("exposure_after", "observed_after")]
    checks = (
        ((given["b"] is None) == (given["weight"] is None), "give either b or weight"),
        (any(after) and not all(after), "an effect needs both exposure_after and observed_after"),
        (any(after) and given["exposure_before"] is None, "an effect needs exposure_before"),
    )
    # What could not be read would look as if it were not there.
    problems += [] if problems else [text for wrong, text in checks if wrong]
    return accept(given, problems, "the input")


def cusum(*, mean: Any, k: Any, h: Any, head_start: Any = 0) -> Json:
    """Answer with the average run length of a CUSUM."""
    found = cusum_run_length(mean, k, h, head_start=head_start)
    return _with_reason({"arl": found.arl, "k": found.k}, found.reason)


def joint(
    *,
    fatal: Any,
    other: Any,
    exposure: Any,
    baseline_fatal: Any,
    baseline_other: Any,
    baseline_exposure: Any,
    target_ratio: Any = 0.5,
) -> Json:
    """Answer with the probabilities that accidents, deaths and both have fallen to the target ratio."""
    now = _severity(fatal, other, exposure, "")
    base = _severity(baseline_fatal, baseline_other, baseline_exposure, "baseline ")
    found = asdict(target.joint(now, base, ratio=read_share(target_ratio, "target")))
    if now.fatal + base.fatal:
        return found
    return found | {"reason": NO_FATAL if now.other + base.other else NO_ACCIDENT}


def _severity(fatal: Any, other: Any, exposure: Any, what: str) -> Severity:
    return Severity(
        read_count(fatal, f"{what}fatal accidents"),
        read_count(other, f"{what}other accidents"),
        read_exposure(exposure, f"{what}exposure"),
    )


def verdict(value: Any) -> Json:
    """Answer with state, wording and figures for a verdict file's object."""
    return verdict_document(assess(read_case(value)))


def _method(value: Any) -> Method:
    return cast("Method", read_choice(value, "method", METHODS))


def _with_reason(found: Json, reason: str | None) -> Json:
    return found | ({"reason": reason} if reason else {})
