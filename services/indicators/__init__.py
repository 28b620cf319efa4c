"""The Plan's indicators and milestones, folded from everything the services record."""
