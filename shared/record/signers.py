"""Who signs for a country, and when: its root keys are region data, its other keys events that a root key signed."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from shared.contracts import Event, Problem
from shared.contracts.keys import KeyAdded, KeyRevoked, is_key
from shared.contracts.vocabulary import MEMBERS
from shared.record.seats import begins

VARIABLE = "CRM_SIGNING_FILE"
OWN = Path(__file__).parents[1] / "signing.toml"


class SignersError(ValueError):
    """The file of root keys is not as it should be; the message names the table."""


class Root(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A country's root key; its days begin at midnight UTC."""

    key: str
    since: date = msgspec.field(name="from")
    until: date | None = None
    """The first day on which it no longer signs."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for one country."""

    reports: Literal["off", "optional", "required"] = "off"
    since: date | None = None
    """The first day on which nothing unsigned is recorded."""
    root: tuple[Root, ...] = ()

    def required(self, at: datetime) -> bool:
        """Say whether what is recorded then must be signed."""
        return self.reports == "required" and self.since is not None and begins(self.since) <= at

    def roots(self, at: datetime) -> set[str]:
        """Return the root keys in force."""
        return {
            one.key for one in self.root if begins(one.since) <= at and (one.until is None or at < begins(one.until))
        }


class Key(NamedTuple):
    """A country's key as it stands."""

    country: str
    key: str
    system: str
    """The only system whose reports it signs; empty: all."""
    since: datetime
    until: datetime | None
    revoked: datetime | None
    """When the region knew."""


def policy(country: str) -> Policy:
    """Return what holds for a country. Raises SignersError."""
    return policies()[country]


@cache
def policies() -> Mapping[str, Policy]:
    """Return what holds for each country. Raises SignersError."""
    return parsed(Path(os.environ.get(VARIABLE, OWN)))


def parsed(file: Path) -> Mapping[str, Policy]:
    """Return what a file says of each country. Raises SignersError."""
    try:
        tables: dict[str, Any] = tomllib.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise SignersError(f"{file.name}: {error}") from None
    default = tables.pop("default", {})
    if unknown := sorted(set(tables) - set(MEMBERS)):
        raise SignersError(f"{file.name}: no country is called {', '.join(unknown)}; there are {', '.join(MEMBERS)}")
    found: dict[str, Policy] = {}
    for country in MEMBERS:
        try:
            found[country] = msgspec.convert({**default, **tables.get(country, {})}, Policy)
        except msgspec.ValidationError as error:
            raise SignersError(f"{file.name}, [{country}]: {error}") from None
        if fault := _fault(found[country]):
            raise SignersError(f"{file.name}, [{country}]: {fault}")
    return found


def _fault(one: Policy) -> str:
    if (one.reports == "required") != (one.since is not None):
        return '"required" names the day `since` when it holds, and nothing else does'
    if one.reports != "off" and not one.root:
        return "whoever signs has a root key"
    bad = [root.key for root in one.root if not is_key(root.key)]
    return f"{bad[0]} is no Ed25519 public key in base64url without padding" if bad else ""


def told(keys: Sequence[Key], event: Event[Any]) -> tuple[Key, ...]:
    """Return a country's keys after an event that says something of one; what is added twice stands as first."""
    data, country = event.data, event.country
    known = next((one for one in keys if one.key == data.key), None)
    if isinstance(data, KeyAdded) and known is None:
        return (*keys, Key(country, data.key, data.system or "", data.valid_from, data.valid_until, None))
    if isinstance(data, KeyRevoked) and (known is None or known.revoked is None):
        at = event.recordedtime  # replicas may hear it before they hear that the key was added
        known = known or Key(country, data.key, "", at, at, None)
        return (*(one for one in keys if one.key != data.key), known._replace(revoked=at))
    return tuple(keys)


def amiss(event: Event[Any], key: str | None, country: Policy, keys: Sequence[Key]) -> Problem | None:
    """Return what is wrong with the signature (`key`: who made it; None: there is none) of a report as recorded.

    By what was known at its recorded time: a key that is revoked later has signed what was recorded before.
    """
    at = event.recordedtime
    if isinstance(event.data, KeyAdded | KeyRevoked):
        if key is None or key not in country.roots(at):
            return _problem("root_required", "what is said of a key is signed with the country's root key")
        return _of_key(event.data, {one.key: one for one in keys})
    if key is None:
        required = country.required(at)
        return _problem("signature_required", "this country's reports are signed") if required else None
    found = next((one for one in keys if one.key == key), None)
    return UNKNOWN if found is None else _lapsed(event, found)


def _lapsed(event: Event[Any], key: Key) -> Problem | None:
    """Return why a country's key does not sign this report, at its recorded time."""
    at = event.recordedtime
    if key.system and event.source.rpartition(":")[2] != key.system:
        return _problem("key_foreign", "the key is that of another of the country's systems")
    if key.revoked is not None and key.revoked <= at:
        return _problem("key_revoked", "the key was revoked: sign with another")
    if at < key.since:
        return _problem("key_not_yet_valid", "the key is valid later: sign with another")
    if key.until is not None and key.until <= at:
        return _problem("key_expired", "the key's time is over: sign with another")
    return None


def _of_key(data: KeyAdded | KeyRevoked, known: Mapping[str, Key]) -> Problem | None:
    if isinstance(data, KeyAdded) and data.key in known:
        return Problem("/data/key", "already_added", "this key was added before: make another")
    if isinstance(data, KeyRevoked) and data.key not in known:
        return Problem("/data/key", "key_unknown", "this key was not added")
    if isinstance(data, KeyRevoked) and known[data.key].revoked is not None:
        return Problem("/data/key", "already_revoked", "this key was revoked before")
    return None


def _problem(code: str, message: str) -> Problem:
    return Problem("", code, message)


UNKNOWN = _problem("key_unknown", "the country has not said that it signs with this key (indicators.key.added)")
