"""A simulated history as ledger and facts: nothing is known before it was told, and all of it in the end."""

from __future__ import annotations

from datetime import UTC, date, datetime

from analytics.ledger import history as knowledge
from analytics.ledger.accident import toll
from analytics.ledger.scopes import YES, Scope, in_scope
from kerbsafe.sample import translation
from simulators.history.accounts import accounts
from simulators.history.figures import figures
from simulators.history.setting import Setting
from simulators.history.truth import history

MADE = history(2, Setting(months=24, companies=4, accidents_per_mkm=3.0, restated_share=0.2))
LEDGER = translation.ledger(accounts(MADE))
END = datetime(2020, 1, 1, tzinfo=UTC)


def test_the_ledger_ends_at_the_truth() -> None:
    reported = [accident for accident in MADE.accidents if accident.reported is not None]
    assert set(LEDGER) == {accident.code for accident in reported}
    for accident in reported:
        found = knowledge.as_of(LEDGER[accident.code], END)
        assert found is not None
        assert toll(found.facts, 7).dead == (accident.deaths(7),) * 2
        assert toll(found.facts, 30).dead == (accident.deaths(30),) * 2
        assert in_scope(found.facts, Scope.A1) == YES
        assert found.facts.county == accident.county


def test_on_a_day_the_ledger_knows_what_had_been_reported() -> None:
    day = date(2016, 3, 5)
    at = datetime(2016, 3, 5, 23, 59, tzinfo=UTC).replace(hour=15)
    known = {code for code, versions in LEDGER.items() if knowledge.as_of(versions, at) is not None}
    assert known == {accident.code for accident in MADE.known(day)}
    assert len(known) < len(LEDGER)


def test_every_version_gives_its_reason() -> None:
    reasons = {version.reason.value for versions in LEDGER.values() for version in versions}
    assert reasons == {"new", "late", "responsibility", "deaths_within_7_days", "deaths_within_30_days"}


def test_a_volume_that_was_corrected_holds_until_then() -> None:
    facts = translation.month_facts(figures(MADE))
    closed = [fact for fact in facts if fact.known_to is not None]
    assert closed
    standing = {(fact.scope, fact.month, fact.measure): fact for fact in facts if fact.known_to is None}
    for fact in closed:
        after = standing[fact.scope, fact.month, fact.measure]
        assert (after.known_from, after.value != fact.value) == (fact.known_to, True)
