"""Nobody finds out from outside how many persons there were, where they were few (issue of the published figures)."""

from datetime import UTC, datetime

import pytest

from tests.services.indicators.attacking import looked
from tests.services.indicators.looking import golden

FIRST, LAST = datetime(2003, 9, 20, 12, tzinfo=UTC), datetime(2003, 10, 20, 12, tzinfo=UTC)
LOOKS = 8


def sample():
    step = (LAST - FIRST) / (LOOKS - 1)
    return golden(LAST), [FIRST + number * step for number in range(LOOKS)]


@pytest.mark.long
def test_no_claim_below_11_is_right_more_often_than_chance_and_without_the_rule_many_are():
    attack, control = looked(*sample())
    assert not attack.succeeds, attack.told()
    assert control.succeeds, control.told()
    assert control.right > 300, control.told()
