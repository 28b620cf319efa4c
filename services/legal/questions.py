"""What legal is asked: which obligations of a treaty a country has not put into its law, and numbers to be hashed."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from services.legal.judgements.gaps import gaps, in_order
from services.legal.judgements.treaties import is_party, treaty
from services.legal.numbers import on_numbers
from shared.ask.questions import Asked, Questions
from shared.contracts.legal import GapOpened
from shared.contracts.questions import Answered, GapsAnswer, GapsAsk, NumbersAsk, OpenGap
from shared.record.asking import about
from shared.record.judgement import Standing
from shared.run.database import Connection


async def on_gaps(asked: Sequence[Asked[GapsAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell any country the gaps of any other: treaties and laws are public."""
    keys = [(one.ask.country, one.ask.instrument) for one in asked]
    found = await about(connection, [thing(*key) for key in keys for thing in (treaty, gaps)])
    return [GapsAnswer(party=is_party(found[treaty(*key)]), gaps=_open(found[gaps(*key)])) for key in keys]


def _open(reports: Sequence[Standing[Any]]) -> tuple[OpenGap, ...]:
    """Return the gaps that opened and did not close again, in the order of their articles."""
    last = {one.data.obligation.article: one for one in sorted(reports, key=lambda one: (one.time, one.position))}
    still = [last[article] for article in sorted(last, key=in_order) if isinstance(last[article].data, GapOpened)]
    return tuple(OpenGap(article=one.data.obligation.article, since=one.data.since.astimezone(UTC)) for one in still)


QUESTIONS: Questions = {GapsAsk: on_gaps, NumbersAsk: on_numbers}
