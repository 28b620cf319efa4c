"""What a page tells of events is read on from where the look before stopped: each event is taken once."""

import pytest

from services.indicators.publish.following import Following
from services.indicators.publish.recalling import Recalled, busy
from shared.run.refusals import Refused
from tests.services.indicators.making import event, folded

EVENTS = [event("intel.meeting.held", one) for one in ("GTM", "HND", "MEX")]


class Breaking:
    """Reads as `Recall` does; the first time the streams are away behind the second event."""

    def __init__(self):
        self.broken = False

    async def read(self, _wanted, after, until, take, _limit_s):
        for number in range(after.get("intel", 0) + 1, until["intel"] + 1):
            take("intel", number, EVENTS[number - 1])
            if number == 2 and not self.broken:
                self.broken = True
                raise busy("streams_away")
        return Recalled({"intel": until["intel"]})


async def test_what_was_taken_before_the_streams_were_away_is_not_taken_again():
    fold, taken = folded(*EVENTS), []
    following = Following(Breaking(), lambda: fold.state, {"intel": ["crm.evt.>"]}, taken.append)
    with pytest.raises(Refused):
        await following.look()
    await following.look()
    assert [one.country for one in taken] == ["GTM", "HND", "MEX"]
