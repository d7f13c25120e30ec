"""What an error of the database says to people."""

from __future__ import annotations

import asyncpg
import pytest

from fleet.db import failed, said


def refused(kind: type[asyncpg.PostgresError], message: str, detail: str) -> asyncpg.PostgresError:
    error = kind(message)
    error.detail = detail
    return error


def test_an_error_is_one_line_without_the_row_that_it_is_about() -> None:
    error = refused(asyncpg.CheckViolationError, "new row\nviolates a check", "Failing row contains (浙F1).")
    assert "浙F1" in str(error)
    assert said(error) == "new row violates a check"
    assert said(TimeoutError()) == "no answer in time"
    assert said(ConnectionResetError()) == "ConnectionResetError"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (asyncpg.AdminShutdownError("terminating connection"), "the database failed: terminating connection"),
        (asyncpg.ConnectionDoesNotExistError("connection was closed"), "the database failed: connection was"),
        (asyncpg.InterfaceError("connection is closed"), "the database failed: connection is closed"),
        (asyncpg.DiskFullError("no space left"), "the database failed: no space left"),
        (asyncpg.LockNotAvailableError("canceling statement due to lock timeout"), "due to lock timeout"),
        (asyncpg.QueryCanceledError("canceling statement due to statement timeout"), "statement timeout"),
        (asyncpg.IdleInTransactionSessionTimeoutError("terminating connection"), "the database failed"),
        (asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT"), "the database failed: cannot"),
        (asyncpg.InsufficientPrivilegeError("permission denied for table vehicle"), "Use the role"),
        (asyncpg.InterfaceError("another operation is in progress"), None),
        (asyncpg.UndefinedColumnError("no such column"), None),
        (ValueError("ours"), None),
    ],
)
def test_what_a_person_can_mend_is_told_and_our_faults_are_not(error: Exception, says: str | None) -> None:
    told = failed(error)
    assert (told is None) == (says is None)
    assert says is None or says in str(told)
