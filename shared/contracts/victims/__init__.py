"""What countries report to the victims service, and what it derives."""

from shared.contracts.means import resources
from shared.contracts.notice import alerts, rejects
from shared.contracts.victims.care import (
    MigrationStatusResolved,
    OccupationAssessed,
    ProgrammeEnrolled,
    ProgrammeLeft,
    ServiceEnded,
    ServiceProvided,
    ServiceRefused,
    ServiceRequested,
)
from shared.contracts.victims.consent import (
    ConsentErased,
    ConsentRecorded,
    ConsentWithdrawn,
    DefinitionApplied,
    DefinitionRecognised,
    MechanismAgreed,
)
from shared.contracts.victims.people import (
    ComplaintFiled,
    Completeness,
    IndirectVictim,
    VictimDeceased,
    VictimIdentified,
    VictimRegistered,
    VictimStatusChanged,
    VictimUpdated,
)
from shared.contracts.victims.projects import (
    CampaignEnded,
    CampaignLaunched,
    CampaignMeasured,
    EvaluationOverdue,
    EvaluationSubmitted,
    ProjectApproved,
    ProjectClosed,
    ProjectPresented,
    ProjectStarted,
)
from shared.contracts.victims.referrals import (
    ConsentOverride,
    Preview,
    ReferralAccepted,
    ReferralCompleted,
    ReferralDelivered,
    ReferralEscalated,
    ReferralLapsed,
    ReferralOffered,
    ReferralOverdue,
    ReferralRejected,
    ReferralRevoked,
    ReferralSent,
)
from shared.contracts.victims.returns import (
    NoticeRetracted,
    RepatriationCompleted,
    RepatriationFailed,
    RepatriationLost,
    RepatriationPlanned,
)
from shared.contracts.victims.sealing import ConsentRecordedSealed, ReferralOfferedSealed, ReferralSentSealed

__all__ = [
    "CampaignEnded",
    "CampaignLaunched",
    "CampaignMeasured",
    "ComplaintFiled",
    "Completeness",
    "ConsentErased",
    "ConsentOverride",
    "ConsentRecorded",
    "ConsentRecordedSealed",
    "ConsentWithdrawn",
    "DefinitionApplied",
    "DefinitionRecognised",
    "EvaluationOverdue",
    "EvaluationSubmitted",
    "IndirectVictim",
    "MechanismAgreed",
    "MigrationStatusResolved",
    "NoticeRetracted",
    "OccupationAssessed",
    "Preview",
    "ProgrammeEnrolled",
    "ProgrammeLeft",
    "ProjectApproved",
    "ProjectClosed",
    "ProjectPresented",
    "ProjectStarted",
    "ReferralAccepted",
    "ReferralCompleted",
    "ReferralDelivered",
    "ReferralEscalated",
    "ReferralLapsed",
    "ReferralOffered",
    "ReferralOfferedSealed",
    "ReferralOverdue",
    "ReferralRejected",
    "ReferralRevoked",
    "ReferralSent",
    "ReferralSentSealed",
    "RepatriationCompleted",
    "RepatriationFailed",
    "RepatriationLost",
    "RepatriationPlanned",
    "ServiceEnded",
    "ServiceProvided",
    "ServiceRefused",
    "ServiceRequested",
    "VictimDeceased",
    "VictimIdentified",
    "VictimRegistered",
    "VictimStatusChanged",
    "VictimUpdated",
]

alerts("victims")
rejects("victims")
resources("victims")
