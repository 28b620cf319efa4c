"""Acts of countries towards the treaties: they must make sense in the order of their own dates."""

from collections.abc import Iterable
from typing import Any

from services.legal import store
from services.legal.rules.gaps import resettled, settled
from shared.contracts import Event, Problem, Refused
from shared.contracts.legal import TreatyAcceded, TreatyRatified, TreatyReserved, TreatySigned, TreatyWithdrawn
from shared.contracts.legal.laws import TreatyAct
from shared.database import Connection
from shared.rules import NotYet

RANKS = {"signed": 0, "ratified": 1, "acceded": 1, "reserved": 2, "withdrawn": 3}
"""In what order the acts of one day are read."""
ACTS = (TreatySigned, TreatyRatified, TreatyAcceded, TreatyReserved, TreatyWithdrawn)
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


async def on_treaty_act(event: Event[TreatyAct], connection: Connection) -> Iterable[Event[Any]]:
    """Refuse an act that makes no sense among the others; a new party's obligations without a law become gaps.

    A withdrawal or reservation waits for the act that it rests on.
    """
    data = event.data
    code = inconsistency(await store.acts(connection, data.country, data.instrument))
    if code == "not_party":
        raise NotYet("/data/instrument")
    if code:
        raise Refused(Problem("/data/instrument", code, WHY[code]))
    return await settled(event, data.country, data.instrument, event.time, connection)


async def reacted(
    told: Event[Any], before: Event[TreatyAct], after: Event[TreatyAct] | None, connection: Connection
) -> list[Event[Any]]:
    """Refuse the amendment of an act with which those that remain make no sense; the gaps follow (a `Follow`)."""
    for one in (before, after):
        code = one and inconsistency(await store.acts(connection, one.data.country, one.data.instrument))
        if code:
            raise Refused(Problem("/data/supersedes", code, f"with this change, {WHY[code]}"))
    return await resettled(told, before, after, connection)
