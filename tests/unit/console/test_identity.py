"""Pages of other sites get nothing, under whatever name and origin they come."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from console.accounts import User
from console.identity import DEMO, Authentication, Identity, Means
from console.problems import Kind, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

ORIGIN = "https://desk.example.cn"
SESSION = Identity(Means.SESSION, "admin", User(1, "admin", "administrator", must_change=False), "token")
TOKEN = Identity(Means.TOKEN, "board")


def door(origin: str | None = None) -> Authentication:
    return Authentication(SimpleNamespace(), origin)


def request(method: str = "GET", **headers: str) -> Any:
    return SimpleNamespace(
        method=method, headers={name.capitalize(): value for name, value in headers.items()}
    )


def problem_of(check: Callable[[], None]) -> Kind | None:
    try:
        check()
    except ProblemError as problem:
        return problem.kind
    return None


@pytest.mark.parametrize(
    ("origin", "host", "lets_in"),
    [
        (None, "127.0.0.1:9400", True),
        (None, "localhost:9400", True),
        (None, "LOCALHOST", True),
        (None, "[::1]:9400", True),
        (None, "localhost:18080", True),  # through a tunnel
        (None, "", False),
        (None, "evil.example", False),  # rebound to 127.0.0.1
        (None, "127.0.0.1.evil.example", False),
        (None, "localhost.evil.example:9400", False),
        (None, "evil.example@127.0.0.1", True),  # no browser sends this; its name is ours
        (None, "[::1", False),
        (ORIGIN, "desk.example.cn", True),
        (ORIGIN, "Services.Example.CN", True),
        (ORIGIN, "127.0.0.1:9400", True),  # behind a proxy on this machine
        (ORIGIN, "desk.example.cn:8443", False),
        (ORIGIN, "other.example.cn", False),
    ],
)
def test_only_names_of_ours_are_served(origin: str | None, host: str, *, lets_in: bool) -> None:
    said = problem_of(lambda: door(origin).check_host(request(host=host)))
    assert said is (None if lets_in else Kind.MISDIRECTED)


@pytest.mark.parametrize(
    ("configured", "host", "origin", "lets_in"),
    [
        (None, "127.0.0.1:9400", "http://127.0.0.1:9400", True),
        (None, "localhost:9400", "http://localhost:9400", True),
        (None, "127.0.0.1:9400", "http://localhost:9400", False),
        (None, "127.0.0.1:9400", "http://127.0.0.1:8000", False),  # another program on this machine
        (None, "127.0.0.1:9400", "https://evil.example", False),
        (None, "127.0.0.1:9400", "null", False),  # a sandboxed frame, a file
        (None, "127.0.0.1:9400", "", False),
        (None, "evil.example", "http://evil.example", False),
        (ORIGIN, "desk.example.cn", ORIGIN, True),
        (ORIGIN, "127.0.0.1:9400", ORIGIN, True),
        (ORIGIN, "desk.example.cn", "http://desk.example.cn", False),
        (ORIGIN, "desk.example.cn", "https://desk.example.cn.evil.example", False),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_only_our_own_page_may_send(
    configured: str | None, host: str, origin: str, method: str, *, lets_in: bool
) -> None:
    asked = request(method, host=host, origin=origin)
    said = problem_of(lambda: door(configured).check_origin(asked, SESSION))
    assert said is (None if lets_in else Kind.REFUSED)


@pytest.mark.parametrize(
    ("method", "identity", "lets_in"),
    [
        ("GET", SESSION, True),
        ("DELETE", SESSION, False),
        ("PUT", SESSION, False),
        ("DELETE", TOKEN, True),
        ("POST", None, True),  # a program that logs in
        ("GET", DEMO, True),
    ],
)
def test_without_an_origin_a_cookie_changes_nothing(
    method: str, identity: Identity | None, *, lets_in: bool
) -> None:
    said = problem_of(lambda: door().check_origin(request(method, host="127.0.0.1:9400"), identity))
    assert said is (None if lets_in else Kind.REFUSED)


def test_over_tls_the_cookie_belongs_to_this_host_alone() -> None:
    assert door(ORIGIN).cookie == "__Host-kerbsafe"
    assert door(ORIGIN).secure
    assert door().cookie == "kerbsafe"
    assert not door("http://desk.example.cn").secure
