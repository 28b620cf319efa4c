"""Each deadline that came due fired once: not before it was due, and none that was cleared in time.

No log tells what was set and cleared. The service's rules do, run again on what was recorded (`infra.recovery.replay`):
a trigger on the table `deadline` of that replay's database notes each change, and how far the log was then.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared import contracts
from shared.contracts import Event
from shared.rules import source
from tests.faults.stand import SPEED

HEARD_WITHIN = timedelta(seconds=60) * SPEED
"""By so much plan time a service that was down may hear an event later than it was recorded."""
WATCH = """
create table deadline_change (n bigserial primary key, after bigint not null, id text not null,
    due timestamptz, event bytea);
create function note_deadline() returns trigger language plpgsql as $$ begin
    insert into deadline_change (after, id, due, event)
        select coalesce(max(position), 0), coalesce(new.id, old.id), new.due, new.event from log;
    return null;
end $$;
create trigger note_deadline after insert or update or delete on deadline
    for each row execute function note_deadline();
"""


@dataclass
class Deadline:
    """One deadline as it stood for a while; positions are those that the log had reached."""

    name: str
    due: datetime
    event: Event
    since: int
    until: int | None = None
    """When it was taken away: cleared, moved, or fired. None: it stands."""

    def stands_at(self, position: int) -> bool:
        return self.since <= position and (self.until is None or position <= self.until)


async def watched(connection: Any) -> None:
    """Have every change of the replay's deadlines noted from now on."""
    await connection.execute(WATCH)


async def stood(connection: Any) -> list[Deadline]:
    """Return every deadline that stood at some time in what was replayed."""
    found: list[Deadline] = []
    standing: dict[str, Deadline] = {}
    for row in await connection.fetch("select after, id, due, event from deadline_change order by n"):
        if before := standing.pop(row["id"], None):
            before.until = row["after"]
        if row["event"] is not None:
            standing[row["id"]] = Deadline(row["id"], row["due"], contracts.decode(row["event"]), row["after"])
            found.append(standing[row["id"]])
    return found


def misfired(service: str, deadlines: list[Deadline], log: Iterable[Event], due_by: datetime) -> Iterator[str]:
    """Tell what is wrong with the deadlines that stood, given the service's log and until when they must have fired.

    When a service heard another's event, no log tells; a deadline that such an event set stands in the replay with an
    earlier due time, and so under another id. It is known again by what set it and whom it tells what.
    """
    own = list(log)
    ids = {event.id for event in own}
    fired: dict[object, list[Event]] = defaultdict(list)
    for event in own:
        if event.source == source(service):
            fired[event.id if event.causationid in ids else _alike(event)].append(event)
    stood_for: dict[object, list[Deadline]] = defaultdict(list)
    for one in deadlines:
        stood_for[one.event.id if one.event.causationid in ids else _alike(one.event)].append(one)
    for key, ones in stood_for.items():
        name, events = ones[0].name, fired[key]
        if len(events) > 1:
            yield f"{name}: fired {len(events)} times"
        for event in events:
            # A deadline that fires at position n is taken away when the log ends at n - 1.
            position = event.sequence - 1
            standing = [one for one in ones if one.stands_at(position if key == event.id else max(position, one.since))]
            if not standing:
                yield f"{name}: fired at {event.sequence}, when it was not set"
            elif event.recordedtime < (standing[-1].due if key == event.id else event.time):
                yield f"{name}: fired at {event.recordedtime}, before {standing[-1].due}"
        by = due_by if ones[0].event.causationid in ids else due_by - HEARD_WITHIN
        if not events and any(one.until is None and one.due <= by for one in ones):
            yield f"{name}: due at {ones[-1].due}, and did not fire"


def _alike(event: Event) -> tuple[object, ...]:
    return event.causationid, event.type, event.country, getattr(event.data, "kind", "")
