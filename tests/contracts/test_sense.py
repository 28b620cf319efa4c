"""What must hold between fields: the rules of the Plan, the Protocols and plain sense."""

import msgspec
import pytest

from shared.contracts import registry, report_type


def problems(name, **changed):
    agreed = registry()[f"crm.{name}.v1"]
    data = {field: value for field, value in (dict(agreed.good) | changed).items() if value is not ...}
    return {(p.pointer, p.code) for p in msgspec.convert(data, report_type(agreed)).check()}


@pytest.mark.parametrize("part", ["act", "means", "purpose"])
def test_trafficking_of_an_adult_needs_act_means_and_purpose(part):
    assert problems("victims.victim.identified", **{part: []}) == {(f"/data/{part}", f"missing_{part}")}


def test_trafficking_of_a_minor_needs_no_means():
    assert not problems("victims.victim.identified", age_band="minor", means=[])
    assert problems("victims.victim.identified", age_band="minor", act=[]) == {("/data/act", "missing_act")}


def test_someone_of_unknown_age_is_not_taken_for_a_minor():
    assert problems("victims.victim.identified", age_band="unknown", means=[])


def test_only_trafficking_has_the_three_parts():
    nothing = {"act": [], "means": [], "purpose": []}
    assert not problems("victims.victim.identified", offence="som", status="SmuggledMigrantHarmed", **nothing)
    assert not problems("victims.victim.identified", status="NotAVictimOfTrafficking", **nothing)


def test_a_smuggled_migrant_is_no_offender():
    found = problems("legal.person.detained", smuggled_migrant=True)
    assert found == {("/data/smuggled_migrant", "smuggled_migrant_is_no_offender")}


def test_a_referral_needs_consent_or_an_override():
    assert problems("victims.referral.sent", override=...) == {("/data/consent_id", "missing_consent")}
    assert not problems("victims.referral.sent", override=..., consent_id="con-1")


@pytest.mark.parametrize("name", ["victims.referral.sent", "victims.repatriation.completed"])
def test_it_goes_to_another_country(name):
    assert problems(name, to="GTM") == {("/data/to", "same_country")}


def test_a_certificate_does_not_end_before_it_begins():
    found = problems("training.officer.certified", valid_until="2004-02-29")
    assert found == {("/data/valid_until", "ends_before_start")}
    assert not problems("training.officer.certified", valid_until="2004-03-01")


def test_a_certificate_is_aligned_to_something():
    found = problems("training.officer.certified", aligned_to=[{"version": "1"}])
    assert found == {("/data/aligned_to/0", "missing_alignment")}


def test_participants_are_named_once():
    found = problems("intel.operation.executed", participants=["GTM", "MEX", "GTM"])
    assert found == {("/data/participants", "repeated_value")}


def test_technical_staff_is_part_of_the_staff():
    found = problems("training.workforce.declared", technical_headcount=841)
    assert found == {("/data/technical_headcount", "more_than_headcount")}


def test_a_part_is_not_more_than_the_whole():
    found = problems("victims.victim.registered", completeness={"core_filled": 23, "core_total": 22})
    assert found == {("/data/completeness/core_filled", "more_than_total")}
    found = problems("legal.law.enacted", penalty_min_months=60, penalty_max_months=12)
    assert found == {("/data/penalty_min_months", "more_than_maximum")}


def test_a_status_changes_to_another():
    found = problems("victims.victim.status_changed", to="PossibleVictimOfTrafficking")
    assert found == {("/data/to", "no_change")}


def test_a_dead_victims_two_parents_are_two_victims():
    assert not problems("victims.victim.deceased", indirect_victims=[{"relation": "parent"}] * 2)


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("intel.route.reported", {"first_seen": "2004-02-02"}, {"last_seen": "2004-02-01"}),
        ("intel.controlstat.reported", {"since": "2004-02-02"}, {"until": "2004-02-01"}),
        ("intel.specimen.deposited", {"valid_from": "2004-02-02"}, {"valid_to": "2004-02-01"}),
        ("victims.victim.identified", {"occurred_from": "2004-02-02"}, {"occurred_to": "2004-02-01"}),
        ("intel.operation.planned", {"started": "2004-02-01T10:00:00Z"}, {"ended": "2004-02-01T10:00:00+01:00"}),
    ],
)
def test_nothing_ends_before_it_begins(name, start, end):
    assert problems(name, **start, **end) == {(f"/data/{next(iter(end))}", "ends_before_start")}


def test_no_message_quotes_what_was_sent():
    agreed = registry()["crm.intel.operation.executed.v1"]
    data = msgspec.convert(dict(agreed.good) | {"participants": ["SLV", "SLV"]}, report_type(agreed))
    assert all("SLV" not in problem.message for problem in data.check())
