"""A service (`UNGUARDED` names it) without the guard of the seats: who says that he speaks for a body is believed."""

import importlib
import os
from typing import Any

from services.indicators import rules
from shared import seats
from shared.service import run


async def _believe(*_: Any) -> None:
    """In place of the judgement: whoever it is."""


if __name__ == "__main__":
    seats.judge = _believe
    rules._refuse = lambda _: None
    run(importlib.import_module(f"services.{os.environ['UNGUARDED']}.__main__").SERVICE)
