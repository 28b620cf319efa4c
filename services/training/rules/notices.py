"""What all of training's rules say alike."""

from shared.contracts.vocabulary import MEMBERS

SERVICE = "training"


def owner(ref: str | None, country: str) -> str:
    """Return whose law or border post a reference of `country` names: it may begin with a member's code."""
    named = (ref or "").partition("-")[0]
    return named if named in MEMBERS else country
