"""What a sender writes stands in the clear only where its class allows, however it is written down there.

A canary of its own goes into each free field of every type that is reported, as it should be and as nobody may send it,
and into all that surrounds a report. Then everything that the system keeps, says or shows is searched for all of them.
"""

import pytest

from shared.contracts import registry
from tests.fuzz.live import Live
from tests.harness.canaries import Aviary
from tests.harness.searching import collected, searched, settled

KEPT = {"intake", "stream", "mailbox", "tables", "disk", "backup"}
"""Where what is recorded stands: for its service, its country, and those who are told."""
ALLOWED = {
    ("as it should be", "N"): {*KEPT, "page"},
    ("as it should be", "P"): KEPT,
    ("as it should be", "S"): KEPT,
    ("id", "P"): {*KEPT, "logs", "traces"},
    ("causationid", "P"): KEPT,
    ("correlationid", "P"): KEPT,
    ("not kept", "P"): {"intake"},
    ("wrong", "P"): {"intake"},
}
"""(how it was sent, its class) -> where it may stand. Nowhere else: logs, traces, metrics, pages and the API,
QUARANTINE, aside, the database's disk and dump, what the operating system shows of a process."""
REFUSED = {"intake"}
"""Where a proper value of a report may stand that was refused in the end; its id is told to its sender."""
collector = pytest.fixture(collected)


@pytest.fixture
async def live(system, collector):
    running = Live(system)
    await running.start()
    yield running
    await running.stop()


def wrongly(aviary, seen, refused):
    """What stands where it may not: (place, where, how it was sent and into what)."""
    for told, places in seen.items():
        canary = aviary.known.get(told)
        if canary is None:  # another test's, which stand on the same server's disk
            continue
        allowed = ALLOWED[canary.how, canary.privacy]
        if told in refused and canary.how != "id":
            allowed = REFUSED
        yield from ((place, where, f"{canary.how}: {canary.about}") for place, where in places if place not in allowed)


async def test_what_anybody_sends_stands_only_where_its_class_allows(live, collector):
    aviary, used = Aviary(), {}
    reports = []
    for agreed in registry().values():
        if agreed.reported:
            sent, canaries = aviary.good(agreed)
            used[sent.payload] = canaries
            reports += [sent, aviary.wrong(agreed)]
    await live.send([*reports, *aviary.rubbish()])
    assert not live.lost, live.lost[:3]
    await settled(live)
    recorded = {id_ for _, id_ in live.recorded}
    refused = {
        told
        for payload, canaries in used.items()
        if not any(one.rpartition("-")[0] in canaries for one in recorded)
        for told in canaries
    }
    seen = await searched(live, collector)

    kept = [told for canaries in used.values() for told in canaries if told not in refused]
    lines = {place for told in kept for place, _ in seen[told]}
    assert lines >= KEPT, f"the search is blind in {KEPT - lines}"
    assert len(kept) > 500
    wrong = sorted(set(wrongly(aviary, seen, refused)))
    print(f"{len(aviary.known)} canaries, {len(kept)} of them recorded, {len(wrong)} where they may not be")
    assert not wrong, "\n".join(map(str, wrong[:50]))


async def test_a_single_leak_is_found(system, collector):
    """The control: a service that writes one refused report into its log, in base64."""
    system.modules["legal"] = "tests.harness.leaking"
    live, aviary = Live(system), Aviary()
    await live.start()
    try:
        await live.send([aviary.wrong(registry()["crm.legal.witness.protected.v1"])])
        await settled(live)
        seen = await searched(live, collector)
    finally:
        await live.stop()
    leaks = {(place, where) for place, where, _ in wrongly(aviary, seen, set())}
    assert leaks == {("logs", "legal.log")}
