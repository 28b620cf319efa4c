"""What legal does with what it records and hears, beyond recording it."""

from services.legal.rules import cases, gaps, treaties
from services.legal.rules.notices import SERVICE
from shared.amendments import Amends, Follows
from shared.contracts.legal import (
    CaseResolved,
    LawAmended,
    LawRepealed,
    ProvisionMapped,
    WitnessEnded,
    WitnessReviewed,
)
from shared.contracts.training import ComplaintResolved
from shared.rules import Rules

__all__ = ["AMENDS", "FOLLOWS", "RULES", "SERVICE"]

RULES: Rules = {
    CaseResolved: cases.on_case_resolved,
    ComplaintResolved: cases.on_complaint_resolved,
    LawAmended: gaps.on_law_changed,
    LawRepealed: gaps.on_law_changed,
    ProvisionMapped: gaps.on_provision_mapped,
    WitnessEnded: cases.on_witness_seen_to,
    WitnessReviewed: cases.on_witness_seen_to,
    **dict.fromkeys(treaties.ACTS, treaties.on_treaty_act),
}
AMENDS: Amends = {
    CaseResolved: cases.amend_case_resolved,
    LawAmended: gaps.amend_law_changed,
    LawRepealed: gaps.amend_law_changed,
    ProvisionMapped: gaps.amend_provision_mapped,
    **dict.fromkeys(treaties.ACTS, treaties.amend_treaty_act),
}
FOLLOWS: Follows = {
    CaseResolved: cases.reopened,
    LawAmended: gaps.resettled,
    LawRepealed: gaps.resettled,
    ProvisionMapped: gaps.resettled,
    **dict.fromkeys(treaties.ACTS, gaps.resettled),
}
