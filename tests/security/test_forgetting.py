"""Of a person whom a country has forgotten nothing is anywhere: the region never had it, and the country no longer has.

Choreography 12 as a country plays it that keeps a book: a victim identified, a consent, a referral that another country
accepts, the consent withdrawn, the data erased by who held them, and the person forgotten.
"""

import pytest

from shared.client.book import Book
from tests.fuzz.live import Live
from tests.harness.canaries import Aviary
from tests.harness.searching import collected, searched, settled
from tests.harness.speaking import NOW, Mailbox, example

collector = pytest.fixture(collected)


@pytest.fixture
async def live(system, collector):
    running = Live(system, reads=False)
    await running.start()
    yield running
    await running.stop()


async def test_a_forgotten_person_is_nowhere(live, collector, tmp_path):
    aviary = Aviary()
    own = {
        name: f"{aviary.fresh(name, 'wrong')} 1984/17"
        for name in ("victim_pid", "consent_id", "referral_id", "case_id", "vault")
    }
    person, vault = own["victim_pid"], f"urn:crm:vault:GTM:{own['vault']}"
    book = Book(tmp_path / "book.sqlite", "GTM")
    gtm, mex = await live.system.country("GTM"), await live.system.country("MEX")

    async def tell(name, **said):
        data = {key: value for key, value in example(name, **said).items() if value is not ...}
        await gtm.publish(gtm.report(name, book.hidden(name, data, person), time=NOW))

    await tell("victims.victim.identified", victim_pid=person, place_ref=...)
    await tell("victims.consent.recorded", victim_pid=person, consent_id=own["consent_id"], valid_until=...)
    named = {"referral_id": own["referral_id"], "case_id": own["case_id"], "consent_id": own["consent_id"]}
    await tell("victims.referral.sent", **named, to="MEX", **{"from": "GTM"}, dataref=vault, override=...)
    offered = await Mailbox(mex).one("victims.referral.offered")
    answer = {"referral_id": offered.data.referral_id, "reported_by": "prosecution"}
    await mex.publish(mex.report("victims.referral.accepted", answer, time=NOW))
    told = book.shown(await Mailbox(gtm).one("victims.alert.issued", kind="referral_accepted"))
    assert told.data.entity == own["referral_id"], "the country reads its own identifiers"

    await tell("victims.consent.withdrawn", victim_pid=person, consent_id=own["consent_id"])
    asked = await Mailbox(mex).one("victims.alert.issued", kind="erase_data")
    erased = {"consent_id": f"GTM:{asked.data.entity}", "victim_pid": "vi-1", "reported_by": "prosecution"}
    await mex.publish(mex.report("victims.consent.erased", erased, time=NOW))
    told = book.shown(await Mailbox(gtm).one("victims.alert.issued", kind="data_erased"))
    assert own["consent_id"] in str(told.data)
    assert book.forget(person) == len(own)
    book.close()

    await settled(live)
    seen = await searched(live, collector, tmp_path / "book.sqlite")
    assert {telling: places for telling, places in seen.items() if telling in aviary.known} == {}
