"""The client's mailbox: in order, durable, given back when it is left, and nobody else's."""

from datetime import UTC, datetime

import msgspec
import pytest

from shared.client import connect
from shared.contracts import Event
from shared.flow.batch import publish_batch
from tests.harness.speaking import example
from tests.harness.system import until

NUMBER = 250


def told(sequence, country):
    return Event(
        specversion="1.0",
        id=f"e-{sequence}",
        source="urn:crm:service:victims",
        type="crm.victims.alert.issued.v1",
        time=datetime(2004, 3, 1, tzinfo=UTC),
        country=country,
        data=example("victims.alert.issued"),
        recordedtime=datetime(2004, 3, 1, tzinfo=UTC),
        sequence=sequence,
    )


async def read(region, country, most):
    """What a new connection of a country reads before it leaves: at most so many, or all there is."""
    found = []
    async with connect(region.nats.url, region.seed(country), country) as client:
        events = client.mailbox(idle_s=1)
        async for event in events:
            found.append(event.sequence)
            if len(found) == most:
                break
        await events.aclose()
    return found


async def test_a_mailbox_is_read_in_order_goes_on_where_it_was_left_and_is_nobody_elses(region):
    service = await region.connect("victims")
    countries = ["GTM" if sequence % 2 else "MEX" for sequence in range(1, 2 * NUMBER + 1)]
    events = [told(sequence, country) for sequence, country in enumerate(countries, start=1)]
    subjects = [f"crm.evt.victims.alert.issued.{event.country}" for event in events]
    await publish_batch(service, list(zip(subjects, map(msgspec.json.encode, events), strict=True)))
    provisioner = await region.connect("provisioner")

    async def copied():
        return (await provisioner.jetstream().stream_info("MAILBOX")).state.messages == len(events)

    await until(copied, "the mailboxes to be filled")
    mine = [event.sequence for event in events if event.country == "GTM"]
    first = await read(region, "GTM", 100)
    assert first == mine[:100]
    # The last one was not acknowledged: whoever had it in hand may not have done anything with it.
    second = await read(region, "GTM", None)
    assert sorted(second) == mine[99:]
    assert [sequence for sequence in second if sequence != mine[99]] == sorted(set(second) - {mine[99]})
    assert await read(region, "GTM", None) == []
    assert await read(region, "MEX", 3) == [2, 4, 6]


POISON = {
    "no JSON": b"\x00\xff{",
    "not an event": b"[]",
    "too deep": b'{"data":' + b"[" * 100_000,
    "a time beyond the calendar": msgspec.json.encode(told(1, "GTM")).replace(b'"2004-03', b'"10004-03'),
    "a text for an event's data": msgspec.json.encode(told(1, "GTM")).replace(b'"data":{', b'"data":"x","more":{'),
    "no country of today": msgspec.json.encode(told(1, "GTM")).replace(b'"country":"GTM"', b'"country":"ATL"'),
}


async def filled(region, payloads):
    """Have a country's mailbox hold these, as a service's stream may have them from an older version."""
    service = await region.connect("victims")
    await publish_batch(service, [("crm.evt.victims.alert.issued.GTM", payload) for payload in payloads])
    provisioner = await region.connect("provisioner")

    async def copied():
        return (await provisioner.jetstream().stream_info("MAILBOX")).state.messages == len(payloads)

    await until(copied, "the mailboxes to be filled")


async def test_what_cannot_be_read_is_told_taken_out_and_holds_up_nothing(region):
    good = [msgspec.json.encode(told(sequence, "GTM")) for sequence in (1, 2)]
    await filled(region, [good[0], *POISON.values(), good[1]])
    left_out = []
    async with connect(region.nats.url, region.seed("GTM"), "GTM") as client:
        found = [event.sequence async for event in client.mailbox(idle_s=1, unreadable=left_out.append)]
    assert found == [1, 2]
    assert [one.payload for one in left_out] == list(POISON.values())
    assert all(one.reason.endswith("Error") and one.where.startswith("crm.evt.") for one in left_out)
    assert await read(region, "GTM", None) == []


async def test_whoever_cannot_do_without_an_event_leaves_it_in_the_mailbox(region, caplog):
    good = msgspec.json.encode(told(1, "GTM"))
    await filled(region, [POISON["no JSON"], good])

    def refuse(one):
        raise LookupError(one.reason)

    async with connect(region.nats.url, region.seed("GTM"), "GTM") as client:
        with pytest.raises(LookupError):
            await anext(client.mailbox(idle_s=1, unreadable=refuse))
    assert await read(region, "GTM", None) == [1]  # left out, by default with a line in the log
    said = caplog.text
    assert "an event cannot be read and is left out" in said
    assert "x00" not in said
