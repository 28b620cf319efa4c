"""References of rules: as `shared.record.references`."""

from shared.record.references import ambiguous, meant

__all__ = ["ambiguous", "meant"]
