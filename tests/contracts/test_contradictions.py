"""Reports whose parts contradict each other, type by type: refused, with the field named."""

from pathlib import Path

import pytest

from services.indicators.publish.coverage import catalogue
from shared.contracts import means, registry
from tests.harness.door import judged, refusal

LATE, LATE_DAY = "2004-03-02T10:00:01Z", "2004-03-03"
"""Of an example, whose time is 2004-03-01T10:00:00Z, more than a day behind."""
EARLY = "2004-02-29T09:59:59Z"
"""More than a day before it."""
ACTS = {
    "signed": {"signature"},
    "ratified": {"ratification", "acceptance", "approval", "succession"},
    "acceded": {"accession", "succession"},
    "withdrawn": {"withdrawal"},
    "reserved": {"reservation"},
}
WORDS = set().union(*ACTS.values())


@pytest.mark.parametrize(("verb", "word"), [(verb, word) for verb in ACTS for word in sorted(WORDS)])
def test_a_treaty_act_and_the_depositarys_word_agree(verb, word):
    found = refusal(f"legal.treaty.{verb}", action=word)
    assert found == ([] if word in ACTS[verb] else [("/data/action", "contradiction")])


TABLE = [
    ("intel.document.flagged", {"doc_code": "birth_certificate", "mrz_check": {"doc": True}}, "mrz_check", "no_mrz"),
    ("intel.specimen.superseded", {"superseded_by": "sp-1"}, "superseded_by", "contradiction"),
    (
        "intel.specimen.deposited",
        {"valid_from": "2004-02-02", "valid_to": "2004-02-01"},
        "valid_to",
        "ends_before_start",
    ),
    ("intel.entryrequirement.declared", {"nationality": "GTM"}, "authorisation_required", "contradiction"),
    (
        "intel.entryrequirement.changed",
        {"nationality": "GTM", "authorisation_required": True},
        "authorisation_required",
        "contradiction",
    ),
    ("intel.information.requested", {"to": "GTM"}, "to", "same_country"),
    ("intel.information.answered", {"to": "GTM"}, "to", "same_country"),
    ("intel.information.refused", {"to": "GTM"}, "to", "same_country"),
    ("intel.information.shared", {"to": "GTM"}, "to", "same_country"),
    ("intel.information.received", {"gathered": LATE_DAY, "from": "MEX", "to": "GTM"}, "gathered", "after_report"),
    ("intel.band.identified", {"scope": "local"}, "scope", "contradiction"),
    ("intel.band.dismantled", {"scope": "local"}, "scope", "contradiction"),
    ("intel.band.reactivated", {"scope": "local"}, "scope", "contradiction"),
    ("intel.controlstat.reported", {"since": "2004-04-01", "until": "2004-03-31"}, "until", "ends_before_start"),
    ("intel.controlstat.reported", {"since": LATE_DAY}, "since", "after_report"),
    ("intel.controlstat.reported", {"until": LATE_DAY}, "until", "after_report"),
    ("intel.dataset.submitted", {"since": LATE_DAY, "until": "2004-12-31"}, "since", "after_report"),
    ("intel.dataset.submitted", {"since": None, "until": LATE_DAY}, "until", "after_report"),
    ("intel.meeting.held", {"date": LATE_DAY}, "date", "after_report"),
    ("intel.liaison.established", {"date": LATE_DAY}, "date", "after_report"),
    ("intel.commission.convened", {"date": LATE_DAY}, "date", "after_report"),
    ("intel.operation.executed", {"started": LATE, "ended": None}, "started", "after_report"),
    ("intel.operation.executed", {"started": None, "ended": LATE}, "ended", "after_report"),
    ("intel.operation.executed", {"ended": "2004-02-01T05:00:00Z"}, "ended", "ends_before_start"),
    ("intel.operation.planned", {"ended": "2004-03-01T05:00:00Z"}, "ended", "ends_before_start"),
    ("intel.operation.executed", {"participants": ["GTM", "GTM"]}, "participants", "repeated_value"),
    ("intel.route.reported", {"first_seen": LATE_DAY}, "first_seen", "after_report"),
    ("intel.route.reported", {"last_seen": LATE_DAY}, "last_seen", "after_report"),
    ("legal.person.detained", {"smuggled_migrant": True}, "smuggled_migrant", "smuggled_migrant_is_no_offender"),
    ("legal.law.amended", {"supersedes": "2004-1"}, "supersedes", "contradiction"),
    (
        "legal.law.enacted",
        {"penalty_min_months": 9, "penalty_max_months": 8},
        "penalty_min_months",
        "more_than_maximum",
    ),
    ("legal.meeting.held", {"date": LATE_DAY}, "date", "after_report"),
    ("legal.study.published", {"since": "2004-02-02", "until": "2004-02-01"}, "until", "ends_before_start"),
    ("training.officer.certified", {"valid_until": "2004-02-29"}, "valid_until", "ends_before_start"),
    ("training.session.held", {"date": LATE_DAY}, "date", "after_report"),
    ("training.student.graduated", {"year": 2005}, "year", "after_report"),
    ("training.survey.closed", {"n": 0}, "score", "contradiction"),
    ("training.workforce.declared", {"technical_headcount": 841}, "technical_headcount", "more_than_headcount"),
    ("training.workforce.declared", {"as_of": LATE_DAY}, "as_of", "after_report"),
    ("training.plan.approved", {"until": "2003-12-31"}, "until", "ends_before_start"),
    ("victims.victim.identified", {"offence": "som"}, "status", "contradiction"),
    ("victims.victim.identified", {"status": "SmuggledMigrantHarmed"}, "status", "contradiction"),
    ("victims.victim.identified", {"offence": "corruption"}, "status", "contradiction"),
    ("victims.victim.identified", {"offence": "corruption"}, "offence", "no_victims"),
    (
        "victims.victim.identified",
        {"offence": "doc_fraud", "status": "NotAVictimOfTrafficking"},
        "offence",
        "no_victims",
    ),
    (
        "victims.victim.identified",
        {"status": "NotAVictimOfTrafficking", "harm": ["moral"]},
        "harm",
        "contradiction",
    ),
    ("victims.victim.registered", {"offence": "corruption"}, "offence", "no_victims"),
    ("victims.service.provided", {"offence": "other"}, "offence", "no_victims"),
    *(
        (f"{service}.resource.{verb}", {"row": "IE-99"}, "row", "unknown_row")
        for service in ("intel", "victims", "legal", "training")
        for verb in ("pledged", "delivered")
    ),
    ("victims.victim.identified", {"occurred_from": LATE_DAY}, "occurred_from", "after_report"),
    ("victims.victim.identified", {"occurred_to": LATE_DAY}, "occurred_to", "after_report"),
    ("victims.victim.registered", {"age_broad": "48+"}, "age_band", "age_mismatch"),
    (
        "victims.victim.registered",
        {"completeness": {"core_filled": 9, "core_total": 8}},
        "completeness/core_filled",
        "more_than_total",
    ),
    ("victims.victim.status_changed", {"to": "PossibleVictimOfTrafficking"}, "to", "no_change"),
    ("victims.referral.sent", {"to": "GTM"}, "to", "same_country"),
    ("victims.referral.sent", {"override": None}, "consent_id", "missing_consent"),
    ("victims.referral.sent", {"preview": {"sex": "male", "age_band": "adult"}}, "urgency", "contradiction"),
    (
        "victims.referral.sent",
        {"urgency": "danger", "preview": {"sex": "male", "age_band": "adult"}},
        "override/reason",
        "contradiction",
    ),
    ("victims.repatriation.completed", {"to": "GTM"}, "to", "same_country"),
    ("victims.repatriation.planned", {"to": "GTM"}, "to", "same_country"),
    ("victims.repatriation.failed", {"to": "GTM"}, "to", "same_country"),
    ("victims.service.provided", {"started": LATE}, "started", "after_report"),
    ("victims.service.provided", {"ended": LATE}, "ended", "after_report"),
    ("victims.service.provided", {"ended": "2004-02-01T10:00:00Z"}, "ended", "ends_before_start"),
    ("victims.service.ended", {"ended": LATE}, "ended", "after_report"),
    ("intel.commitment.agreed", {"due": EARLY}, "due", "contradiction"),
    ("intel.information.requested", {"due": EARLY}, "due", "contradiction"),
    ("intel.location.reported", {"ack_by": EARLY}, "ack_by", "contradiction"),
    ("victims.occupation.assessed", {"occupied": False, "sector": "F_Construction"}, "sector", "contradiction"),
    ("victims.campaign.measured", {"sample_n": 0}, "recall", "contradiction"),
    ("victims.campaign.measured", {"reach": 0}, "recall", "contradiction"),
    ("indicators.baseline.set", {"until": "2002-04-30"}, "until", "ends_before_start"),
    ("training.complaint.resolved", {"outcome": "unfounded", "offence": None}, "sanction", "contradiction"),
    ("training.complaint.resolved", {"outcome": "unfounded", "sanction": None}, "offence", "contradiction"),
    ("victims.victim.merged", {"into": "victim-1"}, "into", "same_entity"),
    ("victims.victim.retracted", {"supersedes": "0193a1b2-victim-retracted"}, "supersedes", "wrong_reference"),
    ("victims.victim.corrected", {"supersedes": "0193a1b2-victim-corrected"}, "supersedes", "wrong_reference"),
]


