"""The keys of what countries seal about persons: kept apart from all data, given to their readers, forgotten for ever.

They stand in a file (SQLite) of their own, in no database, stream, dump or archive of WAL. What is deleted is
overwritten there. Another store, a key management service say, takes its place behind `Keys`.
"""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from shared.ask.questions import Asked
from shared.contracts import Problem, identity
from shared.contracts.keeping import KEYS_MAX, ForgetAnswer, ForgetAsk, KeepAnswer, KeepAsk, KeyAnswer, KeyAsk
from shared.contracts.questions import Answered, invalid, not_permitted
from shared.run.database import Connection
from shared.run.settings import Settings

R = TypeVar("R")
WAIT_S = 30.0
"""So long a process waits for another that writes the file."""
TABLES = """
create table if not exists key (id text primary key, owner text not null, readers text not null, consent text not null,
    head text not null) without rowid;
create index if not exists of_consent on key (owner, consent);
"""


class Key(NamedTuple):
    """A key, and what it is known by."""

    id: str
    owner: str
    """The country that had it kept."""
    readers: frozenset[str]
    """Who is given it, the owner too."""
    consent: str
    """The identifier of the consent with which it ends; empty: it ends when the owner says so."""
    head: str


class Keys(Protocol):
    """Where keys are kept. Each method holds all that it did, or nothing, when it returns."""

    async def put(self, keys: Sequence[Key]) -> None:
        """Keep those that are not there yet."""

    async def get(self, ids: Collection[str]) -> Mapping[str, Key]:
        """Return those that are there."""

    async def count(self, owner: str) -> int:
        """Return how many an owner has."""

    async def delete(self, owner: str, ids: Collection[str] = (), consents: Collection[str] = ()) -> int:
        """Forget an owner's keys of these names, and those that end with these consents; return how many."""


class KeysFile:
    """Keys in a file, which the processes of one machine share."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(0o600)
        self._lock = threading.Lock()
        self._file = sqlite3.connect(file, timeout=WAIT_S, check_same_thread=False)
        self._file.executescript(f"pragma secure_delete = on; pragma synchronous = extra; {TABLES}")

    async def put(self, keys: Sequence[Key]) -> None:
        """Keep those that are not there yet."""
        rows = [(one.id, one.owner, json.dumps(sorted(one.readers)), one.consent, one.head) for one in keys]
        await self._do(lambda file: file.executemany("insert or ignore into key values (?, ?, ?, ?, ?)", rows).rowcount)

    async def get(self, ids: Collection[str]) -> Mapping[str, Key]:
        """Return those that are there."""
        asked = "select * from key where id in (select value from json_each(?))"
        rows = await self._do(lambda file: file.execute(asked, (json.dumps([*ids]),)).fetchall())
        keys = [Key(name, owner, frozenset(json.loads(readers)), *rest) for name, owner, readers, *rest in rows]
        return {one.id: one for one in keys}

    async def count(self, owner: str) -> int:
        """Return how many an owner has."""
        asked = "select count(*) from key where owner = ?"
        return await self._do(lambda file: int(file.execute(asked, (owner,)).fetchone()[0]))

    async def delete(self, owner: str, ids: Collection[str] = (), consents: Collection[str] = ()) -> int:
        """Forget an owner's keys of these names, and those that end with these consents; return how many."""
        asked = (
            "delete from key where owner = ? and (id in (select value from json_each(?))"
            " or consent <> '' and consent in (select value from json_each(?)))"
        )
        named = owner, json.dumps([*ids]), json.dumps([*consents])
        return await self._do(lambda file: file.execute(asked, named).rowcount)

    async def _do(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Do it in one transaction, in a thread: it waits for the disk. No cursor may outlive the lock."""

        def done() -> R:
            with self._lock, self._file:
                return work(self._file)

        return await asyncio.to_thread(done)


class VictimsSettings(Settings):
    """What only victims needs to know."""

    keys_file: Path | None = None
    """File in which the keys of what countries seal are kept; it is made. No backup may take it."""


@cache
def kept() -> Keys:
    """Return the store of keys; raises ValueError, OSError or sqlite3.Error where there can be none."""
    file = VictimsSettings().keys_file
    if file is None:
        raise ValueError("no file is named")
    return KeysFile(file)


def faults() -> list[str]:
    """Return in words what is wrong with the store."""
    try:
        kept()
    except (OSError, ValueError, sqlite3.Error) as error:
        return [f"CRM_KEYS_FILE names no file in which keys can be kept ({type(error).__name__})"]
    return []


async def on_keep(asked: Sequence[Asked[KeepAsk]], connection: Connection) -> Sequence[Answered]:
    """Keep each key; what is kept under its name is not replaced."""
    del connection
    room = {owner: KEYS_MAX - await kept().count(owner) for owner in sorted({one.country for one in asked})}
    taken: dict[str, Key] = {}
    for one in asked:
        if room[one.country] > 0:
            taken.setdefault(one.ask.key, _key(one))
            room[one.country] -= 1
    await kept().put([*taken.values()])
    # What is forgotten by now, with its consent, was kept: by what was asked first.
    there = {**taken, **await kept().get({one.ask.key for one in asked})}
    return [_kept(one, there) for one in asked]


def _key(one: Asked[KeepAsk]) -> Key:
    consent = identity.parted(one.ask.consent_id or "")[1]
    return Key(one.ask.key, one.country, frozenset({one.country, *one.ask.readers}), consent, one.ask.head)


def _kept(one: Asked[KeepAsk], there: Mapping[str, Key]) -> Answered:
    found = there.get(one.ask.key)
    if found is None:
        return invalid(Problem("/key", "too_many_keys", f"a country has at most {KEYS_MAX} keys: have some forgotten"))
    if found != _key(one):
        return invalid(Problem("/key", "id_conflict", "another key is kept under this name: make a new one"))
    return KeepAnswer()


async def on_key(asked: Sequence[Asked[KeyAsk]], connection: Connection) -> Sequence[Answered]:
    """Give each key to its readers; to others, one that is not there looks the same."""
    del connection
    there = await kept().get({one.ask.key for one in asked})
    found = [there.get(one.ask.key) for one in asked]
    return [
        KeyAnswer(head=key.head) if key and one.country in key.readers else not_permitted()
        for one, key in zip(asked, found, strict=True)
    ]


async def on_forget(asked: Sequence[Asked[ForgetAsk]], connection: Connection) -> Sequence[Answered]:
    """Forget keys for the country that had them kept."""
    del connection
    return [ForgetAnswer(forgotten=await kept().delete(one.country, one.ask.keys)) for one in asked]
