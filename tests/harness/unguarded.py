"""A service (`UNGUARDED` names it) without the guard of the seats: who says that he speaks for a body is believed."""

import importlib
import os
from typing import Any

from services.indicators import judgements
from shared.record.deciding import Deciding
from shared.service import run


def _believe(*_: Any) -> None:
    """In place of the judgement: whoever it is."""


if __name__ == "__main__":
    Deciding.admit_seat = _believe  # type: ignore[method-assign]
    judgements._refuse = _believe
    run(importlib.import_module(f"services.{os.environ['UNGUARDED']}.__main__").SERVICE)
