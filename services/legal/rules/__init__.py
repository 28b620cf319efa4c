"""What legal does with what it records and hears, beyond recording it."""

from services.legal import store
from services.legal.rules import cases, gaps, treaties, witnesses
from services.legal.rules.notices import SERVICE
from shared.amendments import Amends, Follows
from shared.contracts.intel import EntryRequirementChanged, EntryRequirementDeclared
from shared.contracts.legal import (
    CaseResolved,
    LawAmended,
    LawRepealed,
    ProceedingClosed,
    ProceedingOpened,
    ProvisionMapped,
    WitnessEnded,
    WitnessProtected,
    WitnessReviewed,
)
from shared.contracts.training import ComplaintResolved, ReportFiled
from shared.facts import Fact, Facts
from shared.rules import Rules

__all__ = ["AMENDS", "FACTS", "FOLLOWS", "RULES", "SERVICE"]

RULES: Rules = {
    CaseResolved: cases.on_case_resolved,
    ComplaintResolved: cases.on_complaint_resolved,
    EntryRequirementChanged: gaps.on_entry_rule,
    EntryRequirementDeclared: gaps.on_entry_rule,
    LawAmended: gaps.on_law_changed,
    LawRepealed: gaps.on_law_changed,
    ProceedingClosed: witnesses.on_case_act,
    ProceedingOpened: witnesses.on_case_act,
    ProvisionMapped: gaps.on_provision_mapped,
    ReportFiled: cases.on_report_filed,
    WitnessEnded: cases.on_witness_seen_to,
    WitnessProtected: witnesses.on_case_act,
    WitnessReviewed: cases.on_witness_seen_to,
    **dict.fromkeys(treaties.ACTS, treaties.on_treaty_act),
}
AMENDS: Amends = {
    CaseResolved: cases.amend_case_resolved,
    ProceedingClosed: witnesses.amend_case_act,
    ProceedingOpened: witnesses.amend_case_act,
    ProvisionMapped: gaps.amend_provision_mapped,
    WitnessEnded: witnesses.amend_case_act,
    WitnessProtected: witnesses.amend_case_act,
    WitnessReviewed: witnesses.amend_case_act,
}
FOLLOWS: Follows = {
    CaseResolved: cases.reopened,
    ComplaintResolved: cases.reconsidered,
    LawAmended: gaps.resettled,
    LawRepealed: gaps.resettled,
    ProvisionMapped: gaps.resettled,
    WitnessEnded: cases.unseen,
    WitnessReviewed: cases.unseen,
    **dict.fromkeys(treaties.ACTS, treaties.reacted),
}
FACTS: Facts = {
    CaseResolved: Fact("resolved_case", store.resolved_case),
    EntryRequirementChanged: Fact("entry_rule", store.entry_rule),
    EntryRequirementDeclared: Fact("entry_rule", store.entry_rule),
    LawAmended: Fact("law_change", store.law_change),
    LawRepealed: Fact("law_change", store.law_change),
    ProceedingClosed: Fact("proceeding", store.proceeding),
    ProceedingOpened: Fact("proceeding", store.proceeding),
    ProvisionMapped: Fact("mapping", store.mapping),
    WitnessEnded: Fact("witness_care", store.witness_care),
    WitnessProtected: Fact("witness_care", store.witness_care),
    WitnessReviewed: Fact("witness_care", store.witness_care),
    **dict.fromkeys(treaties.ACTS, Fact("treaty_act", store.treaty_act)),
}
