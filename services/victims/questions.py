"""What the victims service is asked: where a referral stands, and about the keys of what is sealed."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.victims import keys
from services.victims.judgements.standing import Referral, named, referral, sent_to
from shared.ask.questions import Asked, Questions
from shared.contracts import identity
from shared.contracts.keeping import ForgetAsk, KeepAsk, KeyAsk
from shared.contracts.questions import Answered, ReferralAnswer, ReferralAsk, invalid, not_permitted
from shared.record import references
from shared.record.asking import about
from shared.record.judgement import Standing
from shared.run.database import Connection


async def on_referral(asked: Sequence[Asked[ReferralAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell the two countries of a referral where it stands; to others, one that is not there looks the same.

    Of equal identifiers the asking country's own is meant first; where several others gave it, it says whose.
    """
    received = await about(connection, [sent_to(one.country, _plain(one)) for one in asked])
    pairs = [[(one.country, _plain(one)), *_senders(one, received)] for one in asked]
    reports = await about(connection, [named(*pair) for found in pairs for pair in found])
    known = {thing: referral(found) for thing, found in reports.items()}
    return [
        _state(one, [found for pair in own if (found := known[named(*pair)])])
        for one, own in zip(asked, pairs, strict=True)
    ]


def _plain(asked: Asked[ReferralAsk]) -> str:
    return identity.parted(asked.ask.referral_id)[1]


def _senders(asked: Asked[ReferralAsk], received: Mapping[str, Sequence[Standing[Any]]]) -> list[tuple[str, str]]:
    return [(one.country, _plain(asked)) for one in received[sent_to(asked.country, _plain(asked))]]


def _state(asked: Asked[ReferralAsk], found: Sequence[Referral]) -> Answered:
    meant = [one for one in found if identity.parted(asked.ask.referral_id)[0] in {"", one.sender}]
    rows = [one for one in meant if one.sender == asked.country] or meant
    if not rows:
        return not_permitted()
    if len(rows) > 1:
        return invalid(references.ambiguous([one.sender for one in rows], "/referral_id"))
    [row] = rows
    return ReferralAnswer(
        state=row.state,
        sender=row.sender,  # type: ignore[arg-type]  # a member's code
        receiver=row.receiver,  # type: ignore[arg-type]  # a member's code
        urgency=row.sent.data.urgency,
        sent=row.sent.known,
        due=row.due,
        delivered=row.delivered,
    )


QUESTIONS: Questions = {
    ReferralAsk: on_referral,
    KeepAsk: keys.on_keep,
    KeyAsk: keys.on_key,
    ForgetAsk: keys.on_forget,
}
