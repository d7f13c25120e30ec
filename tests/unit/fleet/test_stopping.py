"""Work that is broken off when a process is told to stop."""

from __future__ import annotations

import asyncio

import pytest

from fleet.stopping import unless


async def test_work_that_ends_is_returned() -> None:
    assert await unless(asyncio.Event(), asyncio.sleep(0, "done")) == "done"


async def test_work_is_broken_off_and_may_clean_up() -> None:
    stopping, cleaned = asyncio.Event(), []

    async def work() -> str:
        stopping.set()
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(True)
        return "done"

    async with asyncio.timeout(10):
        assert await unless(stopping, work()) is None
    assert cleaned == [True]


async def test_what_work_raises_while_it_is_broken_off_is_no_news() -> None:
    stopping = asyncio.Event()

    async def work() -> None:
        stopping.set()
        try:
            await asyncio.sleep(60)
        finally:
            raise ConnectionError

    async with asyncio.timeout(10):
        assert await unless(stopping, work()) is None


async def test_what_work_raises_is_raised() -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await unless(asyncio.Event(), work())


@pytest.mark.parametrize("also_stopping", [False, True])
async def test_who_is_cancelled_stays_cancelled(also_stopping: bool) -> None:
    stopping, cancelled = asyncio.Event(), []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    task = asyncio.create_task(unless(stopping, work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if also_stopping:
        stopping.set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled == [True]
