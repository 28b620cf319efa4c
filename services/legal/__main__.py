"""Start the legal service: `python -m services.legal`."""

from pathlib import Path

from services.legal import questions, rules
from services.legal.rules.amended import amending
from shared.service import Service, run

SERVICE = Service(
    name=rules.SERVICE,
    folder=Path(__file__).parent,
    rules=rules.RULES,
    amends=rules.AMENDS,
    extend=amending,
    questions=questions.QUESTIONS,
)

if __name__ == "__main__":
    run(SERVICE)
