"""The same forgery again and again at a border post raises a training need, which a course and certificates meet."""

from datetime import timedelta


def confirmed(scene, country, post, days_ago, **changes):
    changes = {"issuing": country, "fraud_type": f"seen_in_{scene.number}", "bcp": post} | changes
    return scene.say(country, "intel.document.confirmed", time=scene.now - timedelta(days=days_ago), **changes)


async def test_three_confirmations_in_30_days_at_one_post_raise_a_need_that_is_planned_and_met(scene):
    country, other = scene.cast[:2]
    post = f"{country}-{scene.id('post')}"
    await scene.play(
        confirmed(scene, country, post, 45),
        confirmed(scene, country, post, 20),
        confirmed(scene, country, f"{post}-b", 10),
        confirmed(scene, country, post, 10, doc_code="V"),
        confirmed(scene, other, post, 9, issuing=country),
    )
    assert await scene.events("training.need.raised") == []
    reports = confirmed(scene, country, post, 9), confirmed(scene, country, post, 1)
    await scene.play(*reports)
    need = await scene.one("training.need.raised")
    assert (need.data.topic, need.data.bcp, need.data.priority) == ("false_document_detection", post, "high")
    assert need.causationid in {report["id"] for report in reports}
    assert [one.id for one in await scene.received(country, "training.need.raised")] == [need.id]
    assert await scene.received(other, "training.need.raised") == []
    assert await scene.chain(need) == ["intel.document.confirmed", "training.need.raised"]

    about = {"topics": ["false_document_detection"], "bcp": post, "course_id": scene.id("crs")}
    await scene.play(scene.say(country, "training.course.scheduled", **about))
    planned = await scene.one("training.need.planned")
    assert (planned.data.need_id, planned.data.course_id) == (need.data.need_id, scene.id("crs"))
    at = scene.now
    delivered = scene.say(country, "training.course.delivered", time=at, **about)
    certified = scene.say(
        country,
        "training.officer.certified",
        time=at,
        cert_id=scene.id("ce"),
        officer_pid=scene.id("of"),
        aligned_to=[],
        valid_until="2035-01-01",
    )
    await scene.play(delivered, confirmed(scene, country, post, 0), certified)
    met = await scene.one("training.need.met")
    assert met.data.need_id == need.data.need_id
    assert met.causationid in {delivered["id"], certified["id"]}
    await scene.later(days=91)
    assert len(await scene.events("training.need.raised")) == 1
    assert await scene.events("training.need.overdue") == []
    counted = await scene.figure("IE-3.1ii", country, doc_code="PP", stage="confirmed")
    assert counted.value == 6


async def test_a_need_that_nobody_meets_becomes_overdue_when_it_is_due(scene):
    country = scene.cast[1]
    post = f"{country}-{scene.id('post')}"
    await scene.play(*[confirmed(scene, country, post, day) for day in (3, 2, 1)])
    need = await scene.one("training.need.raised")
    await scene.later(days=89)
    assert await scene.events("training.need.overdue") == []
    await scene.later(days=2)
    overdue = await scene.one("training.need.overdue")
    assert overdue.time == overdue.data.due == need.data.due
    assert [one.data.need_id for one in await scene.received(country, "training.need.overdue")] == [need.data.need_id]
