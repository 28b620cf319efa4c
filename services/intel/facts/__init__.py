"""What intel keeps of reports, its own and heard: to answer questions from, and to judge what follows from them."""

from services.intel.facts import documents, network, phones, places, suspects, ways
from shared.contracts import intel
from shared.contracts.legal import PersonDetained
from shared.facts import Fact, Facts

FACTS: Facts = {
    intel.BandDismantled: Fact("band_act", ways.put_band_act),
    intel.BandIdentified: Fact("band_act", ways.put_band_act),
    intel.BandReactivated: Fact("band_act", ways.put_band_act),
    intel.CommitmentAgreed: Fact("commitment", network.put_commitment),
    intel.CommitmentFulfilled: Fact("commitment_act", network.put_fulfilled),
    intel.ContactPointDesignated: Fact("contact_act", network.put_contact_act),
    intel.ContactPointReplaced: Fact("contact_act", network.put_contact_act),
    intel.ContactPointVacated: Fact("contact_act", network.put_contact_act),
    intel.DocumentConfirmed: Fact("confirmation", documents.put_confirmation),
    intel.DocumentDelisted: Fact("listing", documents.put_listing),
    intel.DocumentFlagged: Fact("sighting", documents.put_sighting),
    intel.DocumentListed: Fact("listing", documents.put_listing),
    intel.EntryRequirementChanged: Fact("entry_requirement", documents.put_entry_requirement),
    intel.EntryRequirementDeclared: Fact("entry_requirement", documents.put_entry_requirement),
    intel.InformationAnswered: Fact("request_act", network.put_reply),
    intel.InformationRefused: Fact("request_act", network.put_reply),
    intel.InformationRequested: Fact("request", network.put_request),
    intel.LocationAcknowledged: Fact("place_act", places.put_answer),
    intel.LocationCleared: Fact("place_act", places.put_answer),
    intel.LocationReported: Fact("place", places.put_place),
    intel.LocationVerified: Fact("place_act", places.put_answer),
    intel.PhonebookDisseminated: Fact("dissemination", phones.put_dissemination),
    intel.PhonebookSeized: Fact("seizure", phones.put_seizure),
    intel.RouteConfirmed: Fact("route_act", ways.put_route_act),
    intel.RouteReported: Fact("route_act", ways.put_route_act),
    intel.RouteRetired: Fact("route_act", ways.put_route_act),
    intel.SpecimenDeposited: Fact("specimen", documents.put_specimen),
    intel.SpecimenSuperseded: Fact("specimen_end", documents.put_specimen_end),
    intel.SpecimenWithdrawn: Fact("specimen_end", documents.put_specimen_end),
    intel.TraffickerDetected: Fact("detection", suspects.put_detection),
    PersonDetained: Fact("detention", phones.put_detention),
}
