import asyncio

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from services.indicators.figures.kept import Kept
from services.indicators.figures.kinds import Span
from services.indicators.planned.plan import Plan
from services.indicators.publish.exposition import Exposition
from services.indicators.publish.metrics import Indicators
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import CONTRACTS, PLAN, closing, event, folded, instant

PROMISED = {
    "crm_indicator_value": {"indicator", "country"},
    "crm_indicator_numerator": {"indicator", "country"},
    "crm_indicator_denominator": {"indicator", "country"},
    "crm_indicator_target": {"indicator"},
    "crm_indicator_met": {"indicator"},
    "crm_indicator_unknown": {"indicator", "reason"},
    "crm_indicator_coverage_ratio": {"indicator"},
    "crm_indicator_seconds_bucket": {"indicator", "country", "le"},
    "crm_milestone_due_timestamp_seconds": {"milestone"},
    "crm_milestone_reached_timestamp_seconds": {"milestone"},
    "crm_treaty_parties": {"instrument"},
    "crm_legal_gaps": {"instrument", "country"},
    "crm_events_total": {"service", "entity", "verb", "country"},
    "crm_country_last_event_timestamp_seconds": {"country", "service"},
    "crm_country_silent": {"country"},
    "crm_report_delay_seconds_bucket": {"country", "service", "le"},
    "crm_rejected_total": {"service", "country", "code"},
    "crm_suppressed_cells": {"indicator"},
    "crm_fold_sequence": {"stream"},
    "crm_stream_sequence": {"stream"},
    "crm_fold_aside_events": {"stream"},
}


NOW = instant("2004-12-31")
FORMATS = {
    "": text_string_to_metric_families,
    "application/openmetrics-text": openmetrics.text_string_to_metric_families,
}


def collected(fold, *, exact=False, plan: Plan = PLAN, accept=""):
    """The families as the plain collector gives them."""
    registry = CollectorRegistry(auto_describe=False)
    closed = lambda: closing(NOW.date(), exact=exact)  # noqa: E731
    registry.register(Indicators(plan, lambda: fold.state, lambda: {"intel": 9}, lambda: NOW, closed))
    encode, _ = choose_encoder(accept)
    return families(encode(registry), accept)


def exposition(current, *, exact=False, plan: Plan = PLAN):
    """The text that is kept, of the fold that `current` gives."""
    state = lambda: current().state  # noqa: E731
    closed = lambda: closing(NOW.date(), exact=exact)  # noqa: E731
    kept = Kept(plan, state, lambda: Span.now(NOW.date()), closed)
    return Exposition(plan, state, lambda: {"intel": 9}, lambda: NOW, kept, closed)


def families(body, accept=""):
    found = [*FORMATS[accept](body.decode())]
    order = lambda sample: (sample.name, sorted(sample.labels.items()))  # noqa: E731
    return [(one.name, one.documentation, one.type, sorted(one.samples, key=order)) for one in found]


def scraped(fold, *, exact=False, plan: Plan = PLAN):
    body = asyncio.run(exposition(lambda: fold, exact=exact, plan=plan).text("")).body
    return [sample for *_, samples in families(body) for sample in samples]


@pytest.mark.parametrize(
    ("name", "public_again", "operator_again"),
    [("victims.service.provided", True, False), ("intel.meeting.held", False, False)],
)
def test_what_is_public_is_made_anew_after_no_report_about_a_person(name, public_again, operator_again):
    """What is made anew takes ten times as long: whoever asks often learns when a single report came."""
    fold = busy()

    async def looked(text):
        before = await text.text("")
        assert await text.text("") is before
        fold.take("victims", fold.state.sequences.get("victims", 0) + 1, event(name))
        return await text.text("") is before

    assert asyncio.run(looked(exposition(lambda: fold))) == public_again
    assert asyncio.run(looked(exposition(lambda: fold, exact=True))) == operator_again


def busy():
    return folded(
        event("legal.treaty.ratified", "MEX", "2003-03-04T00:00:00Z", instrument="TIP"),
        event("legal.gap.opened"),
        event("training.workforce.declared", institution_type="migration", headcount=2),
        event("training.official.enrolled", institution_type="migration"),
        event("intel.meeting.held", "MEX", "2003-06-03T00:00:00Z", date="2003-06-03"),
        event("intel.report.rejected"),
        *[event("victims.referral.accepted", "HND", late=False, latency_s=7200)] * 12,
        event("victims.service.provided"),
    )


