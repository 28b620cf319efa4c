"""What all of training's rules say alike."""

from shared.contracts import identity
from shared.contracts.vocabulary import MEMBERS

SERVICE = "training"


def owner(ref: str | None, country: str) -> str:
    """Return whose law or border post a reference of `country` names: it may have its owner before it (`GTM:law-1`).

    Or, as was the custom before identifiers had owners, begin with a member's code (`GTM-law-1`).
    """
    before, bare = identity.parted(ref or "")
    named = before or bare.partition("-")[0]
    return named if named in MEMBERS else country
