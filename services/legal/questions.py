"""What legal is asked: which obligations of a treaty a country has not put into its law."""

from collections.abc import Sequence

from services.legal import answers
from services.legal.obligations import OBLIGATIONS
from shared.contracts.questions import Answered, GapsAnswer, GapsAsk, OpenGap
from shared.database import Connection
from shared.questions import Asked, Questions


async def on_gaps(asked: Sequence[Asked[GapsAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell any country the gaps of any other: treaties and laws are public."""
    treaties = [(one.ask.country, one.ask.instrument) for one in asked]
    parties = await answers.parties(connection, treaties)
    rows = await answers.gaps(connection, treaties)
    result = []
    for number, one in enumerate(asked, start=1):
        since = {row["article"]: row["since"] for row in rows if row["number"] == number}
        in_order = sorted(since, key=OBLIGATIONS[one.ask.instrument].index)
        gaps = tuple(OpenGap(article=article, since=since[article]) for article in in_order)
        result.append(GapsAnswer(party=number in parties, gaps=gaps))
    return result


QUESTIONS: Questions = {GapsAsk: on_gaps}
