"""Whose identifiers stand in a report: noted in it before anything is made of it, where the report alone cannot tell.

A report that was recorded before identifiers had owners says nothing of them, and keeps to what they were then: the
region's, equal ones the same. So does one of a country that had used the identifier by then: it is noted as `REG`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeAlias, cast

from shared import contracts
from shared.contracts import Contract, Data, Event
from shared.contracts.identity import Owners
from shared.contracts.vocabulary import REGION
from shared.database import Connection
from shared.rules import RECORDED, Rules, Stored, enriched

Owning: TypeAlias = Callable[[str, Any, Connection], Awaitable[Owners]]
"""(country, what it reports, connection) -> whose identifiers these are; raises NotYet or Refused where none or several
may be meant."""
Ownings: TypeAlias = Mapping[type[Data], Owning]


def with_owners(rules: Rules, ownings: Ownings) -> Rules:
    """Return a service's rules that first note whose identifiers the reports name."""
    return {**rules, **{kind: _owned(owning, cast("Stored", rules[kind])) for kind, owning in ownings.items()}}


def _owned(owning: Owning, rule: Stored) -> Stored:
    async def own(event: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
        if contracts.sender_of(event.source) == REGION:
            return await rule(event, connection)
        noted = event
        if not RECORDED.get():
            noted = enriched(event, owners=await owning(event.country, event.data, connection) or None)
        returned = list(await rule(noted, connection))
        itself = any((one.id, one.source) == (event.id, event.source) for one in returned)
        return returned if itself else [noted, *returned]

    return own


def named_anew(agreed: Contract, previous: Data, new: Data) -> bool:
    """Say whether a correction names something else, where it was noted whose it was.

    What is named as before is whose it was, also where others gave the same identifier since.
    """
    noted = getattr(previous, "owners", None) is not None
    return noted and any(getattr(new, name) != getattr(previous, name) for name in agreed.ids if "." not in name)
