"""What indicators does with the reports that it records itself (the Plan's approval): it only folds them."""

from shared.rules import Rules

SERVICE = "indicators"
RULES: Rules = {}
