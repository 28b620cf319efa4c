"""Whose an identifier is: a country's own, unless the contract says otherwise; two countries' equal ones never meet.

A country writes its own identifiers plain (`2024-001`) and another's with its owner (`GTM:2024-001`). What the services
tell things apart by is the whole identifier, always with its owner; one without stands for what was recorded before
identifiers had owners, when equal ones were the region's.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, get_args

import msgspec

from shared.contracts.vocabulary import MEMBERS, REGION

Owners: TypeAlias = dict[str, str]
"""Field -> the country whose identifier stands in it; `REG`: the region's, from before identifiers had owners."""

OWN, SHARED, GIVEN, OF, MADE, EVENT, LABEL, TOLD = (
    "own",
    "shared",
    "given",
    "of:",
    "region",
    "event",
    "label",
    "told",
)
MEANING: Mapping[str, str] = {
    OWN: "the reporting country's own",
    SHARED: "the reporting country's own, or another's with its owner before it (`GTM:…`)",
    GIVEN: "one that another country gave it (or its own, where it may mean that): plain if only one did, or with its"
    " owner",
    OF: "of the country named in `{}`",
    MADE: "the region's: made by a service, or a fixed list",
    EVENT: "the id of an event",
    LABEL: "names nothing beyond this report",
    TOLD: "as the country that is told, or the one named beside it, writes it",
}

# By the name of the field, wherever it stands; `EXCEPT` has the types in which it is another's.
WHOSE: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "bcps", "cert_id", "change_id", "complaint_id", "consent_id", "detention_id", "detention_ids", "holder_pid",
            "officer_pid", "person_pid", "procedure_id", "renewed_by", "report_id", "seizure_id", "trafficker_pid",
            "unit_id", "victim_pid", "witness_pid",
        ),
        OWN,
    ),
    **dict.fromkeys(
        (
            "band_id", "bcp", "campaign_id", "case_id", "course_id", "event_ref", "meeting_id", "operation_id",
            "paper_id", "place_ref", "plan_id", "project_id", "referral_id", "route_id", "school_id", "session_id",
            "survey_id",
        ),
        SHARED,
    ),
    **dict.fromkeys(("doc_ref", "specimen_id", "superseded_by"), OF + "issuing"),
    **dict.fromkeys(("article", "hit_id", "indicator", "match_id", "milestone", "need_id", "plan", "row"), MADE),
    **dict.fromkeys(("about", "evidence", "flag_id", "list_event", "original_id", "supersedes"), EVENT),
    **dict.fromkeys(("articles", "carrier", "instrument_ref", "procedure_ref", "series", "version"), LABEL),
    **dict.fromkeys(("entity", "into", "pids", "seizure_ids", "where"), TOLD),
    "commitment_id": OWN,
    "exchange_id": OWN,
    "law_id": OF + "country",
    "legal_ref": OF + "destination",
}  # fmt: skip
EXCEPT: Mapping[str, Mapping[str, str]] = {
    "intel.commitment.fulfilled": {"commitment_id": GIVEN},
    "intel.commitment.overdue": {"commitment_id": TOLD},
    "intel.document.confirmed": {"bcp": OWN},
    "intel.document.hit": {"doc_ref": TOLD},
    "intel.document.flagged": {"bcp": OWN},
    "intel.feedback.given": {"exchange_id": SHARED},
    "intel.information.answered": {"exchange_id": OF + "to"},
    "intel.information.received": {"exchange_id": SHARED},
    "intel.information.refused": {"exchange_id": OF + "to"},
    "intel.location.acknowledged": {"place_ref": GIVEN},
    "intel.location.cleared": {"place_ref": GIVEN},
    "intel.location.proven": {"place_ref": TOLD},
    "intel.location.verified": {"place_ref": GIVEN},
    "intel.route.confirmed": {"route_id": GIVEN},
    "intel.route.retired": {"route_id": GIVEN},
    "legal.law.amended": {"supersedes": LABEL},
    "legal.law.enacted": {"supersedes": LABEL},
    "legal.law.repealed": {"supersedes": LABEL},
    "training.attendance.recorded": {"officer_pid": OF + "country"},
    "training.course.delivered": {"aligned_to.law_id": SHARED},
    "training.course.scheduled": {"aligned_to.law_id": SHARED},
    "training.officer.certified": {"aligned_to.law_id": SHARED},
    "victims.consent.erased": {"consent_id": GIVEN, "victim_pid": GIVEN},
    "victims.definition.applied": {"case_id": OWN},
    "victims.evaluation.submitted": {"case_id": GIVEN},
    "victims.programme.enrolled": {"case_id": GIVEN, "home": OF + "sender", "referral_id": GIVEN},
    "victims.referral.accepted": {"referral_id": GIVEN},
    "victims.referral.completed": {"referral_id": GIVEN},
    "victims.referral.rejected": {"referral_id": GIVEN},
    "victims.referral.sent": {"referral_id": OWN, "case_id": OWN},
    "victims.referral.revoked": {"referral_id": OWN},
    "victims.repatriation.completed": {"case_id": OWN},
    "victims.repatriation.failed": {"case_id": OWN},
    "victims.repatriation.lost": {"case_id": OF + "sender"},
    "victims.repatriation.planned": {"case_id": OWN},
    "victims.victim.identified": {"place_ref": GIVEN},
    **{
        f"victims.referral.{verb}": {"referral_id": OF + "sender"} for verb in ("escalated", "lapsed", "overdue")
    },
    "victims.referral.offered": dict.fromkeys(("case_id", "consent_id", "referral_id"), OF + "sender"),
    "victims.referral.delivered": {"referral_id": OWN},
}  # fmt: skip


