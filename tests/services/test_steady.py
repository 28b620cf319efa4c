"""What fails by a fault of ours goes on, is seen, and never spins; what stands still is seen."""

import asyncio
import contextlib

import pytest

from shared.run import steady
from shared.run.steady import Movement, Steady


@pytest.mark.parametrize("error", [OverflowError, AttributeError, RecursionError, MemoryError, UnicodeEncodeError])
async def test_a_task_that_fails_begins_anew_with_growing_pauses_and_is_told(monkeypatch, error):
    pauses = []
    honest = asyncio.sleep

    async def pause(seconds):
        pauses.append(seconds)
        await honest(0)

    monkeypatch.setattr(steady.asyncio, "sleep", pause)
    done = asyncio.Event()

    async def work():
        if len(pauses) == 8:
            done.set()
            await asyncio.Future()
        raise error("utf-8", "", 0, 1, "") if error is UnicodeEncodeError else error()

    kept = Steady("intel")
    task = asyncio.create_task(kept.keep("relay", work))
    await asyncio.wait_for(done.wait(), 20)
    assert pauses == [2, 4, 8, 16, 30, 30, 30, 30]
    assert kept.faults() == [f"relay fails ({error.__name__}): see the log"]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_task_that_ends_by_itself_or_is_cancelled_is_left_alone():
    async def work():
        return

    await Steady("intel").keep("relay", work)
    task = asyncio.create_task(Steady("intel").keep("relay", asyncio.Future))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_failure_is_told_until_it_is_long_ago(monkeypatch):
    kept = Steady("intel")
    kept.failed("relay", ValueError())
    later = steady.time.monotonic() + steady.SHOWN_S + 1
    monkeypatch.setattr(steady.time, "monotonic", lambda: later)
    assert kept.faults() == []


def test_only_what_has_something_before_it_and_does_not_move_stands_still(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(steady.time, "monotonic", lambda: now[0])
    seen = Movement()
    for now[0] in range(0, 100, 10):
        seen.see("moves", int(now[0]), ahead=True)
        seen.see("rests", 5, ahead=False)
        seen.see("stands", 5, ahead=True)
    assert list(seen.standing(60)) == [("stands", 5)]
    seen.see("stands", 6, ahead=True)
    assert list(seen.standing(60)) == []
