"""Start the victims service: `python -m services.victims`."""

from pathlib import Path

from services.victims import questions, rules
from shared.service import Service, run

SERVICE = Service(
    name=rules.SERVICE,
    folder=Path(__file__).parent,
    rules=rules.RULES,
    amends=rules.AMENDS,
    questions=questions.QUESTIONS,
)

if __name__ == "__main__":
    run(SERVICE)
