"""Start the legal service: `python -m services.legal`."""

from pathlib import Path

from services.legal import questions, rules
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
