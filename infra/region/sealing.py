"""What the countries of the region that seal say of persons: sealed for the receiver, by the client as anybody would.

Their reports of referrals and consents are of version 2. Whoever among the eleven gets one reads it with its own key.
"""

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import structlog

from infra.region.countries import facts
from infra.region.ledger import Ledger
from infra.region.scene import Step
from infra.region.sending import AWAY, RETRY_S
from shared.client import ClientError, CountryClient, TooMany
from shared.client.book import Book
from shared.client.persons import Persons, Seals
from shared.contracts import Event
from shared.contracts.victims.sealing import SEALED
from shared.contracts.vocabulary import Country

log = structlog.get_logger()

BOOKS = "region-books"
LOOK_S = 0.2
AT_ONCE = 20
"""So many keys are asked to be kept at once, and so many reports sent together."""


class Keys(Book):
    """The keys of what a country sealed. The identifiers of invented people are random already: they stay."""

    def __init__(self, file: Path, country: str) -> None:
        """Open the file; what a power cut takes of it concerns nobody."""
        super().__init__(file, country)
        self._database.execute("pragma synchronous = off")

    def hidden(self, name: str, data: Mapping[str, Any], person: str) -> dict[str, Any]:
        """Return the data as they are."""
        del name, person
        return dict(data)

    def shown(self, event: Event[Any]) -> Event[Any]:
        """Return the event as it is."""
        return event


def persons(client: CountryClient, creds: Path, state: Path) -> Persons | None:
    """Return what a country seals and opens with; None: its keys are not here, and it says all in the clear."""
    try:
        seals = Seals.of(creds, client.country)
    except OSError:
        return None
    folder = state.with_name(BOOKS)
    folder.mkdir(mode=0o700, exist_ok=True)
    return Persons(client, Keys(folder / f"{client.country}.sqlite", client.country), seals)


def sealed(step: Step) -> bool:
    """Say whether a step is told sealed: by a country that seals, of a type that has that."""
    return facts()[step.country].seals and step.name in SEALED and not (step.careless or step.envelope)


async def tell(ledger: Ledger, client: CountryClient, book: Persons) -> None:
    """Tell what a country is to tell sealed, for as long as the process runs.

    A key is kept before the report is sent, so this waits for victims, and holds up nothing else. What was under way
    when the process was killed is told again under another key, and refused as a conflict: the first one stays.
    """
    while True:
        steps = [step for step in ledger.sealing if step.country == client.country][:AT_ONCE]
        if not steps:
            await asyncio.sleep(LOOK_S)
            continue
        try:
            await client.publish_all(await asyncio.gather(*[_report(book, step) for step in steps]))
        except (*AWAY, TooMany) as error:
            log.warning("nothing can be sealed now; waiting", error=type(error).__name__)
            await asyncio.sleep(RETRY_S)
        else:
            ledger.sealing = [step for step in ledger.sealing if step not in steps]


async def _report(book: Persons, step: Step) -> dict[str, Any]:
    person = step.data.get("consent_id") or step.data["referral_id"]
    return await book.report(step.name, step.data, person, id=step.id, time=step.due, subject=step.subject)


def in_clear(ledger: Ledger, books: Collection[Country]) -> None:
    """Have told in the clear what was to be sealed by countries whose keys are not here any more."""
    for step in [one for one in ledger.sealing if one.country not in books]:
        ledger.sealing.remove(step)
        ledger.add(step)


async def opened(event: Event[Any], book: Persons | None) -> Event[Any]:
    """Return an event with what was sealed in it, where its country may open that and victims answers."""
    try:
        return await book.shown(event) if book else event
    except ClientError:
        return event
