"""What a certificate is aligned to, and what a changed law touches (choreography 3)."""

from datetime import UTC, datetime, time

from services.training.judgements.notices import owner
from shared.contracts import identity
from shared.contracts.legal import LawAmended, LawRepealed
from shared.contracts.training import OfficerCertified
from shared.record.judgement import Standing


def touches(law: LawAmended | LawRepealed) -> list[str]:
    """Return what of a certificate's alignments changes with the law: itself, and the treaties that it carries out."""
    treaties = {f"{law.country}:{one.instrument}" for one in law.carries_out}
    return [f"{law.country}/{law.law_id}", *sorted(treaties)]


def aligned(report: Standing[OfficerCertified]) -> tuple[list[str], set[str]]:
    """Return what a certificate is aligned to, named as in `touches`, and the editions of laws that it knows."""
    laws = [one for one in report.data.aligned_to if one.law_id]
    names = [f"{owner(one.law_id, report.country)}/{identity.parted(one.law_id or '')[1]}" for one in laws]
    treaties = [f"{report.country}:{one.instrument}" for one in report.data.aligned_to if not one.law_id]
    editions = {f"{name}@{one.version}" for name, one in zip(names, laws, strict=True) if one.version}
    return names + treaties, editions


def edition(law: LawAmended | LawRepealed) -> str:
    """Return the edition that a change of a law brings; none: it was repealed."""
    return f"{law.country}/{law.law_id}@{law.version}" if isinstance(law, LawAmended) else ""


def counts_from(change: Standing[LawAmended | LawRepealed]) -> datetime:
    """Return from when officers are to know a change of a law."""
    return max(change.known, datetime.combine(change.data.effective_from, time.min, UTC))
