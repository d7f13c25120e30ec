"""The labelled real drives beside the project, many variants of them judged side by side.

A variant is the same drives thinned, or judged under other numbers. Each variant's drives are moved to a year
of their own, in which a rulebook of its own is in force, so that one replay judges all of them.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alerts.episodes.turn_records import collect
from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebook, Rulebooks
from alerts.live import replay
from alerts.rulebook import documents
from fleet import trackfile
from fleet.columns import Fixes
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alerts.episodes.turn_records import Turn

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
_DRIVES = SHARED / "data/tracks/turns"
_DEFAULT = Path(documents.__file__).with_name("rulebook_default.toml")
#: Between the variants: longer than any drive.
_APART_US = 366 * 86_400 * MICROSECONDS
_FIRST_US = 946_684_800 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class Variant:
    """The same drives otherwise: fixes at least `every_s` apart, some numbers of right_turn replaced."""

    every_s: float = 0.0
    numbers: tuple[tuple[str, float], ...] = ()


class Drives:
    """The drives in the order of their names."""

    def __init__(self) -> None:
        if not _DRIVES.is_dir():
            sys.exit(f"the labelled drives are not here: no folder {_DRIVES}; nothing was measured")
        self.tracks = [trackfile.read(path) for path in sorted(_DRIVES.glob("*.csv"))]
        self.labels: dict[str, Any] = json.loads((_DRIVES / "labels.json").read_text("utf-8"))
        self.recommended = {t["track"] for t in self.labels["tracks"] if t.get("recommended", True)}

    @property
    def names(self) -> list[str]:
        """The drives' names."""
        return [track.name for track in self.tracks]

    @cached_property
    def wanted(self) -> list[dict[str, Any]]:
        """The labels that recall counts: right turns at junctions that everybody would see."""
        return [
            event
            for event in self.labels["events"]
            if (event["cls"], event["confidence"]) == ("right_turn", "high")
            and event["track"] in self.recommended
        ]

    def judge(self, variants: Sequence[Variant]) -> list[list[Turn]]:
        """Return the right turns of each variant, without bends.

        `vehicle_id` is the drive, times are the drive's own.
        """
        parts = [
            replace(
                thinned, vehicle_id=np.full(len(thinned), vehicle, np.int32), time_us=thinned.time_us + at_us
            )
            for number, variant in enumerate(variants)
            for drive, track in enumerate(self.tracks)
            for thinned in [thin(track.fixes, variant.every_s)]
            for vehicle, at_us in [(number * len(self.tracks) + drive, _begins_us(number))]
        ]
        books = Rulebooks([_book(number, variant) for number, variant in enumerate(variants)])
        turns = collect(
            replay.settled(Fixes.concat(parts), Context(books, replay.UniformFacts())).turns, books
        )
        found: list[list[Turn]] = [[] for _ in variants]
        for turn in (turn for turn in turns if turn.kind == "turn"):
            number, drive = divmod(turn.vehicle_id, len(self.tracks))
            own = {name: getattr(turn, name) - _begins_us(number) for name in ("entered_us", "exited_us")}
            found[number].append(replace(turn, vehicle_id=drive, **own))
        return found

    def rows(self, turns: Sequence[Turn]) -> Iterator[dict[str, Any]]:
        """Yield turns as `kerbsafe replay --json` prints them, as far as the score reads them."""
        for turn in turns:
            yield {
                "track": self.names[turn.vehicle_id],
                "entered_s": turn.entered_us / MICROSECONDS,
                "exited_s": turn.exited_us / MICROSECONDS,
            }

    def score(self, turns: Sequence[Turn]) -> dict[str, Any]:
        """Return the figures of score_turns.py."""
        scored: dict[str, Any] = scorer().score(list(self.rows(turns)), self.labels)
        return scored


def scorer() -> Any:
    """Return score_turns.py as a module."""
    spec = importlib.util.spec_from_file_location("score_turns", SHARED / "score_turns.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def thin(fixes: Fixes, every_s: float) -> Fixes:
    """Return the fixes that a unit would send that reports no oftener than this."""
    if every_s <= 0:
        return fixes
    kept, next_us = [], -1
    for row, time_us in enumerate(fixes.time_us.tolist()):
        if time_us >= next_us:
            kept.append(row)
            next_us = time_us + round(every_s * MICROSECONDS)
    return fixes.take(np.array(kept))


def _begins_us(number: int) -> int:
    return _FIRST_US + number * _APART_US


def _book(number: int, variant: Variant) -> Rulebook:
    document = _DEFAULT.read_text("utf-8").replace('version = "', f'version = "{number}-', 1)
    for name, value in variant.numbers:
        document, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value:g}", document)
        assert count == 1, name
    return documents.parse(document, valid_from_us=_begins_us(number))
