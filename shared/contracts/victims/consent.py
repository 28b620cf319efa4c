"""What victims consented to, and what a country settled about victims."""

from datetime import date

from shared.contracts import Ref, contract
from shared.contracts.sense import Fact
from shared.contracts.vocabulary import ConsentScope, DefinedCrime, Mechanism, Token


class Definition(Fact, frozen=True, kw_only=True):
    """The Plan's definition of a victim of one of the two crimes (Plan VA 1.1)."""

    definition: DefinedCrime
    instrument_ref: Ref | None = None


DEFINITION = {"definition": "tip", "reported_by": "foreign_ministry"}


@contract(
    "victims.definition.recognised",
    good=DEFINITION,
    bad=("definition", "x"),
    rows=(
        "VA-1.1",
        "MS-VA-1",
    ),
)
class DefinitionRecognised(Definition, frozen=True, kw_only=True):
    """A country recognised the definition."""


@contract(
    "victims.definition.applied",
    good=DEFINITION,
    bad=("definition", ...),
    privacy="P",
    rows=("VA-1.1",),
)
class DefinitionApplied(Definition, frozen=True, kw_only=True):
    """A country applied the definition in a case."""

    case_id: Ref | None = None


@contract(
    "victims.mechanism.agreed",
    good={"mechanism": "statement", "procedure_ref": "proc-2", "reported_by": "immigration"},
    bad=("mechanism", "guess"),
    rows=(
        "VA-3.1c",
        "MS-VA-3",
    ),
)
class MechanismAgreed(Fact, frozen=True, kw_only=True):
    """A country settled how victims are identified (Plan VA 3.1.1)."""

    mechanism: Mechanism
    procedure_ref: Ref | None = None


@contract(
    "victims.consent.recorded",
    good={
        "consent_id": "con-1",
        "victim_pid": "vi-5a0",
        "scope": "referral",
        "purpose": "repatriation",
        "valid_until": "2005-03-01",
        "guardian": False,
        "reported_by": "ngo",
    },
    bad=("scope", "everything"),
    privacy="P",
    entity="consent_id",
)
class ConsentRecorded(Fact, frozen=True, kw_only=True):
    """A victim consented to something, for a purpose and a time."""

    consent_id: Ref
    victim_pid: Ref
    scope: ConsentScope
    purpose: Token
    guardian: bool
    """Given by a guardian."""
    valid_until: date | None = None

    @property
    def for_referral(self) -> bool:
        """Whether a referral may rest on it."""
        return self.scope == "referral"


class ConsentEnd(Fact, frozen=True, kw_only=True):
    """The end of a consent."""

    consent_id: Ref
    victim_pid: Ref


CONSENT = {"consent_id": "con-1", "victim_pid": "vi-5a0", "reported_by": "ngo"}


@contract("victims.consent.withdrawn", good=CONSENT, bad=("consent_id", ...), privacy="P", entity="consent_id")
class ConsentWithdrawn(ConsentEnd, frozen=True, kw_only=True):
    """A victim took a consent back; whoever holds data under it must erase them and say so."""


@contract("victims.consent.erased", good=CONSENT, bad=("victim_pid", ...), privacy="P", entity="consent_id")
class ConsentErased(ConsentEnd, frozen=True, kw_only=True):
    """A holder confirms that data under a withdrawn consent are erased."""
