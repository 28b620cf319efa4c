"""What a service should hear of the others and has not: after its tables came back from an older backup, again."""

from collections import deque
from typing import Any, NamedTuple

from infra.recovery.history import History
from shared import contracts
from shared.contracts import Event
from shared.flow.streams import durables, keys_of, read_by
from shared.record.tables import At
from shared.run.database import Connection


class Heard(NamedTuple):
    """Another service's event, and where it stands there."""

    stream: str
    sequence: int
    event: Event[Any]

    @property
    def at(self) -> At:
        """Where it stands."""
        return self.stream, self.sequence


async def unheard(history: History, connection: Connection, service: str) -> "list[deque[Heard]]":
    """Return what `service` reads of other streams and has not acted on, one queue per stream, in its order."""
    queues = []
    for stream in dict(read_by(service)):
        rows = await connection.fetch("select sequence from heard where stream = $1", stream)
        known = {row["sequence"] for row in rows}
        found = [
            Heard(stream, message.sequence, contracts.decode(message.payload))
            for durable in (service, keys_of(service))
            for filter_ in durables()[stream].get(durable, {}).get("filter_subjects", [])
            async for message in history.messages(stream, subject=filter_)
            if message.sequence not in known
        ]
        queues.append(deque(sorted(found, key=lambda one: one.sequence)))
    return queues
