"""What an operator and a country see of the region that runs in containers."""

import json
import ssl
import urllib.request
from typing import Any

from shared.client import connect
from tests.containers.composed import Composed


class Region:
    """What they see of it."""

    def __init__(self, composed: Composed) -> None:
        self.composed = composed
        self.podman = composed.podman
        self.handed = composed.handed
        self.address = composed.environment["CRM_NATS_ADDRESS"]
        """Where countries reach NATS, as an operator gives it."""
        self.board = f"https://127.0.0.1:{composed.environment['CRM_HTTP_PORT']}"

    def country(self, name: str) -> Any:
        return connect(f"tls://{self.address}:4222", self.handed / f"{name}.nk", name, "test", timeout_s=60)

    def get(self, path: str, **headers: str) -> str:
        context = ssl.create_default_context(cafile=self.handed / "ca.crt")
        asked = urllib.request.Request(f"{self.board}{path}", headers=headers)
        with urllib.request.urlopen(asked, timeout=20, context=context) as answer:
            return answer.read().decode()

    def exact(self, path: str) -> Any:
        """What the board answers the operator."""
        token = self.podman("exec", "crm-indicators-1", "cat", "/run/crm/operator.token")
        return json.loads(self.get(path, Authorization=f"Bearer {token}"))

    def sql(self, statement: str) -> list[str]:
        asked = ["psql", "--username=crm", "--dbname=crm", "--tuples-only", "--no-align", f"--command={statement}"]
        return self.podman("exec", "crm-postgres-1", *asked).splitlines()

    def recorded(self) -> list[str]:
        return self.sql("select id from intel.log order by position")

    def main(self, container: str) -> int:
        """The process of this machine that is a container's first."""
        return int(self.podman.inspected(container)["State"]["Pid"])

    def healthy(self, container: str) -> bool:
        return self.composed.healthy(container)
