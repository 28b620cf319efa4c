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

ACTS = (TreatySigned, TreatyRatified, TreatyAcceded, TreatyReserved, TreatyWithdrawn)
WHY = {
    "already_signed": "the country signed this treaty before",
    "already_party": "the country is party to this treaty by another act, from which it did not withdraw in between",
    "not_party": "the country was neither party nor, for a reservation, signatory by then",
}


def inconsistency(acts: Iterable[store.Act]) -> str | None:
    """Return the code of what makes no sense in a country's acts towards a treaty, read by date; None: nothing.

    A date says nothing of the order of one day's acts: they are read in that in which they make sense, if there is one.
    A ratification needs no signature on record: histories arrive late, and in any order.
    """
    signed = party = False
    left = sorted(acts, key=lambda act: act.day)
    while left:
        today = [one for one in left if one.day == left[0].day]
        chosen = next(
            (one for word in PREFERRED for one in today if one.act == word and not _code(one, signed, party)), None
        )
        if chosen is None:
            return min(filter(None, (_code(one, signed, party) for one in today)))
        left.remove(chosen)
        signed = signed or chosen.act == "signed"
        party = chosen.act in BECOME if chosen.act in {*BECOME, "withdrawn"} else party
    return None


BECOME = ("ratified", "acceded")
PREFERRED = ("signed", "reserved", "withdrawn", *BECOME)
"""Of the acts of one day that make sense now, the one that is read first."""


def _code(one: store.Act, signed: bool, party: bool) -> str | None:
    """Return why an act makes no sense as things stand."""
    if one.act in {"signed", *BECOME} and party:
        return "already_party"
    if one.act == "signed" and signed:
        return "already_signed"
    missing = not party if one.act == "withdrawn" else not (signed or party)
    return "not_party" if missing and one.act in {"withdrawn", "reserved"} else None


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
