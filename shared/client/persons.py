"""What a country says of persons: with stand-ins for identifiers, and sealed for those whom it concerns.

persons = Persons(gtm, Book(Path("book.sqlite"), "GTM"), Seals.of(Path("keys"), "GTM"))
await gtm.publish(await persons.report("victims.referral.sent", {"needs": ["shelter"], ...}, person="vi-5a0"))
async for event in persons.mailbox():
    print(event.data.needs)
await persons.forget("vi-5a0")

Needs pyrage (the client's extra `persons`).
"""

import base64
import json
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyrage
from pyrage import x25519

from shared import contracts
from shared.client import CountryClient, NotPermitted
from shared.client.book import Book
from shared.client.errors import Invalid
from shared.contracts import Data, Event, Refused
from shared.contracts.keeping import FORGOTTEN_MAX
from shared.contracts.report import accepted
from shared.contracts.sealed import KEY, KEY_BYTES
from shared.contracts.victims.sealing import PLAIN, SEALED
from shared.flow.unreadable import Tell, noted

HEADS_END = b"\n---"
"""With which the last line of an age file's header begins (C2SP age)."""
FILLED_TO = 512
"""So that the length of what is sealed tells next to nothing of it."""


@dataclass(frozen=True, slots=True)
class Seals:
    """What a country seals with, and opens."""

    recipients: Mapping[str, x25519.Recipient]
    """Public keys (age) by country, the own too."""
    identities: Sequence[x25519.Identity]
    """Own secret keys: the newest, and those of before."""

    @classmethod
    def of(cls, folder: Path, country: str) -> "Seals":
        """Read `recipients.json` and `<country>.age`; raises OSError or ValueError."""
        public = json.loads((folder / "recipients.json").read_text())
        lines = (folder / f"{country}.age").read_text().splitlines()
        return cls(
            {name: x25519.Recipient.from_str(key) for name, key in public.items()},
            [x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")],
        )

    def closed(self, content: Mapping[str, Any], readers: Sequence[str]) -> tuple[str, str]:
        """Return (header, box) of what these countries can open, with both."""
        said = msgspec.json.encode(content)
        whole = pyrage.encrypt(
            said.ljust(-(-len(said) // FILLED_TO) * FILLED_TO), [self.recipients[one] for one in readers]
        )
        end = whole.index(b"\n", whole.index(HEADS_END) + 1) + 1
        return whole[:end].decode(), base64.urlsafe_b64encode(whole[end:]).rstrip(b"=").decode()

    def opened(self, head: str, box: str) -> dict[str, Any] | None:
        """Return what was sealed; None: none of the own keys opens it, or it is nothing that can be read."""
        try:
            body = base64.urlsafe_b64decode(box + "=" * (-len(box) % 4))
            whole = pyrage.decrypt(head.encode() + body, self.identities)
            return msgspec.json.decode(whole, type=dict[str, Any])
        except (pyrage.DecryptError, ValueError):
            return None


async def opened(client: CountryClient, seals: Seals, event: Event[Any]) -> Event[Any] | None:
    """Return an event as version 1 would have it, without a book; None: its keys are none for it, or were forgotten.

    What is not sealed is returned as it is. Raises as `ask` does.
    """
    if type(event.data) not in PLAIN:
        return event
    try:
        head = (await client.ask("victims", "key", {"key": event.data.sealed.key})).head
    except NotPermitted:
        return None
    return _plain(event, seals.opened(head, event.data.sealed.box))


def _plain(event: Event[Any], said: Mapping[str, Any] | None) -> Event[Any] | None:
    """Return the event with what was sealed in it; None: that could not be opened, or is something else."""
    if said is None:
        return None
    clear = {one.encode_name for one in msgspec.structs.fields(event.data)}
    sealed = {wire: value for wire, value in said.items() if wire not in clear}
    try:
        data = msgspec.convert({**sealed, **msgspec.to_builtins(event.data)}, PLAIN[type(event.data)])
    except msgspec.ValidationError:
        return None
    return msgspec.structs.replace(event, data=data)


class Persons:
    """A country's words about persons, by a book and its seals."""

    def __init__(self, client: CountryClient, book: Book, seals: Seals) -> None:
        self._client, self._book, self._seals = client, book, seals

    async def report(self, name: str, data: Mapping[str, Any], person: str, **attributes: Any) -> dict[str, Any]:
        """Return a report about a person, from the data of version 1: sealed in version 2, where the type has that.

        `person` is whatever the country calls it; `attributes` as of `CountryClient.report`. The region keeps the key
        from now on. Raises Invalid, as `publish` does, and as `ask` does.
        """
        report = self._client.report(name, self._book.hidden(name, data, person), **attributes)
        kind = SEALED.get(name)
        if kind is None:
            return report
        said, plain = report["data"], self._plain(name, report)
        fields = {one.encode_name: one.name for one in msgspec.structs.fields(kind)}
        clear = {wire: said.get(wire, getattr(plain, attribute, None)) for wire, attribute in fields.items()}
        key = await self._sealed({wire: value for wire, value in said.items() if wire not in fields}, said, person)
        shown = {wire: value for wire, value in clear.items() if value is not None}
        agreed = contracts.of(kind, name.partition(".")[0])
        return {**report, "type": agreed.type, "data": {**shown, "sealed": key}}

    async def mailbox(self, idle_s: float | None = None, *, unreadable: Tell = noted) -> AsyncIterator[Event[Any]]:
        """Yield what concerns the country, opened and with its own identifiers; as `CountryClient.mailbox` else."""
        async for event in self._client.mailbox(idle_s, unreadable=unreadable):
            yield await self.shown(event)

    async def shown(self, event: Event[Any]) -> Event[Any]:
        """Return an event as version 1 would have it, with the country's own identifiers.

        What is not for this country, or was forgotten, stays sealed. Raises as `ask` does.
        """
        if type(event.data) in PLAIN:
            event = _plain(event, await self._opened(event.data.sealed.key, event.data.sealed.box)) or event
        return self._book.shown(event)

    async def forget(self, person: str) -> int:
        """Forget a person, in the region and in the book; return how many identifiers and keys these were.

        It cannot be undone. Have those who hold data of the person erase them first. Raises as `ask` does.
        """
        keys = self._book.keys(person)
        for start in range(0, len(keys), FORGOTTEN_MAX):
            await self._client.ask("victims", "forget", {"keys": keys[start : start + FORGOTTEN_MAX]})
        return len(keys) + self._book.forget(person)

    async def keep_again(self) -> int:
        """Have the region keep all keys of the book, should it have lost them; return how many.

        Those of a consent that was withdrawn meanwhile come back too: forget these persons first. Raises as `ask` does.
        """
        keys = self._book.keys()
        for key in keys:
            await self._client.ask("victims", "keep", json.loads(self._book.kept(key) or "{}"))
        return len(keys)

    def _plain(self, name: str, report: Mapping[str, Any]) -> Data:
        """Return the data, if version 1 takes them: what is sealed, nobody else can check."""
        try:
            payload = msgspec.json.encode(report)
            event = accepted(f"crm.in.{self._client.country}.{name}", None, payload, self._client.now())
        except Refused as verdict:
            raise Invalid(verdict.problems) from None
        return event.data  # type: ignore[no-any-return]  # of any type

    async def _sealed(self, content: Mapping[str, Any], said: Mapping[str, Any], person: str) -> dict[str, str]:
        """Seal for the country itself and for the one that the report names, and have the key kept."""
        readers = [one for one in dict.fromkeys((said.get("to"), self._client.country)) if one]
        head, box = self._seals.closed(content, readers)
        key = KEY.format(secrets.token_hex(KEY_BYTES))
        kept = {"key": key, "head": head, "readers": readers, "consent_id": said.get("consent_id")}
        self._book.note(key, person, json.dumps(kept))
        await self._client.ask("victims", "keep", kept)
        return {"key": key, "box": box}

    async def _opened(self, key: str, box: str) -> dict[str, Any] | None:
        own = self._book.kept(key)
        try:
            head = json.loads(own)["head"] if own else (await self._client.ask("victims", "key", {"key": key})).head
        except NotPermitted:
            return None
        return self._seals.opened(head, box)
