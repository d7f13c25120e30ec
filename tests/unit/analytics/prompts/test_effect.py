"""Did the speed fall within 10 s, and how much more often with a prompt than without one."""

from __future__ import annotations

import pytest

from analytics.prompts.effect import After, difference, group, wilson
from analytics.prompts.effect import after as after_of

S = 1_000_000


@pytest.mark.parametrize(
    ("speeds", "found"),
    [
        # Speed in km/h by the second, the prompt at second 0.
        ({0: 60, 3: 60, 6: 58, 9: 54}, After.FELL),
        ({0: 60, 3: 60, 6: 58, 9: 56}, After.DID_NOT),
        ({0: 60, 3: 54}, After.FELL),  # seen, whatever came later
        ({0: 60, 3: 60}, After.UNKNOWN),  # nothing is known of the rest
        ({0: 60, 11: 10}, After.UNKNOWN),
        ({-2: 60, 9: 60}, After.DID_NOT),
        ({-4: 60, 9: 50}, After.UNKNOWN),  # how fast it was before is not known
        ({0: 4, 9: 40}, After.STOOD),
        ({0: 8, 9: 4}, After.FELL),  # to a stand
        ({0: -1, 9: 40}, After.UNKNOWN),  # no speed
        ({}, After.UNKNOWN),
    ],
)
def test_what_a_driver_did(speeds: dict[int, int], found: After) -> None:
    times, values = [second * S for second in speeds], [kmh * 10 for kmh in speeds.values()]
    assert after_of(0, times, values) is found


def test_intervals_are_those_of_the_literature() -> None:
    """Newcombe 1998, both papers: 81 of 263; 56 of 70 against 48 of 80."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    with_prompt = group([After.FELL] * 56 + [After.DID_NOT] * 14 + [After.UNKNOWN] * 9)
    held_out = group([After.FELL] * 48 + [After.DID_NOT] * 32 + [After.STOOD] * 5)
    assert difference(with_prompt, held_out) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert (with_prompt.situations, with_prompt.known, held_out.stood) == (79, 70, 5)


def test_without_anybody_held_out_nothing_is_compared() -> None:
    with_prompt = group([After.FELL] * 5)
    assert with_prompt.share == 1.0
    assert group([]).share is None
    assert group([After.UNKNOWN]).interval is None
    assert difference(with_prompt, group([After.UNKNOWN])) is None
