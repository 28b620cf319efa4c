"""Acts of countries towards the treaties: they must make sense in the order of their own dates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

from shared.contracts import Problem, Refused
from shared.contracts.legal import TreatyAcceded, TreatyRatified, TreatyReserved, TreatySigned, TreatyWithdrawn
from shared.record.judgement import Judgement, Reading, Standing, Unknown

ACTS = (TreatySigned, TreatyRatified, TreatyAcceded, TreatyReserved, TreatyWithdrawn)
WHY = {
    "already_signed": "the country signed this treaty before",
    "already_party": "the country is party to this treaty by another act, from which it did not withdraw in between",
    "not_party": "the country was neither party nor, for a reservation, signatory by then",
}
BECOME = ("ratified", "acceded")
PREFERRED = ("signed", "reserved", "withdrawn", *BECOME)
"""Of the acts of one day that make sense now, the one that is read first."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a country did towards a treaty on a day."""

    event_id: str
    act: str
    day: date


class Acts(Judgement):
    """An act that makes no sense among the country's others is refused, and an amendment that leaves such acts."""

    reports = ACTS

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the country and the treaty."""
        yield treaty(report.data.country, report.data.instrument)

    def admit(self, report: Standing[Any], read: Reading) -> None:
        """Raise Refused; Unknown of a withdrawal or reservation whose act that it rests on may still come."""
        code = inconsistency([act(report), *_others(report, read)])
        if code == "not_party":
            raise Unknown("/data/instrument")
        if code:
            raise Refused(Problem("/data/instrument", code, WHY[code]))

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Raise Refused of an amendment with which the acts that remain make no sense."""
        for one in (before, after):
            if one is None:
                continue
            left = _others(one, read)
            if after and after.data.country == one.data.country and after.data.instrument == one.data.instrument:
                left = [*left, act(after)]
            if code := inconsistency(left):
                raise Refused(Problem("/data/supersedes", code, f"with this change, {WHY[code]}"))

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return nothing: what follows from being party, `laws` says."""
        del report, read
        return ()


def treaty(country: str, instrument: str) -> str:
    """Return the thing that a country's acts towards a treaty are."""
    return f"treaty/{country}/{instrument}"


def act(report: Standing[Any]) -> Act:
    """Return what a country did, on the day of the report's time (UTC)."""
    return Act(report.id, report.verb, report.time.astimezone(UTC).date())


def _others(report: Standing[Any], read: Reading) -> list[Act]:
    """Return what else the country did towards the treaty."""
    acts = read.about(treaty(report.data.country, report.data.instrument))
    return [act(one) for one in acts if one.position != report.position]


def joins(one: Standing[Any]) -> int:
    """Return 1 of an act by which a country becomes party, -1 of its withdrawal, 0 of others."""
    return 1 if one.verb in BECOME else -1 if one.verb == "withdrawn" else 0


def is_party(acts: Sequence[Standing[Any]]) -> bool:
    """Say whether who did these acts is party to the treaty.

    A date says nothing of the order of one day's acts. But acts make sense only by turns: so who became party more
    often than it withdrew is one.
    """
    return sum(map(joins, acts)) > 0


def inconsistency(acts: Iterable[Act]) -> str | None:
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


def _code(one: Act, signed: bool, party: bool) -> str | None:
    """Return why an act makes no sense as things stand."""
    if one.act in {"signed", *BECOME} and party:
        return "already_party"
    if one.act == "signed" and signed:
        return "already_signed"
    missing = not party if one.act == "withdrawn" else not (signed or party)
    return "not_party" if missing and one.act in {"withdrawn", "reserved"} else None
