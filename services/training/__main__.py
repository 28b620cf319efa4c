"""Start the training service: `python -m services.training`."""

from pathlib import Path

from services.training import questions, rules
from shared.service import Service, run

SERVICE = Service(
    name=rules.SERVICE,
    folder=Path(__file__).parent,
    rules=rules.RULES,
    amends=rules.AMENDS,
    follows=rules.FOLLOWS,
    facts=rules.FACTS,
    questions=questions.QUESTIONS,
)

if __name__ == "__main__":
    run(SERVICE)
