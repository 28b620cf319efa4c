"""`crm up`: start everything, keep it running, end everything."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from typing import TypeAlias

from infra.local.child import Child
from infra.local.nats import Nats
from infra.local.plantime import PlanTime
from infra.local.postgres import Postgres
from infra.local.process import StartError, tail
from infra.local.system import Options, System

Tell: TypeAlias = Callable[[str], None]

START_S = 60.0
STOP_S = 3.5
"""Services get so long to finish what they hold; then they are ended: the log makes that safe."""
POLL_S = 0.1
QUIET = "none"


class Supervisor:
    """Runs one local copy; `tell` prints a line, `show` the present step."""

    def __init__(self, options: Options, tell: Tell, show: Tell) -> None:
        """Claim the state folder; StartError when that cannot be."""
        self.options, self.tell, self.show = options, tell, show
        self.system = System.claim(options)
        self.children: list[Child] = []
        self.time: PlanTime | None = None
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Start, keep running until SIGINT or SIGTERM, end; StartError when something does not start."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.stopping.set)
        try:
            await self._start()
            if not self.stopping.is_set():
                self._welcome()
                await self._watch()
        finally:
            self.show("stopping")
            await self._end()

    async def _start(self) -> None:
        began = time.monotonic()
        for line in self.system.moved:
            self.tell(line)
        await self._servers()
        if self.stopping.is_set():
            return
        self.show("streams, schemas and rights")
        for line in await self.system.provision():
            self.show(line)
        self._done("streams, schemas and rights", began)
        try:
            self.time = PlanTime.begin(self.options.state / "clock.json", self.options.clock, self.options.speed)
        except ValueError as error:
            raise StartError(str(error)) from error
        self.children = self.system.services(self.time)
        for child in self.children:
            child.start()
        await self._all_ready(began)
        if not self.stopping.is_set():
            for line in await self.system.tell_keys():
                self.tell(line)
        if self.options.traffic != QUIET and not self.stopping.is_set():
            self.children.append(self.system.region(self.time))
            self.children[-1].start()
        if not self.stopping.is_set():
            self.system.announce(self.children, self.time)

    async def _servers(self) -> None:
        """Start NATS and PostgreSQL side by side; processes start in this thread, only waiting is elsewhere."""
        began = time.monotonic()
        nats, postgres = self.system.nats, self.system.postgres
        nats.home.mkdir(exist_ok=True)
        self.system.compile_once()
        nats.launch(self.system.rights())
        self.show("PostgreSQL: preparing" if not (postgres.home / "owner.pw").exists() else "PostgreSQL")
        await asyncio.to_thread(postgres.prepare)
        if self.stopping.is_set():
            return
        postgres.launch()
        await asyncio.gather(asyncio.to_thread(nats.wait), asyncio.to_thread(postgres.wait))
        self._done("NATS and PostgreSQL", began)

    async def _all_ready(self, began: float) -> None:
        """Wait until each service says that it is ready; StartError tells what the late ones lack.

        One that only `crm restore` can make ready needs all else to run, and is not waited for.
        """
        waiting = {child.name: child for child in self.children}
        end = time.monotonic() + START_S
        while waiting and not self.stopping.is_set():
            self.show(f"services: waiting for {', '.join(waiting)}")
            for child, ready in await asyncio.gather(*map(_asked, waiting.values())):
                if ready or child.to_be_restored:
                    self._done(": ".join([child.name, *child.faults]), began)
                    del waiting[child.name]
            self._mind_children()
            if time.monotonic() > end:
                raise StartError("\n".join(_why(child) for child in waiting.values()))
            await asyncio.sleep(POLL_S)

    async def _watch(self) -> None:
        """Keep everything running and the clock remembered, until told to stop."""
        remembered = 0.0
        while not self.stopping.is_set():
            restarted = self._mind_children()
            restarted |= await self._mind_servers()
            if restarted and self.time:
                self.system.announce(self.children, self.time)
            if time.monotonic() - remembered > 1 and self.time:
                self.time.remember()
                self.show(f"running: {self.time.clock.now():%Y-%m-%d %H:%M} UTC")
                remembered = time.monotonic()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), POLL_S)

    def _mind_children(self) -> bool:
        """Start ended processes again, each after its delay; tell whether one was."""
        before = [child.process for child in self.children]
        for line in filter(None, [child.watch() for child in self.children]):
            self.tell(line)
        return before != [child.process for child in self.children]

    async def _mind_servers(self) -> bool:
        """Start a server that ended again, at the same address; tell whether one was."""
        nats, postgres = self.system.nats, self.system.postgres
        ended = [server for server in (nats, postgres) if server.process and server.process.poll() is not None]
        for server in ended:
            self.tell(f"{type(server).__name__} ended; starting it again (see {server.log})")
            if isinstance(server, Nats):
                server.launch(self.system.rights())
            else:
                server.launch()
            await asyncio.to_thread(server.wait)
        return bool(ended)

    async def _end(self) -> None:
        """End traffic first, then the services together, then the servers together."""
        self.system.withdraw()
        if self.time:
            self.time.remember()
        for child in self.children:
            child.signal(signal.SIGTERM)
        await _ended(self.children, STOP_S)
        for child in self.children:
            child.signal(signal.SIGKILL)
        await _ended(self.children, 1.0)
        servers: list[Nats | Postgres] = [self.system.nats, self.system.postgres]
        await asyncio.gather(*(asyncio.to_thread(server.stop) for server in servers))

    def _welcome(self) -> None:
        self.tell(f"\n  scoreboard   {self.system.http}")
        self.tell(f"  metrics      {self.system.http}/metrics; exact: /metrics/operator")
        self.tell(f"  countries    {self.system.nats.url} (keys in {self.system.creds})")
        self.tell(f"  addresses    {self.options.state / 'run.json'}")
        if self.time:
            self.tell(f"  clock        {self.time.clock.start:%Y-%m-%d}, {self.time.clock.speed:g} s a second")
        self.tell("\n  Ctrl-C ends it; what is recorded stays.\n")

    def _done(self, what: str, began: float) -> None:
        self.tell(f"  {time.monotonic() - began:4.1f} s  {what}")


async def _asked(child: Child) -> tuple[Child, bool]:
    return child, await asyncio.to_thread(child.ready)


async def _ended(children: list[Child], grace_s: float) -> None:
    end = time.monotonic() + grace_s
    while any(child.runs() for child in children) and time.monotonic() < end:  # noqa: ASYNC110 - processes tell no event
        await asyncio.sleep(0.02)


def _why(child: Child) -> str:
    return f"{child.name} is not ready: {'; '.join(child.faults) or 'no answer'}\n{tail(child.log)}"
