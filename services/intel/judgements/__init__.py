"""What intel does with what it records and hears, beyond recording it: one module per subject."""

from collections.abc import Sequence

from services.intel.judgements import commitments, documents, network, operations, phones, places, suspects, ways
from services.intel.judgements.notices import SERVICE
from shared.record.judgement import Judgement

__all__ = ["JUDGEMENTS", "SERVICE"]

JUDGEMENTS: Sequence[Judgement] = (
    documents.Hits(),
    documents.Specimens(),
    documents.EntryRules(),
    network.ContactPoints(),
    network.Exchanges(),
    network.Shared(),
    network.Feedback(),
    commitments.Commitments(),
    commitments.Presidency(),
    commitments.OverdueCommitments(),
    operations.Manuals(),
    operations.PlannedOperations(),
    operations.JointOperations(),
    phones.Detentions(),
    phones.Opened(),
    phones.Seizures(),
    phones.Matches(),
    places.Places(),
    places.FoundVictims(),
    suspects.Suspects(),
    suspects.Pairs(),
    ways.Routes(),
    ways.Bands(),
)
"""Of the judgements about a report each tells in this order."""
