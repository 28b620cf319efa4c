"""Three NATS servers as one, of which one, and then another, is lost."""

import asyncio
import signal
from pathlib import Path

from infra.local.nats import Nats
from infra.nats.asking import ask, ok
from infra.nats.config import accounts, keys, seed_file
from infra.nats.connection import connected
from infra.nats.provision import provision
from infra.nats.rights import PROVISIONER
from shared.flow.streams import stream_configs
from tests.harness.system import free_port, until

SIZE = 3
PATIENCE_S = 240


class Node(Nats):
    """One of the servers."""

    def __init__(self, home: Path, name: str, routes: list[int], own: int) -> None:
        super().__init__(home)
        self.name, self.routes, self.own = name, routes, own

    def _base(self):
        cluster = {
            "name": "region",
            "listen": f"127.0.0.1:{self.own}",
            "routes": [f"nats://127.0.0.1:{port}" for port in self.routes if port != self.own],
            "no_advertise": True,
        }
        base = super()._base()
        base["jetstream"]["max_file"] = 64 * 1024**3
        return {**base, "server_name": self.name, "cluster": cluster}


class Cluster:
    """The servers, their accounts, and every stream on all of them."""

    def __init__(self, folder: Path) -> None:
        self.creds = folder / "creds"
        self.monitor = ""
        ports = [free_port() for _ in range(SIZE)]
        self.nodes = []
        for number, port in enumerate(ports):
            home = folder / f"nats-{number}"
            home.mkdir(parents=True)
            self.nodes.append(Node(home, f"nats-{number}", ports, port))

    async def start(self) -> None:
        for node in self.nodes:
            node.launch(self.rights())
        await asyncio.gather(*(asyncio.to_thread(node.wait) for node in self.nodes))
        await until(self._provisioned, "three replicas of every stream", PATIENCE_S)

    def rights(self):
        return accounts(keys(self.creds))

    @property
    def url(self) -> str:
        return ",".join(node.url for node in self.nodes)

    async def _provisioned(self) -> bool:
        try:
            async with connected(self.nodes[0].url, seed_file(self.creds, PROVISIONER), PROVISIONER) as nc:
                await provision(nc)
                for name in stream_configs():
                    config = (await ask(nc, f"STREAM.INFO.{name}"))["config"]
                    ok(name, await ask(nc, f"STREAM.UPDATE.{name}", {**config, "num_replicas": SIZE}))
        except Exception as error:  # noqa: BLE001 - servers that are still electing
            print(repr(error))
            return False
        return True

    def lose(self, number: int) -> None:
        self.nodes[number].process.kill()
        self.nodes[number].process.wait()

    async def bring_back(self, number: int) -> None:
        self.nodes[number].launch(self.rights())
        await asyncio.to_thread(self.nodes[number].wait)

    def stop(self) -> None:
        for node in self.nodes:
            if node.process is not None:
                node.process.send_signal(signal.SIGCONT)
                node.process.kill()
                node.process.wait()
