"""Every entity that a country reports can be corrected, retracted and merged, and then counts once."""

import msgspec
import pytest

from services.intel.__main__ import SERVICE as INTEL
from services.legal.__main__ import SERVICE as LEGAL
from services.training.__main__ import SERVICE as TRAINING
from services.victims.__main__ import SERVICE as VICTIMS
from shared.contracts import GENERIC, Merged, Refused, registry, reported_type
from shared.contracts.report import accepted
from shared.contracts.vocabulary import MEMBERS
from tests.harness import desk as harness
from tests.harness.speaking import NOW
from tests.services.indicators.making import event, folded, row, values

SERVICES = {one.name: one for one in (INTEL, LEGAL, TRAINING, VICTIMS)}
ENTITIES = {(one.service, one.entity_name) for one in registry().values() if one.reported and not one.generic}
RESTS_ON_OTHERS = {("victims", "referral"), ("intel", "commitment"), ("legal", "change")}
"""Whose first report names something that must be on record."""
STANDS = {
    "crm.victims.consent.recorded.v1": "not_amendable",  # what a victim agreed to is not corrected, it is withdrawn
    "crm.victims.referral.sent.v1": "not_amendable",  # it is revoked
    "crm.training.officer.certified.v1": "duplicate_entity",  # of two certificates with one id, one is to be retracted
}
"""Why two identifiers cannot be one while both are reported under."""


@pytest.mark.parametrize("entity", sorted(ENTITIES))
def test_every_reported_entity_has_all_three(entity):
    for verb, data in GENERIC.items():
        found = [one for one in registry().values() if one.name == ".".join((*entity, verb)) and one.reported]
        assert [(one.data, one.generic) for one in found] == [(data, True)]


@pytest.mark.parametrize("service", SERVICES)
async def test_of_every_entity_both_identifiers_are_one_after_a_merge(postgres_server, service):
    async with harness.desk(postgres_server, SERVICES[service]) as desk:
        passed = {name for own, name in sorted(ENTITIES) if own == service and await amended(desk, name)}
        missing = {(own, name) for own, name in ENTITIES if own == service and name not in passed}
    assert missing <= RESTS_ON_OTHERS


async def amended(desk, entity):
    """Correct, merge and retract reports about an entity; return whether some type of it could be told by itself."""
    reported = [one for one in registry().values() if (one.service, one.entity_name) == (desk.log.service, entity)]
    for agreed in [one for one in reported if one.reported and not one.generic]:
        told = await two(desk, agreed)
        if told:
            await through(desk, agreed, *told)
            return True
    return False


async def two(desk, agreed):
    """Tell of two things of this kind in one country, if its example can be told by itself."""
    owner = {"sender": "from"}.get(agreed.owner, agreed.owner)
    for country in [dict(agreed.good)[owner]] if owner else ["GTM", *MEMBERS]:
        reports = [one_of(desk, agreed, country, number) for number in range(2)]
        if await desk.record(*reports) == [None, None]:
            return reports
    return None


def one_of(desk, agreed, country, number):
    thing = f"{agreed.entity_name}-{agreed.verb}-{country}-{number}"
    named = {agreed.entity: thing} if agreed.entity else {}
    return msgspec.structs.replace(desk.event(agreed.name, number, by=country, **named), subject=thing)


async def through(desk, agreed, first, second):
    if agreed.type not in STANDS or "duplicate" in STANDS[agreed.type]:
        assert await desk.record(desk.corrected(first)) == [None], agreed.type
    wire = next(
        one
        for one in registry().values()
        if one.name == f"{agreed.service}.{agreed.entity_name}.merged" and one.generic
    )
    said = {"into": second.subject, "reported_by": first.data.reported_by}
    merge = msgspec.structs.replace(
        first, id=f"merge-{first.id}", type=wire.type, data=msgspec.convert(said, wire.data), subject=first.subject
    )
    (outcome,) = await desk.record(merge)
    if agreed.type in STANDS:
        assert [one.code for one in outcome.problems] == [STANDS[agreed.type]]
        return
    assert outcome is None, agreed.type
    by_service = [
        one for one in await desk.recorded() if one.causationid == merge.id and one.verb in {"corrected", "retracted"}
    ]
    if agreed.entity and agreed.tallies:
        assert {one.subject for one in by_service} == {second.subject}, agreed.type
    assert await desk.record(desk.retracted(second)) == [None], agreed.type


def test_a_countrys_merge_of_traffickers_is_not_counted_as_the_services_own_notice():
    detected = [event("intel.trafficker.detected", trafficker_pid=f"tr-{n}") for n in range(2)]
    notice = event("intel.trafficker.merged")
    merge = msgspec.json.decode(event("intel.trafficker.corrected"))
    merge |= {"type": "crm.intel.trafficker.merged.v2", "data": {"into": "tr-1", "reported_by": "police"}}
    before, after = folded(*detected, notice), folded(*detected, notice, msgspec.json.encode(merge))
    assert values(row(after, "IE-1.2d")) == values(row(before, "IE-1.2d"))


def test_a_merge_of_traffickers_is_reported_under_the_name_that_every_merge_has():
    sent = {
        "specversion": "1.0",
        "id": "m-1",
        "source": "urn:crm:country:GTM:sicam",
        "type": reported_type("intel.trafficker.merged"),
        "time": NOW.isoformat(),
        "subject": "tr-1",
        "data": {"into": "tr-2", "reported_by": "police"},
    }
    subject = "crm.in.GTM.intel.trafficker.merged"
    assert isinstance(accepted(subject, None, msgspec.json.encode(sent), NOW).data, Merged)
    with pytest.raises(Refused) as refused:
        accepted(subject, None, msgspec.json.encode(sent | {"type": "crm.intel.trafficker.merged.v1"}), NOW)
    assert refused.value.problems[0].suggestion == "crm.intel.trafficker.merged.v2"
