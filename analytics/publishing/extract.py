"""The public extract of a year: accidents, deaths and injured by county and quarter, and nothing of a person.

A year and not a month: sums of overlapping periods, published month by month, would tell each month by
subtraction, and a month of a county is nearly always under three.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from analytics.ledger.counting import By, Period, count, rule_versions
from analytics.ledger.scopes import Scope
from analytics.publishing.disclosure import MIN_TOLD, AtMost, Sum, tellable
from analytics.publishing.keys import PublishingError
from fleet.language import Words
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from analytics.ledger.accident import Facts

    Json = dict[str, Any]

QUARTERS = (1, 2, 3, 4)
MEASURES = ("accidents", "deaths", "injured")
_WORDS = {
    "accidents": Words("accidents with people hurt", "伤亡事故起数"),
    "deaths": Words("deaths within 7 days", "7日内死亡人数"),
    "injured": Words("injured", "受伤人数"),
    "city": Words("whole city", "全市"),
    "": Words("county not stated", "区县未注明"),
    "year": Words("year", "全年"),
}
_NOTE = Words(
    "* not published: fewer than three, or a number from which such a one could be computed. Figures are as "
    "known at the date given; what was undecided then is counted.",
    "* 不公布：不足3，或可据以推算出不足3的数。数据截至所示日期；当时未确定的情形计算在内。",
)


class Cell(NamedTuple):
    """Where a number stands: `quarter` 0 is the year, `county` "city" the whole."""

    measure: str
    county: str
    quarter: int


@dataclass(frozen=True, slots=True)
class Correction:
    """A number that an earlier extract gave otherwise; None: it is not given."""

    cell: Cell
    old: int
    new: int | None


@dataclass(frozen=True, slots=True)
class Extract:
    """What is told of a year.

    Attributes
    ----------
    counties
        As the ledger names them; "" is a county that nobody has stated.
    told
        Numbers by cell; None is one that is not told.
    corrections
        Against the extract that this one corrects.
    """

    year: int
    as_of: datetime
    counties: tuple[str, ...]
    told: Mapping[Cell, int | None]
    corrections: tuple[Correction, ...] = ()
    simulated: bool = False


def make_extract(
    accidents: Iterable[Facts],
    year: int,
    as_of: datetime,
    *,
    counties: Sequence[str] = (),
    earlier: Mapping[Cell, int | None] | None = None,
    simulated: bool = False,
) -> Extract:
    """Return what can be told of a year that is over.

    `accidents` are the accounts that counted at `as_of`; `counties` those that have a row even if nothing
    happened there; `earlier` is what the extract told that this one corrects.
    """
    if as_of.astimezone(CIVIL_ZONE).date() <= date(year, 12, 31):
        raise PublishingError(f"{year} is not over: an extract is made of a whole year")
    known = list(accidents)
    if not known:
        raise PublishingError(
            "nothing is recorded in the ledger as of then: that is not that nothing happened"
        )
    values = _values(known, year, as_of)
    rows = tuple(sorted({*counties, *(county for _, county, _ in values)}))
    atoms = [Cell(*each) for each in product(MEASURES, rows, QUARTERS)]
    places = {cell: place for place, cell in enumerate(atoms)}
    cells = [Cell(*each) for each in product(MEASURES, ("city", *rows), (0, *QUARTERS))]
    sums = [_sum(cell, rows, places, values) for cell in cells]
    before = {at for at, cell in enumerate(cells) if (earlier or {}).get(cell) is not None}
    is_told = tellable(sums, len(atoms), _known(rows, places, values), before)
    told = {
        cell: each.value if yes and (at not in before or each.value >= MIN_TOLD) else None
        for at, (cell, each, yes) in enumerate(zip(cells, sums, is_told, strict=True))
    }
    corrections = tuple(
        Correction(cell, old, told.get(cell))
        for cell, old in sorted((earlier or {}).items())
        if old is not None and told.get(cell) != old
    )
    return Extract(year, as_of, rows, told, corrections, simulated)


def _values(accidents: Sequence[Facts], year: int, as_of: datetime) -> dict[Cell, int]:
    found: dict[Cell, int] = {}
    for quarter in QUARTERS:
        first = date(year, 3 * quarter - 2, 1)
        following = date(year + quarter // 4, 3 * quarter % 12 + 1, 1)
        period = Period(first, following - timedelta(days=1))
        for county, counts in count(accidents, Scope.A1, period, as_of, By.COUNTY).items():
            found[Cell("accidents", county, quarter)] = counts.accidents.high
            found[Cell("deaths", county, quarter)] = counts.deaths_7d.high
            found[Cell("injured", county, quarter)] = counts.serious.high + counts.light.high
    return found


def _sum(cell: Cell, rows: Sequence[str], places: Mapping[Cell, int], values: Mapping[Cell, int]) -> Sum:
    counties = rows if cell.county == "city" else (cell.county,)
    quarters = QUARTERS if cell.quarter == 0 else (cell.quarter,)
    parts = [Cell(cell.measure, county, quarter) for county, quarter in product(counties, quarters)]
    # The city before its counties, the year before its quarters, accidents and deaths before the injured.
    rank = 4 * (cell.county != "city") + 2 * (cell.quarter != 0) + (cell.measure == "injured")
    return Sum(frozenset(places[part] for part in parts), sum(values.get(part, 0) for part in parts), rank)


def _known(rows: Sequence[str], places: Mapping[Cell, int], values: Mapping[Cell, int]) -> list[AtMost]:
    """Return that every accident hurts somebody, where the ledger says so of each cell."""
    found = []
    for county, quarter in product(rows, QUARTERS):
        one, *others = (Cell(measure, county, quarter) for measure in MEASURES)
        if values.get(one, 0) <= sum(values.get(other, 0) for other in others):
            found.append(AtMost(frozenset({places[one]}), frozenset(places[other] for other in others)))
    return found


# -- as files


def extract_files(extract: Extract, names: Mapping[str, Words] | None = None) -> dict[str, bytes]:
    """Return the files of an extract by name, with their manifest; they are published like a report.

    `names` are what people call counties that the ledger has by their codes.
    """
    files = {"extract.json": _as_json(extract), "extract.csv": _as_csv(extract, names or {})}
    manifest = {
        "what": f"public extract {extract.year}",
        "as_of": extract.as_of.isoformat(),
        "simulated": extract.simulated,
        "rules": rule_versions(),
        "files": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in files.items()
        },
    }
    return files | {"manifest.json": _json(manifest)}


def read_extract(data: bytes) -> dict[Cell, int | None]:
    """Return what an extract told, from its `extract.json`."""
    try:
        rows = json.loads(data)["cells"]
        return {Cell(each["measure"], each["county"], each["quarter"]): each["value"] for each in rows}
    except (ValueError, KeyError, TypeError):
        raise PublishingError("extract.json cannot be read: it is no extract") from None


def _as_json(extract: Extract) -> bytes:
    return _json(
        {
            "year": extract.year,
            "as_of": extract.as_of.isoformat(),
            "simulated": extract.simulated,
            "least_told": MIN_TOLD,
            "note": {"zh": _NOTE.zh, "en": _NOTE.en},
            "cells": [cell._asdict() | {"value": value} for cell, value in extract.told.items()],
            "corrections": [
                each.cell._asdict() | {"old": each.old, "new": each.new} for each in extract.corrections
            ],
        }
    )


def _as_csv(extract: Extract, names: Mapping[str, Words]) -> bytes:
    """Return the table with both languages in it, as spreadsheets of both read it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if extract.simulated:
        writer.writerow(["模拟数据 SIMULATED"])
    periods = [_label("year"), *(Words(f"Q{quarter}", f"第{quarter}季度") for quarter in QUARTERS)]
    writer.writerow(["指标 measure", "区县 county", *(f"{each.zh} {each.en}" for each in periods)])
    for measure, county in product(MEASURES, ("city", *extract.counties)):
        numbers = [extract.told[Cell(measure, county, quarter)] for quarter in (0, *QUARTERS)]
        labels = [_label(measure), names.get(county) or _label(county)]
        shown = [each.zh if each.zh == each.en else f"{each.zh} {each.en}" for each in labels]
        writer.writerow([*shown, *("*" if number is None else number for number in numbers)])
    writer.writerow([_NOTE.zh])
    writer.writerow([_NOTE.en])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _label(name: str) -> Words:
    """Return the words for a name; one of a county is a text to a spreadsheet, whatever it begins with."""
    safe = "'" + name if name[:1] in {"=", "+", "-", "@"} else name
    return _WORDS.get(name) or Words(safe, safe)


def _json(document: Json) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
