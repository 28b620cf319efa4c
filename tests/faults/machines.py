"""Three machines, each with a NATS server, an etcd and all services, two of them with PostgreSQL; each can be lost."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from infra.local.child import Child
from infra.local.nats import Nats
from infra.local.postgres import Postgres
from infra.nats.asking import ask, ok
from infra.nats.config import seed_file
from infra.nats.rights import OPERATOR, PROVISIONER
from infra.postgres.provision import passwords
from shared.client import connect
from shared.contracts import SERVICES
from shared.flow.streams import stream_configs
from tests.faults.cluster import Node
from tests.faults.hosts import Host
from tests.faults.stand import PATIENCE_S, Stand
from tests.faults.standby import Etcd, Pair
from tests.faults.traffic import SYSTEM, Publisher
from tests.harness.system import free_port, until

SIZE = 3


def replicas() -> list[str]:
    """Return the names of all processes: `intel` on the first machine, `intel-2` on the second, and so on."""
    return [f"{service}{'' if n == 1 else f'-{n}'}" for n in range(1, SIZE + 1) for service in SERVICES]


class Server(Node):
    """The NATS server of one machine."""

    def __init__(self, home: Path, host: Host, hosts: Sequence[Host], ports: Sequence[int], number: int) -> None:
        super().__init__(home, f"nats-{number + 1}", [], ports[number])
        self.host, self.within = host, host.command([])[0]
        self.others = [f"nats://{one.address}:{port}" for one, port in zip(hosts, ports, strict=True) if one != host]

    def _base(self):
        base, here = super()._base(), self.host.address
        base["cluster"] |= {"listen": f"{here}:{self.own}", "routes": self.others}
        return {**base, "listen": f"{here}:{self.port}", "http": f"{here}:{self.monitor_port}"}


class Trio:
    """What `Nats` is for one server, for three: the address is that of one who has a majority."""

    def __init__(self, folder: Path, hosts: Sequence[Host]) -> None:
        self.process = None
        self.log = folder / "nats.log"
        ports = [free_port() for _ in hosts]
        self.servers = []
        for number, host in enumerate(hosts):
            home = folder / f"nats-{number + 1}"
            home.mkdir()
            self.servers.append(Server(home, host, hosts, ports, number))
        self.away: set[int] = set()

    def start(self, rights) -> None:
        for one in self.servers:
            one.launch(rights)
        for one in self.servers:
            one.wait()

    @property
    def url(self) -> str:
        return next(one.url for number, one in enumerate(self.servers) if number not in self.away)

    @property
    def urls(self) -> str:
        return ",".join(one.url for one in self.servers)

    @property
    def port(self) -> int:
        return self.servers[0].port

    @property
    def monitor(self) -> str:
        return self.servers[0].monitor

    def stop(self) -> None:
        for one in self.servers:
            if one.process is not None:
                one.process.send_signal(signal.SIGCONT)
                one.process.kill()
                one.process.wait()


@dataclass
class Machines(Stand):
    """A stand whose parts are spread over hosts."""

    hosts: Sequence[Host] = ()

    def _nats(self) -> Nats:
        self.trio = Trio(self.folder, self.hosts)
        return cast("Nats", self.trio)

    def _postgres(self) -> Postgres:
        self.pair = Pair(self._home("postgres"), self.hosts)
        return cast("Postgres", self.pair)

    @property
    def board(self) -> str:
        """The address of the board on a machine that runs."""
        number = next(number for number in range(SIZE) if number not in self.away)
        return f"http://{self.hosts[number].address}:{self.http_port}"

    def servers(self) -> dict[str, Nats | Postgres]:
        """Return none: what is lost comes back with its machine."""
        return {}

    async def provision(self) -> None:
        await super().provision()
        async with self.connected(PROVISIONER) as nc:
            for name in stream_configs():
                config = (await ask(nc, f"STREAM.INFO.{name}"))["config"]
                ok(name, await ask(nc, f"STREAM.UPDATE.{name}", {**config, "num_replicas": SIZE}))
        await until(self.copied, "every stream on three servers", PATIENCE_S)

    def _child(self, name: str) -> Child:
        child = super()._child(name)
        host, server = self.hosts[number_of(name)], self.trio.servers[number_of(name)]
        service = name.partition("-")[0]
        child.command, _ = host.command(child.command)
        child.ops = child.ops.replace("127.0.0.1", host.address)
        child.env = {
            **child.env,
            "CRM_NATS_URL": self.trio.urls,
            "CRM_NATS_MONITOR_URL": server.monitor,
            "CRM_DATABASE_URL": self.postgres.url(service, passwords(self.creds)[service]),
            "CRM_OPS_HOST": host.address,
            "CRM_HTTP_HOST": host.address,
        }
        return child

    # --- harming -----------------------------------------------------------------------------------------------------
    def on(self, number: int) -> list[str]:
        """Return the services' processes of a machine."""
        return [name for name in self.replicas if number_of(name) == number]

    def part(self, number: int) -> None:
        """Pull a machine's cable: what runs there goes on."""
        self.away.add(number)
        self.hosts[number].part()

    def join(self, number: int) -> None:
        """Put the cable in again."""
        self.hosts[number].join()
        self.away.discard(number)

    def freeze(self, number: int) -> None:
        """Stop a machine's time; its network does not answer either."""
        self.part(number)
        self.held |= {*self.on(number)}
        self._signal(number, signal.SIGSTOP)

    def thaw(self, number: int) -> None:
        """Let it go on with what it had."""
        self._signal(number, signal.SIGCONT)
        self.held -= {*self.on(number)}
        self.join(number)

    def kill(self, number: int) -> None:
        """Take a machine's power: nobody is told by its network that its connections are gone."""
        self.part(number)
        self.held |= {*self.on(number)}
        self._signal(number, signal.SIGKILL)
        for one in (*(self.children[name] for name in self.on(number)), *self._members(number)):
            if one.process:
                one.process.wait()

    def boot(self, number: int) -> None:
        """Start everything on a machine, with what its disks hold."""
        self.join(number)
        self.pair.etcds[number].launch()
        self.trio.servers[number].launch(self.rights())
        for one in self.pair.machines[number : number + 1]:
            one.launch()
        for name in self.on(number):
            self.children[name].start()
        self.held -= {*self.on(number)}

    def keep(self, number: int) -> None:
        """Copy the disks of a machine that is off."""
        for disk in self._disks(number):
            subprocess.run(["cp", "-a", disk, _older(disk)], check=True)

    def age(self, number: int) -> None:
        """Have a machine that is off hold what its disks held when they were copied; its etcd joins anew."""
        for disk in self._disks(number):
            shutil.rmtree(disk)
            _older(disk).rename(disk)
        etcds = self.pair.etcds
        etcds[number].join_anew(etcds[(number + 1) % SIZE])

    def _disks(self, number: int) -> list[Path]:
        return [self.trio.servers[number].home, *(one.home / "data" for one in self.pair.machines[number : number + 1])]

    def _members(self, number: int) -> tuple[Server, Etcd]:
        return self.trio.servers[number], self.pair.etcds[number]

    def _signal(self, number: int, how: signal.Signals) -> None:
        for name in self.on(number):
            self.children[name].signal(how)
        for member in self._members(number):
            if member.process and member.process.poll() is None:
                member.process.send_signal(how)
        for one in self.pair.machines[number : number + 1]:
            one.signal(how)

    @property
    def away(self) -> set[int]:
        """The machines that cannot be asked now."""
        return self.trio.away

    # --- being whole -------------------------------------------------------------------------------------------------
    async def whole(self) -> None:
        """Return when everything runs everywhere, and every copy is one again."""
        await until(lambda: asyncio.to_thread(self.pair.paired), "the standby to follow", PATIENCE_S)
        await until(self.copied, "every stream on three servers", PATIENCE_S)
        await self.ready()

    async def copied(self) -> bool:
        """Whether each stream is current on all three servers."""
        try:
            async with self.connected(OPERATOR) as nc:
                infos = [(await ask(nc, f"STREAM.INFO.{name}")).get("cluster") or {} for name in stream_configs()]
        except Exception:  # noqa: BLE001 - servers that are still electing
            return False
        followers = [info.get("replicas") or [] for info in infos]
        return all(len(found) == SIZE - 1 and all(one["current"] for one in found) for found in followers)


def _older(disk: Path) -> Path:
    return disk.with_name(f"{disk.name}.older")


def number_of(name: str) -> int:
    """Return on which machine, from 0, a process is: `intel` -> 0, `intel-2` -> 1."""
    return int(name.partition("-")[2] or 1) - 1


class Abroad(Publisher):
    """A country that knows all three servers."""

    def _connected(self):
        stand = cast("Machines", self.stand)
        return connect(stand.trio.urls, seed_file(stand.creds, self.country), self.country, SYSTEM)
