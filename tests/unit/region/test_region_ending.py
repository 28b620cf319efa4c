"""The region ends when it is told to, also where a part of it swallows what cancels it."""

import asyncio

import pytest

from infra.region.__main__ import _until


@pytest.mark.parametrize("swallowed", [0, 1, 2, 5])
async def test_a_part_that_swallows_its_cancellation_is_cancelled_again(swallowed):
    """As `wait_for` of Python 3.11 does where answer and cancellation come together, within a loop."""
    left, stopping = swallowed, asyncio.Event()

    async def part():
        nonlocal left
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if not left:
                    raise
                left -= 1

    async def parts():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(part())
            tasks.create_task(part())

    asyncio.get_running_loop().call_soon(stopping.set)
    async with asyncio.timeout(60):
        await _until(stopping, parts())
    assert left == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
