"""What a version of before recorded and heard is found by what it is about; nothing is told of it anew."""

from tests.harness.desk import HOUR


async def test_what_an_older_version_recorded_beside_this_one_is_indexed(desk):
    await desk.tell(desk.event("intel.document.listed", by="HND", doc_ref="doc-1", days=-3 * HOUR))
    await desk.log.pool.execute("delete from about; delete from indexed")  # as a version without an index leaves it
    await desk.tell(desk.event("intel.document.flagged", by="MEX", doc_ref="doc-1"))
    assert await desk.told("HND") == ["intel.document.hit"]


async def test_what_an_older_version_heard_is_kept_when_it_is_delivered_again(desk):
    detained = desk.event("legal.person.detained", detention_id="det-1", offence="tip")
    draft = desk._draft(detained)
    await desk.log.pool.execute("insert into heard (stream, sequence) values ($1, $2)", *draft.heard)
    assert await desk.log.record([draft]) == [None]
    assert await desk.log.record([draft]) == [None], "again, it is known"
    await desk.pass_days(3)
    assert await desk.told("GTM") == [], "what it was to be told, the older version saw to"
    (row,) = await desk.log.pool.fetch("select event from heard")
    assert b"det-1" in row["event"]
    assert await desk.log.pool.fetchval("select count(*) from about where stream = 'LEGAL'") == 2