@pytest.mark.parametrize(("name", "data", "at", "code"), TABLE, ids=[f"{one[0]}-{one[2]}-{one[3]}" for one in TABLE])
def test_what_contradicts_itself_is_refused(name, data, at, code):
    assert (f"/data/{at}", code) in refusal(name, **data)
    assert not refusal(name), "the example itself is no contradiction"


def test_what_is_told_as_done_may_lie_a_day_ahead_of_the_report():
    assert not refusal("intel.meeting.held", date="2004-03-02")
    assert not refusal("victims.service.provided", started="2004-03-02T10:00:00Z")
    assert not refusal("intel.operation.planned", started="2004-12-01T10:00:00Z")
    assert not refusal("intel.commitment.agreed", due="2004-02-29T10:00:00Z")


def test_the_rows_that_means_are_pledged_for_are_those_of_the_plan_that_is_followed(monkeypatch):
    second = Path(__file__).parents[1] / "plans" / "second"
    means.plan_rows.cache_clear()
    assert means.plan_rows() == {*catalogue().indicators, *catalogue().milestones}
    monkeypatch.setenv("CRM_PLAN_FOLDER", str(second))
    means.plan_rows.cache_clear()
    assert not refusal("training.resource.pledged", row="BD-1")
    assert ("/data/row", "unknown_row") in refusal("training.resource.pledged", row="IE-1.1")
    means.plan_rows.cache_clear()


def test_a_report_does_not_expire_before_it_happened():
    found = refusal("intel.document.flagged", envelope={"expirytime": "2004-03-01T09:59:59Z"})
    assert found == [("/expirytime", "ends_before_start")]


def test_fields_told_as_done_are_fields():
    for agreed in registry().values():
        assert {*agreed.data.happened, *agreed.data.awaited} <= set(agreed.data.__struct_fields__)
        assert judged(agreed.name) if agreed.reported else True
