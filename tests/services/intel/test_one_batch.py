"""A report and what amends it in one batch count as they do one after the other."""

import pytest

from tests.harness.desk import HOUR


@pytest.mark.parametrize("together", [False, True])
async def test_what_a_retraction_takes_out_is_what_the_report_put_in(desk, together):
    place = desk.event("intel.location.reported", by="GTM", place_ref="p-1", target_country="MEX")
    answer = desk.event("intel.location.acknowledged", by="MEX", place_ref="p-1", days=3 * HOUR)
    wrong, back = desk.corrected(answer), desk.retracted(answer)
    await (desk.tell_at_once if together else desk.tell)(place, answer, wrong, back)
    (counted,) = await desk.recorded("intel.location.acknowledged")
    (retracted,) = await desk.recorded("intel.location.retracted")
    assert counted.data.latency_s == 3 * 3600
    assert retracted.data.previous["latency_s"] == 3 * 3600
    assert retracted.data.previous["change"] == {"by": 1}
