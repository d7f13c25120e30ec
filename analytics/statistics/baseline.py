"""The baseline that everything is measured against: frozen, approved, and told apart by its hash.

The city plan names a base year but no figure, no denominator and no death window, so all of them are part
of this record and never constants in code. A change is a new version, and every verdict is then printed
under both.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from analytics.statistics.inputs import Observed, StatisticsError, read_choice, read_count, read_exposure
from analytics.statistics.rates import RATE_UNITS, RateUnit
from analytics.statistics.records import Fields, read_date, read_text, read_whole, read_year
from analytics.statistics.target import Severity

if TYPE_CHECKING:
    from datetime import date

# Domestic rule (decree 493, art. 13: road accidents) and the United Nations' rule.
DEATH_WINDOWS_DAYS = (7, 30)


@dataclass(frozen=True, slots=True)
class Baseline:
    """Counts and exposure of the base year, with where they come from and who approved them.

    Attributes
    ----------
    id, version, supersedes
        Identity; `supersedes` names the version this one replaces, None for the first.
    year
        Calendar year of the counts.
    scope
        Which vehicles and which accidents, in words; must equal the scope of what is compared with it.
    death_window_days
        Deaths within 7 or 30 days of the accident.
    denominator, exposure
        Key of `RATE_UNITS`, and the amount in that unit (m³, km, vehicle-years, loads).
    accidents, fatal_accidents, deaths
        Counts; fatal accidents are part of the accidents.
    source, approved_by, approved_at
        Document of origin and approval.
    """

    id: str
    version: int
    year: int
    scope: str
    death_window_days: int
    denominator: str
    exposure: float
    accidents: int
    fatal_accidents: int
    deaths: int
    source: str
    approved_by: str
    approved_at: date
    supersedes: int | None

    @property
    def unit(self) -> RateUnit:
        """How rates on this denominator are printed."""
        return RATE_UNITS[self.denominator]

    @property
    def severity(self) -> Severity:
        """Accidents split by whether somebody died."""
        return Severity(self.fatal_accidents, self.accidents - self.fatal_accidents, self.exposure)

    def observed(self, count: int) -> Observed:
        """One of the counts on the baseline's exposure."""
        return Observed(count, self.exposure)

    @property
    def text(self) -> str:
        """Every field, in one canonical spelling of JSON: what is hashed, and kept."""
        fields = asdict(self) | {"approved_at": self.approved_at.isoformat()}
        return json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """SHA-256 of the text."""
        return "sha256:" + hashlib.sha256(self.text.encode()).hexdigest()


def read_baseline(value: Any, problems: list[str]) -> Baseline | None:
    """Read a baseline from a JSON object, whose hash must be that of its values; None with `problems`."""
    before = len(problems)
    fields = Fields(value, "baseline", problems)
    values = {
        "id": fields.take("id", read_text),
        "version": fields.take("version", read_whole(1)),
        "year": fields.take("year", read_year),
        "scope": fields.take("scope", read_text),
        "death_window_days": fields.take("death_window_days", read_window),
        "denominator": fields.take("denominator", read_denominator),
        "exposure": fields.take("exposure", read_exposure),
        "accidents": fields.take("accidents", read_count),
        "fatal_accidents": fields.take("fatal_accidents", read_count),
        "deaths": fields.take("deaths", read_count),
        "source": fields.take("source", read_text),
        "approved_by": fields.take("approved_by", read_text),
        "approved_at": fields.take("approved_at", read_date),
        "supersedes": fields.take("supersedes", _read_supersedes, None),
    }
    stated = fields.take("hash", read_text, None)
    fields.finish()
    if len(problems) > before:
        return None
    problems += impossible_counts(
        "baseline", values["accidents"], values["fatal_accidents"], values["deaths"]
    )
    baseline = Baseline(**values)
    if stated != baseline.hash:
        problems.append(
            f"baseline.hash is {stated or 'missing'}, but the values have {baseline.hash}: "
            "someone changed the record, or it still has to be approved and its hash put in"
        )
    return baseline if len(problems) == before else None


def impossible_counts(where: str, accidents: int, fatal: int, deaths: int) -> list[str]:
    """Say what cannot be of three counts."""
    found = []
    if fatal > accidents:
        found.append(
            f"{where}: {fatal} fatal accidents among {accidents} accidents; fatal ones are part of all"
        )
    if deaths < fatal:
        found.append(f"{where}: {deaths} deaths in {fatal} fatal accidents; each has at least one")
    if deaths and not fatal:
        found.append(f"{where}: {deaths} deaths without a fatal accident")
    return found


def read_denominator(value: Any, name: str) -> str:
    """Return a key of `RATE_UNITS`."""
    return read_choice(value, name, tuple(RATE_UNITS))


def read_window(value: Any, name: str) -> int:
    """Return a death window in days."""
    if value not in DEATH_WINDOWS_DAYS or isinstance(value, bool):
        raise StatisticsError(f"{name} is {value!r}: deaths are counted within 7 or within 30 days")
    return int(value)


def _read_supersedes(value: Any, name: str) -> int | None:
    return None if value is None else read_whole(1)(value, name)