def test_what_the_region_itself_reports_is_in_its_figure_and_never_a_second_one_beside_it():
    held = [event("intel.meeting.held", name, "2003-06-03T00:00:00Z") for name in ("MEX", "REG", "REG")]
    found = [one for one in scraped(folded(*held)) if one.labels.get("indicator") == "IE-2.1"]
    values = {one.labels["country"]: one.value for one in found if one.name == "crm_indicator_value"}
    assert len(values) == len([one for one in found if one.name == "crm_indicator_value"])
    assert values == {"MEX": 1, "REG": 3}


def test_the_families_have_the_promised_names_and_labels():
    found = {}
    for sample in scraped(busy(), exact=True):
        found.setdefault(sample.name, set()).update(sample.labels)
    for name, labels in PROMISED.items():
        assert labels <= found[name], name
        if name not in ("crm_indicator_value", "crm_indicator_numerator", "crm_indicator_denominator"):
            assert found[name] == labels, name


def value(samples, name, **labels):
    return [one.value for one in samples if one.name == name and one.labels == labels]


def test_the_public_has_only_families_of_the_same_names_and_labels_and_none_that_moves_with_one_person():
    public = {(one.name, tuple(one.labels)) for one in scraped(busy())}
    assert public < {(one.name, tuple(one.labels)) for one in scraped(busy(), exact=True)}
    still = {"crm_suppressed_cells", "crm_rejected_total", "crm_fold_sequence", "crm_stream_sequence"}
    assert not {name for name, _ in public} & {*still, "crm_fold_aside_events"}


def test_the_figures():
    samples = scraped(busy(), exact=True)
    assert value(samples, "crm_indicator_value", indicator="IP-2.1", country="GTM") == [0.5]
    assert value(samples, "crm_indicator_value", indicator="IP-2.1", country="REG") == [0.5]
    assert value(samples, "crm_indicator_met", indicator="IP-2.1") == []
    assert value(samples, "crm_indicator_unknown", indicator="IP-2.1", reason="silent") == [1]
    assert value(samples, "crm_indicator_met", indicator="LE-2.1") == [0]
    assert value(samples, "crm_indicator_met", indicator="IP-3.1") == []
    assert value(samples, "crm_treaty_parties", instrument="TIP") == [1]
    assert value(samples, "crm_treaty_parties", instrument="SOM") == [0]
    assert value(samples, "crm_legal_gaps", instrument="TIP", country="GTM") == [1]
    assert value(samples, "crm_events_total", service="legal", entity="treaty", verb="ratified", country="MEX") == [1]
    assert value(samples, "crm_fold_sequence", stream="INTEL") == [2]
    assert value(samples, "crm_stream_sequence", stream="INTEL") == [9]
    seconds = {"indicator": "VA-5.1b", "country": "HND"}
    assert value(samples, "crm_indicator_seconds_count", **seconds) == [12]
    assert value(samples, "crm_indicator_seconds_bucket", **seconds, le="3600.0") == [0]
    assert value(samples, "crm_indicator_seconds_bucket", **seconds, le="14400.0") == [12]
    reached = value(samples, "crm_milestone_reached_timestamp_seconds", milestone="MS-IE-4/2003-06-03")
    assert reached == [instant("2003-06-03").timestamp()]
    assert value(samples, "crm_milestone_done", milestone="MS-LE-1") == [0]
    assert value(samples, "crm_milestone_needed", milestone="MS-LE-1") == [11]
    assert value(samples, "crm_milestone_missing", milestone="MS-LE-1", country="BLZ") == [1]


