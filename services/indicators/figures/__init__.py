"""Figures: what the Plan's rows say of a state as of a day, guarded where they are about victims."""
