"""Text can be read: the contrast of WCAG 2.2 (1.4.3), in the light and in the dark theme."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[3] / "console" / "web" / "src" / "style" / "tokens.css"

#: Text and what it stands on, with the least contrast: 4.5 for text, 3 for marks and for bold large text.
PAIRS = [
    ("--ink", "--surface", 7.0),
    ("--ink-2", "--surface", 4.5),
    ("--ink-2", "--surface-2", 4.5),
    ("--ink-2", "--surface-3", 4.5),
    ("--ink-3", "--surface", 4.5),
    ("--accent-ink", "--surface", 4.5),
    ("--accent-ink", "--accent-soft", 4.5),
    ("--accent-ink", "--fresh", 4.5),
    ("--surface", "--accent", 4.5),
    ("--severity-3", "--surface", 4.5),
    ("--site-ink", "--ground", 4.5),
    *((f"--severity-{n}", "--surface", 3.0) for n in range(1, 5)),
    *(("--on-severity", f"--severity-{n}", 4.5) for n in range(1, 5)),
    ("--truck-moving", "--ground", 3.0),
    ("--truck-stopped", "--ground", 3.0),
    ("--chart-limit", "--surface", 3.0),
    ("--chart-speed", "--surface", 3.0),
]


def colours(theme: str) -> dict[str, str]:
    light, dark = TOKENS.read_text("utf-8").split(':root[data-theme="dark"]')
    found = dict(re.findall(r"(--[a-z0-9-]+): (#[0-9a-f]{6});", light))
    return found if theme == "light" else found | dict(re.findall(r"(--[a-z0-9-]+): (#[0-9a-f]{6});", dark))


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground", "least"), PAIRS)
def test_contrast(theme: str, text: str, ground: str, least: float) -> None:
    known = colours(theme)
    assert contrast(known[text], known[ground]) >= least
