"""Start the training service: `python -m services.training`."""

from pathlib import Path

from services.training import judgements, questions
from shared.service import Service, run

SERVICE = Service(
    name=judgements.SERVICE,
    folder=Path(__file__).parent,
    judgements=judgements.JUDGEMENTS,
    questions=questions.QUESTIONS,
)

if __name__ == "__main__":
    run(SERVICE)
