"""What the victims service does with what it records and hears, beyond recording it: one module per subject."""

from collections.abc import Sequence

from services.victims.judgements import (
    care,
    consents,
    continuity,
    people,
    points,
    referrals,
    returns,
    withdrawals,
)
from services.victims.judgements.notices import SERVICE
from shared.record.judgement import Judgement

__all__ = ["JUDGEMENTS", "SERVICE"]

JUDGEMENTS: Sequence[Judgement] = (
    care.Care(),
    people.Crimes(),
    continuity.CareGaps(),
    points.ContactPoints(),
    returns.Homecomings(),
    returns.Evaluations(),
    returns.Losses(),
    consents.Consents(),
    withdrawals.Withdrawals(),
    consents.Erasures(),
    withdrawals.Deaths(),
    referrals.Sent(),
    referrals.Offered(),
    referrals.Answers(),
    referrals.Revocations(),
    referrals.Completions(),
    referrals.Silences(),
    referrals.Ladder(),
)
"""Of the judgements about a report each tells in this order."""
