"""What a country's laws carry out of a treaty (Plan row LE-1.R1), and the gaps that they leave (LE-1.R3).

A gap is an obligation of a party to a treaty that no law of its carries out in full (choreographies 3 and 4).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias, cast

from services.legal.judgements.laws import changes, mapped, mappings
from services.legal.judgements.notices import SERVICE
from services.legal.judgements.treaties import ACTS, BECOME, is_party, treaty
from services.legal.obligations import OBLIGATIONS
from shared.contracts import Corrected, Event, Retracted
from shared.contracts.legal import (
    GapClosed,
    GapOpened,
    LawAmended,
    LawRepealed,
    Obligation,
    ProvisionMapped,
    TranspositionChanged,
)
from shared.contracts.tallies import Tallied
from shared.contracts.vocabulary import REGION, Country, Instrument
from shared.record.judgement import Judgement, Notice, Notified, Reading, Standing, derive

Step: TypeAlias = tuple[str, datetime, int]
"""(article, when, 1: its being carried out begins, -1: it ends)"""


class Act(NamedTuple):
    """What bears on whether a law carries out an article; in order of time, a change of the law before a judgement."""

    at: datetime
    judged: bool
    event_id: str
    law_id: str
    full: bool
    """Judged to carry it out in full."""
    repealed: bool


class Gaps(Judgement):
    """The country is told of gaps, and the figures of each time when an article began or ceased to be carried out.

    Computed from all that is on record, never from what came last: the order of arrival does not matter. A gap opens
    and closes at the time of the report that changed something, so that it is right as of any day; it does not open
    before the country is party, or while a law still carries the article out.
    """

    in_order = True
    reports = (*ACTS, GapClosed, GapOpened, LawAmended, LawRepealed, ProvisionMapped)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the treaty of which a gap opened or closed: to answer questions."""
        if isinstance(report.data, GapOpened | GapClosed):
            yield gaps(report.data.country, report.data.obligation.instrument)

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the treaties on which the report bears, as it stood and as it stands."""
        versions = [one for one in (report, read.judged) if one]
        return sorted({scope for one in versions for scope in _scopes(one, read)})

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Tell of each gap, and of each step."""
        country, instrument = _named(scope)
        acts = _acts(country, instrument, read)
        found = Counter(step for article in acts for step in steps(article, acts[article]))
        carried_out = Counter[str]()
        for (article, _, by), number in found.items():
            carried_out[article] += by * number
        towards = read.about(treaty(country, instrument))
        if is_party(towards):
            since = max([_at(read), *(one.time for one in towards if one.verb in BECOME)])
            for article in OBLIGATIONS[instrument]:
                if not carried_out[article]:
                    ceased = (at for name, at, by in found if name == article and by < 0)
                    yield _gap(scope, article, max([since, *ceased]))
        told = {one.key for one in read.notified(scope)}
        for (article, at, by), number in found.items():
            # Where the opposite is taken back because of the same report, that has the id.
            turned = _key(scope, (article, at, -by)) in told and not found[article, at, -by]
            for which in range(number):
                yield _step(scope, (article, at, by), which, which + turned)

    def take_back(self, notified: Notified, read: Reading) -> Iterable[Event[Any]]:
        """Return that a gap closed; of a step its opposite."""
        country, instrument = _named(notified.scope)
        article = notified.entity.split(".", 1)[1]
        obligation = Obligation(instrument=instrument, article=article)
        cause, subject = read.cause, notified.entity
        if notified.key.startswith("gap/"):
            opened, at = read.event(notified.event_id), _at(read)
            since = opened.data.since.astimezone(UTC) if opened else at
            closed = GapClosed(country=country, obligation=obligation, since=since)
            yield derive(SERVICE, closed, cause=cause, to=country, key=subject, subject=subject, time=max(since, at))
            return
        *_, when, by, which = notified.key.split("/")
        time = datetime.fromisoformat(when)
        step = article, time, -int(by)
        key, data = _event_key(country, subject, step, int(which)), _transposed(country, instrument, step)
        yield derive(SERVICE, data, cause=cause, to=REGION, key=key, subject=subject, time=time)


def gaps(country: str, instrument: str) -> str:
    """Return the thing that a country's gaps towards a treaty are."""
    return f"gaps/{country}/{instrument}"


