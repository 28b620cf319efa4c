"""A country's book of whom its identifiers mean: the region sees random ones, and the country alone reads them back.

book = Book(Path("book.sqlite"), "GTM")
data = book.hidden("victims.referral.sent", {"referral_id": "2004-17", ...}, person="vi-5a0")
await gtm.publish(gtm.report("victims.referral.sent", data))
async for event in gtm.mailbox():
    print(book.shown(event).data.referral_id)
book.forget("vi-5a0")

An identifier has one random stand-in for ever, so that equal ones stay equal in the region, and there is no key with
which to try others. Where a person is forgotten nobody, the country included, can tell whom the stand-ins meant that
stand in logs, streams, mailboxes and backups; what is done later about the same person has others.
"""

import secrets
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from shared import contracts
from shared.contracts import Corrected, Event, identity
from shared.contracts.privacy import LEADING

FORM = "p-{}"
STAND_IN_BYTES = 16
TABLES = """
create table if not exists pseudonym (own text primary key, stand_in text not null unique);
create table if not exists concerns (own text not null references pseudonym, person text not null,
    primary key (own, person));
create index if not exists of_person on concerns (person);
create table if not exists sealed (key text primary key, person text not null, kept text not null);
create index if not exists sealed_of_person on sealed (person);
"""


class Book:
    """The identifiers of one country and their stand-ins, in a file (SQLite): keep it as you keep what they mean.

    One process writes at a time; the others wait. Raises sqlite3.Error where the file cannot be used.
    """

    def __init__(self, file: Path, country: str) -> None:
        self.country = country
        self._vault = f"urn:crm:vault:{country}:"
        file.touch(0o600)
        self._database = sqlite3.connect(file)
        self._database.executescript(f"pragma secure_delete = on; pragma foreign_keys = on; {TABLES}")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def hidden(self, name: str, data: Mapping[str, Any], person: str) -> dict[str, Any]:
        """Return a report's data with stand-ins for the country's own identifiers that lead to `person`.

        Which these are follows from the contract: another country's stay. `person` is whatever the country calls it.
        """
        agreed = contracts.registry()[contracts.reported_type(name)]
        ids = {} if agreed.data is Corrected else agreed.ids
        scopes = {path.rpartition(".")[2]: told for path, told in ids.items()}
        with self._database:
            return {field: self._hidden(field, value, person, scopes) for field, value in data.items()}

    def shown(self, event: Event[Any]) -> Event[Any]:
        """Return an event with the country's own identifiers in place of their stand-ins."""
        own = {stand_in: name for name, stand_in in self._database.execute("select own, stand_in from pseudonym")}
        subject, data = self._shown(event.subject, own), self._shown(event.data, own)
        return msgspec.structs.replace(event, subject=subject, data=data)

    def note(self, key: str, person: str, kept: str) -> None:
        """Note a key under which something about a person is sealed, and what the region was asked to keep of it."""
        with self._database:
            self._database.execute("insert into sealed values (?, ?, ?)", (key, person, kept))

    def kept(self, key: str) -> str | None:
        """Return what the region was asked to keep of a key; None: it is none of this book's, or forgotten."""
        row = self._database.execute("select kept from sealed where key = ?", (key,)).fetchone()
        return row[0] if row else None

    def keys(self, person: str | None = None) -> list[str]:
        """Return the keys under which something about a person is sealed; by default, about any."""
        rows = self._database.execute(
            "select key from sealed where person = coalesce(?, person) order by key", (person,)
        )
        return [key for (key,) in rows]

    def forget(self, person: str) -> int:
        """Forget a person: whatever led to this person and to no other; return how many identifiers these were."""
        with self._database:
            self._database.execute("delete from sealed where person = ?", (person,))
            self._database.execute("create temp table gone as select own from concerns where person = ?", (person,))
            self._database.execute("delete from concerns where person = ?", (person,))
            done = self._database.execute(
                "delete from pseudonym where own in (select own from gone) and own not in (select own from concerns)"
            )
            self._database.execute("drop table gone")
        return done.rowcount

    def _hidden(self, field: str, value: Any, person: str, scopes: Mapping[str, str]) -> Any:
        if isinstance(value, Mapping):
            return {name: self._hidden(name, one, person, scopes) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._hidden(field, one, person, scopes) for one in value]
        if field not in LEADING or not isinstance(value, str):
            return value
        if value.startswith(self._vault):
            return self._vault + self._stand_in(value.removeprefix(self._vault), person)
        owner, own = identity.parted(value)
        ours = scopes.get(field) in {identity.OWN, identity.SHARED}
        if value.startswith("urn:") or owner not in {"", self.country} or not (ours or self._known(own)):
            return value
        return f"{owner}:"[: 4 * bool(owner)] + self._stand_in(own, person)

    def _known(self, own: str) -> str | None:
        row = self._database.execute("select stand_in from pseudonym where own = ?", (own,)).fetchone()
        return row[0] if row else None

    def _stand_in(self, own: str, person: str) -> str:
        found = self._known(own)
        if found is None and self._database.execute("select 1 from pseudonym where stand_in = ?", (own,)).fetchone():
            return own  # it is one already
        stand_in = found or FORM.format(secrets.token_hex(STAND_IN_BYTES))
        self._database.execute("insert or ignore into pseudonym values (?, ?)", (own, stand_in))
        self._database.execute("insert or ignore into concerns values (?, ?)", (own, person))
        return stand_in

    def _shown(self, value: Any, own: Mapping[str, str]) -> Any:
        if isinstance(value, str):
            for before in ("", f"{self.country}:", self._vault):
                if value.startswith(before) and (found := own.get(value.removeprefix(before))) is not None:
                    return before + found
            return value
        if isinstance(value, msgspec.Struct):
            return msgspec.structs.replace(
                value, **{name: self._shown(getattr(value, name), own) for name in value.__struct_fields__}
            )
        if isinstance(value, tuple | list):
            return type(value)(self._shown(one, own) for one in value)
        if isinstance(value, dict):
            return {name: self._shown(one, own) for name, one in value.items()}
        return value
