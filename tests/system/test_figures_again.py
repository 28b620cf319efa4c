"""A monthly figure, the same revised, and the quarter over it, through a running region (case 12)."""

from tests.harness.speaking import clock, say
from tests.services.indicators.making import folded, row

JANUARY = {"kind": "inspections", "since": "2004-01-01", "until": "2004-01-31"}


async def test_january_january_again_and_the_first_quarter(system):
    system.start("intel", **clock())
    await system.ready()
    cri = await system.country("CRI")
    january, again = (say(cri, "intel.controlstat.reported", count=count, **JANUARY) for count in (1000, 1100))
    quarter = say(cri, "intel.controlstat.reported", count=3300, **JANUARY | {"until": "2004-02-29"})
    await cri.publish_all([january, again, quarter])
    (rejected,) = await system.recorded("intel", "intel.report.rejected")
    assert [(one.pointer, one.code) for one in rejected.data.problems] == [("/data/until", "overlapping_period")]
    (withdrawn,) = await system.recorded("intel", "intel.controlstat.retracted")
    (correction,) = await system.recorded("intel", "intel.controlstat.corrected")
    assert (withdrawn.data.original_id, withdrawn.data.reason) == (again["id"], "duplicate")
    assert (correction.data.original_id, correction.data.data["count"]) == (january["id"], 1100)
    payloads = await system.rows("intel", "select payload from log order by position")
    cells = row(folded(*[bytes(one["payload"]) for one in payloads]), "IE-3.1iv").cells
    assert [cell.value for cell in cells if cell.country == "CRI"] == [1100]
