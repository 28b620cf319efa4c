"""The service indicators in a version with a bug: its fold fails at whatever happened on a seventh of March."""

from datetime import datetime

from services.indicators.__main__ import main
from services.indicators.folded import fold
from services.indicators.folded.moves import Moment

honest = fold._moment


def misread(time: datetime, recorded: datetime) -> Moment:
    if (time.month, time.day) == (3, 7):
        raise AttributeError("a bug of this version")
    return honest(time, recorded)


if __name__ == "__main__":
    fold._moment = misread
    main()
