"""What the victims service is asked: where a referral stands."""

from collections import defaultdict
from collections.abc import Sequence

from services.victims import answers
from shared import references
from shared.contracts.questions import Answered, ReferralAnswer, ReferralAsk, invalid, not_permitted
from shared.database import Connection, Row
from shared.questions import Asked, Questions


async def on_referral(asked: Sequence[Asked[ReferralAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell the two countries of a referral where it stands; to others, one that is not there looks the same.

    Of equal identifiers the asking country's own is meant first; where several others gave it, it says whose.
    """
    found: dict[int, list[Row]] = defaultdict(list)
    for row in await answers.referrals(connection, [(one.country, one.ask.referral_id) for one in asked]):
        found[row["number"]].append(row)
    return [_state(one.country, found[number]) for number, one in enumerate(asked, start=1)]


def _state(country: str, found: Sequence[Row]) -> Answered:
    rows = [row for row in found if row["sender"] == country] or found
    if not rows:
        return not_permitted()
    if len(rows) > 1:
        return invalid(references.ambiguous([row["sender"] for row in rows], "/referral_id"))
    [row] = rows
    return ReferralAnswer(
        state=row["state"],
        sender=row["sender"],
        receiver=row["receiver"],
        urgency=row["urgency"],
        sent=row["sent"],
        due=row["due"],
        delivered=row["delivered"],
    )


QUESTIONS: Questions = {ReferralAsk: on_referral}
