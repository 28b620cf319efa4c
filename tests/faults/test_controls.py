"""Negative controls: a defect put in on purpose is found by the checker, and without it the same run is clean."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shared.record import deadlines
from tests.faults.checker import Case, check
from tests.faults.draining import unsettled
from tests.faults.evidence import gather
from tests.faults.ledger import GOOD, Ledger
from tests.faults.stand import PATIENCE_S, Stand, standing
from tests.faults.traffic import publishers
from tests.harness.system import until

NUMBER = 30
LONG_PAST_S = 25.0
"""Real seconds; on the plan's clock twenty hours."""


class Control:
    """A small system with one publisher, and what the checker says of it."""

    def __init__(self, stand: Stand, ledger: Ledger) -> None:
        self.stand, self.ledger = stand, ledger
        self.publisher = publishers(1, ledger, stand, 0.0)[0]

    async def publish(self, name: str = "training.official.enrolled", number: int = NUMBER, **data):
        plain = self.publisher._plain(name).data | data
        reports = [self.publisher._report(name, GOOD, plain) for _ in range(number)]
        await self.send(reports)
        return reports

    async def send(self, reports) -> None:
        async with self.publisher._connected() as client:
            for report in reports:
                await self.publisher._send(client, [report])

    async def settled(self, but: str = "nothing") -> None:
        async def left():
            try:
                return all(one.endswith(but) for one in await unsettled(self.stand, []))
            except Exception:  # noqa: BLE001 - what is away comes back, or this times out
                return False

        await until(left, "the system to settle", PATIENCE_S)

    async def rows(self, service: str) -> int:
        async with self.stand.database(service) as connection:
            return await connection.fetchval("select count(*) from log")

    async def recorded(self, number: int) -> bool:
        """Tell whether so many are in training's log."""
        return await self.rows("training") == number

    async def breached(self) -> set[str]:
        found = check(Case(self.ledger, await gather(self.stand), {}))
        print(*found, sep="\n")
        return {breach.invariant for breach in found}


async def controlled(folder: Path, act, *processes: str, defect: str = "", **options) -> set[str]:
    """Run `act` on a fresh system of these processes; return the invariants that the checker finds breached."""
    stand = Stand(folder, processes, defects=[defect] if defect else [], proxied=False, **options)
    with contextlib.closing(Ledger(folder / "ledger.jsonl")) as ledger:
        control = Control(stand, ledger)
        async with standing(stand):
            await act(control)
            return await control.breached()


async def crash_before_commit(control: Control) -> None:
    control.stand.crash_at("training", "committing")
    await control.publish()
    await until(lambda: control.stand.restarts.get("training", 0) > 0, "the crash", PATIENCE_S)
    await control.stand.ready()
    await control.settled()


@pytest.mark.parametrize(("defect", "breached"), [("", set()), ("early_acknowledgement", {"lost"})])
async def test_acknowledging_before_the_commit_is_found(tmp_path, defect, breached):
    assert await controlled(tmp_path, crash_before_commit, "training", defect=defect) == breached


async def say_twice(control: Control) -> None:
    async with control.stand.database("training") as connection:
        await connection.execute("alter table recorded drop constraint recorded_pkey")
        await connection.execute("alter table log_1 drop constraint log_1_id_source_key")  # each partition's own
    reports = await control.publish()
    await until(lambda: control.rows("training"), "the first", PATIENCE_S)
    await control.send(reports)
    await control.settled()


@pytest.mark.parametrize(("defect", "breached"), [("", False), ("no_uniqueness", True)])
async def test_recording_without_uniqueness_is_found(tmp_path, defect, breached):
    assert ("doubled" in await controlled(tmp_path, say_twice, "training", defect=defect)) is breached


async def stop_the_relay(control: Control) -> None:
    """One replica stands still about to publish; another takes over; the first wakes and publishes."""
    await control.publish(number=5)
    await control.publish()
    stand = control.stand
    stopped = await until(lambda: next(filter(_stopped(stand), stand.replicas), None), "a relay to stop", PATIENCE_S)
    async with stand.database("training") as connection:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = 2"
        )
    await until(lambda: copied(stand), "another to relay", PATIENCE_S)
    stand.send(stopped, signal.SIGCONT)
    await control.publish(number=5)
    await until(lambda: control.recorded(NUMBER + 10), "all to be taken in", PATIENCE_S)
    await asyncio.sleep(2)  # the one that woke has published, or was refused


def _stopped(stand):
    return lambda name: Path(f"/proc/{stand.pid(name)}/stat").read_text().rpartition(")")[2].split()[0] == "T"


async def copied(stand) -> bool:
    async with stand.operator() as nc, stand.database("training") as connection:
        head = await connection.fetchval("select coalesce(max(position), 0) from log")
        return (await nc.jetstream().stream_info("TRAINING")).state.last_seq >= head


@pytest.mark.parametrize(("defect", "breached"), [("stopping_relay", False), ("unguarded_relay", True)])
async def test_a_relay_without_the_expected_sequence_is_found(tmp_path, defect, breached):
    found = await controlled(tmp_path, stop_the_relay, "training", "training-2", defect=defect)
    assert ("copies" in found) is breached


