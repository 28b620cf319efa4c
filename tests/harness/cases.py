"""A running region to which inputs from the real world (tests/cases) are sent, and what a sender can do and see."""

import json
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from nats.aio.client import Client
from prometheus_client.parser import text_string_to_metric_families

from shared import contracts
from shared.contracts import Event
from tests.harness.scraping import scraped
from tests.harness.servers import Region
from tests.harness.system import ROOT, System, until

CASES = ROOT / "tests" / "cases"


@dataclass
class Case:
    """A running region, and what a sender can do and see."""

    region: Region
    system: System
    http: str
    connections: dict[str, Client] = field(default_factory=dict)
    """By country: one each, as a country has only so many."""

    async def connection(self, country: str) -> Client:
        if country not in self.connections:
            self.connections[country] = await self.region.connect(country)
        return self.connections[country]

    async def send(self, report: dict[str, Any] | bytes, subject: str = "", country: str = "", **headers: str) -> int:
        """Send a report as its country would, by any client; return its sequence in the country's intake."""
        payload = report if isinstance(report, bytes) else json.dumps(report).encode()
        told = report if isinstance(report, dict) else {}
        subject = subject or "report." + str(told["type"])[len("crm.") :].rpartition(".")[0]
        client = await self.connection(country or told["source"].split(":")[3])
        answer = json.loads((await client.request(subject, payload, timeout=30, headers=headers or None)).data)
        assert "error" not in answer, answer
        return int(answer["seq"])

    async def ask(self, country: str, subject: str, question: bytes) -> dict[str, Any]:
        client = await self.connection(country)
        answer: dict[str, Any] = json.loads((await client.request(f"ask.{subject}", question, timeout=30)).data)
        return answer

    async def outcome(self, service: str, report_id: str) -> Event[Any] | set[tuple[str, str]]:
        """Return the recorded report of this id, or the pointers and codes of its refusal, whichever comes."""

        async def come() -> Event[Any] | set[tuple[str, str]] | None:
            for event in await self._about(service, report_id):
                if not event.name.endswith("report.rejected"):
                    return event
                return {(problem.pointer, problem.code) for problem in event.data.problems}
            return None

        found: Event[Any] | set[tuple[str, str]] = await until(come, f"{report_id} recorded or refused", 240)
        return found

    async def refusals(self, service: str, report_id: str) -> list[Any]:
        about = await self._about(service, report_id)
        return [event.data for event in about if event.name == f"{service}.report.rejected"]

    async def _about(self, service: str, report_id: str) -> list[Event[Any]]:
        """Return the report of this id as recorded, and its refusals."""
        rows = await self.system.rows(
            service,
            "select payload from log where (id = $1 and source like 'urn:crm:country:%')"
            " or (type like '%.report.rejected.v1' and entity = $1) order by position",
            report_id,
        )
        return [contracts.decode(row["payload"]) for row in rows]

    async def settled(self) -> None:
        """Return when every figure rests on all that is recorded, and every service and the board are ready."""

        def folded() -> bool:
            families = list(text_string_to_metric_families(scraped(self.http)))
            at = {f.name: {s.labels["stream"]: s.value for s in f.samples} for f in families if "_sequence" in f.name}
            return at["crm_fold_sequence"] == at["crm_stream_sequence"]

        await until(folded, "the fold at the end of every stream")
        for name, process in self.system.processes.items():
            assert process.poll() is None, f"{name} ended"
        assert urllib.request.urlopen(f"{self.http}/readyz", timeout=10).status == 200


def read(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((CASES / name).read_text())
    return value


def other(report: dict[str, Any], number: object, **changes: Any) -> dict[str, Any]:
    """The report under another id, changed."""
    return report | {"id": f"{report['id']}-{number}"} | changes
