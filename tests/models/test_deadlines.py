"""Deadlines of many blocks with one timer."""

import asyncio

import pytest

from models.deadlines import Deadline, Overdue


async def test_a_block_in_time_is_left_alone():
    """What ends in time has its result, and nothing is left behind."""
    overdue = Overdue(60)
    with Deadline(overdue):
        await asyncio.sleep(0)
    assert not overdue._due


async def test_a_block_that_takes_too_long_ends():
    """A block whose time is over is cancelled, and raises TimeoutError outside."""
    task = asyncio.current_task()
    assert task is not None
    with pytest.raises(TimeoutError), Deadline(Overdue(0.01)):
        await asyncio.sleep(60)
    assert task.cancelling() == 0


async def test_each_block_has_its_own_time():
    """Of many blocks under one timer those that are too long end, in whatever order they began."""
    overdue = Overdue(0.05)

    async def block(seconds: float) -> str:
        try:
            with Deadline(overdue):
                await asyncio.sleep(seconds)
        except TimeoutError:
            return "late"
        return "in time"

    first = await asyncio.gather(*(block(seconds) for seconds in (60, 0, 60, 0)))
    second = await asyncio.gather(*(block(seconds) for seconds in (0, 60)))
    assert (first, second) == (["late", "in time", "late", "in time"], ["in time", "late"])


async def test_a_cancellation_from_elsewhere_is_one():
    """A task that somebody else cancels is cancelled, not late."""

    async def block() -> None:
        with Deadline(Overdue(60)):
            await asyncio.sleep(60)

    task = asyncio.ensure_future(block())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_exception_of_the_block_passes():
    """A block that fails by itself, even while it is ended, keeps its own exception."""

    async def fails_when_it_is_ended() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ValueError("late") from None

    with pytest.raises(ValueError, match="own"), Deadline(Overdue(60)):
        raise ValueError("own")
    with pytest.raises(ValueError, match="late"), Deadline(Overdue(0.01)):
        await fails_when_it_is_ended()


def test_another_event_loop_has_a_timer_of_its_own():
    """What served one event loop serves the next."""
    overdue = Overdue(0.01)

    async def block() -> None:
        with Deadline(overdue):
            await asyncio.sleep(60)

    for _ in range(2):
        with pytest.raises(TimeoutError):
            asyncio.run(block())
