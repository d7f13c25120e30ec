"""`kerbsafe bench console` in small: it ends, and says what it must."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from console.pages import read_pages

FIGURES = (
    "frame_p95_ms",
    "alert_to_screen_p95_ms",
    "alerts_query_p95_ms",
    "track_ms",
    "memory_growth_mib",
    "judged_live_share",
)


@pytest.mark.long
@pytest.mark.skipif(not read_pages().built, reason="the page is not built: run `make setup`")
def test_the_bench_in_small() -> None:
    size = ("--vehicles", "400", "--seconds", "20", "--alerts", "2000")
    command = [sys.executable, "-m", "kerbsafe", "bench", "console", "--json", *size]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert all(isinstance(figures[name], float) for name in FIGURES), figures
    assert figures["alerts_shown"] > 0
    assert figures["page_errors"] == 0
