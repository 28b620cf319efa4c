"""What a country's laws carry out of a treaty (Plan row LE-1.R1), and the gaps that they leave (LE-1.R3).

A gap is an obligation of a party to a treaty that no law of its carries out in full (choreographies 3 and 4).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias, cast

from services.legal.judgements.laws import changes, mapped, mappings
from services.legal.judgements.notices import SERVICE
from services.legal.judgements.treaties import ACTS, joins, treaty
from services.legal.obligations import OBLIGATIONS
from shared.contracts import Event
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


class Word(NamedTuple):
    """What is told of a gap: that it opened or closed."""

    at: datetime
    opens: bool
    since: datetime
    """When it opened."""


class Gaps(Judgement):
    """The country is told of gaps, and the figures of each time when an article began or ceased to be carried out.

    Computed from all that is on record, never from what came last: the order of arrival does not matter. A gap opens
    and closes at the time of the report that changed something, so that it is right as of any day; it is not open
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
        yield from _gaps(scope, found, read)
        told = {one.key for one in read.notified(scope)}
        for (article, at, by), number in found.items():
            # Where the opposite is taken back because of the same report, that has the id.
            turned = _key(scope, (article, at, -by)) in told and not found[article, at, -by]
            for which in range(number):
                yield _step(scope, (article, at, by), which, which + turned)

    def take_back(self, notified: Notified, read: Reading) -> Iterable[Event[Any]]:
        """Return the opposite of a step; what was told of a gap, `_gaps` puts right."""
        if notified.key.startswith("gap/"):
            return
        country, instrument = _named(notified.scope)
        article = notified.entity.split(".", 1)[1]
        cause, subject = read.cause, notified.entity
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


def _named(scope: str) -> tuple[Country, Instrument]:
    """Return the country and the treaty that a scope is about, as they were written there."""
    _, country, instrument = scope.split("/")
    return cast("Country", country), cast("Instrument", instrument)


def _gaps(scope: str, found: Mapping[Step, int], read: Reading) -> Iterator[Notice]:
    """Yield what is to be told, so that of each time those gaps were told that there were then."""
    country, instrument = _named(scope)
    party = Counter[datetime]()
    for one in read.about(treaty(country, instrument)):
        party[one.time.astimezone(UTC)] += joins(one)
    told: dict[str, dict[datetime, bool]] = {}
    for one in read.about(gaps(country, instrument)):  # of those of one time the last holds
        told.setdefault(one.data.obligation.article, {})[one.time.astimezone(UTC)] = isinstance(one.data, GapOpened)
    for article in OBLIGATIONS[instrument]:
        carried_out = Counter[datetime]()
        for (name, at, by), number in found.items():
            if name == article:
                carried_out[at] += by * number
        words = put_right(told.get(article, {}), open_times(party, carried_out))
        for number, word in enumerate(words):
            yield _gap(
                scope, article, word, read, number, first=word.opens not in {one.opens for one in words[:number]}
            )


def open_times(party: Mapping[datetime, int], carried_out: Mapping[datetime, int]) -> dict[datetime, bool]:
    """Return when a gap opens (True) and closes, by when the country becomes party and its laws carry the article out.

    A date says nothing of the order of one day's acts towards a treaty: who became party more often than it withdrew
    is one.
    """
    times: dict[datetime, bool] = {}
    joined = laws = 0
    for at in sorted({*party, *carried_out}):
        joined, laws = joined + party.get(at, 0), laws + carried_out.get(at, 0)
        opens = joined > 0 and not laws
        if opens != (bool(times) and [*times.values()][-1]):
            times[at] = opens
    return times


def put_right(told: Mapping[datetime, bool], wanted: Mapping[datetime, bool]) -> list[Word]:
    """Return what is to be told, in order, so that what was told is what is wanted.

    Of what is told, the latest holds by its time, and of one time what was told last. As many gaps are told to close as
    to open, but for one that is open: where another word stands behind a new one, that one begins by ending it.
    """
    words: list[Word] = []
    stands = should = False
    since = opened = datetime.min.replace(tzinfo=UTC)
    for at in sorted({*told, *wanted}):
        was, should, stands = stands, wanted.get(at, should), told.get(at, stands)
        since = at if wanted.get(at) else since
        opened = at if stands and not was else opened
        if stands != should:
            words.append(Word(at, should, since if should else opened))
            stands, opened = should, since if should else opened
    more = sum(1 if one.opens else -1 for one in words) - (should - bool(told and told[max(told)]))
    for one in [one for one in words if one.opens == (more > 0)][: abs(more)]:
        words.insert(words.index(one), Word(one.at, not one.opens, one.at))
    return words


def _gap(scope: str, article: str, word: Word, read: Reading, number: int, *, first: bool) -> Notice:  # noqa: PLR0913
    """Return what tells of a gap; `number`: its place among what is told of the article because of one report."""
    country, instrument = _named(scope)
    name, cause = f"{instrument}.{article}", read.cause
    kind = GapOpened if word.opens else GapClosed
    return Notice(
        to=country,
        data=kind(country=country, obligation=Obligation(instrument=instrument, article=article), since=word.since),
        scope=scope,
        # The order of keys is that of the articles.
        key=f"gap/{country}/{instrument}/{in_order(article)}/{number:03}/{cause.source}/{cause.id}",
        event_key=name if first else f"{name}/{word.at.isoformat()}",
        time=word.at,
        subject=name,
    )


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
