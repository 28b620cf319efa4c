"""A question that a replica took with it, dying, is asked again: nobody but its sender knows that it was put."""

import json

import pytest
from nats.aio.msg import Msg

from shared.client import CountryClient, Unreachable

SUBJECT = "crm.ask.GTM.intel.contact"
ANSWER = json.dumps({"answer": {"points": []}}).encode()


async def deaf(_: Msg) -> None:
    """Take a question, and never answer."""


async def answering(message: Msg) -> None:
    await message.respond(ANSWER)


async def asking(region, monkeypatch):
    monkeypatch.setattr("shared.client.REQUEST_TIMEOUT_S", 0.5)
    return CountryClient(await region.connect("GTM"), "GTM", "test")


async def test_what_a_dying_replica_took_another_answers(region, monkeypatch):
    gtm, intel = await asking(region, monkeypatch), await region.connect("intel")
    dying = await intel.subscribe(SUBJECT, queue="intel", cb=deaf)
    await dying.unsubscribe(limit=1)
    await intel.subscribe(SUBJECT, queue="intel", cb=answering)
    await intel.flush()
    for _ in range(30):  # the server gives each to either; the dying one has taken its one by then
        assert (await gtm.ask("intel", "contact", {"country": "MEX"})).points == ()
    assert dying.delivered == 1


async def test_where_nobody_ever_answers_the_asking_ends(region, monkeypatch):
    gtm, intel = await asking(region, monkeypatch), await region.connect("intel")
    hung = await intel.subscribe(SUBJECT, queue="intel", cb=deaf)
    await intel.flush()
    with pytest.raises(Unreachable, match="intel does not answer"):
        await gtm.ask("intel", "contact", {"country": "MEX"})
    assert hung.delivered > 1
