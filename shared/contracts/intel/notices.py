"""What intel takes back of what it derived."""

from datetime import datetime
from typing import Any

from shared.contracts import Data, EventId, Source, contract


@contract(
    "intel.notice.retracted",
    good={
        "supersedes": "0193a1b2-example",
        "original": "crm.intel.document.hit.v1",
        "original_id": "0193a1b2-example",
        "original_source": "urn:crm:service:intel",
        "original_time": "2004-06-01T00:00:00Z",
        "original_recordedtime": "2004-06-01T00:00:00Z",
        "previous": {"doc_ref": "doc-5f2", "where": "GTM", "list_event": "0193a1b2-other", "latency_s": 86400},
    },
    bad=("supersedes", ...),
    privacy="P",
)
class NoticeRetracted(Data, frozen=True, kw_only=True):
    """Takes back what was derived from reports, because these were amended; figures subtract it.

    A hit, a match, a profile, a merge, a confirmed route, a reactivated band, feedback given in a country's name.
    """

    supersedes: EventId
    """The event taken back."""
    original: str
    """Its type; the rest is as in every retraction."""
    original_id: EventId
    original_source: Source
    original_time: datetime
    original_recordedtime: datetime
    previous: dict[str, Any]
