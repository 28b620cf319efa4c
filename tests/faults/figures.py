"""Figures worked out anew, from the logs and from the ledger, to hold the indicators against."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.indicators.figures.figures import EXACT
from services.indicators.folded.fold import Fold
from services.indicators.planned.plan import FOLDER, load
from services.indicators.publish.metrics import Indicators
from shared.contracts import SERVICES
from tests.faults.evidence import Evidence
from tests.faults.ledger import POISON, Ledger
from tests.faults.traffic import REFUSED_FOR

NOT_FOLDED = "crm_stream_sequence"
"""Not compared: where the streams ended when NATS was last asked. `copies` holds them to the logs."""
LAST_TO_STOP = "indicators"
"""It may still record that a day has passed when it no longer folds."""
Sample = tuple[str, frozenset[tuple[str, str]]]
Page = dict[Sample, float]


def differing_figures(ledger: Ledger, evidence: Evidence) -> Iterator[str]:
    if not evidence.metrics:
        return  # indicators did not run
    shown, fold = samples(evidence.metrics), Fold(load(FOLDER))
    # The page first, as of where it says that it is: the passing of days goes on being announced after it was asked.
    _apply(fold, evidence, {}, reached(shown))
    yield from differing_pages(shown, fold, evidence.metrics_at)
    _apply(fold, evidence, reached(shown), ends(evidence.snapshot))
    yield from differing_snapshot(evidence.snapshot, fold, {name: len(rows) for name, rows in evidence.logs.items()})
    owed = _reported(ledger, evidence) | _refused(ledger, evidence)
    # Of the events shown, many are the services' own; but nothing is refused that nobody sent.
    for key in owed.keys() | {key for key in shown if key[0] == "crm_rejected_total"}:
        if shown.get(key) != owed.get(key):
            yield f"/metrics: {_told(key)} is {shown.get(key)}, the ledger has {owed.get(key)}"


def reached(shown: Page) -> dict[str, int]:
    """Return up to which position of each service's log a page goes, as it says."""
    return {name: int(shown[_key("crm_fold_sequence", stream=name.upper())]) for name in SERVICES}


def ends(snapshot: bytes) -> dict[str, int]:
    """Return up to which position of each service's log a snapshot goes, as it says."""
    return dict.fromkeys(SERVICES, 0) | dict(json.loads(snapshot or b"{}").get("sequences", ()))


def differing_pages(shown: Page, fold: Fold, at: datetime) -> Iterator[str]:
    """Yield what a page shows otherwise than this fold does at that time, of which only the day is of consequence."""
    again = _rendered(fold, at)
    for key in sorted(shown.keys() | again.keys(), key=str):
        if shown.get(key) != again.get(key) and key[0] != NOT_FOLDED:
            yield f"/metrics: {_told(key)} is {shown.get(key)}, not {again.get(key)}"


def differing_snapshot(snapshot: bytes, fold: Fold, lengths: Mapping[str, int]) -> Iterator[str]:
    """Yield where a snapshot does not have the bytes of this fold, or does not go to the end of the logs."""
    if fold.state.dump() != snapshot:
        yield "the snapshot is not the fold of the logs"
    for service, end in ends(snapshot).items():
        if end != lengths[service] and service != LAST_TO_STOP:
            yield f"the snapshot knows {end} events of {service}, the log has {lengths[service]}"


def _apply(fold: Fold, evidence: Evidence, after: Mapping[str, int], until: Mapping[str, int]) -> None:
    for service, rows in evidence.logs.items():
        for row in rows[after.get(service, 0) : until[service]]:
            fold.apply(service, row.position, row.payload)


def _rendered(fold: Fold, at: datetime) -> Page:
    registry = CollectorRegistry(auto_describe=False)
    streams = dict.fromkeys(SERVICES, 0)
    registry.register(Indicators(fold.plan, lambda: fold.state, lambda: streams, lambda: at, lambda: EXACT))
    return samples(generate_latest(registry).decode())


def _reported(ledger: Ledger, evidence: Evidence) -> Page:
    """Return the reports of the ledger that were recorded."""
    recorded = {(event.id, event.source) for event in evidence.events()}
    found: Counter[Sample] = Counter()
    for report in ledger.reports.values():
        if report.kind != POISON and report.key in recorded:
            names = dict(zip(("service", "entity", "verb"), report.name.split("."), strict=True))
            found[_key("crm_events_total", **names, country=report.country)] += 1
    return dict(found)


def _refused(ledger: Ledger, evidence: Evidence) -> Page:
    """Return the ledger's rubbish that was stored, by what is wrong with it, and the answers that came too late."""
    found: Counter[Sample] = Counter()
    for _, report in evidence.rubbish(ledger):
        for code in REFUSED_FOR[report.data["form"]]:
            found[_key("crm_rejected_total", service=report.service, country=report.country, code=code)] += 1
    known = {report.id: report for report in ledger.reports.values() if report.kind != POISON}
    for event in evidence.events():
        if event.name.endswith(".report.rejected") and (report := known.get(str(event.data.report_id))):
            for code in {problem.code for problem in event.data.problems}:
                found[_key("crm_rejected_total", service=report.service, country=report.country, code=code)] += 1
    return dict(found)


def _key(name: str, **labels: str) -> Sample:
    return name, frozenset(labels.items())


def _told(key: Sample) -> str:
    return f"{key[0]}{{{', '.join(f'{name}={value}' for name, value in sorted(key[1]))}}}"


def samples(page: str) -> Page:
    """Return what a page shows."""
    families = text_string_to_metric_families(page)
    return {_key(sample.name, **sample.labels): sample.value for family in families for sample in family.samples}
