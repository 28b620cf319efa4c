"""An entry rule changed: every country's border posts are told, and trained where it takes effect soon."""

from datetime import timedelta

from shared.contracts.vocabulary import MEMBERS
from tests.system.staging import told


async def test_a_changed_entry_rule_reaches_every_border_and_raises_a_need_if_it_is_soon(scene):
    gtm = scene.cast[0]
    soon, later = (scene.now + timedelta(days=days) for days in (20, 60))
    reports = [
        scene.say(
            gtm,
            "intel.entryrequirement.changed",
            destination=gtm,
            nationality=nationality,
            effective_from=day.date().isoformat(),
            envelope={"subject": scene.id(nationality)}.items(),
        )
        for nationality, day in (("ECU", soon), ("PER", later))
    ]
    await scene.play(*reports)
    alerts = await scene.events("intel.alert.issued", kind="entry_requirement_changed")
    assert sorted(event.country for event in alerts) == sorted([*MEMBERS, *MEMBERS])
    assert {event.data.due.date() for event in alerts} == {soon.date(), later.date()}
    assert {event.causationid for event in alerts} == {report["id"] for report in reports}
    needs = await scene.events("training.need.raised")
    assert {event.causationid for event in needs} == {reports[0]["id"]}
    data = {"supersedes": reports[1]["id"], "reason": "mistaken", "reported_by": "immigration"}
    await scene.play(scene.say(gtm, "intel.entryrequirement.retracted", **data))
    assert told(await scene.received(scene.cast[5])).count("taken_back") == 1
