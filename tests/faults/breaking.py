"""The faults: each takes its time, and leaves what it harmed whole again."""

import asyncio
import random
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from infra.nats.asking import ask
from infra.nats.rights import PROVISIONER
from infra.recovery.restore import restore
from infra.testkit import proxy
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from shared.flow.lost import LOST
from tests.faults.ledger import Ledger
from tests.faults.stand import PATIENCE_S, Stand
from tests.harness.system import until

PAUSE_S = (0.5, 4.0)
BEYOND_ACK_WAIT_S = 7.0
"""Longer than a durable waits for acknowledgements (5 s): what the replica holds is delivered to another."""
CRASH_POINTS = (
    "fetched",
    "committing",
    "committed",
    "quarantined",
    "acknowledged",
    "publishing",
    "batch_begun",
    "published",
    "firing",
    "fired",
    "delivering",
)
CLOCK_WRONG_S = 3.0
SOME = 20
"""Messages that a stream has before one of them is damaged."""


@dataclass
class Breaker:
    """Harms a stand, by a seeded generator, and tells the ledger what it does."""

    stand: Stand
    ledger: Ledger
    random: random.Random
    busy: set[str]
    """What is being harmed in a way that excludes harming it otherwise: the servers, the disks."""
    done: dict[str, int]

    def possible(self, names: list[str]) -> list[str]:
        """Return those of the faults that need nothing that is being harmed already."""
        return [name for name in names if not self.busy & NEEDS.get(name, set())]

    async def strike(self, name: str) -> None:
        """Do one fault."""
        needs = NEEDS.get(name, set())
        self.busy |= needs
        try:
            self.ledger.fault(name)
            print(f"  fault {name}", flush=True)
            await FAULTS[name](self)
            self.done[name] = self.done.get(name, 0) + 1
        finally:
            self.busy -= needs

    def process(self) -> str:
        return self.random.choice([name for name in self.stand.replicas if name not in self.stand.held])

    def pause_s(self) -> float:
        return self.random.uniform(*PAUSE_S)

    async def kill_service(self) -> None:
        self.stand.send(self.process(), signal.SIGKILL)

    async def kill_several(self) -> None:
        """Several at once, started again in any order."""
        chosen = self.random.sample(list(self.stand.replicas), 3)
        self.stand.held |= {*chosen}
        for name in chosen:
            self.stand.send(name, signal.SIGKILL)
        self.random.shuffle(chosen)
        for name in chosen:
            await asyncio.sleep(self.random.uniform(0, 0.5))
            self.stand.held -= {name}

    async def pause_service(self) -> None:
        await self._paused(self.process(), self.pause_s())

    async def pause_beyond_ack_wait(self) -> None:
        await self._paused(self.process(), BEYOND_ACK_WAIT_S)

    async def crash(self) -> None:
        """Start a process that ends itself at a crash point, after some times past it."""
        name = self.process()
        self.stand.held.add(name)
        try:
            self.stand.crash_at(name, f"{self.random.choice(CRASH_POINTS)}:{self.random.randint(1, 5)}")
        finally:
            self.stand.held.discard(name)

    async def kill_nats(self) -> None:
        await self._killed("nats")

    async def pause_nats(self) -> None:
        await self._paused("nats", self.pause_s())

    async def kill_postgres(self) -> None:
        """The postmaster dies; its children notice and go."""
        await self._killed("postgres")

    async def pause_postgres(self) -> None:
        await self._paused("postgres", self.pause_s())

    async def kill_both(self) -> None:
        await self._killed(*self.random.sample(("nats", "postgres"), 2))

    async def link(self) -> None:
        """One link fails in one way for a while."""
        name = self.random.choice(sorted(self.stand.proxies))
        mode = self.random.choice((proxy.CUT, proxy.SILENT, proxy.RESET, proxy.SLOW))
        await self._failing(name, mode, self.pause_s())

    async def flapping(self) -> None:
        name = self.random.choice(sorted(self.stand.proxies))
        for _ in range(6):
            await self._failing(name, self.random.choice((proxy.CUT, proxy.RESET)), 0.2)
            await asyncio.sleep(self.random.uniform(0.1, 0.6))

    async def countries_cut_off(self) -> None:
        """One country after another is cut off, and comes back."""
        for country in self.random.sample(MEMBERS, 4):
            await self._failing(country, self.random.choice((proxy.CUT, proxy.SILENT)), 1.5)

    async def clock_jump(self) -> None:
        """The clock of one process jumps, forward or back, and later is put right."""
        name = self.process()
        self.stand.wrong_clock(name, self.random.choice((-1, 1)) * self.random.uniform(0.5, CLOCK_WRONG_S))
        await asyncio.sleep(self.pause_s())
        self.stand.wrong_clock(name, 0.0)

    async def nats_disk_full(self) -> None:
        """NATS freezes without a word; whoever makes room restarts it."""
        await self._full("nats")

    async def postgres_disk_full(self) -> None:
        await self._full("postgres")

    async def power_cut(self) -> None:
        """Everything on one or both disks that was not synced is gone."""
        which = self.random.choice((["nats"], ["postgres"], ["nats", "postgres"]))
        self.stand.held |= {*which}
        dead = self._running(*which)
        for name in which:
            self._all_of(name, signal.SIGSTOP)  # power fails for processor and disk at once
        for name in which:
            self.stand.disks[name].power_cut()
        for name in which:
            self._all_of(name, signal.SIGKILL)
        for name in which:
            await until(lambda name=name: self._unmounted(name), f"the disk of {name}", PATIENCE_S)
        self.stand.held -= {*which}
        await self._back(dead)

    async def bit_flipped(self) -> None:
        """One bit of a message in a service's stream; the operator finds it and has the stream made anew."""
        service = self.random.choice([name for name in SERVICES if name != "indicators"])
        await self._patiently(lambda: self._filled(service))
        self.stand.held.add("nats")
        dead = self._running("nats")
        # After an orderly stop the server trusts what it wrote, and one message is missing; after a kill it reads all
        # and drops the stream's end from there on.
        self.stand.send("nats", self.random.choice((signal.SIGTERM, signal.SIGKILL)))
        await asyncio.to_thread(self.stand.nats.process.wait)
        flipped = flip_bit(self.stand, service, self.random)
        self.stand.held.discard("nats")
        await self._back(dead)
        if not flipped:
            raise LookupError(f"no message of {service} to damage")
        await self.mend(service)

    async def stream_deleted(self) -> None:
        service = self.random.choice([name for name in SERVICES if name != "indicators"])
        await self._patiently(lambda: self._deleted(service))
        await self.mend(service)

    async def mend(self, service: str) -> None:
        """Run `crm restore`, as often as it takes while other faults go on."""
        await self._patiently(lambda: self._restored(service))

    async def _filled(self, service: str) -> bool:
        """Tell whether there is something to damage."""
        async with self.stand.operator() as nc:
            return bool((await nc.jetstream().stream_info(service.upper())).state.messages > SOME)

    async def _deleted(self, service: str) -> bool:
        async with self.stand.connected(PROVISIONER) as nc:
            answer = await ask(nc, f"STREAM.DELETE.{service.upper()}")
            return bool(answer.get("success"))

    async def _restored(self, service: str) -> bool:
        stand = self.stand
        await restore(service, stand.service_url(service), stand.nats.url, stand.creds, lambda _: None)
        return True

    async def _patiently(self, act: Callable[[], Awaitable[bool]]) -> None:
        async def acted() -> bool:
            try:
                return await act()
            except (*LOST, RuntimeError) as error:
                self.ledger.fault("operator tries again", error=repr(error)[:200])
                await asyncio.sleep(0.5)
                return False

        await until(acted, "the operator's command", PATIENCE_S)

    async def _paused(self, name: str, wait_s: float) -> None:
        self._all_of(name, signal.SIGSTOP)
        await asyncio.sleep(wait_s)
        self._all_of(name, signal.SIGCONT)

    async def _failing(self, name: str, mode: str, wait_s: float) -> None:
        self.stand.proxies[name].become(mode)
        await asyncio.sleep(wait_s)
        self.stand.proxies[name].become(proxy.OPEN)

    async def _full(self, name: str) -> None:
        self.stand.disks[name].fill()
        await asyncio.sleep(self.pause_s())
        self.stand.disks[name].free()
        dead = self._running(name)
        self._all_of(name, signal.SIGKILL)
        await self._back(dead)

    async def _killed(self, *names: str) -> None:
        dead = self._running(*names)
        for name in names:
            self.stand.send(name, signal.SIGKILL)
        await self._back(dead)

    def _running(self, *names: str) -> "dict[str, subprocess.Popen[bytes]]":
        return {name: self.stand.servers()[name].process for name in names}

    async def _back(self, dead: "dict[str, subprocess.Popen[bytes]]") -> None:
        """Return when other processes stand in the place of these: one that was just killed may still look alive."""
        for name, process in dead.items():
            server = self.stand.servers()[name]
            await until(
                lambda server=server, process=process: server.process is not process,
                f"{name} to be started again",
                PATIENCE_S,
            )

    def _all_of(self, name: str, number: signal.Signals) -> None:
        """Signal a process, or a server with all its children (they are in a session of its own)."""
        for pid in self.stand.family(name):
            self.stand.signal_pid(pid, number)

    def _unmounted(self, name: str) -> bool:
        try:
            self.stand.disks[name].power_back()
        except OSError:
            return False
        return True


