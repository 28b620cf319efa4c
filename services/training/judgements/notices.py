"""What all of training's judgements say alike."""

from collections.abc import Iterable
from typing import Any

from shared.contracts import Event, identity
from shared.contracts.vocabulary import MEMBERS
from shared.record.judgement import Judgement, Notified, Reading

SERVICE = "training"


class TrainingJudgement(Judgement):
    """A judgement of training: what was told is read from the log, and taken back by a notice of its own."""

    def take_back(self, notified: Notified, read: Reading) -> Iterable[Event[Any]]:
        """Return nothing: that a notice is no longer due takes nothing back."""
        del notified, read
        return ()


def owner(ref: str | None, country: str) -> str:
    """Return whose law or border post a reference of `country` names: it may have its owner before it (`GTM:law-1`).

    Or, as was the custom before identifiers had owners, begin with a member's code (`GTM-law-1`).
    """
    before, bare = identity.parted(ref or "")
    named = before or bare.partition("-")[0]
    return named if named in MEMBERS else country
