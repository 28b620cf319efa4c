"""A resolved case: its witnesses' care is documented, then reviewed, or overdue; other countries' services are told."""

import pytest


def resolved(scene, country, number, *, documented, others=()):
    return scene.say(
        country,
        "legal.case.resolved",
        case_id=scene.id(f"case-{number}"),
        countries=[country, *others],
        witness_care_documented=documented,
    )


@pytest.mark.parametrize(("documented", "task"), [(True, "review"), (False, "document_care")])
async def test_a_resolved_case_asks_for_a_review_and_counts_when_care_is_documented(scene, documented, task):
    gtm, slv = scene.cast[:2]
    cases = [resolved(scene, gtm, number, documented=documented, others=[slv]) for number in (1, 2)]
    await scene.play(*cases)
    opened = await scene.received(gtm, "legal.witness.review_opened")
    assert {(one.data.case_id, one.data.task, one.causationid) for one in opened} == {
        (scene.id(f"case-{number}"), task, case["id"]) for number, case in enumerate(cases, 1)
    }
    assert {(one.data.due - one.recordedtime).days for one in opened} == {30}
    counted = await scene.figure("VA-6.1", gtm)
    assert (counted.value if counted else 0) == (2 if documented else 0)
    regional = await scene.figure("IP-e", gtm)
    assert regional.value == 2
    told = await scene.received(slv, "victims.alert.issued", kind="case_resolved")
    assert {one.causationid for one in told} == {case["id"] for case in cases}

    await scene.later(days=29)
    reviewed = scene.say(gtm, "legal.witness.reviewed", case_id=scene.id("case-1"), witness_pid=scene.id("wi"))
    await scene.play(reviewed)
    await scene.later(days=2)
    overdue = await scene.one("legal.witness.review_overdue")
    assert overdue.data.case_id == scene.id("case-2")
    assert overdue.time == overdue.data.due
    assert [one.id for one in await scene.received(gtm, "legal.witness.review_overdue")] == [overdue.id]


async def test_care_documented_later_makes_the_case_count_and_asks_for_the_review(scene):
    gtm = scene.cast[0]
    case = resolved(scene, gtm, 1, documented=False)
    await scene.play(case)
    await scene.play(
        scene.say(
            gtm, "legal.case.corrected", supersedes=case["id"], data=case["data"] | {"witness_care_documented": True}
        )
    )
    review = await scene.one("legal.witness.review_opened", task="review")
    assert await scene.chain(review) == ["legal.case.corrected", "legal.witness.review_opened"]
    assert (await scene.figure("VA-6.1", gtm)).value == 1
    await scene.later(days=31)
    assert len(await scene.events("legal.witness.review_overdue")) == 1
