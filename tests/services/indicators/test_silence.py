"""Silence never flatters: taking a country's reports away turns no verdict from "not met" into "met", of any row."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple

import pytest

from services.indicators.figures import verdicts
from services.indicators.folded.fold import Fold
from services.indicators.planned import fields
from services.indicators.planned.checks import labels_of
from services.indicators.planned.conditions import Unless
from services.indicators.planned.rows import ANY_REPORT, Row, Term
from shared.contracts.tallies import Shifts, Steps, Tallied
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import CONTRACTS, PLAN, amend, counted, event, folded, raw, row

FIRST, LOOK = date(2003, 6, 1), date(2004, 12, 31)
AIMED = [one.id for one in PLAN.rows.values() if one.target is not None]
HISTORIES, ASKED = 6, 2
SILENCED = (date(2004, 3, 1), date(2004, 7, 15), date(2004, 9, 1), date(2004, 11, 20))
"""The last of these days lies more than the plan's days of silence before the day that is looked at."""


class Told(NamedTuple):
    """A recorded event, by the country that it goes back to."""

    country: str
    on: date
    payload: bytes


def leaves(one: Row) -> Iterator[Row]:
    """The rows with terms that a row is made of."""
    if not one.inputs:
        yield one
    for name in one.inputs:
        yield from leaves(PLAN.rows[name])


def put(data: dict[str, Any], path: str, value: Any) -> None:
    """Fill a path in: `offences.0`, `obligation.instrument`, `topics.*`."""
    first, _, rest = path.partition(".")
    if rest in {"0", "*"}:
        data[first] = [value]
    elif rest:
        data[first] = {**data.get(first, {}), rest: value}
    else:
        data[first] = value


def amount(told: type | None, by: int, on: date, chance: Random) -> Any:
    if told is Tallied:
        return {"by": by}
    if told in (Steps, Shifts):
        return [{"at": f"{on}T12:00:00Z", "by": by}]
    return 0 if by < 0 else chance.randint(1, 4)


def reported(one: Row, term: Term, sender: str, on: date, by: int, chance: Random) -> Told:  # noqa: PLR0913, PLR0917
    """An event of a term: its conditions hold, its labels and numbers are drawn."""
    agreed, data = CONTRACTS[term.event], dict[str, Any]()
    for name, path in labels_of(one, term).items():
        if not path.startswith("=") and "#" not in path:
            values = one.known.get(name) or fields.closed_values(fields.type_at(agreed, path))
            put(data, path, chance.choice([*values]))
    for path, wanted in term.where.items():
        if isinstance(wanted, Unless):
            known = fields.closed_values(fields.type_at(agreed, path))
            values = [value for value in known if value not in wanted.unless]
        else:
            values = wanted if isinstance(wanted, list) else [wanted]
        put(data, path, chance.choice([*values]))
    for path in (term.add, term.last):
        if isinstance(path, str) and path and "#" not in path:
            put(data, path, amount(fields.changes(term.event).get(path), by, on, chance))
    if term.country:
        data[term.country] = chance.choice([sender, sender, *MEMBERS])
    told = counted(agreed, dict(agreed.good), f"{on}T12:00:00Z") | dict(agreed.good) | data
    source = f"urn:crm:country:{sender}:test" if agreed.reported else f"urn:crm:service:{agreed.service}"
    place = "REG" if agreed.service == "indicators" and not agreed.reported else sender
    return Told(place, on, raw(agreed.type, told, sender, f"{on}T12:00:00Z", source=source))


def history(one: Row, chance: Random) -> list[Told]:
    """Reports for a row, by all countries or some, that are heard of otherwise, or silent; some take one back."""
    found, speaking = [], [country for country in MEMBERS if chance.random() > chance.choice([0, 0, 0.2])]
    for country in speaking:
        days = [FIRST, *(() if chance.random() < 0.05 else (date(2004, 6, 1), date(2004, 12, 10)))]
        found += [Told(country, on, event("intel.modality.reported", country, f"{on}T12:00:00Z")) for on in days]
    for leaf in leaves(one):
        terms = [term for term in leaf.term if term.event != ANY_REPORT]
        for country in speaking:
            for term in terms:
                for _ in range(chance.choice([0, 1, 2, 4])):
                    on = FIRST + timedelta(days=chance.randrange((LOOK - FIRST).days - 5))
                    found.append(reported(leaf, term, country, on, chance.choice([1, 1, 1, -1]), chance))
                    if chance.random() < 0.1:
                        taken = amend("retracted", found[-1].payload)
                        found.append(Told(country, date(2004, 9, 9), taken))
    return sorted(found, key=lambda told: told.on)


