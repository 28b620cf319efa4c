"""Start the intel service: `python -m services.intel`."""

from pathlib import Path

from services.intel import facts, owners, questions, rules
from shared.service import Service, run

SERVICE = Service(
    name=rules.SERVICE,
    folder=Path(__file__).parent,
    rules=rules.RULES,
    follows=rules.FOLLOWS,
    questions=questions.QUESTIONS,
    facts=facts.FACTS,
    ownings=owners.OWNINGS,
)

if __name__ == "__main__":
    run(SERVICE)
