"""Wrong passwords, counted by where they come from and by whom they are for. Pure: the time is an argument.

Whoever guesses at one name from many addresses must wait as well as whoever guesses at many names from one.
That would let anybody keep somebody else out, so a browser in which that person has logged in before has a
count of its own and no other (OWASP: device cookies).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from console.remote import one_client
from console.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Wrong passwords that cost no wait: in a known browser, for a name at an address, at an address, for a name.
FREE_IN_BROWSER, FREE_OF_NAME_AT_ADDRESS, FREE_OF_ADDRESS, FREE_OF_NAME = 5, 5, 20, 10


class Guess(NamedTuple):
    """Somebody who says that they are somebody."""

    name: str
    address: str
    #: Hash of the token of a browser in which this person has logged in before; None: it is not known.
    browser: bytes | None = None


class Guesses:
    """Who has guessed wrong lately, and has to wait."""

    def __init__(self) -> None:
        self._in_browser = Throttle(free=FREE_IN_BROWSER)
        self._of_name_at_address = Throttle(free=FREE_OF_NAME_AT_ADDRESS)
        self._of_address = Throttle(free=FREE_OF_ADDRESS)
        self._of_name = Throttle(free=FREE_OF_NAME)

    def wait_s(self, guess: Guess, now_s: float) -> float:
        """Return for how many seconds a guess is not looked at; 0: it is."""
        return max(throttle.wait_s(key, now_s) for throttle, key in self._counts(guess))

    def failed(self, guess: Guess, now_s: float) -> float:
        """Count a wrong guess; return how long the next one has to wait."""
        for throttle, key in self._counts(guess):
            throttle.failed(key, now_s)
        return self.wait_s(guess, now_s)

    def succeeded(self, guess: Guess) -> None:
        """Forget the mistakes of who was right; those of others at the address, or for the name, stay."""
        throttle, key = next(self._counts(guess))
        throttle.succeeded(key)

    def _counts(self, guess: Guess) -> Iterator[tuple[Throttle, str]]:
        """Yield what a guess is counted by; first what is of this person alone."""
        if guess.browser is not None:
            yield self._in_browser, f"{guess.browser.hex()} {guess.name}"
            return
        client = one_client(guess.address)
        yield self._of_name_at_address, f"{client} {guess.name}"
        yield self._of_address, client
        yield self._of_name, guess.name
