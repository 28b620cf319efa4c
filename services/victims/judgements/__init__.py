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
from shared.record.judgement import Judgement, defined

__all__ = ["JUDGEMENTS", "SERVICE"]

JUDGEMENTS: Sequence[Judgement] = defined(care, people, continuity, points, returns, withdrawals, consents, referrals)
"""Of the judgements about a report each tells in this order, then as they stand in their modules."""
