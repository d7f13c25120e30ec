"""Rates, intervals, target and monitoring of counts and exposures: pure, alone; see docs/statistics.md."""
