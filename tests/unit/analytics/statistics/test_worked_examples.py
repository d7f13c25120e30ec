"""Every example of worked_examples.json within its own tolerance, and none of them forgotten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.statistics import before_after, companies, monitor, rates, target, trend
from analytics.statistics.inputs import observed
from tests.unit.analytics.statistics import cross_checks

EXAMPLES = Path(__file__).resolve().parents[5] / "shared" / "data" / "stats" / "worked_examples.json"


def load() -> list[dict[str, Any]]:
    return json.loads(EXAMPLES.read_text("utf-8")) if EXAMPLES.is_file() else []


def pair(given: dict[str, Any]) -> tuple[Any, Any]:
    return observed(given["x1"], given["n1"]), observed(given["x0"], given["n0"])


def limits(estimate: Any) -> list[float]:
    return [estimate.lower, estimate.upper]


def garwood_levels(given: dict[str, Any]) -> dict[str, Any]:
    now = observed(given["count"], 1)
    return {f"ci{level}": limits(rates.rate_interval(now, level=level / 100)) for level in (90, 95, 99)}


def one_rate(given: dict[str, Any]) -> dict[str, Any]:
    now = observed(given["count"], given["exposure"])
    found = {"rate": now.rate, "ci95": limits(rates.rate_interval(now))}
    if "null" in given:
        found["p_central"] = rates.rate_p_value(now, rate=given["null"])
        found |= {
            f"{m}_ci": limits(rates.rate_interval(now, method=m)) for m in ("score", "byar", "jeffreys")
        }
    return found


def two_rates(given: dict[str, Any]) -> dict[str, Any]:
    now, base = pair(given)
    found: dict[str, Any] = {"rr": rates.ratio_interval(now, base).ratio}
    for method in ("exact", "midp"):
        found[method] = limits(rates.ratio_interval(now, base, method=method))
        found[f"p_{method}_2s"] = rates.ratio_p_value(now, base, method=method)
        found[f"p_H0_ge_half_{method}"] = rates.ratio_tail(
            now, base, ratio=0.5, alternative="less", method=method
        )
    found["p_2s"] = found["p_exact_2s"]
    found["post_P_le_half"] = target.probability_at_most(now, base, 0.5)
    found["post_P_lt_1"] = target.probability_at_most(now, base, 1.0)
    found["post_median"] = target.ratio_quantile(now, base, 0.5)
    found["cri95"] = [target.ratio_quantile(now, base, p) for p in (0.025, 0.975)]
    return found


def null_of_one_and_a_half(given: dict[str, Any]) -> dict[str, Any]:
    now, base = pair(given)
    options = {"ratio": given["ratio_null"], "side": "greater"}
    return {
        "exact_cond": rates.ratio_tail(now, base, ratio=1.5, alternative="greater"),
        "cond_midp": rates.ratio_tail(now, base, ratio=1.5, alternative="greater", method="midp"),
        "score": cross_checks.score_p_value(now, base, **options),
        "wald": cross_checks.wald_p_value(now, base, **options),
        "etest": cross_checks.e_test_p_value(now, base, **options),
    }


def e_tests(given: list[dict[str, Any]]) -> dict[str, Any]:
    tested = [(observed(g["k1"], g["n1"]), observed(g["k2"], g["n2"])) for g in given]
    return {"p": [cross_checks.e_test_p_value(now, base) for now, base in tested]}


def hauer(given: dict[str, Any]) -> dict[str, Any]:
    assert given["spf"] == "0.0224*4000**0.564"
    per_km, years, length = 0.0224 * 4000**0.564, given["Y"], given["L"]
    weight = before_after.weight_from_dispersion(per_km, years, given["phi"])
    found = before_after.expected_before(per_km * length * years, given["x"], weight)
    return {
        "weight": weight,
        "per_km_yr": found.estimate / length / years,
        "sd": found.sd / length / years,
        "per_yr": found.estimate / years,
        "sd_per_yr": found.sd / years,
    }


def company_before_after(given: dict[str, Any]) -> dict[str, Any]:
    expected = given["ref"] * given["Eb"]
    weight = before_after.weight_from_prior(
        given["a"] / given["ref"], exposure=given["Eb"], expected=expected
    )
    before = before_after.expected_before(expected, given["K"], weight)
    ratio = given["Ea"] / given["Eb"]
    found = before_after.effect(before, exposure_ratio=ratio, observed_after=given["L"])
    naive = given["L"] / given["Ea"] / (given["K"] / given["Eb"])
    return {
        "w": weight,
        "kappa": before.estimate,
        "var_kappa": before.variance,
        "pi": before.estimate * ratio,
        "var_pi": before.variance * ratio**2,
        "theta": found.theta,
        "se": found.theta_se,
        "naive": naive,
    }


def run_lengths(given: dict[str, Any]) -> dict[str, Any]:
    chart = given["mu"], given["k"], given["h"]
    fast = monitor.cusum_run_length(*chart, head_start=given["h"] / 2).arl
    return {"ARL": monitor.cusum_run_length(*chart).arl, "FIR_ARL": fast}


def many_tests(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "bh_rejects": int((companies.benjamini_hochberg(given["p"]) <= given["q"]).sum()),
        "bonferroni_rejects": int((companies.bonferroni(given["p"]) <= given["q"]).sum()),
    }


def horse_kicks(given: dict[str, Any]) -> dict[str, Any]:
    counts = np.repeat([int(k) for k in given["freq"]], list(given["freq"].values()))
    found = trend.dispersion(counts)
    return {
        "mean": counts.mean(),
        "var": counts.var(ddof=1),
        "dispersion": found.ratio,
        "chi2": found.chi2,
        "df": found.degrees,
    }


def pumps(given: dict[str, Any]) -> dict[str, Any]:
    units = [observed(x, t) for x, t in zip(given["x"], given["t"], strict=True)]
    prior = companies.fit_prior(units)
    full = companies.hierarchical(units)
    return {
        "full_bayes_theta": list(full.means),
        "alpha": full.a,
        "beta": full.b,
        "eb_ml_alpha": prior.a,
        "eb_ml_beta": prior.b,
        "eb_theta": [c.estimate for c in companies.company_estimates(units, prior)],
    }


def untreated_sites(given: dict[str, Any]) -> dict[str, Any]:
    after = [0.25, 0.55, 1.56, 1.62]
    changes = [before_after.relative_change(b, a) for b, a in zip(given["before"], after, strict=True)]
    return {"after": after, "change_pct": [None if c is None else 100 * c for c in changes]}


def scotland(given: dict[str, Any]) -> dict[str, Any]:
    base = observed(given["base"], 1)
    return {
        "target": target.line_cap(base, 1, 1 - given["target_pct"] / 100),
        "change_pct": 100 * before_after.relative_change(given["base"], given["now"]),
    }


def forecast(given: dict[str, Any]) -> dict[str, Any]:
    found = target.year_under_way(observed(given["x"], given["E"]), given["Ef"], cap=given["cap"])
    return {
        "mean_rest": found.mean_rest,
        "P_meet": found.p_meet,
        "pi80": list(found.interval80),
        "pi95": list(found.interval95),
    }


def regression(given: dict[str, Any]) -> dict[str, Any]:
    years = [observed(c, e) for c, e in zip(given["counts"], given["exposure"], strict=True)]
    found = trend.poisson_trend([2015, 2016, 2017, 2018], years, year=2020, exposure=20.0, cap=12)
    return {
        "slope": found.slope,
        "se": found.slope_se,
        "annual_pct": 100 * found.yearly_change,
        "rate2020": found.rate,
        "rate_ci": list(found.rate_interval),
        "count2020": found.count,
        "P_slope": found.p_slope_at_most(np.log(0.5) / 5),
        "pi95": list(found.prediction_interval),
        "P_le12": found.p_at_most_cap,
    }


HANDLERS = {
    "garwood_25": garwood_levels,
    "garwood_14_400": one_rate,
    "garwood_15_400": one_rate,
    "rr_openepi_s1": two_rates,
    "rr_openepi_s2": two_rates,
    "rr_null_1p5": null_of_one_and_a_half,
    "rr_fay": two_rates,
    "etest_kt": e_tests,
    "hauer_ex1": hauer,
    "hauer_ex2": hauer,
    "cusum_lucas": run_lengths,
    "cusum_k": lambda given: {"k": monitor.reference_value(given["mu0"], given["mu1"])},
    "nelson_pi": lambda given: {
        "UPL": trend.nelson_upper_limit(given["X"], given["n"], ahead=given["m"], level=given["conf"])
    },
    "bh1995": many_tests,
    "horsekick": horse_kicks,
    "pumps": pumps,
    "rtm_fhwa": untreated_sites,
    "scot_2030": scotland,
    "hz_7m": two_rates,
    "hz_m3": two_rates,
    "jx_demo": two_rates,
    "jx_zero": two_rates,
    "jx_proj": forecast,
    "jx_glm": regression,
    "eb_ba": company_before_after,
}


@pytest.mark.usefixtures("shared_data")
def test_no_example_is_forgotten() -> None:
    assert {example["id"] for example in load()} == set(HANDLERS)


@pytest.mark.parametrize("example", load(), ids=lambda example: example["id"])
def test_example(example: dict[str, Any]) -> None:
    """A tolerance of digits serves large numbers as a relative one: 36.89 is printed with four digits."""
    relative = example["tol"] if example["tol"] <= 0.001 else 0
    found = HANDLERS[example["id"]](example["input"])
    for name, expected in example["expected"].items():
        wanted = expected if isinstance(expected, list) else [expected]
        ours = found[name] if isinstance(expected, list) else [found[name]]
        for mine, theirs in zip(ours, wanted, strict=True):
            if theirs is None:
                assert mine is None, name
            else:
                assert mine == pytest.approx(theirs, abs=example["tol"], rel=relative), name
