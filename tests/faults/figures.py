"""Figures worked out anew, from the logs and from the ledger, to hold the indicators against."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from services.indicators.fold import Fold
from services.indicators.plan import FOLDER, load
from services.indicators.state import State
from tests.faults.evidence import Evidence
from tests.faults.ledger import POISON, Ledger


def refolded(evidence: Evidence) -> State:
    """Return the state of a fold of all logs from their beginning."""
    fold = Fold(load(FOLDER))
    for service, rows in evidence.logs.items():
        for row in rows:
            fold.apply(service, row.position, row.payload)
    return fold.state


def differing_figures(ledger: Ledger, evidence: Evidence) -> Iterator[str]:
    if not evidence.metrics:
        return  # indicators did not run
    state = refolded(evidence)
    if state.dump() != evidence.snapshot:
        yield "the snapshot is not the fold of the logs"
    shown = _counted(evidence.metrics)
    folded = Counter({(*name, country): n for name, counts in state.events.items() for country, n in counts.items()})
    yield from (f"/metrics: {key} is {shown[key]}, not {folded[key]}" for key in _unequal(shown, folded))
    recorded = {(event.id, event.source) for event in evidence.events()}
    reported: Counter[tuple[str, ...]] = Counter()
    for report in ledger.reports.values():
        if report.kind != POISON and report.key in recorded:
            reported[(*report.name.split("."), report.country)] += 1
    for key, number in reported.items():
        if shown[key] != number:
            yield f"/metrics: {key} is {shown[key]}, the ledger has {number}"


def _counted(page: str) -> "Counter[tuple[str, ...]]":
    samples = (sample for family in text_string_to_metric_families(page) for sample in family.samples)
    return Counter(
        {
            tuple(sample.labels[label] for label in ("service", "entity", "verb", "country")): int(sample.value)
            for sample in samples
            if sample.name == "crm_events_total"
        }
    )


def _unequal(one: "Counter[tuple[str, ...]]", other: "Counter[tuple[str, ...]]") -> list[tuple[str, ...]]:
    return [key for key in one.keys() | other.keys() if one[key] != other[key]]
