"""Commits keep their order, and one that fails is the last."""

from __future__ import annotations

import asyncio

import pytest

from ingest.pipeline.in_order import InOrder


async def test_one_commit_at_a_time_while_the_next_is_prepared() -> None:
    commits, done, may_end = InOrder(), [], asyncio.Event()

    async def slow() -> None:
        await may_end.wait()
        done.append("slow")

    async def quick() -> None:
        done.append("quick")

    await commits.put(slow())
    putting = asyncio.create_task(commits.put(quick()))
    await asyncio.sleep(0.01)
    assert done == []
    may_end.set()
    await putting
    await commits.finish()
    assert done == ["slow", "quick"]


async def test_a_commit_that_fails_lets_none_begin_after_it() -> None:
    commits, begun = InOrder(), []

    async def fail() -> None:
        raise OSError("the database is gone")

    async def next_one() -> None:
        begun.append(1)

    await commits.put(fail())
    with pytest.raises(OSError, match="gone"):
        await commits.put(next_one())
    assert begun == []


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
