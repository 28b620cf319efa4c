"""What intel takes back of what it derived."""

from shared.contracts import EventId, Source, contract
from shared.contracts.notice import TAKEN_BACK, TakenBack


@contract(
    "intel.notice.retracted",
    good=TAKEN_BACK
    | {
        "original": "crm.intel.document.hit.v1",
        "original_id": "0193a1b2-example",
        "original_source": "urn:crm:service:intel",
        "previous": {"doc_ref": "doc-5f2", "where": "GTM", "list_event": "0193a1b2-other", "latency_s": 86400},
    },
    bad=("supersedes", ...),
    privacy="P",
)
class NoticeRetracted(TakenBack, frozen=True, kw_only=True):
    """Takes back what was derived from reports, because these were amended; figures subtract it.

    A hit, a match, a profile, a merge, a confirmed route, a reactivated band, feedback given in a country's name.
    """

    original_id: EventId
    original_source: Source
