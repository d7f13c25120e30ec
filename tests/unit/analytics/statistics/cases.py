"""A verdict file in parts, so that a test states only what it is about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from analytics.statistics.baseline import read_baseline
from analytics.statistics.policy import Policy, policy_from
from analytics.statistics.runs import Case, read_case

EXAMPLE = Path(__file__).resolve().parents[4] / "docs" / "examples" / "verdict.json"
POLICY: dict[str, Any] = json.loads(EXAMPLE.read_text("utf-8"))["policy"]
BASELINE: dict[str, Any] = json.loads(EXAMPLE.read_text("utf-8"))["baseline"]


def policy(**changes: Any) -> Policy:
    return policy_from(POLICY | changes)


def baseline(**changes: Any) -> dict[str, Any]:
    """A baseline with its proper hash."""
    value = BASELINE | changes
    problems: list[str] = []
    read_baseline(value | {"hash": "sha256:0"}, problems)
    right = next(p.split("the values have ")[1].split(":")[1] for p in problems if "the values have" in p)
    return value | {"hash": f"sha256:{right}"}


def run(**changes: Any) -> dict[str, Any]:
    """A run of the target year until August, as the example's."""
    return json.loads(EXAMPLE.read_text("utf-8"))["current"] | changes


def final_run(**changes: Any) -> dict[str, Any]:
    """The whole target year, final."""
    value = run(
        **({"as_of": "2021-04-30", "to": "2020-12-31", "exposure": 20_000_000, "final": True} | changes)
    )
    del value["exposure_remaining"]
    return value


def earlier_year(year: int, **changes: Any) -> dict[str, Any]:
    """A whole year before the target year."""
    dates = {"as_of": f"{year + 1}-02-10", "from": f"{year}-01-01", "to": f"{year}-12-31"}
    value = run(**(dates | {"exposure": 18_000_000} | changes))
    del value["exposure_remaining"]
    return value


def file(current: dict[str, Any], *earlier: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"baseline": BASELINE, "policy": POLICY, "earlier": list(earlier), "current": current} | changes


def case(current: dict[str, Any], *earlier: dict[str, Any], **changes: Any) -> Case:
    return read_case(file(current, *earlier, **changes))
