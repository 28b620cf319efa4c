"""What the training service does with what it records and hears, beyond recording it."""

from services.training.rules import certificates, complaints, forgeries, laws, needs
from services.training.rules.notices import SERVICE
from services.training.store.complaints import complaint
from shared.amendments import Amends, Follows
from shared.contracts import intel, legal, training
from shared.facts import Fact, Facts
from shared.rules import Rules

__all__ = ["AMENDS", "FACTS", "FOLLOWS", "RULES", "SERVICE"]

RULES: Rules = {
    intel.DocumentConfirmed: forgeries.on_document_confirmed,
    legal.LawAmended: laws.on_law_changed,
    legal.LawRepealed: laws.on_law_changed,
    training.CertificationExpired: certificates.on_certification_expired,
    training.ComplaintReceived: complaints.on_complaint,
    training.ComplaintResolved: complaints.on_complaint,
    training.CourseDelivered: needs.on_course,
    training.CourseScheduled: needs.on_course,
    training.OfficerCertified: certificates.on_officer_certified,
    **dict.fromkeys(needs.ASKING, needs.on_asking),
}
AMENDS: Amends = {
    intel.DocumentConfirmed: forgeries.amend_document_confirmed,
    legal.LawAmended: laws.amend_law_changed,
    legal.LawRepealed: laws.amend_law_changed,
    training.OfficerCertified: certificates.amend_officer_certified,
}
FOLLOWS: Follows = {
    intel.DocumentConfirmed: forgeries.reconfirmed,
    legal.LawAmended: laws.realigned,
    legal.LawRepealed: laws.realigned,
    training.ComplaintReceived: complaints.recomplained,
    training.ComplaintResolved: complaints.recomplained,
    training.CourseDelivered: needs.recoursed,
    training.CourseScheduled: needs.recoursed,
    training.OfficerCertified: certificates.recertified,
    **dict.fromkeys(needs.ASKING, needs.reasked),
}
FACTS: Facts = {
    training.ComplaintReceived: Fact("complaint", complaint),
    training.ComplaintResolved: Fact("complaint", complaint),
    training.CourseDelivered: Fact("course", needs.course),
    training.CourseScheduled: Fact("course", needs.course),
}
