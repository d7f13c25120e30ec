"""docs/rules.md: every rule and every number, made from the rulebook that ships and the rules themselves.

`kerbsafe rules document > docs/rules.md` renews it; a test fails while it is out of date.
"""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

from alerts.engine import engine
from alerts.in_force import layers
from alerts.rulebook import documents
from alerts.words.transitions import Rule

if TYPE_CHECKING:
    from alerts.in_force.rulebooks import Rulebook

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "img" / "rules"
_UNITS = {
    "kmh": "km/h",
    "s": "s",
    "m": "m",
    "mps2": "m/s²",
    "fixes": "fixes",
    "deg": "°",
    "g": "g",
    "h": "h",
    "share": "share",
    "ratio": "ratio",
    "events": "detections",
    "expected": "detections",
    "intervals": "intervals",
    "days": "days",
}
#: Where a number comes from, by the beginning of its path; everything else is our judgement.
_MARKS = {
    "right_turn.limit_kmh": "F",
    "speeding.class_limit_kmh": "F",
    "fatigue.drive_s": "L",
    "motion.rest_s": "L",
}
_TITLES = {
    "live": "What is judged at once",
    "motion": "Motion and trips",
    "speeding": "Speeding",
    "right_turn": "Right turns",
    "blind_spot": "Blind-spot camera",
    "fence": "Fences",
    "fatigue": "Drivers",
    "offline": "Devices",
    "clock_drift": "Clocks of devices",
    "not_watched_live": "Not watched",
}
_LIVE = """A fix that comes in time, and after the newest one of its vehicle, is judged at once. The others
are stored, and judged with the complete record of their trip."""
#: What is judged under another name than that of the section with its numbers.
_SECTION_OF = {
    "conflict": "blind_spot",
    "unqualified": "fatigue",
    "camera_fault": "offline",
    "power_cut": "offline",
}
#: The module that a section's numbers are of, where it has another name; "": its rule says it all.
_MODULE_OF = {
    "motion": "alerts.folding.motion",
    "offline": "alerts.rules.device",
    "clock_drift": "",
    "not_watched_live": "",
}
_HEAD = """# The rules

Made by `kerbsafe rules document` from the rulebook that ships and the rules themselves; do not edit.

A rule is a function of a vehicle's fixes and of numbers. Every number stands in the rulebook, a TOML
document in versions; an alert names the version that raised it. `kerbsafe rules check FILE` names every
fault of a document, `kerbsafe rules import FILE --from TIME` puts it in force, `kerbsafe rules explain
--vehicle V --at TIME` says which numbers held for a vehicle and where each came from.

**Versions.** The version in force is chosen by the time of the fix. A new one begins at least 60 s ahead,
since the past has been judged; `kerbsafe replay --rules FILE` shows what it would have said of the past. It
ends what is open as `rule_change`, and what still holds opens again under the new version.

**Overrides.** A document says every number once, and otherwise only what differs: `[city.NAME]` (with the
codes of its `companies`), `[company.CODE]`, `[kind.KIND]`, each with sections as below. default < city <
company < kind: the later one rules ([why](decisions/layers-of-a-documents.md)). [live] and [motion] hold for
every vehicle alike. A vehicle that comes under other numbers in the middle of an episode, as with a new
company, ends it as `rule_change`; the episode belongs to the company at its start. Where the numbers are
the same, it goes on.

**Modes.** `[mode]` makes a rule `live`, `shadow` or `off`, for all or in an override. Episodes of a rule in
shadow are stored with the mode `shadow:VERSION` for 90 days and alert nobody; `kerbsafe replay` says how
many alerts an operator-hour they would have been.

**Where the numbers come from.** L: law or standard. F: in use in the field. J: our judgement.
"""


_LIMITS = """The limit in force is the lowest of four: of the class (the vehicle's own in the registry, or its
kind's above), of the speed zones that the fix is in at that hour (of overlapping ones the lowest), the one
that the fix itself carries, and that of the hour. The alert says which ruled: `class`, `zone`, `fix`, `hour`.
Limits by the hour are weekly windows of civil time (Asia/Shanghai), none by default:

```toml
[[speeding.hours]]
when = "daily 22:00-06:00"
limit_kmh = 50
```"""


def page(pictures: Path = PICTURES) -> str:
    """Return the page; pictures that are there are shown."""
    book = documents.default()
    parts = [_HEAD, *(_section(book, section, pictures) for section in documents.SECTIONS)]
    return "\n".join(parts)


def _section(book: Rulebook, section: str, pictures: Path) -> str:
    title = _TITLES.get(section, section.replace("_", " ").capitalize())
    lines = [f"## {title}", ""]
    if said := _docstring(section):
        lines += [said, ""]
    for rule in _rules(section):
        lines += [f"* `{rule}`: {_meanings()[rule]}"]
        picture = pictures / f"{rule}.png"
        if picture.is_file():
            lines += ["", f"  ![{rule}](img/rules/{rule}.png)", ""]
    if lines[-1]:
        lines.append("")
    lines += ["| number | default | from | to | unit | | meaning |", "|---|--:|--:|--:|---|---|---|"]
    for name, (meaning, low, high) in documents.SECTIONS[section].items():
        value = book.numbers[section][name]
        lines.append(_row(f"{section}.{name}", f"{value:g}", f"{low:g}", f"{high:g}", meaning))
    if section == "speeding":
        lines += _limits(book)
    return "\n".join(lines) + "\n"


def _row(path: str, value: str, low: str, high: str, meaning: str) -> str:
    mark = next((mark for beginning, mark in _MARKS.items() if path.startswith(beginning)), "J")
    unit = "km/h" if path.startswith(layers.CLASS_LIMIT) else _UNITS.get(path.rpartition("_")[2], "")
    return f"| `{path}` | {value} | {low} | {high} | {unit} | {mark} | {meaning} |"


def _limits(book: Rulebook) -> list[str]:
    low, high = f"{layers.LIMIT_LOW_KMH}", f"{layers.LIMIT_HIGH_KMH}"
    rows = [
        _row(f"{layers.CLASS_LIMIT}.{kind}", f"{limit:g}", low, high, "limit of a vehicle of this kind")
        for kind, limit in book.class_limit_kmh.items()
    ]
    return [*rows, "", _LIMITS]


def _docstring(section: str) -> str:
    """Return what the module of a section says of itself."""
    if section == "live":
        return _LIVE
    name = _MODULE_OF.get(section, f"alerts.rules.{section}")
    return inspect.cleandoc(importlib.import_module(name).__doc__ or "") if name else ""


def _rules(section: str) -> list[str]:
    judged = [
        rule
        for name, rules in engine.JUDGED_BY.items()
        if _SECTION_OF.get(name, name) == section
        for rule in rules
    ]
    return [rule.name.lower() for rule in sorted(judged)]


def _meanings() -> dict[str, str]:
    """Return what the comment over each rule in `Rule` says; one comment may stand over several."""
    meanings, comment, fresh = {}, "", False
    for line in inspect.getsource(Rule).splitlines():
        if said := re.match(r"\s+#: (.*)", line):
            comment = f"{comment} {said[1]}" if fresh else said[1]
            fresh = True
        elif member := re.match(r"\s+([A-Z_]+) = \d+", line):
            meanings[member[1].lower()], fresh = comment or "", False
    return meanings
