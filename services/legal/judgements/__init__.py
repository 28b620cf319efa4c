"""What legal does with what it records and hears, beyond recording it: one module per subject."""

from collections.abc import Sequence

from services.legal.judgements import cases, gaps, laws, treaties, witnesses
from services.legal.judgements.notices import SERVICE
from shared.record.judgement import Judgement

__all__ = ["JUDGEMENTS", "SERVICE"]

JUDGEMENTS: Sequence[Judgement] = (
    treaties.Acts(),
    laws.Mappings(),
    laws.Changes(),
    laws.EntryRules(),
    gaps.Gaps(),
    witnesses.Numbers(),
    cases.Regional(),
    cases.Reviews(),
    cases.Complaints(),
    cases.Offences(),
)
"""Of the judgements about a report each tells in this order."""
