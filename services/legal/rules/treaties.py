"""Acts of countries towards the treaties: they must make sense in the order of their own dates."""

from collections.abc import Iterable
from datetime import UTC
from typing import Any

from services.legal import store
from services.legal.rules.gaps import settled
from shared.contracts import Data, Event, Problem, Refused
from shared.contracts.legal import TreatyAcceded, TreatyRatified, TreatyReserved, TreatySigned, TreatyWithdrawn
from shared.contracts.legal.laws import TreatyAct
from shared.database import Connection
from shared.rules import NotYet

RANKS = {"signed": 0, "ratified": 1, "acceded": 1, "reserved": 2, "withdrawn": 3}
"""In what order the acts of one day are read."""
ACTS: dict[type[Data], str] = {
    TreatySigned: "signed",
    TreatyRatified: "ratified",
    TreatyAcceded: "acceded",
    TreatyReserved: "reserved",
    TreatyWithdrawn: "withdrawn",
}
WHY = {
    "already_signed": "the country signed this treaty before",
    "already_party": "the country is party to this treaty by another act, from which it did not withdraw in between",
    "not_party": "the country was neither party nor, for a reservation, signatory by then",
}


def inconsistency(acts: Iterable[store.Act]) -> str | None:
    """Return the code of what makes no sense in a country's acts towards a treaty, read by date; None: nothing.

    A ratification needs no signature on record: histories arrive late, and in any order.
    """
    signed = party = False
    for one in sorted(acts, key=lambda act: (act.day, RANKS[act.act], act.event_id)):
        match one.act:
            case "signed" | "ratified" | "acceded" if party:
                return "already_party"
            case "signed" if signed:
                return "already_signed"
            case "signed":
                signed = True
            case "ratified" | "acceded":
                party = True
            case "withdrawn" if not party:
                return "not_party"
            case "withdrawn":
                party = False
            case "reserved" if not (signed or party):
                return "not_party"
    return None


async def on_treaty_act(event: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
    """Record the act if it makes sense among the others; a new party's obligations without a law become gaps.

    A withdrawal or reservation waits for the act that it rests on.
    """
    data: TreatyAct = event.data
    act = _act(event.id, event, data)
    code = inconsistency([*await store.acts(connection, data.country, data.instrument), act])
    if code == "not_party":
        raise NotYet("/data/instrument")
    if code:
        raise Refused(Problem("/data/instrument", code, WHY[code]))
    await store.add_act(connection, data.country, data.instrument, act)
    return await settled(event, data.country, data.instrument, event.time, connection)


async def amend_treaty_act(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Change the act, unless what remains would make no sense; the gaps follow in `resettled`."""
    await store.drop_act(connection, root.id)
    touched = [one for one in (previous, new) if isinstance(one, TreatyAct)]
    if isinstance(new, TreatyAct):
        await store.add_act(connection, new.country, new.instrument, _act(root.id, root, new))
    for one in touched:
        code = inconsistency(await store.acts(connection, one.country, one.instrument))
        if code:
            raise Refused(Problem("/data/supersedes", code, f"with this change, {WHY[code]}"))
    return previous, new


def _act(event_id: str, event: Event[Any], data: TreatyAct) -> store.Act:
    return store.Act(event_id, ACTS[_kind(data)], event.time.astimezone(UTC).date())


def _kind(data: Data) -> type[Data]:
    """Return the contract's struct: a report's data are of a subclass."""
    return next(kind for kind in ACTS if isinstance(data, kind))
