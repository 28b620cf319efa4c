"""The engine: a batch is decided in memory, in rounds of reading, and written at once.

A round decides all events of the batch, one after the other, with what was read so far; what was not is taken for
absent. Then all that any of them wanted is read together, in one statement for each table, and all is decided anew,
until a round wants nothing that is there. So the number of SQL statements does not grow with the batch, and no
savepoint is needed: what fails in memory concerns its own event only.

The same engine records (`Log`) and replays (`crm restore`): there the clock is the recorded time of each event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from shared import contracts
from shared.contracts import Corrected, Data, Event, Merged, Refused, refusal
from shared.count import tally
from shared.record.deciding import Deciding
from shared.record.judgement import Judgement, Unknown
from shared.record.storing import load, save
from shared.record.tables import Tables
from shared.run.database import Connection

ROUNDS_MAX = 64
"""More rounds than any chain of references has; beyond it a judgement asks for something new each time."""
EVENT_BYTES_MAX = 512 * 1024
"""An event with all that the service fills in: half of what the stream takes, for a row that the relay cannot copy
would stop it for ever."""
Judgements: TypeAlias = Mapping[type[Data], Sequence[Judgement]]

_encode = msgspec.json.Encoder().encode


class Unfit(ValueError):  # noqa: N818 - a verdict on what would be recorded
    """What is to be recorded does not fit its contract (at `pointer`): a reader of the stream would stop at it."""

    def __init__(self, pointer: str) -> None:
        super().__init__(pointer)
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class Input:
    """An event to be recorded, or (`heard`: stream, sequence) another service's, only to be acted on."""

    event: Event[Any]
    heard: tuple[str, int] | None = None
    key: str | None = None
    """The public key that made its signature."""
    sent: int | None = None
    """When the intake stored it (ns since 1970); None: not known, or no country's report."""


@dataclass(slots=True)
class Decided:
    """What becomes of a batch."""

    outcomes: list[Exception | None]
    """For each input None (recorded, or acted on) or what was raised on its way."""
    recorded: list[tuple[Event[Any], bytes]] = field(default_factory=list)
    """The events in their order, with their positions, and as they are written."""
    _tables: Tables = field(default_factory=Tables)
    _counted: tally.Counted | None = None

    async def write(self, connection: Connection) -> None:
        """Write all of it but the log itself, which has the events by now."""
        assert self._counted is not None
        _complete(self._tables, self._counted.events)
        await save(self._tables, connection)
        await self._counted.record.save(connection)


async def decide(  # noqa: PLR0913 - what a batch is decided by
    connection: Connection,
    service: str,
    judgements: Judgements,
    inputs: Sequence[Input],
    *,
    head: int,
    again: bool = False,
) -> Decided:
    """Decide a batch; the caller holds the lock of the log, appends what is recorded, and has the rest written.

    Each event has its recorded time. `head`: the log's last position; `again`: recorded before, and judged again.
    """
    failed: dict[int, Exception] = {}
    tables = Tables()
    while True:
        deciding = Deciding(service, judgements, tables, again=again, head=head)
        outcomes = await rounds(deciding, connection, inputs, failed)
        events = [event for event, _ in deciding.events]
        drafts = [draft for _, draft in deciding.events]
        counted = await tally.counted(connection, events)
        failed |= deciding.failed | {drafts[index]: error for index, error in counted.failed.items()}
        recorded = []
        for number, event in enumerate(counted.events):
            try:
                recorded.append((event, fitting(event)))
            except Unfit as error:
                failed.setdefault(drafts[number], error)
        if not any(outcomes[number] is None for number in failed):
            break
    return Decided(outcomes, recorded, tables, counted)


async def rounds(
    deciding: Deciding, connection: Connection, inputs: Sequence[Input], failed: Mapping[int, Exception]
) -> list[Exception | None]:
    """Decide until nothing is missing; return what became of each input.

    What was missed and turns out to be absent was decided rightly. The others are decided by themselves, where they are
    few, until nothing more is found, and then all: so a long chain of references costs its own rounds, not the batch's.
    """
    # What a merge corrects comes first.
    order = sorted(range(len(inputs)), key=lambda one: isinstance(inputs[one].event.data, Merged))
    some = order
    for _ in range(ROUNDS_MAX):
        outcomes, unsure = _round(deciding, inputs, failed, some)
        if deciding.tables.missing():
            await load(deciding.tables, connection)
        wrong = {number for number, since, until, guessed in unsure if guessed or deciding.tables.found(since, until)}
        if wrong:
            some = [number for number in order if number in wrong] if 2 * len(wrong) < len(order) else order
        elif some is order:
            return outcomes
        else:
            some = order
    message = f"a judgement asked for something new in each of {ROUNDS_MAX} rounds"
    raise RuntimeError(message)


_Unsure: TypeAlias = tuple[int, int, int, bool]
"""(input, its first miss of the round, the one behind its last, whether it is decided anew whatever is found)"""


def _round(
    deciding: Deciding, inputs: Sequence[Input], failed: Mapping[int, Exception], order: Sequence[int]
) -> tuple[list[Exception | None], list[_Unsure]]:
    """Decide inputs in this order; return what became of each, and which of them asked for what was not read yet."""
    outcomes: list[Exception | None] = [None] * len(inputs)
    deciding.restart()
    reports: list[tuple[int, Event[Any]]] = []
    unsure: list[_Unsure] = []
    for number in order:
        if number in failed:
            outcomes[number] = failed[number]
            continue
        one, known, misses = inputs[number], len(deciding.reports), deciding.tables.misses()
        try:
            deciding.decide(number, one.event, one.heard, key=one.key, sent=one.sent)
        except (Refused, Unknown) as verdict:  # kept until its batch is written; what led to it need not be
            verdict.__context__ = None
            outcomes[number] = verdict.with_traceback(None)
        except Exception as error:  # noqa: BLE001 - whatever it is, it concerns this event only
            outcomes[number] = error
        if (now := deciding.tables.misses()) > misses:
            unsure.append((number, misses, now, deciding.guessed))
        reports += [(number, event) for event in deciding.reports[known:]]
    for number, event in reports:
        misses = deciding.tables.misses()
        try:
            deciding.late(number, event)
        except Exception as error:  # noqa: BLE001 - as above: all is decided anew without the report
            deciding.failed[number] = error
        if (now := deciding.tables.misses()) > misses:
            unsure.append((number, misses, now, deciding.guessed))
    return outcomes, unsure


def _complete(tables: Tables, events: Sequence[Event[Any]]) -> None:
    """Put into what is kept of amended reports what the count filled in: that is taken out next time."""
    for event in events:
        root = event.data.original_sequence if isinstance(event.data, Corrected) else None
        held = tables.amended.batch.get(root) if root is not None else None
        if root is not None and held is not None and not held.retracted:
            tables.amended.batch[root] = held._replace(latest=msgspec.convert(event.data.data, type(held.latest)))


def fitting(event: Event[Any]) -> bytes:
    """Return the event as it is recorded; raises Unfit where no reader could decode that, or the relay not copy it.

    What a country reports and nothing is filled in of was decoded by its contract just now.
    """
    payload = _encode(event)
    agreed = contracts.registry().get(event.type)
    if agreed is None or agreed.derived or not agreed.reported:
        try:
            contracts.decode(payload)
        except msgspec.ValidationError as error:
            raise Unfit(refusal.where(error)) from error
    if len(payload) > EVENT_BYTES_MAX:
        raise Unfit("")
    return payload
