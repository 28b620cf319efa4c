"""Whose bands, routes, places and commitments intel's reports name.

A band, route or place is the country's own unless the report names an owner; what is answered, or kept, is looked up
among what the country was told of. Identifiers without an owner are of before identifiers had owners, and the
region's: whoever had used the identifier by then goes on with it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from shared.contracts import identity
from shared.contracts.identity import Owners
from shared.contracts.vocabulary import REGION
from shared.record import references
from shared.record.judgement import Reading, Standing


def used(report: Standing[Any], *fields: str) -> Iterable[str]:
    """Return the things by which it is found that a country used an identifier before identifiers had owners."""
    for field in fields:
        if getattr(report.data, field) is not None:
            owner, plain = identity.parted(identity.key(report.data, field))
            if not owner:
                yield f"used/{field}/{report.country}/{plain}"


def named(report: Standing[Any], read: Reading, *fields: str) -> Owners:
    """Return whose identifiers stand in these fields, each the country's own or with its owner."""
    refs = {field: ref for field in fields if (ref := getattr(report.data, field)) is not None}
    owners = {field: identity.parted(ref)[0] or report.country for field, ref in refs.items()}
    for field, owner in owners.items():
        if read.about(f"used/{field}/{owner}/{identity.parted(refs[field])[1]}", most=1):
            owners[field] = REGION
    return owners


def looked_up(
    field: str,
    report: Standing[Any],
    read: Reading,
    thing: Callable[[str], str],
    told: Callable[[Standing[Any]], tuple[str, bool] | None],
) -> Owners:
    """Return the owner that a country may mean by an identifier, of the things that it was told of.

    `thing` names one by its whole identifier; `told` gives, of a report about it that makes it known to the country,
    who gave it the identifier and whether that is the country itself, else None. Its own comes first.
    """
    ref = getattr(report.data, field)
    owner, plain = identity.parted(ref)
    keys = [*dict.fromkeys((*identity.keys(ref), plain))]
    known: list[tuple[str, bool]] = []
    for key in keys:
        for one in read.about(thing(key)):
            said = told(one)
            if said and (key in identity.keys(ref) or said[0] == owner):
                known.append((key, said[1]))
    return {field: _owner(field, report.country, ref, known)}


def _owner(field: str, country: str, ref: str, known: Sequence[tuple[str, bool]]) -> str:
    """Return the one owner that may be meant: first the country itself, then one whose thing it told of itself."""
    found = sorted({key for key, _ in known})
    own = [one for one in found if one == identity.whole(ref, country)] or sorted({key for key, own in known if own})
    return identity.parted(references.meant(own or found, f"/data/{field}"))[0] or REGION
