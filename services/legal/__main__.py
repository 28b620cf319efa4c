"""Start the legal service: `python -m services.legal`."""

from pathlib import Path

from services.legal import judgements, numbers, questions
from shared.service import Service, run

SERVICE = Service(
    name=judgements.SERVICE,
    folder=Path(__file__).parent,
    judgements=judgements.JUDGEMENTS,
    questions=questions.QUESTIONS,
    settings=numbers.LegalSettings,
    faults=numbers.faults,
)

if __name__ == "__main__":
    run(SERVICE)