def heard(country: str) -> list[Told]:
    days = (FIRST, date(2004, 6, 1), date(2004, 12, 10))
    return [Told(country, on, event("intel.modality.reported", country, f"{on}T12:00:00Z")) for on in days]


EARLY, BEFORE, AFTER = date(2003, 10, 1), date(2004, 3, 1), date(2004, 10, 1)
"""Before both periods of a trend as of the day looked at, in its baseline, in its window."""


def one_lacks(one: Row, culprit: str, chance: Random) -> list[Told]:
    """All countries do well, but for one: in time it has what the others have, and then the contrary."""
    found = [told for country in MEMBERS for told in heard(country)]
    least = one.direction in {"at_least", "above"}
    for leaf in leaves(one):
        trend = leaf.kind == "trend"
        for country in MEMBERS:
            for term in leaf.term:
                lacks, tell = country == culprit, term.event != ANY_REPORT
                early, late = (BEFORE, AFTER) if trend else (EARLY, AFTER)
                if not trend and leaf.kind in {"count", "current"} and not least:
                    early_n, late_n, by = 0, int(lacks), 1
                elif trend:
                    early_n, late_n = (2, 4) if least else (4, 2)
                    late_n, by = (late_n, 1) if not lacks else (0 if least else 60, 1)
                    early_n = 60 if lacks and least else early_n
                else:
                    early_n = 1
                    late_n = int(lacks) * (20 if term.role == "denominator" else 1)
                    by = 1 if term.role == "denominator" else -1
                for on, times, sign in ((early, early_n, 1), (late, late_n, by)):
                    found += [reported(leaf, term, country, on, sign, chance) for _ in range(times) if tell]
    return sorted(found, key=lambda told: told.on)


def fold(told: list[Told]) -> Fold:
    return folded(*(one.payload for one in told))


def improved(identity: str) -> int:
    """How often a row was met without a country, or from a day on without it, and not met with it."""
    found = 0
    for number in range(HISTORIES):
        chance = Random(f"{identity}/{number}")
        asked = chance.sample(MEMBERS, ASKED)
        aim = PLAN.rows[identity]
        whole = history(aim, chance) if number % 2 else one_lacks(aim, asked[0], chance)
        before = row(fold(whole), identity, today=str(LOOK))
        for country in asked:
            for silenced in (FIRST, chance.choice(SILENCED)):
                kept = [one for one in whole if one.country != country or one.on < silenced]
                after = row(fold(kept), identity, today=str(LOOK))
                assert after.unknown or after.met is not None
                found += before.met is False and after.met is True
    return found


@pytest.mark.parametrize("identity", AIMED)
def test_without_a_country_nothing_that_is_not_met_is_met(identity):
    """Entirely, or from a day on: once the country counts as silent, that is `silent_days` after its last report."""
    assert improved(identity) == 0


@pytest.mark.long
def test_the_histories_would_show_it(monkeypatch):
    """The control: were no verdict withheld, silence would flatter in these very histories."""
    monkeypatch.setattr(verdicts, "doubt", lambda *_: verdicts.NONE)
    flattered = {identity for identity in AIMED if improved(identity)}
    assert flattered >= {"LE-1.R2", "IE-1.2.2.vacant", "IE-1.2.2"}
    assert len(flattered) > 10, sorted(flattered)


def test_what_a_country_says_of_its_keys_is_no_report():
    told = event("indicators.key.added", "GTM", "2003-06-01T12:00:00Z")
    assert folded(told).state.heard == {}
    assert folded(told, event("intel.meeting.held", "GTM", "2003-06-01T12:00:00Z")).state.heard.keys() == {
        ("GTM", "intel")
    }
