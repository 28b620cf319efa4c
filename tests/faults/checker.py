"""The invariants: what must hold after any faults, each a function from ledger and evidence to what breaks it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from shared.contracts.vocabulary import MEMBERS
from shared.flow.streams import intake_of
from tests.faults.consequences import expected
from tests.faults.deadlines import misfired
from tests.faults.evidence import Evidence
from tests.faults.figures import differing_figures
from tests.faults.ledger import ANSWER, CORRECTION, GOOD, POISON, Ledger

SHOWN = 10


@dataclass(frozen=True)
class Breach:
    """An invariant that does not hold, and for what."""

    invariant: str
    what: tuple[str, ...]

    def __str__(self) -> str:
        more = f" and {len(self.what) - SHOWN} more" if len(self.what) > SHOWN else ""
        return f"{self.invariant}: {', '.join(self.what[:SHOWN])}{more}"


@dataclass
class Case:
    """One run to be judged."""

    ledger: Ledger
    evidence: Evidence
    received: dict[str, set[tuple[str, str]]]
    """Country -> what its mailbox gave it."""


def lost(case: Case) -> Iterator[str]:
    """Every acknowledged report stands in its log; one that may come too late, there or in a refusal."""
    stands, refused = _stands(case), _refused(case)
    for report in case.ledger.of(GOOD, CORRECTION):
        if report.acknowledged and not stands[report.key]:
            yield f"{report.id}{' (refused)' if refused[report.key[0]] else ''}"
    for report in case.ledger.of(ANSWER):
        if report.acknowledged and not stands[report.key] and not refused[report.id]:
            yield report.id


def doubled(case: Case) -> Iterator[str]:
    """No (source, id) stands in a log twice; nothing is both recorded and refused."""
    counts = Counter(
        (service, e.event.source, e.event.id) for service, rows in case.evidence.logs.items() for e in rows
    )
    yield from (f"{service}:{event_id}" for (service, _, event_id), number in counts.items() if number > 1)
    stands, refused = _stands(case), _refused(case)
    for report in case.ledger.of(GOOD, CORRECTION, ANSWER):
        if stands[report.key] and refused[report.id]:
            yield f"{report.id} (recorded and refused)"


def ghosts(case: Case) -> Iterator[str]:
    """Whatever stands in a log as a country's was tried by that country, and says the same."""
    for service, rows in case.evidence.logs.items():
        for row in rows:
            event = row.event
            if not event.source.startswith("urn:crm:country:"):
                continue
            report = case.ledger.reports.get((event.id, event.source))
            if report is None or report.kind == POISON or report.service != service or report.name != event.name:
                yield f"{service}:{event.id}"


def acknowledged_but_not_stored(case: Case) -> Iterator[str]:
    """The sequence that a publisher was told holds its report in its intake."""
    intake = {(one.sender, one.sequence): one.payload for one in case.evidence.intake}
    for report in case.ledger.reports.values():
        for sequence in filter(None, report.acknowledged):
            if report.id.encode() not in intake.get((report.country, sequence), b""):
                yield f"{report.id} at {sequence}"


def copies(case: Case) -> Iterator[str]:
    """Row n is message n, all of them, and the hash chain is whole."""
    for service, found in case.evidence.comparisons.items():
        yield from (f"{service}: {fault}" for fault in found.faults())
        if found.sequence != found.position:
            yield f"{service}: stream ends at {found.sequence}, log at {found.position}"


def poison(case: Case) -> Iterator[str]:
    """Every rubbish message in an intake is in QUARANTINE once and refused to its sender once."""
    kept = Counter(one.headers.get("Nats-Msg-Id", "") for one in case.evidence.quarantine)
    told = Counter(
        (event.country, event.data.intake_sequence)
        for event in case.evidence.events()
        if event.name.endswith(".report.rejected")
    )
    for message, report in case.evidence.rubbish(case.ledger):
        name = f"{intake_of(message.sender)}|{message.sequence}|{message.at}"
        if kept[name] != 1:
            yield f"{report.id}: {kept[name]} times in QUARANTINE"
        if told[message.sender, message.sequence] != 1:
            yield f"{report.id}: refused {told[message.sender, message.sequence]} times"
    stored = {(one.sender, one.sequence) for one in case.evidence.intake}
    yield from (f"refusal of {sequence} to {to}" for to, sequence in told if (to, sequence) not in stored)


def consequences(case: Case) -> Iterator[str]:
    """What a report sets off, here or in another service, happened exactly once."""
    yield from expected(case.ledger, case.evidence)


def deadlines(case: Case) -> Iterator[str]:
    """Each deadline that came due fired once, none before, none that was cleared in time; and nothing due is left."""
    for service, left in case.evidence.deadlines_due.items():
        yield from (f"{service}:{name}: left over" for name in left)
    for service, stood in case.evidence.deadlines.items():
        log = [row.event for row in case.evidence.logs[service]]
        yield from (f"{service}:{what}" for what in misfired(service, stood, log, case.evidence.due_by))


def mailboxes(case: Case) -> Iterator[str]:
    """MAILBOX holds each event addressed to a country once; the country read all of them and nothing else."""
    addressed = {
        (event.id, event.source, event.country) for event in case.evidence.events() if event.country in MEMBERS
    }
    bodies = {row.payload: row.event for rows in case.evidence.logs.values() for row in rows}
    held: Counter[tuple[str, str, str]] = Counter()
    for message in case.evidence.mailbox:
        event = bodies.get(message.payload)
        if event is None:
            yield f"unknown message {message.sequence}"
        else:
            held[event.id, event.source, message.subject.rpartition(".")[2]] += 1
    yield from (f"{key[0]} for {key[2]}: not there" for key in addressed - held.keys())
    yield from (f"{key[0]} for {key[2]}: {number} times" for key, number in held.items() if number > 1)
    yield from (f"{key[0]} for {key[2]}: not addressed to it" for key in held.keys() - addressed)
    for country, received in case.received.items():
        wanted = {(event_id, source) for event_id, source, to in addressed if to == country}
        yield from (f"{event_id}: {country} did not read it" for event_id, _ in wanted - received)
        yield from (f"{event_id}: {country} read it" for event_id, _ in received - wanted)


def figures(case: Case) -> Iterator[str]:
    """The fold's state, byte for byte, and /metrics are those of a fresh fold of the logs, and of the ledger."""
    yield from differing_figures(case.ledger, case.evidence)


def replays(case: Case) -> Iterator[str]:
    """The judgements, made again on what was recorded, set off and fill in the same, byte for byte."""
    for service, differences in case.evidence.replayed.items():
        yield from (f"{service}: {difference}" for difference in differences)


INVARIANTS: tuple[Callable[[Case], Iterable[str]], ...] = (
    acknowledged_but_not_stored,
    lost,
    doubled,
    ghosts,
    copies,
    poison,
    consequences,
    deadlines,
    mailboxes,
    figures,
    replays,
)


def check(case: Case) -> list[Breach]:
    """Return every invariant that does not hold."""
    found = ((one.__name__, tuple(one(case))) for one in INVARIANTS)
    return [Breach(name, what) for name, what in found if what]


def _stands(case: Case) -> Counter[tuple[str, str]]:
    return Counter((event.id, event.source) for event in case.evidence.events())


def _refused(case: Case) -> Counter[str]:
    events = case.evidence.events()
    return Counter(str(event.data.report_id) for event in events if event.name.endswith(".report.rejected"))
