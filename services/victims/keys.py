"""The keys of what countries seal about persons: kept apart from all data, given to their readers, forgotten for ever.

They stand in no database of the region's, and in no stream, dump or archive of WAL (services/victims/stores.py).
"""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from services.victims.stores import Key, Keys, KeysDatabase, KeysFile
from shared.ask.questions import Asked
from shared.contracts import Problem, identity
from shared.contracts.keeping import KEYS_MAX, ForgetAnswer, ForgetAsk, KeepAnswer, KeepAsk, KeyAnswer, KeyAsk
from shared.contracts.questions import Answered, invalid, not_permitted
from shared.run.database import Connection
from shared.run.settings import DatabaseOrNone, Settings


class VictimsSettings(Settings):
    """What only victims needs to know."""

    keys_file: Path | None = None
    """File in which the keys of what countries seal are kept; it is made. No backup may take it."""
    keys_database_url: DatabaseOrNone = ""
    """In its place, for several machines: a database, whose server has no other and archives nothing."""


@cache
def kept() -> Keys:
    """Return the store of keys; raises ValueError, OSError or sqlite3.Error where there can be none."""
    settings = VictimsSettings()
    if bool(settings.keys_file) == bool(settings.keys_database_url):
        raise ValueError("one of them is to be named")
    return KeysFile(settings.keys_file) if settings.keys_file else KeysDatabase(settings.keys_database_url)


async def store() -> str:
    """Return the name of the store, which all processes must have alike."""
    return await kept().name()


def faults() -> list[str]:
    """Return in words what is wrong with the store."""
    try:
        kept()
    except (OSError, ValueError, sqlite3.Error) as error:
        where = "name a file (CRM_KEYS_FILE), or for several machines a database (CRM_KEYS_DATABASE_URL), not both"
        return [f"keys can be kept nowhere: {where} ({type(error).__name__})"]
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
