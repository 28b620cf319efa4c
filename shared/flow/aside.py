"""The table `aside`: reports that wait for what they refer to, and messages that met a fault of ours.

Whoever puts a row there or takes one away does it in the transaction of what that goes with. Reports have a limit for
each country: no country's waiting fills the table, or takes the time of another's. Headers and payload are sealed with
the service's own key, and of the id that a report waits for its keyed hash stands there. A version of before, which may
run beside this one, cannot open them: it passes over such a row, as whose it is stands there with a prefix.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

import structlog

from shared.contracts.vocabulary import REGION
from shared.flow.sealing import Sealing, Unopened
from shared.flow.streams import SENDERS
from shared.flow.taken import Taken, packed, unpacked
from shared.run import database
from shared.run.database import Connection, Queried

Kind: TypeAlias = Literal["waiting", "failed"]
DELAY_S, DELAY_S_MAX, CLAIM_S = 0.5, 600.0, 10.0
"""What is set aside is tried again after this, each time twice as long; never after more than ten minutes."""

SEALED = "sealed:"
"""What stands before the country of a row whose content is sealed; rows of before are in clear."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Row:
    """A message to be set aside, and why."""

    taken: Taken
    kind: Kind
    reason: str
    """What it waits for (a pointer), or the name of the exception; never a value."""
    wants: str | None = None
    """The id that it waits for; None: it is tried again by time alone."""
    wait_s: float | None = None
    """How long it may wait before it is refused; None: for ever."""
    said: bytes | None = None
    """The digest of what the sender said, by which the same report sent again is known; None: not known."""


async def put(connection: Connection, rows: Sequence[Row], sealing: Sealing) -> None:
    """Set messages aside; one that is there already is tried again later, after twice the delay.

    A report that stands there already, sent again, is not set aside a second time. The caller holds the turn of the
    log, so that nothing is recorded between the judging and this.
    """
    await connection.executemany(
        "insert into aside"
        " (stream, sequence, stored, country, kind, reason, wants, subject, headers, payload, said, until, retry_at)"
        " select $1::text, $2::bigint, $3::bigint, $4::text, $5::text, $6::text, $7::text, $8::text, $9::bytea,"
        " $10::bytea, $11::bytea, over.at, least(over.at, now() + make_interval(secs => $13))"
        " from (select coalesce(now() + make_interval(secs => $12), 'infinity') as at) as over"
        " where $11::bytea is null or not exists (select from aside"
        " where said = $11 and (stream, sequence, stored) <> ($1, $2, $3))"
        " on conflict (stream, sequence, stored) do update set"
        " country = excluded.country, headers = excluded.headers, payload = excluded.payload,"
        " kind = excluded.kind, reason = excluded.reason, wants = excluded.wants,"
        " tries = case when aside.kind = excluded.kind then aside.tries + 1 else 1 end,"
        " until = case when excluded.until < 'infinity' then least(aside.until, excluded.until) else 'infinity' end,"
        " retry_at = least(case when excluded.until < 'infinity' then least(aside.until, excluded.until) end,"
        " now() + make_interval(secs => least($14, $13 * 2 ^ least(aside.tries, 16))))",
        [
            (
                *one.taken.key,
                SEALED + one.taken.country,
                one.kind,
                one.reason,
                one.wants and sealing.named(one.wants)[0],
                one.taken.subject,
                sealing.kept(packed(one.taken.headers), f"{one.taken.place}|headers"),
                sealing.kept(one.taken.payload, one.taken.place),
                one.said,
                one.wait_s,
                DELAY_S,
                DELAY_S_MAX,
            )
            for one in rows
        ],
    )


async def drop(connection: Connection, done: Iterable[Taken]) -> None:
    """Take away what is recorded, refused or acted on."""
    keys = [one.key for one in done]
    await connection.execute(
        "delete from aside using unnest($1::text[], $2::bigint[], $3::bigint[]) as gone (stream, sequence, stored)"
        " where (aside.stream, aside.sequence, aside.stored) = (gone.stream, gone.sequence, gone.stored)",
        [stream for stream, _, _ in keys],
        [sequence for _, sequence, _ in keys],
        [stored for _, _, stored in keys],
    )


