"""What intel does with what it records and hears, beyond recording it: one module per subject."""

from collections.abc import Sequence

from services.intel.judgements import commitments, documents, network, operations, phones, places, suspects, ways
from services.intel.judgements.notices import SERVICE
from shared.record.judgement import Judgement, defined

__all__ = ["JUDGEMENTS", "SERVICE"]

JUDGEMENTS: Sequence[Judgement] = defined(documents, network, commitments, operations, phones, places, suspects, ways)
"""Of the judgements about a report each tells in this order, then as they stand in their modules."""
