"""What hypothesis draws: counts up to a million, exposures over many orders of magnitude."""

from __future__ import annotations

from hypothesis import strategies as st

from analytics.statistics.inputs import Observed

small_counts = st.integers(0, 40)
counts = st.one_of(small_counts, st.integers(0, 1_000_000))
exposures = st.floats(1e-6, 1e9)
levels = st.floats(0.5, 0.9999)
methods = st.sampled_from(["exact", "midp"])
ratios = st.floats(0.01, 100)


def periods(count: st.SearchStrategy[int] = counts) -> st.SearchStrategy[Observed]:
    """One period's count and exposure."""
    return st.builds(Observed, count, exposures)
