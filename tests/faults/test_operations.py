"""What an operator counts on: a fault of ours holds up its own event only, and processes end as the manual says."""

import asyncio
import json
import signal
import time
import urllib.request

from tests.faults.defects import MISTREATED
from tests.faults.stand import PATIENCE_S
from tests.faults.test_controls import NUMBER, Control, controlled, copied
from tests.faults.verbs import announce, crm
from tests.harness.system import until


async def a_rule_fails(control: Control) -> None:
    """One event's rule raises; the rest flows; the rule is mended, and the event goes through by itself."""
    await control.publish()
    await control.publish("training.official.enrolled", 1, reported_by=MISTREATED)
    await control.publish()
    await until(lambda: control.recorded(2 * NUMBER), "all but one", PATIENCE_S)
    assert await until(lambda: failed(control), "the metric", PATIENCE_S)
    told = json.loads((await crm(announce(control.stand), "status", "--json")).stdout)
    assert told["services"]["training"]["failed"] > 0
    assert not any(one["ack_pending"] for one in told["durables"] if one["durable"] == "training")
    async with control.stand.database("training") as connection:
        rows = await connection.fetch("select kind, reason from aside")
    assert [tuple(row) for row in rows] == [("failed", "ZeroDivisionError")]
    mend(control)
    control.stand.send("training", signal.SIGKILL)
    await until(lambda: control.recorded(2 * NUMBER + 1), "the last one", PATIENCE_S)
    await control.stand.ready()
    await control.settled()


def mend(control: Control) -> None:
    """Have training start without its defect from now on."""
    child = control.stand.children["training"]
    child.command = child.command[:-1]


def failed(control: Control) -> bool:
    url = control.stand.children["training"].ops
    with urllib.request.urlopen(f"{url}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    counts = [
        float(line.split()[-1]) for line in lines if 'outcome="failed"' in line and line.startswith("crm_intake_total")
    ]
    return sum(counts) > 1


async def test_an_event_whose_rule_fails_waits_alone_and_goes_through_once_mended(tmp_path):
    assert await controlled(tmp_path, a_rule_fails, "training", defect="failing_judgement") == set()


async def stop_under_load(control: Control) -> None:
    stand = control.stand
    for _ in range(3):
        sending = asyncio.create_task(control.publish(number=60))
        await asyncio.sleep(0.3)
        await stand.ready()
        stand.held.add("training")
        began = time.monotonic()
        process = stand.children["training"].process
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 60) == 0
        print(f"stopped in {time.monotonic() - began:.1f} s")
        assert await copied(stand), "what was recorded is in the stream, though nobody may start again for hours"
        stand.held.discard("training")
        await sending
    await stand.ready()
    await control.settled()


async def test_sigterm_under_load_finishes_what_was_fetched(tmp_path):
    assert await controlled(tmp_path, stop_under_load, "training") == set()


async def ends_with(control: Control, act) -> int:
    control.stand.held.add("training")
    await act(control)
    process = control.stand.children["training"].process
    code = await asyncio.to_thread(process.wait, PATIENCE_S)
    control.stand.held.discard("training")
    mend(control)
    return code


async def test_a_stuck_loop_ends_the_process(tmp_path):
    async def act(control: Control) -> None:
        async def stick(control: Control) -> None:
            await control.publish(number=1, reported_by=MISTREATED)

        assert await ends_with(control, stick) == 71
        await until(lambda: control.recorded(1), "the report", PATIENCE_S)
        await control.stand.ready()
        await control.settled()

    assert await controlled(tmp_path, act, "training", defect="stuck_judgement", env={"CRM_STUCK_S": "3"}) == set()


async def test_a_connection_that_is_closed_for_good_ends_the_process(tmp_path):
    async def act(control: Control) -> None:
        async def close(control: Control) -> None:
            await control.publish(number=1)

        assert await ends_with(control, close) == 70
        await control.stand.ready()
        await control.publish(number=1)
        await control.settled()

    assert await controlled(tmp_path, act, "training", defect="closing_connection") == set()