def test_what_alerts_look_at_is_there_with_0_before_the_first_event():
    samples = scraped(folded(), exact=True)
    for country in MEMBERS:
        for service in SERVICES:
            rejected = {"service": service, "entity": "report", "verb": "rejected", "country": country}
            assert value(samples, "crm_events_total", **rejected) == [0]
        overdue = {"service": "victims", "entity": "referral", "verb": "overdue", "country": country}
        assert value(samples, "crm_events_total", **overdue) == [0]
        assert value(samples, "crm_country_silent", country=country) == [0]
    missed = {"service": "indicators", "entity": "milestone", "verb": "missed", "country": "REG"}
    assert value(samples, "crm_events_total", **missed) == [0]
    assert value(
        scraped(busy(), exact=True), "crm_events_total", **rejected | {"service": "intel", "country": "GTM"}
    ) == [1]


def test_silence_goes_by_the_plans_clock_and_its_number_of_days():
    quiet = event("intel.meeting.held", "MEX", "2004-11-30T00:00:00Z", recorded="2004-12-02T00:00:00Z")
    plans = {days: replace(PLAN, silent_days=days) for days in (28, 29, 30)}
    pages = {days: scraped(folded(quiet), plan=plan) for days, plan in plans.items()}
    silent = {days: value(page, "crm_country_silent", country="MEX") for days, page in pages.items()}
    assert silent == {28: [1], 29: [1], 30: [0]}


def test_one_victim_appears_nowhere_but_exactly_for_the_operator_who_is_told_how_many_cells_are_small():
    def shown(samples):
        return [one for one in samples if one.name == "crm_indicator_value" and one.labels["indicator"] == "VA-4.1"]

    assert shown(scraped(busy())) == []
    assert value(scraped(busy()), "crm_suppressed_cells", indicator="VA-4.1") == []
    assert value(scraped(busy(), exact=True), "crm_suppressed_cells", indicator="VA-4.1") == [2]
    assert [one.value for one in shown(scraped(busy(), exact=True))] == [1, 1]


def test_scraping_twice_changes_nothing():
    fold = busy()
    assert scraped(fold) == scraped(fold)


@pytest.mark.parametrize("accept", FORMATS)
@pytest.mark.parametrize("exact", [False, True])
async def test_what_is_kept_reads_as_what_the_collector_gives(accept, exact):
    fold = folded(*(event(name) for name in sorted(CONTRACTS)))
    kept = exposition(lambda: fold, exact=exact)
    served, late = "victims.service.provided", "2004-12-01T00:00:00Z"
    steps = [
        lambda: None,
        lambda: fold.apply("legal", 900, event("legal.treaty.ratified", "MEX", instrument="TIP")),
        lambda: fold.apply("intel", 900, event("intel.report.rejected", "CRI")),
        lambda: [fold.apply("victims", 900 + n, event(served, "HND", recorded=late)) for n in range(30)],
        lambda: fold.set_aside("intel", 901, "missing"),
    ]
    for step in steps:
        step()
        assert families((await kept.text(accept)).body, accept) == collected(fold, exact=exact, accept=accept)
    fold = folded(event("intel.meeting.held"))  # it was folded anew
    assert families((await kept.text(accept)).body, accept) == collected(fold, exact=exact, accept=accept)


async def test_a_scrape_writes_the_lines_of_what_has_changed():
    fold = folded(*(event(name) for name in sorted(CONTRACTS)))
    kept = exposition(lambda: fold)
    await kept.text("")
    whole = kept.written
    await kept.text("")
    assert kept.written == whole
    fold.apply("intel", 900, event("intel.meeting.held"))
    await kept.text("")
    assert 0 < kept.written - whole < whole / 10


async def test_what_changes_while_a_scrape_is_written_is_in_the_next_one(monkeypatch):
    """Others get their turn between the rows: they work out figures of rows that the scrape has still to write."""
    monkeypatch.setattr("services.indicators.publish.exposition.SLICE_S", -1)
    fold = folded(*(event(name) for name in sorted(CONTRACTS)))
    kept = exposition(lambda: fold)
    await kept.text("")
    late = "2004-12-01T00:00:00Z"  # of a period that is not over
    for number, name in enumerate(["indicators.evaluation.published", *sorted(CONTRACTS)[::40]], 900):
        fold.apply("intel", 2 * number, event("intel.meeting.held", recorded=late))
        scrape = asyncio.create_task(kept.text(""))
        await asyncio.sleep(0)
        fold.apply("intel", 2 * number + 1, event(name, recorded=late))
        await kept.prepare()
        await scrape
        assert families((await kept.text("")).body) == collected(fold), name