def whose(name: str, path: str) -> str | None:
    """Return whose identifier stands in a field (`aligned_to.law_id`) of a type; None: nobody said."""
    said = EXCEPT.get(name, {})
    last = path.rpartition(".")[2]
    return said.get(path) or said.get(last) or WHOSE.get(last)


def meaning(scope: str) -> str:
    """Return in words whose an identifier is."""
    kind, of, field = scope.partition(":")
    return MEANING[kind + of].format(field)


def parted(ref: str) -> tuple[str, str]:
    """Return the owner that an identifier names (empty: none), and the identifier by itself."""
    owner, _, rest = ref.partition(":")
    return (owner, rest) if rest and owner in MEMBERS else ("", ref)


def whole(ref: str, country: str) -> str:
    """Return an identifier that `country` wrote with its owner."""
    owner, bare = parted(ref)
    return f"{owner or country}:{bare}"


def written(key: str, country: str) -> str:
    """Return a whole identifier as `country` writes it: its own plain."""
    owner, bare = parted(key)
    return bare if owner == country else key


def keys(ref: str) -> list[str]:
    """Return every whole identifier that one as written may stand for: one by its owner, or those of all countries.

    And the plain one, of what was recorded before identifiers had owners.
    """
    owner, bare = parted(ref)
    return [f"{one}:{bare}" for one in ([owner] if owner else MEMBERS)] + ([] if owner else [bare])


def key(data: Any, field: str) -> str:
    """Return the whole identifier in a field of data whose service has noted whose it is (`owners`), else as it is."""
    ref: str = getattr(data, field)
    owner = (data.owners or {}).get(field)
    if owner is None:
        return ref
    return parted(ref)[1] if owner == REGION else f"{owner}:{parted(ref)[1]}"


def told_apart(scope: str, data: Any, field: str, country: str) -> str:
    """Return what tells the thing in a field of `country`'s report from every other in the region."""
    ref: str = getattr(data, field)
    if hasattr(data, "owners"):
        return key(data, field)
    if scope.startswith(OF):
        return whole(ref, getattr(data, scope.removeprefix(OF)))
    if scope == GIVEN:
        return whole(ref, getattr(data, "sender", None) or country)
    return whole(ref, country) if scope in {OWN, SHARED} else ref


def named_by(scope: str) -> str:
    """Return the field that tells whose an identifier of such a scope is; empty: none does."""
    return "sender" if scope == GIVEN else scope.removeprefix(OF) if scope.startswith(OF) else ""


def fields(data: type[msgspec.Struct], is_ref: Any) -> Iterator[tuple[str, str]]:
    """Yield the paths of the fields that hold identifiers, by attribute and as on the wire."""
    for field in msgspec.structs.fields(data):
        if any(map(is_ref, _parts(field.type))):
            yield field.name, field.encode_name
        for inner in _parts(field.type):
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                for path, wire in fields(inner, is_ref):
                    yield f"{field.name}.{path}", f"{field.encode_name}.{wire}"


def _parts(annotation: Any) -> Sequence[Any]:
    inner = get_args(annotation)
    return [annotation, *(part for one in inner for part in _parts(one))]
