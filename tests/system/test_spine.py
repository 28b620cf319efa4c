FLAGGED = {
    "doc_code": "PP",
    "issuing": "HND",
    "fraud_type": "photo_substitution",
    "detected_by": "second_line",
    "reported_by": "immigration",
}


async def test_a_report_is_recorded_and_stands_in_the_stream(system):
    system.start("intel")
    await system.ready()
    gtm = await system.country("GTM")
    await gtm.publish(gtm.report("intel.document.flagged", FLAGGED, subject="doc-1"))
    (event,) = await system.recorded("intel", "intel.document.flagged")
    assert event.sequence == 1
    assert event.country == "GTM"
    async for received in gtm.mailbox(idle_s=10):
        assert received.id == event.id
        break
