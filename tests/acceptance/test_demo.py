"""The demo finds what was planned, and says so."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(600)  # a minute and a half on a machine that has nothing else to do
def test_the_demo_finds_every_planned_danger_and_no_other(tmp_path: Path) -> None:
    summary = tmp_path / "demo.json"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "kerbsafe",
            "demo",
            "--no-browser",
            "--trucks",
            "20",
            "--minutes",
            "1",
            "--summary",
            summary,
        ],
        capture_output=True,
        text=True,
        timeout=590,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(summary.read_text("utf-8"))
    assert found["received"] == found["stored"] + found["duplicates"] + found["rejected"] > 500
    assert found["planned"] == found["matched"] >= 3
    assert (found["mqtt_trucks"], found["jt808_trucks"]) == (17, 3)
    assert found["jt808_reports"] > 100
    assert found["false_alerts"] == 0
    assert found["added"] >= 1  # what happened in the tunnel
    assert found["provisional"] == 0
    assert 0.9 < found["judged_live_share"] <= 1
