"""Eleven publishers, each a country's system of its own: repeats, rubbish, corrections, and things out of order."""

import asyncio
import contextlib
import itertools
import json
import random
from datetime import timedelta
from typing import Any, TypeVar

from nats.errors import Error as NatsError

from infra.nats.config import seed_file
from shared import contracts
from shared.client import ClientError, CountryClient, Invalid, connect
from shared.contracts.vocabulary import MEMBERS
from tests.faults.ledger import ANSWER, CORRECTION, GOOD, POISON, Ledger, Report
from tests.faults.stand import BEGIN, Stand

SYSTEM = "faults"
AMENDABLE = (
    "intel.trafficker.detected",
    "intel.document.flagged",
    "victims.victim.identified",
    "legal.person.detained",
    "training.official.enrolled",
)
PLAIN = (
    *AMENDABLE,
    "victims.service.provided",
    "legal.case.resolved",
    "training.officer.certified",
    "training.complaint.resolved",
    "intel.location.reported",
)
REPEATED, RUBBISH, AMENDED, REFERRED, CONFIRMED, EARLY = 0.05, 0.01, 0.05, 0.05, 0.03, 0.02
BATCHED = 0.1
ABANDONED = 0.1
"""Of what found no answer, so much is never sent again: its outcome stays unknown."""
REFUSED_FOR = {
    "bytes": {"not_utf8"},
    "unfinished": {"not_json"},
    "empty": {"missing_field"},
    "unknown_field": {"missing_field", "unknown_field"},
    "foreign": {"bad_format", "country_mismatch", "missing_field", "unknown_field"},
}
"""Rubbish by its form -> what is wrong with it."""
OFFICER = 100
"""Of so many things that a country says in a row, all certificates and complaints are about one officer."""
AGE_D_MAX = 400
"""So many days ago a report may have happened."""
LONG_AGO = (BEGIN - timedelta(days=AGE_D_MAX + 1)).isoformat()
"""Before any report's time."""


P = TypeVar("P", bound="Publisher")


