"""Of a person whom a country has forgotten nothing can be read anywhere, by nobody.

Choreography 12 as a country plays it that keeps a book and seals: a victim identified, a consent, a referral that
another country accepts, the consent withdrawn, one more referral that is refused, the data erased by who held them, and
the person forgotten. Identifiers were never anywhere but in the country's book. What is sensitive was sealed; the keys
to it are gone, so nobody opens it, whatever secret keys of countries they have.
"""

import json

import pytest

from infra.keyfiles import kept_file
from shared.client import NotPermitted
from shared.client.book import Book
from shared.client.persons import Persons, Seals
from shared.contracts.victims import ConsentRecorded, ReferralOffered, ReferralOfferedSealed
from tests.fuzz.live import Live
from tests.harness.canaries import Aviary
from tests.harness.needles import of_head
from tests.harness.searching import collected, searched, settled
from tests.harness.speaking import NOW, Mailbox, example
from tests.harness.system import until

collector = pytest.fixture(collected)
NEEDS = ["Legal", "shelter", "hospital", "SocialCare"]
PREVIEW = {"sex": "female", "age_band": "adult", "offence": "som"}


class Country:
    """A country's client, which keeps a book and seals."""

    def __init__(self, live, client, folder):
        self.client = client
        self.book = Book(folder / f"{client.country}.sqlite", client.country)
        self.persons = Persons(client, self.book, Seals.of(live.system.region.keys.folder, client.country))
        self.country, self.mailbox = client.country, self.persons.mailbox
        self.hears = Mailbox(self)

    async def tell(self, name, person, **said):
        data = {key: value for key, value in example(name, **said).items() if value is not ...}
        report = await self.persons.report(name, data, person, time=NOW)
        await self.client.publish(report)
        return report


class Play:
    """The story of one person, and what must be nowhere behind it."""

    def __init__(self, live, folder):
        self.live, self.folder, self.aviary = live, folder, Aviary()
        fields = ("victim_pid", "consent_id", "referral_id", "case_id", "vault")
        self.own = {name: f"{self.aviary.fresh(name, 'wrong')} 1984/17" for name in fields}
        self.purpose = self.aviary.fresh("purpose", "sealed", "S")
        self.person = self.own["victim_pid"]
        self.heads = []

    async def begin(self):
        """Until another country has accepted the referral."""
        self.gtm = Country(self.live, await self.live.system.country("GTM"), self.folder)
        self.mex = Country(self.live, await self.live.system.country("MEX"), self.folder)
        await self.gtm.tell("victims.victim.identified", self.person, victim_pid=self.person, place_ref=...)
        consent = {"victim_pid": self.person, "consent_id": self.own["consent_id"], "valid_until": ...}
        await self.gtm.tell("victims.consent.recorded", self.person, **consent, purpose=self.purpose, guardian=True)
        await self.refer(self.own["referral_id"])
        self.offered = await self.mex.hears.one("victims.referral.offered")
        answer = {"referral_id": self.offered.data.referral_id, "reported_by": "prosecution"}
        await self.mex.client.publish(self.mex.client.report("victims.referral.accepted", answer, time=NOW))
        self.accepted = await self.gtm.hears.one("victims.alert.issued", kind="referral_accepted")

    async def refer(self, referral_id):
        rests = {"referral_id": referral_id, "case_id": self.own["case_id"], "consent_id": self.own["consent_id"]}
        said = {"to": "MEX", "from": "GTM", "needs": NEEDS, "preview": PREVIEW, "override": ..., "urgency": "danger"}
        vault = f"urn:crm:vault:GTM:{self.own['vault']}"
        return await self.gtm.tell("victims.referral.sent", self.person, **rests, **said, dataref=vault)

    async def end(self):
        """The consent is withdrawn, one more referral refused, the data erased, the person forgotten."""
        consent = {"victim_pid": self.person, "consent_id": self.own["consent_id"]}
        await self.gtm.tell("victims.consent.withdrawn", self.person, **consent)
        alert = await self.mex.hears.one("victims.alert.issued", kind="erase_data")
        late = f"{self.aviary.fresh('late', 'wrong')} 1984/18"
        self.own["late"] = late
        refused = await self.refer(late)
        await self.gtm.hears.one("victims.report.rejected", report_id=refused["id"])
        erased = {"consent_id": f"GTM:{alert.data.entity}", "victim_pid": "vi-1", "reported_by": "prosecution"}
        await self.mex.client.publish(self.mex.client.report("victims.consent.erased", erased, time=NOW))
        await self.gtm.hears.one("victims.alert.issued", kind="data_erased")

    def note(self):
        """Note the keys that the country has: what gives them to anybody must be nowhere in the end."""
        kept = [json.loads(self.gtm.book.kept(key)) for key in self.gtm.book.keys(self.person)]
        self.heads = [part for one in kept for part in of_head(one["head"])]
        return [one["key"] for one in kept]

    async def forget(self):
        self.forgotten = await self.gtm.persons.forget(self.person)

    async def found(self, collector):
        """Where there is still something of the person."""
        await settled(self.live)
        file = self.folder / "GTM.sqlite"
        seen = await searched(self.live, collector, file, needles=[*self.heads, *self.words()])
        return {
            told: places for told, places in seen.items() if told in {*self.aviary.known, *self.heads, *self.words()}
        }

    def words(self):
        """The words of closed vocabularies about the person, as they would stand together."""
        return [json.dumps(NEEDS, separators=(",", ":")), json.dumps(PREVIEW, separators=(",", ":"))]


