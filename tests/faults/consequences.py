"""What the reports of `traffic` must have set off, told from the domain's choreographies 1, 5, 8, 9 and 10."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta

from services.intel.policy import POLICY
from shared.contracts import Event
from tests.faults.evidence import Evidence
from tests.faults.ledger import CORRECTION, Ledger, Report
from tests.faults.stand import SPEED

HEARD_WITHIN = timedelta(seconds=60) * SPEED
"""By so much plan time a service that was down may hear an event later than it was recorded."""
ONCE = {
    "legal.case.resolved": "legal.witness.review_opened",
    "training.complaint.resolved": "legal.alert.issued/proceeding_suggested",
    "victims.referral.sent": "victims.referral.offered",
    "training.officer.certified": "training.certification.expired",
}
"""A report of the one sets off one of the other."""


def expected(ledger: Ledger, evidence: Evidence) -> Iterator[str]:
    """Yield what was set off not at all, or more than once."""
    caused: dict[str, Counter[str]] = defaultdict(Counter)
    for event in evidence.events():
        if event.source.startswith("urn:crm:service:"):
            kind = f"/{event.data.kind}" if event.name.endswith(".alert.issued") else ""
            caused[event.causationid][event.name + kind] += 1
    recorded = {event.id: event for event in evidence.events() if (event.id, event.source) in ledger.reports}
    for event in recorded.values():
        report = ledger.reports[event.id, event.source]
        for name, number in _wanted(report).items():
            if caused[event.id][name] != number:
                yield f"{report.id} ({report.name}): {caused[event.id][name]} x {name}, not {number}"
    yield from _overdue(recorded, caused)
    yield from _reminders(recorded, caused, ledger, evidence)
    yield from _needs(recorded, evidence)


def _wanted(report: Report) -> dict[str, int]:
    if report.name == "intel.location.reported":
        return {"intel.alert.issued/location_reported": int(report.data["target_country"] != report.country)}
    return {ONCE[report.name]: 1} if report.name in ONCE else {}


def _overdue(recorded: dict[str, Event], caused: dict[str, Counter[str]]) -> Iterator[str]:
    """A referral is overdue once, if no answer came before; never if one did."""
    late = {
        event.data.referral_id: event.data.late
        for event in recorded.values()
        if event.name == "victims.referral.accepted"
    }
    for event in recorded.values():
        if event.name == "victims.referral.sent":
            number = int(late.get(event.data.referral_id, True))
            found = caused[event.id]["victims.referral.overdue"]
            if found != number:
                yield f"{event.id}: {found} x overdue, not {number}"


def _reminders(
    recorded: dict[str, Event], caused: dict[str, Counter[str]], ledger: Ledger, evidence: Evidence
) -> Iterator[str]:
    """An unamended detention without an address book is one reminder, once its time is surely over."""
    amended = {report.about for report in ledger.of(CORRECTION)}
    for event in recorded.values():
        if event.name == "legal.person.detained" and event.id not in amended:
            found = caused[event.id]["intel.alert.issued/phonebook_missing"]
            due = event.recordedtime + POLICY.phonebook_within + HEARD_WITHIN
            if found > 1 or (due <= evidence.due_by and not found):
                yield f"{event.id}: {found} reminders of the address book"


def _needs(recorded: dict[str, Event], evidence: Evidence) -> Iterator[str]:
    """Three confirmations of one fake at one post raise one need there."""
    posts = Counter(event.data.bcp for event in recorded.values() if event.name == "intel.document.confirmed")
    raised = Counter(event.data.bcp for event in evidence.events() if event.name == "training.need.raised")
    for post, number in posts.items():
        if raised[post] != int(number >= 3):
            yield f"{post}: {raised[post]} needs raised after {number} confirmations"
