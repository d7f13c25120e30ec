"""Which alerts are told to the driver: while they are of use, not too often, and all but a drawn share."""

from __future__ import annotations

import uuid

import pytest

from ingest.commands.prompt_file import PromptFileError, PromptTable, read_prompts
from ingest.commands.prompting import Outcome, Situation, decide, is_held_out

S = 1_000_000
NOW = 1_000 * S
ID = uuid.UUID(int=7)
TABLE = PromptTable({"speeding": "您已超速，请减速"})


@pytest.mark.parametrize(
    ("rule", "ended_s", "newest_s", "last_s", "outcome"),
    [
        ("speeding", None, 999, None, Outcome.SENT),
        ("speeding", None, 991, None, Outcome.SENT),
        ("speeding", None, 990, None, Outcome.TOO_LATE),  # ten seconds old
        ("speeding", None, None, None, Outcome.TOO_LATE),  # nothing was heard of it for ten seconds
        ("speeding", 995, 999, None, Outcome.SENT),
        ("speeding", 985, 999, None, Outcome.TOO_LATE),  # over for long, though it reports
        ("speeding", None, 999, 940, Outcome.TOO_SOON),
        ("speeding", None, 999, 939, Outcome.SENT),
        ("conflict", None, 999, None, Outcome.SILENT),
    ],
)
def test_what_becomes_of_an_alert(
    rule: str, ended_s: int | None, newest_s: int | None, last_s: int | None, outcome: Outcome
) -> None:
    def us(seconds: int | None) -> int | None:
        return None if seconds is None else seconds * S

    assert decide(Situation(ID, rule, us(ended_s), us(newest_s), us(last_s)), TABLE, NOW) is outcome


def test_who_is_held_out_is_drawn_by_the_alerts_id() -> None:
    alerts = [uuid.UUID(int=number) for number in range(2000)]
    held_out = [one for one in alerts if is_held_out(one, 0.1)]
    assert 150 < len(held_out) < 250
    assert held_out == [one for one in alerts if is_held_out(one, 0.1)]
    assert set(held_out) < {one for one in alerts if is_held_out(one, 0.2)}
    assert not [one for one in alerts if is_held_out(one, 0.0)]


def test_a_file_of_prompts() -> None:
    table = read_prompts('holdout_percent = 10\n[prompts]\nspeeding = " 请减速 "\n')
    assert table == PromptTable({"speeding": "请减速"}, 0.1)
    assert read_prompts("") == PromptTable({}, 0.0)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("prompts", "no TOML"),
        ("[promts]", "has 'promts'; it may have holdout_percent"),
        ("holdout_percent = 60", "from 0 to 50, not 60"),
        ("holdout_percent = true", "from 0 to 50, not True"),
        ('[prompts]\nspeding = "x"', "no driver is told of 'speding'"),
        ('[prompts]\noffline = "x"', "no driver is told of 'offline'"),
        ("[prompts]\nspeeding = 3", "the prompt of speeding is a text, not 3"),
        ('[prompts]\nspeeding = ""', "the prompt of speeding: a text for the driver has 1 to 100"),
        ("prompts = 3", "is a table"),
    ],
)
def test_a_file_of_prompts_that_is_wrong(document: str, said: str) -> None:
    with pytest.raises(PromptFileError, match=said):
        read_prompts(document)