@pytest.fixture
async def live(system, collector):
    running = Live(system, reads=False)
    await running.start()
    yield running
    await running.stop()


async def gone(client, key):
    """Whether a key is not given any more."""
    try:
        await client.ask("victims", "key", {"key": key})
    except NotPermitted:
        return True
    return False


async def test_a_forgotten_person_is_nowhere(live, collector, tmp_path):
    play = Play(live, tmp_path)
    await play.begin()
    assert type(play.offered.data) is ReferralOffered, "the receiver opens it"
    assert [*play.offered.data.needs] == NEEDS
    assert play.offered.data.preview.age_band == "adult"
    assert play.accepted.data.entity == play.own["referral_id"], "the country reads its own identifiers"
    own = await play.gtm.hears.one("victims.consent.recorded")
    assert type(own.data) is ConsentRecorded
    assert own.data.purpose == play.purpose, "and what it sealed"
    keys = play.note()
    assert len(keys) == 2
    assert not any([await gone(play.gtm.client, key) for key in keys])
    seen = await play.found(collector)
    where = {place for told in play.heads for place, _ in seen[told]}
    assert where == {"keys", "file"}, "keys stand apart from the data, and in their country's book"
    folder = live.system.region.keys.folder
    assert folder not in kept_file(folder).parents, "and in no backup of the services' own keys"
    assert not {*seen} & {*play.words(), play.purpose}, "nobody reads it meanwhile"

    await play.end()
    for key in keys:
        await until(lambda key=key: gone(play.gtm.client, key), "keys to be forgotten with the consent")
    late = [key for key in play.note() if key not in keys]
    await play.forget()
    assert await gone(play.gtm.client, *late), "what was refused was sealed, too"
    assert play.forgotten == len(play.own) + len(keys) + len(late)
    assert await play.found(collector) == {}
    history = [event async for event in play.mex.client.history() if event.name == "victims.referral.offered"]
    assert [type((await play.mex.persons.shown(event)).data) for event in history] == [ReferralOfferedSealed]


@pytest.mark.parametrize(
    ("module", "places"),
    [("tests.harness.telling", {("logs", "victims.log")}), ("tests.harness.unforgetting", {("keys", "keys.sqlite")})],
)
async def test_what_is_not_forgotten_is_found(system, collector, tmp_path, module, places):
    """The control: a service that writes a key into its log, in base64, and one that deletes none."""
    system.modules["victims"] = module
    live = Live(system, reads=False)
    await live.start()
    try:
        play = Play(live, tmp_path)
        await play.begin()
        await play.end()
        play.note()
        await play.forget()
        seen = await play.found(collector)
    finally:
        await live.stop()
    assert {place for found in seen.values() for place in found} == places
    assert {*seen} == {*play.heads}
