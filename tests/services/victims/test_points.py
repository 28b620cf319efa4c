"""Contact points as they stand: also when what was reported of them is corrected or withdrawn."""

import pytest

from services.victims.__main__ import SERVICE
from tests.harness.desk import desk

ST = "MEX"
"""Who holds the secretariat's seat (shared/seats.toml)."""


@pytest.fixture
async def victims(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        yield one


def point(victims, verb, days=-1, **changes):
    changes = {"country": "SLV", "body": "immigration"} | changes
    return victims.event(f"intel.contactpoint.{verb}", days, "SLV", **changes)


def sent(victims, number):
    return victims.event("victims.referral.sent", referral_id=f"ref-{number}", to="SLV")


async def test_a_vacancy_reported_by_mistake_is_none(victims):
    vacated = point(victims, "vacated")
    await victims.tell(point(victims, "designated", -2), vacated, sent(victims, 1))
    assert await victims.told(ST) == ["contact_point_vacant ref-1"]
    await victims.tell(victims.retracted(vacated), sent(victims, 2))
    assert await victims.told(ST) == ["contact_point_vacant ref-1"]


async def test_a_designation_withdrawn_leaves_the_post_to_the_secretariat(victims):
    designated = point(victims, "designated")
    await victims.tell(point(victims, "vacated", -2), designated, sent(victims, 1))
    assert await victims.told(ST) == []
    await victims.tell(victims.corrected(designated, officer_ref="urn:crm:vault:SLV:of-9"))
    assert await victims.told(ST) == []
    await victims.tell(victims.retracted(designated))
    assert await victims.told(ST) == ["contact_point_vacant ref-1"]


async def test_news_that_comes_late_changes_nothing(victims):
    await victims.tell(point(victims, "designated", -1), sent(victims, 1), point(victims, "vacated", -2))
    assert await victims.told(ST) == []
    await victims.tell(point(victims, "replaced", -3))
    assert len(await victims.recorded("victims.referral.offered")) == 1