def flip_bit(stand: Stand, service: str, chance: random.Random) -> bool:
    """Flip one bit in a payload of the service's stream; nats-server is down. Return whether there was one."""
    blocks = sorted((stand.nats.home / "jetstream").rglob(f"streams/{service.upper()}/msgs/*.blk"))
    if not blocks:
        return False
    data = bytearray(blocks[0].read_bytes())
    starts = [at for at in _found(data, b'"recordedtime"') if at < len(data) * 0.9]
    if not starts:
        return False
    at = chance.choice(starts)
    data[at + 3] ^= 1 << chance.randrange(8)
    blocks[0].write_bytes(data)
    return True


def _found(data: bytearray, what: bytes) -> Iterator[int]:
    at = data.find(what)
    while at >= 0:
        yield at
        at = data.find(what, at + 1)


FAULTS: dict[str, Callable[[Breaker], Awaitable[None]]] = {
    name: method
    for name, method in vars(Breaker).items()
    if asyncio.iscoroutinefunction(method) and not name.startswith("_") and name not in ("strike", "mend")
}
_NATS, _POSTGRES = {"nats"}, {"postgres"}
NEEDS = {
    "kill_nats": _NATS,
    "pause_nats": _NATS,
    "nats_disk_full": _NATS,
    "bit_flipped": _NATS,
    "stream_deleted": _NATS | _POSTGRES,
    "kill_postgres": _POSTGRES,
    "pause_postgres": _POSTGRES,
    "postgres_disk_full": _POSTGRES,
    "kill_both": _NATS | _POSTGRES,
    "power_cut": _NATS | _POSTGRES,
    "kill_several": {"several"},
}
ON_DISKS = ("nats_disk_full", "postgres_disk_full", "power_cut")
