"""The limits of each kind of connection, and that they agree with each other."""

from __future__ import annotations

import pytest

from fleet import waiting


@pytest.mark.parametrize("application", waiting.LIMITS)
def test_who_waits_in_line_gives_up_first(application: str) -> None:
    """A lock before its statement, the server before us: whoever can, says why."""
    limits = waiting.of(application)
    assert limits.lock_s is not None
    assert limits.statement_s is not None
    assert limits.answer_s is not None
    assert limits.lock_s < limits.statement_s < limits.answer_s


def test_the_server_is_told() -> None:
    told = waiting.server_settings("ingest")
    assert told == {
        "tcp_keepalives_idle": "5",
        "tcp_keepalives_interval": "2",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "10000",
        "statement_timeout": "20000",
        "lock_timeout": "10000",
        "idle_in_transaction_session_timeout": "20000",
    }


def test_a_persons_command_may_take_as_long_as_it_needs() -> None:
    assert waiting.of("migrate").answer_s is None
    assert "statement_timeout" not in waiting.server_settings("migrate")
