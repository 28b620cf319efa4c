"""The signature of a message: of a report beside it as sent, of another service's event with what was signed."""

from typing import Any

from shared.contracts import Event, sender_of
from shared.contracts.keys import KeyAdded, KeyRevoked
from shared.contracts.signing import HEADER, Signature, agrees, opened, verified
from shared.contracts.vocabulary import MEMBERS
from shared.flow.taken import Taken
from shared.record import signers


def of_report(event: Event[Any], one: Taken) -> Signature | None:
    """Return the signature of a report that was accepted; None: it has none, or nobody asks for it. Raises Refused."""
    if sender_of(event.source) not in MEMBERS:
        return None
    if signers.policy(event.country).reports == "off":
        return None
    return verified(one.headers, one.payload)


def of_event(event: Event[Any], one: Taken) -> Signature | None:
    """Return the signature of what another service recorded, if it tells of a key; None: there is none that fits."""
    found = (one.headers or {}).get(HEADER)
    if found is None or not isinstance(event.data, KeyAdded | KeyRevoked):
        return None
    try:
        key, payload = opened(found.encode())
    except ValueError:
        return None
    return Signature(found.encode(), key) if agrees(event, payload) else None