def in_order(article: str) -> str:
    """Return an article as it is put in order: 5 before 10."""
    return f"{article:0>4}"


def steps(article: str, acts: Iterable[Act]) -> Iterator[Step]:
    """Yield when the article begins and ceases to be carried out by any law.

    A law carries it out from the judgement that it does, in full, until another judgement or a change of the law; one
    that was repealed never again.
    """
    full: set[str] = set()
    gone: set[str] = set()
    for act in sorted(acts):
        was = bool(full)
        gone |= {act.law_id} if act.repealed else set()
        (full.add if act.full and act.law_id not in gone else full.discard)(act.law_id)
        if bool(full) != was:
            yield article, act.at, 1 if full else -1


def _scopes(report: Standing[Any], read: Reading) -> Iterable[str]:
    """Return the treaties on which a version of a report bears."""
    data = report.data
    if isinstance(data, ACTS):
        yield f"laws/{data.country}/{data.instrument}"
    elif isinstance(data, ProvisionMapped):
        yield f"laws/{data.country}/{data.obligation.instrument}"
    elif isinstance(data, LawAmended | LawRepealed):
        for one in read.about(mapped(data.country, data.law_id)):
            yield f"laws/{data.country}/{one.data.obligation.instrument}"


def _acts(country: str, instrument: str, read: Reading) -> dict[str, list[Act]]:
    """Return by article what bears on its being carried out: what was judged, and the changes of each law judged."""
    found: dict[str, list[Act]] = {}
    laws: dict[str, set[str]] = {}
    for one in read.about(mappings(country, instrument)):
        article, law_id, full = one.data.obligation.article, one.data.law_id or "", one.data.degree == "full"
        act = Act(one.time.astimezone(UTC), True, one.id, law_id, full, False)
        found.setdefault(article, []).append(act)
        laws.setdefault(law_id, set()).add(article)
    for law_id, articles in laws.items():
        for one in read.about(changes(country, law_id)):
            repealed = isinstance(one.data, LawRepealed)
            act = Act(one.time.astimezone(UTC), False, one.id, law_id, False, repealed)
            for article in articles:
                found[article].append(act)
    return found


def _at(read: Reading) -> datetime:
    """Return when the report happened that was told, or amended."""
    cause = read.cause
    amended = cause.data.original_time if isinstance(cause.data, Corrected | Retracted) else None
    return amended or cause.time


def _named(scope: str) -> tuple[Country, Instrument]:
    """Return the country and the treaty that a scope is about, as they were written there."""
    _, country, instrument = scope.split("/")
    return cast("Country", country), cast("Instrument", instrument)


def _gap(scope: str, article: str, at: datetime) -> Notice:
    country, instrument = _named(scope)
    name = f"{instrument}.{article}"
    data = GapOpened(country=country, obligation=Obligation(instrument=instrument, article=article), since=at)
    # The order of keys is that of the articles.
    key = f"gap/{country}/{instrument}/{in_order(article)}"
    return Notice(to=country, data=data, scope=scope, key=key, event_key=name, time=at, subject=name)


def _transposed(country: Country, instrument: Instrument, step: Step) -> TranspositionChanged:
    article, _, by = step
    change = Tallied(by=by)  # 1 or -1
    obligation = Obligation(instrument=instrument, article=article)
    return TranspositionChanged(country=country, obligation=obligation, change=change)


def _key(scope: str, step: Step, which: int = 0) -> str:
    _, country, instrument = scope.split("/")
    article, at, by = step
    return f"transposed/{country}/{instrument}/{article}/{at.isoformat()}/{by}/{which}"


def _event_key(country: str, subject: str, step: Step, which: int) -> str:
    _, at, by = step
    return f"{country}/{subject}/{at.isoformat()}/{by}" + (f"/{which}" if which else "")


def _step(scope: str, step: Step, which: int, also: int) -> Notice:
    """Return the notice of a step; `which` of equal ones, `also` tells its event from others with the same cause."""
    country, instrument = _named(scope)
    article, at, _ = step
    name = f"{instrument}.{article}"
    return Notice(
        to=REGION,
        data=_transposed(country, instrument, step),
        scope=scope,
        key=_key(scope, step, which),
        event_key=_event_key(country, name, step, also),
        time=at,
        subject=name,
    )
