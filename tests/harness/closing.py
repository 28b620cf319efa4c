"""What was reported in the clear, as if its sender had sealed it: version 2 in place of version 1."""

import msgspec

from shared import contracts
from shared.contracts import Corrected
from shared.contracts.sealed import EXAMPLE, Sealed
from shared.contracts.victims.sealing import SEALED


def all_closed(reports):
    """Reports (event, where it was heard) as if their senders had sealed what they can, with what amends them."""
    by_id = {event.id: event for event, _ in reports}
    for event, heard in reports:
        original = by_id.get(event.data.supersedes) if isinstance(event.data, Corrected) else None
        yield event if heard else closed(event, original), heard


def closed(event, original=None):
    """An event in version 2, where its type has one; a correction as one of `original`."""
    kind = SEALED.get((original or event).name)
    if kind is None or (isinstance(event.data, Corrected) == (original is None)):
        return event
    if original is not None:
        plain = msgspec.convert(event.data.data, contracts.registry()[contracts.reported_type(original.name)].data)
        said = msgspec.to_builtins(_closed(plain, kind))
        return msgspec.structs.replace(event, data=msgspec.structs.replace(event.data, data=said))
    agreed = contracts.of(kind, event.name.partition(".")[0])
    return msgspec.structs.replace(event, type=agreed.type, data=_closed(event.data, kind))


def _closed(plain, kind):
    said = {one.name: getattr(plain, one.name) for one in msgspec.structs.fields(kind) if one.name != "sealed"}
    return kind(**said, sealed=msgspec.convert(EXAMPLE, Sealed))
