"""What was sent while versions changed, and what must have come of it."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.nats.rights import OPERATOR
from services.indicators.folded.fold import Fold
from services.indicators.planned.plan import load
from shared.contracts import SERVICES
from tests.faults.figures import differing_snapshot, ends
from tests.upgrade.staging import NOW, Both

FAULTY = ("error", "critical")
"""Levels of what a process logs when it met a fault."""
Traffic = Sequence[tuple[str, str, bytes]]


@dataclass
class Ledger:
    """What was acknowledged: (country, sequence in its intake) -> id and source of the report, if it can be read."""

    sent: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)

    async def send(self, system: Both, reports: Traffic) -> None:
        """Publish reports, each country's in order, each when the one before it is on disk."""

        async def told(country: str) -> None:
            client = await system.region.connect(country)
            for by, subject, payload in reports:
                if by == country:
                    answer = json.loads((await client.request(subject, payload, timeout=60)).data)
                    self.sent[country, answer["seq"]] = named(payload)

        await asyncio.gather(*(told(country) for country in sorted({country for country, *_ in reports})))


def named(payload: bytes) -> tuple[str, str]:
    """The id and source of a report; of one that cannot be read, a mark of its own."""
    try:
        report = json.loads(payload)
    except ValueError:
        return "unreadable", hashlib.sha256(payload).hexdigest()
    return report["id"], report["source"]


async def ended_well(system: Both, ledger: Ledger) -> None:
    """Have all processes end; nothing was lost, doubled, or told as a fault, and the figures are those of the logs."""
    words = ("--nats-url", system.region.nats.url, "--seed", str(system.region.seed(OPERATOR)))
    NOW.done("infra.cli", "verify", *words, "--database-url", system.region.database_url("operator"))
    failed = [line for name in system.begun for line in system.output(name) if line["level"] in FAULTY]
    assert failed == []
    for name in list(system.processes):
        assert system.kill(name, 15) == 0
    assert await _lost_and_doubled(system, ledger) == []
    assert await _differing_figures(system) == []


async def _lost_and_doubled(system: Both, ledger: Ledger) -> list[str]:
    """Reports that do not stand in exactly one log and no refusal, or in refusals and no log; some are sent twice."""
    recorded: Counter[Any] = Counter()
    refused: Counter[Any] = Counter()
    for service in SERVICES:
        for event in await system.log(service):
            if event.name.endswith(".report.rejected"):
                refused[ledger.sent.get((event.country, event.data.intake_sequence))] += 1
            else:
                recorded[event.id, event.source] += 1
    fates = {one: (recorded[one], bool(refused[one])) for one in {*ledger.sent.values()}}
    return [f"{one}: recorded {there}, refused {told}" for one, (there, told) in fates.items() if there + told != 1]


async def _differing_figures(system: Both) -> list[str]:
    """Where the figures are not those of a clean fold."""
    snapshot = (await system.rows("indicators", "select state from snapshot"))[0]["state"]
    fold, lengths = Fold(load()), {}
    for service, until in ends(snapshot).items():
        rows = await system.rows(service, "select position, payload from log order by position")
        lengths[service] = len(rows)
        for row in rows[:until]:
            fold.apply(service, row["position"], row["payload"])
    return [*differing_snapshot(snapshot, fold, lengths)]
