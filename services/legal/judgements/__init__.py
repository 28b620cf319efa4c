"""What legal does with what it records and hears, beyond recording it: one module per subject."""

from collections.abc import Sequence

from services.legal.judgements import cases, gaps, laws, treaties, witnesses
from services.legal.judgements.notices import SERVICE
from shared.record.judgement import Judgement, defined

__all__ = ["JUDGEMENTS", "SERVICE"]

JUDGEMENTS: Sequence[Judgement] = defined(treaties, laws, gaps, witnesses, cases)
"""Of the judgements about a report each tells in this order, then as they stand in their modules."""
