"""Who guesses waits, from wherever; who is known does not wait for what others guess."""

from __future__ import annotations

from console.guesses import Guess, Guesses


def looked_at(guesses: Guesses, tried: list[Guess], now_s: float = 0.0) -> int:
    """Try wrong passwords; return how many were looked at."""
    count = 0
    for guess in tried:
        if not guesses.wait_s(guess, now_s):
            guesses.failed(guess, now_s)
            count += 1
    return count


def addresses(count: int) -> list[str]:
    return [f"203.0.113.{number}" for number in range(count)]


def test_one_address_guesses_at_one_name() -> None:
    assert looked_at(Guesses(), [Guess("li", "203.0.113.1")] * 40) == 5


def test_one_address_guesses_at_many_names() -> None:
    assert looked_at(Guesses(), [Guess(f"n{number}", "203.0.113.1") for number in range(100)]) == 20


def test_one_network_of_ipv6_is_one_address() -> None:
    tried = [Guess(f"n{number}", f"2001:db8::{number:x}") for number in range(100)]
    assert looked_at(Guesses(), tried) == 20


def test_many_addresses_guess_at_one_name() -> None:
    """120 guesses from 30 addresses: ten are looked at, and within an hour a few dozen more."""
    tried = [Guess("li", address) for address in addresses(30)] * 4
    guesses = Guesses()
    assert looked_at(guesses, tried) == 10
    assert sum(looked_at(guesses, tried, now_s=10.0 * step) for step in range(1, 361)) <= 25


def test_a_known_browser_does_not_wait_for_strangers() -> None:
    guesses, known = Guesses(), Guess("li", "203.0.113.1", b"\x01" * 32)
    looked_at(guesses, [Guess("li", address) for address in addresses(30)] * 4)
    assert guesses.wait_s(Guess("li", "203.0.113.1"), 0.0) > 0
    assert guesses.wait_s(known, 0.0) == 0


def test_but_it_guesses_no_more_than_others() -> None:
    guesses, known = Guesses(), Guess("li", "203.0.113.1", b"\x01" * 32)
    assert looked_at(guesses, [known] * 40) == 5
    assert guesses.wait_s(Guess("li", "203.0.113.2"), 0.0) == 0  # and keeps nobody else out


def test_who_logs_in_makes_no_room_for_guesses_at_others() -> None:
    """Somebody with a name of their own cannot forget the count of their address by logging in with it."""
    guesses, count = Guesses(), 0
    for number in range(100):
        count += looked_at(guesses, [Guess(f"n{number}", "203.0.113.1")])
        guesses.succeeded(Guess("mine", "203.0.113.1"))
    assert count == 20
