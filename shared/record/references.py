"""References to what another country named: plain where only one country's is meant, else with the owner before it."""

from collections.abc import Sequence

from shared.contracts import Problem, Refused
from shared.contracts.vocabulary import MEMBERS
from shared.record.judgement import Unknown


def meant(owners: Sequence[str], pointer: str) -> str:
    """Return the one of those (countries, or whole identifiers) that a report may mean by what stands at `pointer`.

    Raises Unknown where there is none (the report waits), Refused (`ambiguous_reference`) where there are several.
    """
    if not owners:
        raise Unknown(pointer)
    if len({*owners}) > 1:
        raise Refused(ambiguous(owners, pointer))
    return owners[0]


def ambiguous(owners: Sequence[str], pointer: str) -> Problem:
    """Return what is wrong with an identifier that several countries gave."""
    known = sorted({one.partition(":")[0] for one in owners} & {*MEMBERS})
    message = f"several countries gave this identifier ({', '.join(known)}): write its owner before it, {known[0]}:…"
    return Problem(pointer, "ambiguous_reference", message)