async def count(queried: Queried, country: str, kind: Kind, streams: str = "INTAKE%") -> int:
    """Return how many reports of a country are set aside; a limit holds them."""
    return int(
        await queried.fetchval(
            "select count(*) from aside where country = any($1::text[]) and kind = $2 and stream like $3",
            [country, SEALED + country],
            kind,
            streams,
        )
    )


async def claim(queried: Queried, most: int, sealing: Sealing) -> list[tuple[Taken, bool]]:
    """Return what is to be tried again now, at most so much of each country, in the order of arrival.

    With each whether its wait is over. Nobody else gets it for `CLAIM_S`: by then it is taken away, or has the time of
    its next try.
    """
    rows = await queried.fetch(
        "update aside set retry_at = now() + make_interval(secs => $3) where (stream, sequence, stored) in"
        " (select a.stream, a.sequence, a.stored from unnest($1::text[]) as c (country) cross join lateral"
        " (select stream, sequence, stored from aside where aside.country = c.country and retry_at <= now()"
        " order by retry_at, stored, sequence limit $2 for update skip locked) as a)"
        " returning stream, sequence, stored, country, subject, headers, payload, until <= now() as over",
        [prefix + sender for sender in (*SENDERS, REGION) for prefix in ("", SEALED)],
        most,
        CLAIM_S,
    )
    found = [(taken, row["over"]) for row in rows if (taken := _taken(row, sealing))]
    return sorted(found, key=lambda one: (one[0].stored, one[0].sequence))


def _taken(row: database.Row, sealing: Sealing) -> Taken | None:
    """Return the message; None, and it stays, where no key of this service opens it."""
    at, headers, payload = (row["stream"], row["sequence"], row["stored"]), row["headers"], row["payload"]
    if row["country"].startswith(SEALED):
        place = Taken(*at, row["subject"], None, b"").place
        try:
            headers, payload = sealing.opened(headers, f"{place}|headers"), sealing.opened(payload, place)
        except Unopened:
            log.error("what is set aside cannot be opened", stream=at[0], sequence=at[1])  # noqa: TRY400 - no traceback
            return None
    return Taken(*at, row["subject"], unpacked(headers), payload)


async def resume(queried: Queried, wait_s: float) -> None:
    """At a start: try everything again, and count no wait while the service was away."""
    await queried.execute(
        "update aside set retry_at = now(), until ="
        " case when until < 'infinity' then greatest(until, now() + make_interval(secs => $1)) else until end",
        wait_s,
    )


class Look(NamedTuple):
    """What there is to do."""

    last: int
    """The log's last position."""
    waits: bool
    """Whether anything waits for what may be recorded."""
    due: bool
    """Whether anything is to be tried again now."""


async def look(queried: Queried) -> Look:
    """Look, without doing anything: it is nearly always in vain, and a statement without values is planned once."""
    rows = await queried.fetch(
        "select coalesce((select position from log order by position desc limit 1), 0) as last,"
        " exists (select from aside where wants is not null) as waits,"
        " exists (select from aside where retry_at <= now()) as due"
    )
    return Look(*rows[0])


async def waken(queried: Queried, after: int, sealing: Sealing) -> int:
    """Have what waits for one of the events behind position `after` tried again now; return the last position.

    What was recorded while a report was set aside is behind the last position seen then: the rows are looked at later.
    """
    rows = await queried.fetch(
        "with head as (select coalesce(max(position), 0) as last from log) select last, id, entity from head"
        " left join log on position > $1 and position <= last and exists (select from aside where wants is not null)",
        after,
    )
    fresh = {one for row in rows for one in (row["id"], row["entity"]) if one}
    if fresh:
        await queried.execute(
            "update aside set retry_at = now() where wants = any($1::text[])",
            [*fresh, *(hashed for one in fresh for hashed in sealing.named(one))],
        )
    return int(rows[0]["last"])


async def counts(queried: Queried) -> list[tuple[str, Kind, int, datetime]]:
    """Return how many messages are set aside by stream and kind, and since when the oldest of them."""
    rows = await queried.fetch(
        "select stream, kind, count(*) as number, min(since) as since from aside group by stream, kind order by 1, 2"
    )
    return [(row["stream"], row["kind"], row["number"], row["since"]) for row in rows]
