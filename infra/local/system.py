"""What a local copy of the system consists of: its folder, its servers, its processes and their environment."""

import asyncio
import json
import os
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra import keyfiles, signing
from infra.local.child import Child
from infra.local.lock import hold
from infra.local.nats import Nats
from infra.local.plantime import PlanTime
from infra.local.ports import choose
from infra.local.postgres import Postgres
from infra.local.process import StartError
from infra.nats.config import accounts, at_rest, keys, seed_file
from infra.nats.rights import OPERATOR, PROVISIONER, principals
from infra.postgres.provision import passwords
from shared import tls
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS, Country

ROOT = Path(__file__).parents[2]
HTTP_PORT, OPS_PORT, NATS_PORT = 8080, 8081, 4222
BOARD = "indicators"


@dataclass(frozen=True)
class Options:
    """What a person may choose; None: the usual, or any free port where the usual is busy."""

    state: Path
    clock: str = ""
    speed: float | None = None
    traffic: str = "plan"
    rate: float = 20.0
    http_port: int | None = None
    ops_port: int | None = None
    nats_port: int | None = None
    tls: bool = False
    """Whether all parts speak TLS with certificates, as they must outside loopback."""


@dataclass
class System:
    """One copy: everything below one state folder, which it holds locked."""

    options: Options
    nats: Nats
    postgres: Postgres
    http_port: int
    ops_ports: list[int]
    moved: list[str] = field(default_factory=list)
    """What listens elsewhere than usual, in words."""

    @classmethod
    def claim(cls, options: Options) -> "System":
        """Take the state folder for this process; StartError when another has it or a port asked for is busy."""
        state = options.state
        state.mkdir(parents=True, exist_ok=True)
        hold(state)
        (state / "logs").mkdir(exist_ok=True)
        try:
            nats_port = choose(options.nats_port, NATS_PORT)[0]
            http_port = choose(options.http_port, HTTP_PORT)[0]
            ops_ports = choose(options.ops_port, OPS_PORT, len(SERVICES))
        except ValueError as error:
            raise StartError(str(error)) from error
        postgres = Postgres(state / "postgres", state / "creds" if options.tls else None)
        (state / "creds").mkdir(mode=0o700, exist_ok=True)
        nats = Nats(state / "nats", nats_port, at_rest(state / "creds"))
        system = cls(options, nats, postgres, http_port, ops_ports)
        usual = {"NATS": (options.nats_port, NATS_PORT, nats_port), "http": (options.http_port, HTTP_PORT, http_port)}
        usual["ops"] = (options.ops_port, OPS_PORT, ops_ports[0])
        system.moved = [
            f"port {normal} is in use: {what} is on {got}"
            for what, (asked, normal, got) in usual.items()
            if asked is None and got != normal
        ]
        return system

    @property
    def creds(self) -> Path:
        """The folder of keys and passwords."""
        return self.options.state / "creds"

    @property
    def pycache(self) -> Path:
        """The folder of compiled modules."""
        return self.options.state / "pycache"

    @property
    def http(self) -> str:
        """The board's address."""
        return f"{self.scheme}://127.0.0.1:{self.http_port}"

    @property
    def scheme(self) -> str:
        """How HTTP is spoken."""
        return "https" if self.options.tls else "http"

    def rights(self) -> dict[str, Any]:
        """Return the accounts (and TLS) for the NATS configuration; keys are made once."""
        self.creds.mkdir(mode=0o700, parents=True, exist_ok=True)
        signing.make(self.creds)
        if not self.options.tls:
            return accounts(keys(self.creds))
        from infra.keys.ring import Ring  # noqa: PLC0415 - late: start-up is timed

        ring = Ring(self.creds)
        tls.calls(tls.beside(seed_file(self.creds, OPERATOR)))
        return ring.nats()

    async def provision(self) -> list[str]:
        """Bring both servers to the desired state; return what was done, in words. StartError where that cannot be."""
        from infra.nats.connection import connected  # noqa: PLC0415 - late: start-up is timed
        from infra.nats.provision import ProvisionError  # noqa: PLC0415
        from infra.nats.provision import provision as provision_nats  # noqa: PLC0415
        from infra.postgres.provision import MigrationError  # noqa: PLC0415
        from infra.postgres.provision import provision as provision_postgres  # noqa: PLC0415
        from shared.flow.quotas import QuotasError  # noqa: PLC0415

        owner = self.postgres.url(database="postgres")
        try:
            async with connected(self.nats.url, seed_file(self.creds, PROVISIONER), PROVISIONER) as nc:
                streams, tables = await asyncio.gather(
                    provision_nats(nc), provision_postgres(owner, passwords(self.creds))
                )
        except (ProvisionError, MigrationError, QuotasError) as error:
            raise StartError(str(error)) from error
        return streams + tables

    def compile_once(self) -> None:
        """Have what all services import compiled while the servers start; else each would do it, five times over."""
        if not self.pycache.exists():
            self._child("compile", "shared.service", {}).start()

    def services(self, time: PlanTime) -> list[Child]:
        """Return the five services, not started yet."""
        return [self._service(name, port, time) for name, port in zip(SERVICES, self.ops_ports, strict=True)]

    def region(self, time: PlanTime) -> Child:
        """Return the synthetic region's process, not started yet."""
        env = {
            "CRM_NATS_URL": self.nats.url,
            "CRM_CREDS_DIR": str(self.creds),
            "CRM_RATE": str(self.options.rate),
            **time.env(),
        }
        return self._child("region", "infra.region", env)

    def addresses(self, children: list[Child], time: PlanTime) -> dict[str, Any]:
        """Return what run.json tells other programs."""
        pids = {child.name: child.pid for child in children}
        for name, server in (("nats", self.nats), ("postgres", self.postgres)):
            assert server.process is not None
            pids[name] = server.process.pid
        return {
            "nats": self.nats.url,
            "monitor": self.nats.monitor,
            "http": self.http,
            "ops": {child.name: child.ops for child in children if child.ops},
            "postgres": self.postgres.url("operator", passwords(self.creds)["operator"]),
            "creds": {principal: str(seed_file(self.creds, principal)) for principal in principals()},
            "tls": self.options.tls,
            "clock": time.env(),
            "pids": {"supervisor": os.getpid(), **pids},
        }

    def announce(self, children: list[Child], time: PlanTime) -> None:
        """Write run.json, whole or not at all; it holds a password, so it is for its owner only."""
        file = self.options.state / "run.json"
        fresh = file.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(0o600)
        fresh.write_text(json.dumps(self.addresses(children, time), indent=2) + "\n")
        fresh.replace(file)

    async def tell_keys(self) -> list[str]:
        """Have each country say which key it signs with; return in words which could not."""
        from shared.client import ClientError, connect  # noqa: PLC0415 - late: start-up is timed

        async def told(country: Country) -> str:
            try:
                async with connect(self.nats.url, seed_file(self.creds, country), country, "keys") as client:
                    await signing.tell(client, self.creds)
            except ClientError as error:
                return f"{country} could not say which key it signs with: {error}"
            return ""

        return [line for line in await asyncio.gather(*map(told, MEMBERS)) if line]

    def withdraw(self) -> None:
        """Take run.json away."""
        (self.options.state / "run.json").unlink(missing_ok=True)

    def _service(self, name: str, port: int, time: PlanTime) -> Child:
        env = {
            "CRM_NATS_URL": self.nats.url,
            "CRM_NATS_SEED": str(seed_file(self.creds, name)),
            **keyfiles.env(self.creds, name),
            "CRM_SIGNING_FILE": str(signing.region_file(self.creds)),
            "CRM_NATS_MONITOR_URL": self.nats.monitor,
            "CRM_DATABASE_URL": self.postgres.url_by_file(name, self.creds / f"{name}.pgpass"),
            "CRM_OPS_HOST": "127.0.0.1",
            "CRM_OPS_PORT": str(port),
            "CRM_ENVIRONMENT": "local",
            **time.env(),
        }
        if name == BOARD:
            env |= {"CRM_HTTP_HOST": "127.0.0.1", "CRM_HTTP_PORT": str(self.http_port)}
            env |= {"CRM_OPERATOR_TOKEN": operator_token(self.creds), "CRM_UPKEEP": str(self.options.state / "upkeep")}
        if self.options.tls:
            files = {"CA": "ca.crt", "CERT": f"{name}.crt", "KEY": f"{name}.tls.key", "CRL": "crl.pem"}
            env |= {f"CRM_TLS_{what}": str(self.creds / file) for what, file in files.items()}
        return self._child(name, f"services.{name}", env, f"{self.scheme}://127.0.0.1:{port}")

    def _child(self, name: str, module: str, env: dict[str, str], ops: str = "") -> Child:
        log = self.options.state / "logs" / f"{name}.log"
        # Compiled modules lie with the copy's own data: the next start takes half the time, the checkout stays clean.
        env = {**env, "PYTHONPYCACHEPREFIX": str(self.pycache)}
        return Child(name, [sys.executable, "-m", module], env, log, ROOT, ops)


def operator_token(folder: Path) -> str:
    """Return the token that shows exact figures on the board; made once."""
    file = folder / "operator.token"
    if not file.exists():
        file.touch(0o600)
        file.write_text(secrets.token_urlsafe(24))
    return file.read_text()
