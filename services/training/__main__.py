"""Start the training service: `python -m services.training`."""

from pathlib import Path

from services.training import rules
from shared.service import Service, run

if __name__ == "__main__":
    run(Service(name=rules.SERVICE, folder=Path(__file__).parent, rules=rules.RULES, amends=rules.AMENDS))
