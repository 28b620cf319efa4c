"""What the victims service is asked: where a referral stands."""

from collections.abc import Sequence

from services.victims import answers
from shared.contracts.questions import Answered, ReferralAnswer, ReferralAsk, not_permitted
from shared.database import Connection, Row
from shared.questions import Asked, Questions


async def on_referral(asked: Sequence[Asked[ReferralAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell the two countries of a referral where it stands; to others, one that is not there looks the same."""
    found = await answers.referrals(connection, [one.ask.referral_id for one in asked])
    return [_state(one.country, found.get(one.ask.referral_id)) for one in asked]


def _state(country: str, row: Row | None) -> Answered:
    if row is None or country not in {row["sender"], row["receiver"]}:
        return not_permitted()
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
