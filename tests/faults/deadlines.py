"""Each deadline that came due fired once: not before it was due, and none that was cleared in time.

No log tells what was set and cleared. The service's judgements do, made again on what was recorded
(`infra.recovery.replay`): a trigger on the table `deadline` of that replay's database notes each change, and how far
the log was before the event that made it: the replay decides one event after the other here, each in a transaction.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import contracts
from shared.contracts import Event
from shared.record.judgement import source

WATCH = """
create table deadline_change (n bigserial primary key, after bigint not null, id text not null,
    due timestamptz, event bytea);
create function note_deadline() returns trigger language plpgsql as $$ begin
    insert into deadline_change (after, id, due, event)
        select coalesce(max(position), 0), coalesce(new.id, old.id), new.due, new.event from log
        where xmin <> pg_current_xact_id()::xid;
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


def misfired(service: str, deadlines: list[Deadline], log: Sequence[Event], due_by: datetime) -> Iterator[str]:
    """Tell what is wrong with the deadlines that stood, given the service's log and until when they must have fired.

    No log tells when a service heard another's event, so the replay cannot know when exactly a deadline that such an
    event set was due, nor whether what clears it came first: of these, only firing twice and too early is found here.
    (That none is left over, the evidence tells of all; that each fires which is sure to be due, `consequences` tells.)
    """
    told = [event for event in log if event.source == source(service)]
    own = {event.id for event in log}
    by_heard = {_which(one.event) for one in deadlines if one.event.causationid not in own}
    reminders = [event for event in told if event.causationid not in own and _which(event) in by_heard]
    yield from (
        f"{event.id}: fired at {event.recordedtime}, before {event.time}" for event in reminders if _early(event)
    )
    for which, number in Counter(map(_which, reminders)).items():
        if number > 1:
            yield f"{which}: fired {number} times"
    stood_for: dict[str, list[Deadline]] = defaultdict(list)
    for one in deadlines:
        if one.event.causationid in own:
            stood_for[one.event.id].append(one)
    for event_id, ones in stood_for.items():
        yield from _wrong(ones, [event for event in told if event.id == event_id], due_by)


def _wrong(ones: list[Deadline], events: list[Event], due_by: datetime) -> Iterator[str]:
    """Tell what is wrong with one deadline, which may have been set several times."""
    name = ones[0].name
    if len(events) > 1:
        yield f"{name}: fired {len(events)} times"
    for event in events:
        # A deadline that fires at position n is taken away when the log ends at n - 1.
        standing = [one for one in ones if one.stands_at(event.sequence - 1)]
        if not standing:
            yield f"{name}: fired at {event.sequence}, when it was not set"
        elif event.recordedtime < standing[-1].due:
            yield f"{name}: fired at {event.recordedtime}, before {standing[-1].due}"
    if not events and any(one.until is None and one.due <= due_by for one in ones):
        yield f"{name}: due at {ones[-1].due}, and did not fire"


def _which(event: Event) -> tuple[str, ...]:
    """Tell a deadline's event from others, whatever time it was due."""
    return event.causationid or "", event.country, event.type, getattr(event.data, "kind", "")


def _early(event: Event) -> bool:
    return event.recordedtime < event.time
