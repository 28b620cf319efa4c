"""Is this telephone number known, and to whom may I speak: answered as far as the books were opened."""

import pytest

from services.intel.questions import on_phone
from shared.ask.questions import Asked
from shared.contracts.questions import Error, PhoneAnswer, PhoneAsk, Point

KNOWN, UNKNOWN = "a" * 64, "f" * 64


async def asked(desk, *questions):
    async with desk.log.pool.acquire() as connection:
        return await on_phone(
            [Asked(country, PhoneAsk(hash=number), desk.clock.at) for country, number in questions], connection
        )


async def opened(desk, country, recipients, **marked):
    marks = {"handling": ...} | marked
    report = desk.event(
        "intel.phonebook.disseminated",
        by=country,
        seizure_id=f"sz-{country}",
        hashes=[KNOWN],
        recipients=recipients,
        **marks,
    )
    await desk.tell(report)
    return report


async def test_each_country_is_answered_what_it_may_know(desk):
    await opened(desk, "GTM", ["MEX"])
    await desk.tell(desk.event("intel.contactpoint.designated"))
    await opened(desk, "HND", ["MEX", "USA"])
    named, owner, member, nobody = await asked(desk, ("MEX", KNOWN), ("GTM", KNOWN), ("PAN", KNOWN), ("MEX", UNKNOWN))
    assert isinstance(named, PhoneAnswer)
    assert [point.country for point in named.speak_to] == ["GTM", "HND"]
    assert named.speak_to[0].officer_ref == "urn:crm:vault:GTM:officer-3"
    assert named.speak_to[1] == Point(country="HND"), "no contact point: the country at least"
    assert owner == PhoneAnswer(known=True)
    assert isinstance(member, Error)
    assert member.code == "not_permitted"
    assert nobody == PhoneAnswer(known=False)


@pytest.mark.parametrize(
    ("marked", "country", "code"),
    [
        ({"tlp": "green"}, "PAN", None),
        ({"tlp": "green", "handling": "H2"}, "PAN", "not_permitted"),
        ({"tlp": "green", "handling": "H2"}, "MEX", None),
        ({"handling": "H3"}, "MEX", "not_permitted"),
        ({"handling": "H3"}, "GTM", None),
        ({"tlp": "red"}, "MEX", None),
        ({"srceval": "X", "infoeval": "4", "tlp": "clear"}, "PAN", "not_permitted"),
    ],
)
async def test_a_marking_opens_or_closes_a_book(desk, marked, country, code):
    report = await opened(desk, "GTM", ["MEX"], **marked)
    (answer,) = await asked(desk, (country, KNOWN))
    assert getattr(answer, "code", None) == code
    await desk.tell(desk.retracted(report))
    assert await asked(desk, (country, KNOWN)) == [PhoneAnswer(known=False)]
