"""Start the victims service: `python -m services.victims`."""

from pathlib import Path

from services.victims import rules
from shared.service import Service, run

if __name__ == "__main__":
    run(Service(name=rules.SERVICE, folder=Path(__file__).parent, rules=rules.RULES, amends=rules.AMENDS))