async def cut_the_power(control: Control) -> None:
    stand = control.stand
    if stand.no_disk:
        pytest.skip(f"NO POWER CUT WAS TRIED, it needs root, mkfs.ext4 and a loop device: {stand.no_disk}")
    stand.held |= {"training", "nats"}
    stand.send("training", signal.SIGKILL)  # one that only stands still would find what NATS sent it before the cut
    stand.children["training"].process.wait()
    stand.disks["nats"].sync()  # what provisioning made; a stream that is gone altogether is found by anyone
    await control.publish()
    stand.send("nats", signal.SIGSTOP)
    stand.disks["nats"].power_cut()
    stand.send("nats", signal.SIGKILL)
    stand.nats.process.wait()
    stand.disks["nats"].power_back()
    stand.held -= {"training", "nats"}
    await until(lambda: stand.restarts.get("nats", 0), "NATS to be started again", PATIENCE_S)
    await until(lambda: stand.restarts.get("training", 0), "training to be started again", PATIENCE_S)
    await stand.ready()
    await control.settled()


@pytest.mark.parametrize("synced", [True, False])
async def test_a_power_cut_with_the_default_sync_is_found(tmp_path, synced):
    found = await controlled(tmp_path, cut_the_power, "training", synced=synced)
    assert found == (set() if synced else {"acknowledged_but_not_stored", "lost"})


async def restart_the_fold(control: Control) -> None:
    stand = control.stand
    await control.publish()
    await control.settled()
    await until(lambda: _snapshot(stand), "a snapshot", PATIENCE_S)
    stand.held.add("indicators")
    stand.send("indicators", signal.SIGKILL)
    stand.children["indicators"].process.wait()
    await control.publish()
    stand.held.discard("indicators")
    await until(lambda: stand.restarts.get("indicators", 0), "the fold to be started again", PATIENCE_S)
    await stand.ready()
    await control.settled()


async def _snapshot(stand) -> bool:
    async with stand.database("indicators") as connection:
        state = bytes(await connection.fetchval("select state from snapshot") or b"")
        return f'["training",{NUMBER}]'.encode() in state


@pytest.mark.parametrize(("defect", "breached"), [("", set()), ("skipping_fold", {"figures"})])
async def test_a_fold_that_skips_its_snapshots_sequence_is_found(tmp_path, defect, breached):
    assert await controlled(tmp_path, restart_the_fold, "training", "indicators", defect=defect) == breached


async def test_a_page_that_shows_another_figure_than_the_fold_has_is_found(tmp_path):
    async def show(control: Control) -> None:
        await control.publish()
        await control.settled()

    assert await controlled(tmp_path, show, "training", "indicators", defect="crooked_page") == {"figures"}


async def report_places(control: Control) -> None:
    await control.publish("intel.location.reported", target_country="USA")
    await control.settled()


@pytest.mark.parametrize(("defect", "breached"), [("", set()), ("clocked_judgement", {"replays"})])
async def test_a_rule_with_a_clock_in_it_is_found(tmp_path, defect, breached):
    assert await controlled(tmp_path, report_places, "intel", defect=defect) == breached


async def refer(answers: int, control: Control) -> None:
    """Send ten urgent referrals while the clocks stand still, have some answered; then all are long due."""
    stand, publisher = control.stand, control.publisher
    receiver = publisher.others[1]
    referrals = [publisher._referral() for _ in range(10)]
    for one in referrals:
        one.data["to"] = receiver.country

    async def answer() -> None:
        await control.send(referrals)
        async with receiver._connected() as client:
            for one in referrals[:answers]:
                await receiver._send(client, [receiver._answer(one)])
        await until(lambda: _reported(stand, len(referrals) + answers), "all to be recorded", PATIENCE_S)
        await asyncio.sleep(10 * deadlines.POLL_S)  # the sweeper looks, and nothing is due yet

    await _standing_still(stand, answer())
    await until(lambda: _swept(stand, len(referrals) - answers), "what is due to be swept", PATIENCE_S)
    await control.settled(but="deadlines")


async def _standing_still(stand: Stand, act: Coroutine[Any, Any, None]) -> None:
    """Let the services' clocks stand still, at a time long past, while `act` goes on."""
    began, acting = time.monotonic(), asyncio.ensure_future(act)
    while not acting.done():
        stand.wrong_clock("", began - time.monotonic() - LONG_PAST_S)
        await asyncio.sleep(0.02)
    stand.wrong_clock("", 0.0)
    acting.result()


async def _reported(stand: Stand, number: int) -> bool:
    async with stand.database("victims") as connection:
        return number == await connection.fetchval("select count(*) from log where source like 'urn:crm:country:%'")


async def _swept(stand: Stand, number: int) -> bool:
    """Tell whether so many are overdue, or no deadline of an answer is left."""
    async with stand.database("victims") as connection:
        overdue = await connection.fetchval("select count(*) from log where type like '%.referral.overdue.v1'")
        left = await connection.fetchval("select count(*) from deadline where id not like 'answer/%/%'")
        return overdue >= number or not left


@pytest.mark.parametrize(
    ("defect", "answers", "breached"),
    [
        ("", 5, set()),
        ("keeping_sweeper", 5, {"deadlines"}),
        ("forgetting_sweeper", 5, {"deadlines", "consequences"}),
        ("hasty_sweeper", 0, {"deadlines"}),
        ("deaf_clearing", 5, {"deadlines", "consequences"}),
    ],
)
async def test_a_deadline_that_does_not_fire_once_and_in_time_is_found(tmp_path, defect, answers, breached):
    assert await controlled(tmp_path, partial(refer, answers), "victims", defect=defect) == breached
