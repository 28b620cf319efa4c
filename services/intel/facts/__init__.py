"""What intel keeps of reports, its own and heard: to answer questions from, and to judge what follows from them."""

from services.intel.facts import documents, network, phones, places, suspects, ways
from shared.contracts import intel
from shared.contracts.legal import PersonDetained
from shared.facts import Fact, Facts

FACTS: Facts = {
    intel.BandDismantled: Fact("band_act", ways.band_act),
    intel.BandIdentified: Fact("band_act", ways.band_act),
    intel.BandReactivated: Fact("band_act", ways.band_act),
    intel.CommitmentAgreed: Fact("commitment", network.commitment),
    intel.CommitmentFulfilled: Fact("commitment_act", network.commitment_act),
    intel.ContactPointDesignated: Fact("contact_act", network.contact_act),
    intel.ContactPointReplaced: Fact("contact_act", network.contact_act),
    intel.ContactPointVacated: Fact("contact_act", network.contact_act),
    intel.DocumentConfirmed: Fact("confirmation", documents.confirmation),
    intel.DocumentDelisted: Fact("listing", documents.listing),
    intel.DocumentFlagged: Fact("sighting", documents.sighting),
    intel.DocumentListed: Fact("listing", documents.listing),
    intel.EntryRequirementChanged: Fact("entry_requirement", documents.entry_requirement),
    intel.EntryRequirementDeclared: Fact("entry_requirement", documents.entry_requirement),
    intel.InformationAnswered: Fact("request_act", network.request_act),
    intel.InformationRefused: Fact("request_act", network.request_act),
    intel.InformationRequested: Fact("request", network.request),
    intel.LocationAcknowledged: Fact("place_act", places.place_act),
    intel.LocationCleared: Fact("place_act", places.place_act),
    intel.LocationReported: Fact("place", places.place),
    intel.LocationVerified: Fact("place_act", places.place_act),
    intel.PhonebookDisseminated: Fact("dissemination", phones.dissemination, phones.put_hashes),
    intel.PhonebookSeized: Fact("seizure", phones.seizure),
    intel.RouteConfirmed: Fact("route_act", ways.route_act),
    intel.RouteReported: Fact("route_act", ways.route_act),
    intel.RouteRetired: Fact("route_act", ways.route_act),
    intel.SpecimenDeposited: Fact("specimen", documents.specimen),
    intel.SpecimenSuperseded: Fact("specimen_end", documents.specimen_end),
    intel.SpecimenWithdrawn: Fact("specimen_end", documents.specimen_end),
    intel.TraffickerDetected: Fact("detection", suspects.detection),
    PersonDetained: Fact("detention", phones.detention),
}
