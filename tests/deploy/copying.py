"""A copy of the whole system with TLS, on Debian's PostgreSQL: `crm up --tls`, as a process."""

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path

import asyncpg

from shared import tls
from shared.client import connect
from tests.harness.system import until

ROOT = Path(__file__).parents[2]
DEBIANS = Path("/usr/lib/postgresql/15/bin")
CRM = [sys.executable, "-m", "infra.cli"]


class Copy:
    """`crm up --tls`, as a process."""

    def __init__(self, folder: Path) -> None:
        self.state, self.out = folder / "state", folder / "out"
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("CRM_", "MAKE", "TLS"))}
        ports = {"CRM_HTTP_PORT": "0", "CRM_OPS_PORT": "0", "CRM_NATS_PORT": "0"}
        places = {"CRM_STATE_DIR": str(self.state), "PYTHONPATH": str(ROOT), "CRM_PG_BIN": str(DEBIANS)}
        self.env = {**kept, **ports, **places}
        self.creds = self.state / "creds"

    def start(self, *clock: str) -> None:
        with self.out.open("ab") as out:
            command = [*CRM, "up", "--tls", *(clock or ("--clock", "now")), "--traffic", "none"]
            self.process = subprocess.Popen(command, env=self.env, stdout=out, stderr=out)

    async def ready(self) -> None:
        def there() -> bool:
            assert self.process.poll() is None, self.out.read_text()
            if not (self.state / "run.json").exists():
                return False
            self.run = json.loads((self.state / "run.json").read_text())
            return self.run["pids"]["supervisor"] == self.process.pid  # not what one that was killed left

        await until(there, "the copy to run", 180)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def crm(self, *words: str) -> str:
        done = self.tried(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tried(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*CRM, *words], env=self.env, capture_output=True, text=True, check=False)

    def seed(self, name: str) -> Path:
        return self.creds / f"{name}.nk"

    def files(self, name: str) -> tls.Files:
        return tls.Files(self.creds / "ca.crt", self.creds / f"{name}.crt", self.creds / f"{name}.tls.key")

    def get(self, address: str, context: ssl.SSLContext) -> str:
        with urllib.request.urlopen(address, timeout=10, context=context) as answer:
            return answer.read().decode()

    def is_ready(self, service: str) -> bool:
        """Say whether /readyz is 200: it is 503 while the service connects again with a key that was rotated."""
        try:
            self.get(f"{self.run['ops'][service]}/readyz", self.files("operator").client())
        except urllib.error.HTTPError as answer:
            if answer.code == HTTPStatus.SERVICE_UNAVAILABLE:
                return False
            raise
        return True

    def anonymous(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.creds / "ca.crt")

    def country(self, name: str):
        return connect(self.run["nats"], self.seed(name), name, "test", timeout_s=60)

    async def log(self, service: str) -> list[str]:
        connection = await asyncpg.connect(self.run["postgres"])
        try:
            return [row["id"] for row in await connection.fetch(f"select id from {service}.log order by position")]
        finally:
            await connection.close()
