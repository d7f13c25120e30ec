"""Who guesses passwords waits longer and longer; who mistypes once does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.throttle import Throttle


def waits(failures: int, *, free: int = 3, at_s: float = 0.0) -> float:
    throttle = Throttle(free=free, longest_s=60)
    for _ in range(failures):
        throttle.failed("10.0.0.1 admin", 0.0)
    return throttle.wait_s("10.0.0.1 admin", at_s)


def test_the_wait_doubles_up_to_a_limit() -> None:
    assert [waits(failures) for failures in range(11)] == [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]


def test_the_wait_passes() -> None:
    assert [waits(5, at_s=s) for s in (0, 1, 3.5, 4, 100)] == [4, 3, 0.5, 0, 0]


def test_others_do_not_wait() -> None:
    throttle = Throttle(free=1)
    for _ in range(9):
        throttle.failed("10.0.0.1 admin", 0.0)
    assert throttle.wait_s("10.0.0.2 admin", 0.0) == 0


def test_what_was_long_ago_is_forgotten() -> None:
    throttle = Throttle(free=1, forget_s=900)
    for _ in range(5):
        throttle.failed("a", 0.0)
    assert throttle.wait_s("a", 901) == 0
    throttle.failed("a", 902)
    assert throttle.wait_s("a", 902) == 1


def test_success_forgets() -> None:
    throttle = Throttle(free=1)
    throttle.failed("a", 0.0)
    throttle.succeeded("a")
    throttle.succeeded("nobody")
    assert throttle.wait_s("a", 0.0) == 0


def test_memory_is_bounded_and_the_oldest_goes() -> None:
    throttle = Throttle(free=1, remembered=100)
    for number in range(1000):
        throttle.failed(f"10.0.0.{number}", float(number) / 1000)
    assert throttle.wait_s("10.0.0.999", 1.0) > 0
    assert throttle.wait_s("10.0.0.0", 1.0) == 0


@given(st.lists(st.floats(0, 1e6), max_size=60), st.floats(0, 2e6))
def test_a_wait_is_never_negative_nor_longer_than_the_limit(moments: list[float], now_s: float) -> None:
    throttle = Throttle(free=2, longest_s=60)
    for moment in sorted(moments):
        throttle.failed("a", moment)
    assert 0 <= throttle.wait_s("a", max([now_s, *moments])) <= 60
