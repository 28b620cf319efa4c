"""Start the intel service: `python -m services.intel`."""

from pathlib import Path

from services.intel import rules
from shared.service import Service, run

if __name__ == "__main__":
    run(Service(name=rules.SERVICE, folder=Path(__file__).parent, rules=rules.RULES))