class Publisher:
    """One country: draws what to say from the seed, keeps what found no answer, and says that again."""

    def __init__(self, country: str, seed: int, ledger: Ledger, stand: Stand, pause_s: float) -> None:
        self.country = country
        self.random = random.Random(f"{seed}-{country}")
        self.ledger = ledger
        self.stand = stand
        self.pause_s = pause_s
        self.others: list[Publisher] = []
        self.referred: list[Report] = []
        """Referrals to this country, to be answered."""
        self.unanswered: list[Report] = []
        self.received: set[tuple[str, str]] = set()
        self.stopping = self.done = False
        self._numbers = itertools.count(1)
        self._sent: list[Report] = []
        self._amended: set[str] = set()

    async def run(self) -> None:
        """Publish until told to stop, then until everything that is not given up has been acknowledged."""
        while not self.done:
            with contextlib.suppress(ClientError):
                async with self._connected() as client:
                    while not self.done:
                        await self._round(client)
            await asyncio.sleep(0.2)

    async def read(self) -> None:
        """Read the mailbox until cancelled, whatever happens to the link."""
        while True:
            with contextlib.suppress(ClientError, NatsError, OSError):
                async with self._connected() as client:
                    async for event in client.mailbox():
                        self.received.add((event.id, event.source))
            await asyncio.sleep(0.2)

    def _connected(self) -> Any:
        url = f"nats://127.0.0.1:{self.stand.proxies[self.country].port}"
        return connect(url, seed_file(self.stand.creds, self.country), self.country, SYSTEM)

    async def _round(self, client: CountryClient) -> None:
        if self.unanswered:
            again, self.unanswered = self.unanswered[:200], self.unanswered[200:]
            await self._send(client, again)
        elif self.stopping:
            self.done = True
        else:
            for reports in self._drawn():
                await self._send(client, reports)
            await asyncio.sleep(self.random.uniform(0, 2 * self.pause_s))

    def _drawn(self) -> list[list[Report]]:
        """Return what to say next: messages, each of one report or a batch."""
        for share, say in (
            (RUBBISH, lambda: [[self._rubbish()]]),
            (REPEATED, self._repeated),
            (AMENDED, self._amended_late),
            (EARLY, self._amended_early),
            (2 * REFERRED, lambda: [[self._answer(self.referred.pop(0))]] if self.referred else []),
            (REFERRED, lambda: [[self._referral()]]),
            (CONFIRMED, lambda: [[one] for one in self._confirmations()]),
        ):
            if self.random.random() < share and (said := say()):
                return said
        size = self.random.randint(2, 20) if self.random.random() < BATCHED else 1
        return [[self._plain(self.random.choice(PLAIN)) for _ in range(size)]]

    def _repeated(self) -> list[list[Report]]:
        """Say one of the last again, or as often any since the beginning."""
        among = self._sent[-5:] if self.random.random() < 0.5 else self._sent
        return [[self.random.choice(among)]] if among else []

    def _amended_late(self) -> list[list[Report]]:
        originals = [one for one in self._sent[-50:] if one.name in AMENDABLE and one.id not in self._amended]
        return [[self._amendment(self.random.choice(originals))]] if originals else []

    def _amended_early(self) -> list[list[Report]]:
        """Amend before the report itself is sent: it must wait."""
        original = self._plain(self.random.choice(AMENDABLE))
        return [[self._amendment(original)], [original]]

    async def _send(self, client: CountryClient, reports: list[Report]) -> None:
        self.ledger.attempt(reports)
        try:
            if reports[0].kind == POISON:
                sequence = await _raw(client, reports[0])
            elif len(reports) == 1:
                sequence = await client.publish(wire(client, reports[0]))
            else:
                sequence = await client.publish_all([wire(client, one) for one in reports])
        except Invalid as error:
            raise AssertionError(f"{self.country} means to send what may be sent, if not rubbish") from error
        except (ClientError, NatsError, OSError) as error:
            self.ledger.unknown(reports, error)
            # What is sent again may have been stored the first time: for poison that would be another poison.
            needed = any(one.about or one.id in self._amended for one in reports)
            kept = reports[0].kind != POISON and (needed or self.random.random() > ABANDONED)
            self.unanswered += reports if kept else []
            return
        self.ledger.acknowledge(reports, sequence)
        for one in reports:
            if one.kind == GOOD and len(one.acknowledged) == 1:
                self._sent.append(one)
                self._tell(one)

    def _tell(self, report: Report) -> None:
        """Let the country that a referral goes to know of it, as the post would; a half is never answered."""
        if report.name == "victims.referral.sent" and self.random.random() < 0.5:
            next(one for one in self.others if one.country == report.data["to"]).referred.append(report)

    def _report(self, name: str, kind: str, data: dict[str, Any], about: str = "") -> Report:
        number = f"{self.country}-{next(self._numbers)}"
        agreed = contracts.registry()[f"crm.{name}.v1"]
        if agreed.entity and agreed.entity not in ("referral_id", "sender"):
            data = data | {agreed.entity: number}
        return Report(number, self.country, kind, name, f"urn:crm:country:{self.country}:{SYSTEM}", data, about)

    def _plain(self, name: str, **changes: Any) -> Report:
        data = dict(contracts.registry()[f"crm.{name}.v1"].good) | changes
        if name == "intel.location.reported":
            data["target_country"] = self.random.choice(MEMBERS)
        if name in ("training.officer.certified", "training.complaint.resolved"):
            data["officer_pid"] = f"{self.country}-officer-{next(self._numbers) // OFFICER}"
        if name == "victims.service.provided":
            data["started"] = LONG_AGO
        if name == "training.officer.certified":
            data |= {"valid_from": "2003-03-01", "valid_until": "2004-02-28"}
        return self._report(name, GOOD, data)

    def _confirmations(self) -> list[Report]:
        """Return three confirmations of one fake at one post: together they raise a need, whatever their order."""
        place = f"{self.country}-post-{next(self._numbers)}"
        return [self._plain("intel.document.confirmed", bcp=place) for _ in range(3)]

    def _amendment(self, original: Report) -> Report:
        self._amended.add(original.id)
        service, entity, _ = original.name.split(".")
        data = {"supersedes": original.id, "reported_by": original.data["reported_by"]}
        if self.random.random() < 0.7:
            new = original.data | ({"sex": "unknown"} if "sex" in original.data else {})
            return self._report(f"{service}.{entity}.corrected", CORRECTION, data | {"data": new}, original.id)
        return self._report(f"{service}.{entity}.retracted", CORRECTION, data | {"reason": "mistaken"}, original.id)

    def _referral(self) -> Report:
        to = self.random.choice([member for member in MEMBERS if member != self.country])
        number = f"ref-{self.country}-{next(self._numbers)}"
        data = dict(contracts.registry()["crm.victims.referral.sent.v1"].good)
        changes = {"referral_id": number, "from": self.country, "to": to, "dataref": f"urn:crm:vault:{self.country}:x"}
        return self._report("victims.referral.sent", GOOD, data | changes)

    def _answer(self, referral: Report) -> Report:
        data = dict(contracts.registry()["crm.victims.referral.accepted.v1"].good)
        answer = data | {"referral_id": referral.data["referral_id"]}
        return self._report("victims.referral.accepted", ANSWER, answer, referral.id)

    def _rubbish(self) -> Report:
        name = self.random.choice(PLAIN)
        one = self._report(name, POISON, {})
        one.id = f"poison-{one.id}"
        one.data = {"form": self.random.choice(list(REFUSED_FOR))}
        return one


def wire(client: CountryClient, report: Report) -> dict[str, Any]:
    chance = random.Random(report.id)
    time = BEGIN - timedelta(seconds=chance.uniform(0, AGE_D_MAX * 86_400))
    if report.name.startswith("victims.referral.") or report.name in (
        "intel.document.confirmed",
        "training.officer.certified",
    ):
        time = BEGIN  # three within thirty days; and what has to do with deadlines is about today
    return client.report(report.name, report.data, id=report.id, time=time)


async def _raw(client: CountryClient, report: Report) -> int:
    """Publish rubbish past the client's own checks; its bytes hold the report's mark."""
    good = json.dumps(client.report(report.name, {"note": report.id}, id=report.id))
    forms = {
        "bytes": b"\xff\xfe\x00 " + report.id.encode(),
        "unfinished": good.encode()[:-4],
        "empty": b'{"id":"' + report.id.encode() + b'"}',
        "unknown_field": good.encode(),
        "foreign": good.replace(f":{report.country}:", ":XXX:").encode(),
    }
    answer = await client.client.request(f"report.{report.name}", forms[report.data["form"]], timeout=5)
    return int(json.loads(answer.data)["seq"])


def publishers(seed: int, ledger: Ledger, stand: Stand, pause_s: float, kind: type[P] = Publisher) -> list[P]:
    made = [kind(country, seed, ledger, stand, pause_s) for country in MEMBERS]
    for one in made:
        one.others = made
    return made
