"""The training service's tables."""
