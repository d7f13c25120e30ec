"""The simulated city in a database, and its reports: made, signed and chained as those of a real city."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import msgspec

from analytics.facts.store import Teller, declare
from analytics.ledger import history as knowledge
from analytics.ledger.counting import Period, count
from analytics.ledger.scopes import Scope
from analytics.ledger.store import add_histories, read_versions
from analytics.policies.store import approve, freeze, read_baselines, read_policies
from analytics.publishing.extract import extract_files, make_extract
from analytics.publishing.keys import SigningKey
from analytics.publishing.publication import Act, added_files
from analytics.report.making import LANGUAGES, make
from analytics.report.periods import Stage, day_end, due_day, report_before, shift
from analytics.report.report_input import CITY, ReportInput
from analytics.report.store import read_facts
from analytics.statistics.baseline import Baseline
from analytics.statistics.policy import WORDING, Policy
from fleet.language import Words
from fleet.registry_import.reading import read_registry
from fleet.registry_import.store import import_registry
from fleet.units import to_us
from kerbsafe.reports.publications import record_publication, what_is_published
from kerbsafe.sample import translation
from simulators.errors import SimulatorError
from simulators.history.accounts import accounts
from simulators.history.figures import figures
from simulators.history.setting import Setting
from simulators.history.truth import history

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    import asyncpg

    from analytics.ledger.history import Version
    from simulators.history.truth import History

BASE_YEAR, TARGET_YEAR = 2015, 2020
#: Risk that falls to less than half of it from the base year to the target year.
SETTING = Setting(accidents_per_mkm=0.55, effect=0.45, effect_from=12, effect_over=60, vehicles=600)
MAX_MONTHS = 12 * (TARGET_YEAR - BASE_YEAR)
_BEFORE_ALL = datetime(BASE_YEAR - 1, 12, 31, 12, tzinfo=UTC)
#: What happened in the base year is known by then, and the baseline approved.
_APPROVED = date(BASE_YEAR + 1, 4, 30)
_SCOPE = "模拟城市搅拌车；有人伤亡的事故，不论责任 (simulated mixers; anybody hurt, any responsibility)"
_NOBODY = "样例，无人批准 (sample, nobody)"
_POLICY = Policy(
    version="sample-1",
    approved_by=_NOBODY,
    approved_at=_APPROVED,
    target_ratio=0.5,
    target_year=TARGET_YEAR,
    on_track=0.7,
    at_risk=0.3,
    confirmed=0.9,
    close=0.3,
    small_total=10,
    consecutive_runs=2,
    urgent_deaths=3,
    prior=0.5,
    level=0.95,
    wording=WORDING,
)


@dataclass(frozen=True, slots=True)
class Made:
    """One directory of the sample: its name, and the files."""

    name: str
    files: Mapping[str, bytes]


def sample_key(seed: int) -> SigningKey:
    """Return the key of a sample: anybody can make it, and it proves nothing but the procedure."""
    return SigningKey.of_seed(hashlib.sha256(f"kerbsafe sample {seed}".encode()).digest())


async def fill(connection: asyncpg.Connection, seed: int) -> History:
    """Record the city's history in an empty database, as it would have come in year by year."""
    made = history(seed, SETTING)
    contents = read_registry(msgspec.json.encode(translation.registry(made)))
    outcome = await import_registry(connection, contents, now_us=to_us(_BEFORE_ALL), sandbox=True)
    if outcome.problems:
        raise SimulatorError(f"the registry of the sample was refused: {outcome.problems[0]}")
    ledger = translation.ledger(accounts(made))
    await add_histories(connection, ledger)
    known = figures(made)
    for at, said in translation.said(known):
        await declare(connection, said, Teller(translation.WHO, f"sample, seed {seed}"), at)
    volume = sum(
        each.value
        for each in translation.month_facts(known)
        if each.scope == CITY
        and each.measure == "volume_m3"
        and each.month.year == BASE_YEAR
        and each.known_to is None
    )
    await freeze(connection, _baseline(ledger, volume), translation.WHO, day_end(_APPROVED))
    await approve(connection, _POLICY, translation.WHO, day_end(_APPROVED))
    return made


def _baseline(ledger: Mapping[str, Sequence[Version]], volume: float) -> Baseline:
    """Return the base year as it was known on the day of its approval."""
    at = day_end(_APPROVED)
    current = [knowledge.as_of(versions, at) for versions in ledger.values()]
    facts = [version.facts for version in current if version is not None and version.counts]
    counts = count(facts, Scope.A1, Period(date(BASE_YEAR, 1, 1), date(BASE_YEAR, 12, 31)), at)[""]
    return Baseline(
        id="sample",
        version=1,
        year=BASE_YEAR,
        scope=_SCOPE,
        death_window_days=7,
        denominator="m3",
        exposure=volume,
        accidents=counts.accidents.high,
        fatal_accidents=counts.fatal_7d.high,
        deaths=counts.deaths_7d.high,
        source="模拟数据 (simulated)",
        approved_by=_NOBODY,
        approved_at=_APPROVED,
        supersedes=None,
    )


async def publications(connection: asyncpg.Connection, seed: int, months: int) -> AsyncIterator[Made]:
    """Make and sign the reports of the last months of the target year, its final report, and an extract."""
    key = sample_key(seed)
    last = date(TARGET_YEAR, 12, 1)
    runs = [(shift(last, back - months + 1), Stage.FLASH) for back in range(months)]
    for month, stage in [*runs, (last, Stage.FINAL)]:
        files = make(await report_input(connection, month, stage), LANGUAGES)
        name = f"{month:%Y-%m}-{stage}"
        yield Made(name, await _published(connection, files, key, day_end(due_day(month, stage))))
    at = day_end(due_day(last, Stage.FINAL))
    current = [knowledge.as_of(each, at) for each in (await read_versions(connection, at)).values()]
    facts = [version.facts for version in current if version is not None and version.counts]
    counties = [county.code for county in SETTING.counties]
    extract = make_extract(facts, TARGET_YEAR, at, counties=counties, simulated=True)
    names = {county.code: Words(county.name, county.name) for county in SETTING.counties}
    files = extract_files(extract, names)
    yield Made(f"extract-{TARGET_YEAR}", await _published(connection, files, key, at))


async def report_input(connection: asyncpg.Connection, month: date, stage: Stage) -> ReportInput:
    """Return what a report of the city is made of, as known on the day it was due."""
    at = day_end(due_day(month, stage))
    return ReportInput(
        month=month,
        as_of=at,
        scope=CITY,
        stage=stage,
        facts=await read_facts(connection, at, date(BASE_YEAR, 1, 1), month),
        ledger=await read_versions(connection, at),
        baseline=(await read_baselines(connection))[-1].value,
        policy=(await read_policies(connection))[-1].value,
        previous_as_of=day_end(report_before(month, stage)),
        ledger_from=date(BASE_YEAR, 1, 1),
        names=translation.names(SETTING),
        simulated=True,
    )


async def _published(
    connection: asyncpg.Connection, files: Mapping[str, bytes], key: SigningKey, at: datetime
) -> dict[str, bytes]:
    act = Act(what_is_published(files), at, _NOBODY)
    chain = await record_publication(connection, files, key, act)
    return {**files, **added_files(files, chain)}
