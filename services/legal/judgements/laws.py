"""Laws, what they were judged to carry out of treaties, and the entry rules that rest on them."""

from collections.abc import Iterable
from typing import Any

import msgspec

from services.legal.judgements.notices import alert
from services.legal.obligations import OBLIGATIONS
from shared.contracts import Data, Event, Problem, Refused
from shared.contracts.intel import EntryRequirementChanged, EntryRequirementDeclared
from shared.contracts.legal import LawAmended, LawRepealed, ProvisionMapped
from shared.record.judgement import INSTANT, Judgement, Reading, Standing

ENTRY_RULES = "entry_rules_review"
"""The alert that asks a country to look at its entry rules under a changed law (choreography 3)."""


class Mappings(Judgement):
    """How far a law carries out an article is judged only of articles that ask something of national law."""

    reports = (ProvisionMapped,)

    def things(self, report: Standing[ProvisionMapped]) -> Iterable[str]:
        """Return the treaty, for the country, and the law."""
        data = report.data
        yield mappings(data.country, data.obligation.instrument)
        if data.law_id:
            yield mapped(data.country, data.law_id)

    def admit(self, report: Standing[ProvisionMapped], read: Reading) -> None:
        """Raise Refused of an article that asks nothing."""
        del read
        _asks(report.data, "/data")

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Raise Refused of what may not have been reported so in the first place."""
        del before, read
        if after:
            _asks(after.data, "/data/data")

    def refill(self, report: Standing[ProvisionMapped], read: Reading) -> Data:
        """Return it without what a mapping of before counted by itself: `gaps` takes that back, and not twice."""
        del read
        return msgspec.structs.replace(report.data, change=None)

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return nothing: what follows, `gaps` says."""
        del report, read
        return ()


def _asks(data: ProvisionMapped, at: str) -> None:
    """Refuse a mapping of an article that asks nothing; `at`: where the report says it."""
    if data.obligation.article not in OBLIGATIONS[data.obligation.instrument]:
        why = "this article asks nothing of national law"
        raise Refused(Problem(f"{at}/obligation/article", "unknown_value", why))


class Changes(Judgement):
    """A changed law has what rests on it looked at, once: its mappings, and entry rules of before (choreography 3)."""

    reports = (LawAmended, LawRepealed)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the law."""
        yield changes(report.data.country, report.data.law_id)

    def sets_off(self, report: Standing[Any], read: Reading) -> Iterable[Event[Any]]:
        """Ask for a look; of the entry rules only the first is read."""
        law = report.data.country, report.data.law_id
        if read.about(entry_rules(*law), until=report.time - INSTANT, most=1):
            yield alert(report.event, ENTRY_RULES, report.data.law_id)
        if read.about(mapped(*law)):
            yield alert(report.event, "mapping_review", report.data.law_id)

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return nothing: what follows from it, `gaps` says."""
        del report, read
        return ()


class EntryRules(Judgement):
    """An entry rule that was declared under a law changed since is to be looked at (choreography 3)."""

    reports = (EntryRequirementChanged, EntryRequirementDeclared)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the law that it rests on."""
        if report.data.legal_ref is not None:
            yield entry_rules(report.data.destination, report.data.legal_ref)

    def sets_off(self, report: Standing[Any], read: Reading) -> Iterable[Event[Any]]:
        """Ask for a look."""
        law_id = report.data.legal_ref
        if law_id and read.about(changes(report.data.destination, law_id), since=report.time + INSTANT, most=1):
            yield alert(report.event, ENTRY_RULES, law_id)

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return nothing: it is told once."""
        del report, read
        return ()


def mappings(country: str, instrument: str) -> str:
    """Return the thing that all that was judged of a country's laws and a treaty is."""
    return f"mappings/{country}/{instrument}"


def mapped(country: str, law_id: str) -> str:
    """Return the thing that all that was judged of a law is."""
    return f"mapped/{country}/{law_id}"


def changes(country: str, law_id: str) -> str:
    """Return the thing that the changes of a law are."""
    return f"law/{country}/{law_id}"


def entry_rules(country: str, law_id: str) -> str:
    """Return the thing that the entry rules under a law are."""
    return f"entry_rules/{country}/{law_id}"
