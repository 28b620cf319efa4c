"""Which articles of treaties a country's laws carry out, and from when until when (Plan row LE-1.R1)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from services.legal import store
from services.legal.rules.notices import SERVICE
from shared.contracts import Event
from shared.contracts.legal import Obligation, TranspositionChanged
from shared.contracts.tallies import Tallied
from shared.contracts.vocabulary import REGION, Country, Instrument
from shared.database import Connection
from shared.rules import derive

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


async def told(cause: Event[Any], country: Country, instrument: Instrument, connection: Connection) -> list[Event[Any]]:
    """Bring what was told to what acts on record now say; return the steps that are new, and those taken back."""
    wanted = Counter(
        step
        for article, acts in (await store.transposing(connection, country, instrument)).items()
        for step in steps(article, (Act(*act) for act in acts))
    )
    wanted.subtract(await store.transposed(connection, country, instrument))
    changed = {step: number for step, number in sorted(wanted.items()) if number}
    await store.note_transposed(connection, country, instrument, changed)
    return [_changed(cause, country, instrument, step, number) for step, number in changed.items()]


def _changed(cause: Event[Any], country: Country, instrument: Instrument, step: Step, number: int) -> Event[Any]:
    article, at, by = step
    data = TranspositionChanged(
        country=country,
        obligation=Obligation(instrument=instrument, article=article),
        change=Tallied(by=by if number > 0 else -by),
    )
    key = f"{country}/{instrument}.{article}/{at.isoformat()}/{by * number}"
    return derive(SERVICE, data, cause=cause, to=REGION, key=key, subject=f"{instrument}.{article}", time=at)
