"""What the victims service does with what it records and hears, beyond recording it: one module per choreography."""

from services.victims.rules import care, consents, continuity, people, points, referrals, returns, withdrawals
from services.victims.rules.notices import SERVICE, final, stands
from services.victims.store import services
from services.victims.store.care import contact_act
from shared.amendments import Amends, Follows
from shared.contracts import intel, victims
from shared.facts import Fact, Facts
from shared.rules import Rules

__all__ = ["AMENDS", "FACTS", "FOLLOWS", "RULES", "SERVICE"]

POINTS = (intel.ContactPointDesignated, intel.ContactPointReplaced, intel.ContactPointVacated)

RULES: Rules = {
    intel.ContactPointDesignated: points.on_contactpoint_filled,
    intel.ContactPointReplaced: points.on_contactpoint_filled,
    intel.ContactPointVacated: points.on_contactpoint_vacated,
    **dict.fromkeys(care.CONCERNS, care.on_concerning),
    victims.ConsentErased: consents.on_consent_erased,
    victims.ConsentRecorded: consents.on_consent_recorded,
    victims.ConsentWithdrawn: withdrawals.on_consent_withdrawn,
    victims.EvaluationSubmitted: returns.on_evaluation_submitted,
    victims.MigrationStatusResolved: continuity.on_migrationstatus_resolved,
    victims.ProgrammeEnrolled: returns.on_programme_enrolled,
    victims.ReferralAccepted: referrals.on_referral_accepted,
    victims.ReferralCompleted: referrals.on_referral_completed,
    victims.ReferralDelivered: referrals.on_referral_delivered,
    victims.ReferralEscalated: referrals.on_referral_escalated,
    victims.ReferralLapsed: referrals.on_referral_lapsed,
    victims.ReferralOverdue: referrals.on_referral_overdue,
    victims.ReferralRejected: referrals.on_referral_rejected,
    victims.ReferralRevoked: referrals.on_referral_revoked,
    victims.ReferralSent: referrals.on_referral_sent,
    victims.RepatriationCompleted: returns.on_repatriation_completed,
    victims.RepatriationLost: returns.on_repatriation_lost,
    victims.VictimDeceased: withdrawals.on_victim_deceased,
    victims.VictimStatusChanged: people.on_status_changed,
}
AMENDS: Amends = {
    victims.ConsentErased: stands,
    victims.ConsentRecorded: consents.amend_consent_recorded,
    victims.ConsentWithdrawn: stands,
    victims.MigrationStatusResolved: continuity.amend_migrationstatus_resolved,
    victims.ProgrammeEnrolled: returns.amend_programme_enrolled,
    victims.ReferralAccepted: stands,
    victims.ReferralCompleted: stands,
    victims.ReferralRejected: stands,
    victims.ReferralRevoked: stands,
    victims.ReferralSent: final,
    victims.RepatriationCompleted: returns.amend_repatriation_completed,
    victims.VictimStatusChanged: people.amend_status_changed,
}
FOLLOWS: Follows = {
    **dict.fromkeys(care.CONCERNS, care.amended),
    **dict.fromkeys(POINTS, points.amended),
}
FACTS: Facts = {
    **dict.fromkeys(POINTS, Fact("contact_act", contact_act)),
    victims.ServiceEnded: Fact("service", services.ended),
    victims.ServiceProvided: Fact("service", services.provided),
    victims.VictimIdentified: Fact("identification", services.identified),
}
