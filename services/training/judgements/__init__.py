"""What training does with what it records and hears, beyond recording it: one module per subject."""

from collections.abc import Sequence

from services.training.judgements import certificates, complaints, forgeries, needs
from services.training.judgements.notices import SERVICE
from shared.record.judgement import Judgement, defined

__all__ = ["JUDGEMENTS", "SERVICE"]

JUDGEMENTS: Sequence[Judgement] = defined(complaints, forgeries, certificates, needs)
"""Of the judgements about a report each tells in this order, then as they stand in their modules."""
