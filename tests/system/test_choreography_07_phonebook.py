"""A trafficker detained: the address book secured, or reminded of; numbers in two books told to their owners only."""

import hashlib

import pytest

from tests.system.staging import told


def detained(scene, country, name="det", **changes):
    changes = {"detention_id": scene.id(name), "offence": "tip"} | changes
    return scene.say(country, "legal.person.detained", **changes)


def seized(scene, country, name="book", detention="det"):
    changes = {"seizure_id": scene.id(f"{name}-{country}"), "detention_id": scene.id(detention)}
    return scene.say(country, "intel.phonebook.seized", **changes)


def opened(scene, country, recipients, numbers):
    changes = {"seizure_id": scene.id(f"book-{country}"), "recipients": recipients, "handling": "H1"}
    hashes = [hashlib.blake2b(scene.id(number).encode(), digest_size=32).hexdigest() for number in numbers]
    return scene.say(country, "intel.phonebook.disseminated", hashes=hashes, **changes)


async def test_without_a_book_the_detaining_country_is_reminded_after_a_day(scene):
    gtm = scene.cast[0]
    report = detained(scene, gtm)
    await scene.play(report, detained(scene, gtm, "det-2", offence="som"), seized(scene, gtm, detention="det-2"))
    await scene.later(hours=23, minutes=55)
    assert told(await scene.received(gtm)) == []
    await scene.later(minutes=10)
    reminder = await scene.one("intel.alert.issued", kind="phonebook_missing")
    assert (reminder.country, reminder.data.entity, reminder.data.about) == (gtm, scene.id("det"), report["id"])
    assert await scene.chain(reminder) == ["legal.person.detained", "intel.alert.issued"]
    await scene.later(hours=48)
    assert told(await scene.received(gtm)) == ["phonebook_missing", "phonebook_not_disseminated"]
    await scene.play(seized(scene, gtm, "late"), opened(scene, gtm, [scene.cast[1]], ["one"]))
    await scene.later(hours=30)
    assert told(await scene.received(gtm)) == ["phonebook_missing", "phonebook_not_disseminated"]


async def test_the_same_number_in_two_books_is_told_to_their_two_owners_and_proposes_an_operation(scene):
    gtm, slv, other, nobody = scene.cast[:4]
    await scene.play(detained(scene, gtm), seized(scene, gtm), detained(scene, slv, "det-2"), seized(scene, slv))
    await scene.play(
        opened(scene, gtm, [slv, other], ["one", "two"]),
        opened(scene, slv, [gtm], ["two", "three"]),
        opened(scene, nobody, [other], ["one", "two", "three"]),
    )
    found = await scene.events("intel.phonenumber.matched")
    assert sorted(event.country for event in found) == sorted([gtm, slv])
    assert len({event.data.match_id for event in found}) == 1
    books = {scene.id(f"book-{gtm}"), scene.id(f"book-{slv}")}
    for event in found:
        assert {*event.data.countries} == {gtm, slv}
        assert {*event.data.seizure_ids} == books
    proposals = await scene.events("intel.alert.issued", kind="joint_operation_proposed")
    assert {(event.country, event.data.country) for event in proposals} == {(gtm, slv), (slv, gtm)}
    assert len(proposals) == 2
    assert told(await scene.received(other)) == ["phonebook_disseminated"] * 2
    assert told(await scene.received(nobody)) == []
    assert (await scene.figure("IE-1.2.3", gtm)).value == pytest.approx(1.0)


async def test_a_detention_reported_by_mistake_is_not_reminded_of(scene):
    gtm = scene.cast[0]
    report = detained(scene, gtm)
    await scene.play(report)
    data = {"supersedes": report["id"], "reason": "mistaken", "reported_by": "police"}
    await scene.play(scene.say(gtm, "legal.person.retracted", **data))
    await scene.later(hours=25)
    assert told(await scene.received(gtm)) == []
