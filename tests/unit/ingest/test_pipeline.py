"""Commits keep their order, and one that fails is the last."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ingest.pipeline import InOrder

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Commits:
    """Commits that end when told to, and what happened to them."""

    def __init__(self) -> None:
        self.happened: list[str] = []
        self._may_end: dict[str, asyncio.Event] = {}

    def end(self, name: str) -> None:
        self._may_end[name].set()

    def make(self, name: str, failure: Exception | None = None) -> Coroutine[None, None, None]:
        self._may_end[name] = asyncio.Event()
        return self._commit(name, failure)

    async def _commit(self, name: str, failure: Exception | None) -> None:
        self.happened.append(f"{name} began")
        await self._may_end[name].wait()
        if failure is not None:
            raise failure
        self.happened.append(f"{name} ended")


async def a_moment() -> None:
    await asyncio.sleep(0.01)


async def test_commits_run_one_at_a_time_in_the_order_given() -> None:
    commits, in_order = Commits(), InOrder()
    await in_order.put(commits.make("first"))
    await in_order.put(commits.make("second"))
    await a_moment()
    assert commits.happened == ["first began"]
    commits.end("second")
    commits.end("first")
    await in_order.finish()
    assert commits.happened == ["first began", "first ended", "second began", "second ended"]


async def test_whoever_prepares_waits_while_two_commits_have_not_ended() -> None:
    commits, in_order = Commits(), InOrder()
    await in_order.put(commits.make("first"))
    await in_order.put(commits.make("second"))
    putting = asyncio.create_task(in_order.put(commits.make("third")))
    await a_moment()
    assert not putting.done()
    commits.end("first")
    await a_moment()
    assert putting.done()
    assert commits.happened == ["first began", "first ended", "second began"]
    commits.end("second")
    commits.end("third")
    await in_order.finish()
    assert commits.happened[-1] == "third ended"


async def test_a_commit_that_fails_lets_none_begin_after_it() -> None:
    commits, in_order = Commits(), InOrder()
    await in_order.put(commits.make("first", OSError("the database is gone")))
    await in_order.put(commits.make("second"))
    commits.end("first")
    with pytest.raises(OSError, match="gone"):
        await in_order.put(commits.make("third"))
    await in_order.finish()
    assert commits.happened == ["first began"]


async def test_the_end_comes_when_the_running_commit_is_cancelled() -> None:
    commits, in_order = Commits(), InOrder()
    await in_order.put(commits.make("first"))
    await in_order.put(commits.make("second"))
    finishing = asyncio.create_task(in_order.finish())
    await a_moment()
    finishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await finishing
    assert commits.happened == ["first began"]


async def test_a_failure_is_found_without_another_commit() -> None:
    commits = InOrder()

    async def fail() -> None:
        raise OSError("the database is gone")

    await commits.put(fail())
    await commits.check()
    await asyncio.sleep(0)
    with pytest.raises(OSError, match="gone"):
        await commits.check()
    await commits.finish()
