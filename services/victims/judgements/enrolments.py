"""Under which return an enrolment counts: by the case or the referral that it names, also where that comes later.

A way home is told by the referral (owner, id) or, where there was none, by the case.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from services.victims.judgements.notices import first
from services.victims.judgements.standing import sent_to
from shared.contracts import identity
from shared.contracts.victims import ProgrammeEnrolled, RepatriationCompleted
from shared.record.judgement import Reading, Standing

Way: TypeAlias = tuple[str, str]
"""(owner, id) of a referral, or of what stands for it."""
Choose: TypeAlias = Callable[[Sequence[str], str], str]
"""(the owners that may be meant, pointer) -> the one that is"""
Return: TypeAlias = Standing[RepatriationCompleted]
Enrolment: TypeAlias = Standing[ProgrammeEnrolled]


def way(one: Way) -> str:
    """Return the thing that a way home is."""
    return f"home/{one[0]}/{one[1]}"


def way_home(report: Return) -> Way:
    """Return the way home of a return."""
    data = report.data
    return _named(data.referral_id, report.country) if data.referral_id else (report.country, _of_case(data.case_id))


def told_by(report: Return) -> Iterable[str]:
    """Return the things that a return is: its way home, and what its country of return calls that."""
    yield way(way_home(report))
    yield _case(report.data.to, report.data.case_id)
    if report.data.referral_id:
        yield _referral(report.data.to, report.data.referral_id)


def made_under(report: Enrolment) -> Iterable[str]:
    """Return the things by which an enrolment is found: what it was made under, as it was known then."""
    data = report.data
    if data.referral_id:
        yield _enrolled(_named(data.referral_id, data.sender or _unclaimed(report.country)))
    if data.case_id:
        yield _enrolled((data.sender or _unclaimed(report.country), _of_case(data.case_id)))


def returned(read: Reading, thing: str) -> Return | None:
    """Return the latest return on a way home."""
    return max(read.about(thing), key=lambda one: one.position, default=None)


def under(report: Enrolment, read: Reading, choose: Choose = first) -> Way | None:
    """Return the way home under which an enrolment counts; None: it names none.

    One without an owner, where several may be meant, is `choose`'s: of what was recorded, the first that was known.
    """
    data, unclaimed = report.data, _unclaimed(report.country)
    if data.case_id:
        ways = _of_the_case(read, report.country, data.case_id)
        owners = [*dict.fromkeys(owner for owner, _ in ways)]
        owner = data.sender or (choose(owners, "/data/case_id") if owners else unclaimed)
        if owner in owners:
            return max(one for one in ways if one[0] == owner)
    if data.referral_id:
        owners = _of_the_referral(read, report.country, data.referral_id)
        owner = data.sender or (choose(owners, "/data/referral_id") if owners else unclaimed)
        return _named(data.referral_id, owner)
    return (unclaimed, _of_case(data.case_id)) if data.case_id else None


def naming(report: Standing[Any], read: Reading) -> list[Enrolment]:
    """Return the enrolments that name the referral or case of this return or referral, known to be its or not."""
    data = report.data
    named = [_of_case(data.case_id), *([identity.parted(data.referral_id)[1]] if data.referral_id else [])]
    things = [_enrolled((owner, one)) for owner in (report.country, _unclaimed(data.to)) for one in named]
    return [*{each.position: each for thing in things for each in read.about(thing)}.values()]


def all_under(one: Way, country: str, read: Reading) -> list[Enrolment]:
    """Return the enrolments under a way home to a country, also those made before anything was known of it."""
    returns: Sequence[Return] = read.about(way(one))
    ways = {one, (_unclaimed(country), one[1])}
    for report in returns:
        case = _of_case(report.data.case_id)
        ways |= {(owner, named) for owner in (one[0], _unclaimed(report.data.to)) for named in (one[1], case)}
    found = {each.position: each for named in sorted(ways) for each in read.about(_enrolled(named))}
    return [each for each in found.values() if under(each, read) == one]


def _of_the_case(read: Reading, country: str, ref: str) -> list[Way]:
    """Return the ways home to a country of the cases that it may mean, the first recorded first."""
    returns = sorted(read.about(_case(country, ref)), key=lambda one: one.position)
    return [one for one in map(way_home, returns) if identity.parted(ref)[0] in {"", one[0]}]


def _of_the_referral(read: Reading, country: str, ref: str) -> list[str]:
    """Return the owners of the referrals that a country may mean, the first recorded first."""
    owner, referral_id = identity.parted(ref)
    if owner:
        return [owner]
    known = [(one.position, one.country) for one in read.about(sent_to(country, referral_id))]
    known += [(one.position, way_home(one)[0]) for one in read.about(_referral(country, ref))]
    return [*dict.fromkeys(found for _, found in sorted(known))]


def _case(country: str, ref: str) -> str:
    return f"home/case/{country}/{identity.parted(ref)[1]}"


def _referral(country: str, ref: str) -> str:
    return f"home/to/{country}/{identity.parted(ref)[1]}"


def _enrolled(one: Way) -> str:
    return f"enrolled/{one[0]}/{one[1]}"


def _of_case(ref: str) -> str:
    """Return what stands for the referral of a return that has none; no identifier has a slash."""
    return f"case/{identity.parted(ref)[1]}"


def _unclaimed(country: str) -> str:
    """Return what stands for the owner of a way home that is not known, while `country` enrolled a victim under it."""
    return f"to:{country}"


def _named(ref: str, owner: str) -> Way:
    """Return the referral (owner, id) that an identifier names, which without an owner of its own is `owner`'s."""
    named, referral_id = identity.parted(ref)
    return named or owner, referral_id
