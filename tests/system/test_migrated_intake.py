"""A server of the version before, where all senders shared one INTAKE: nothing acknowledged there is lost."""

import json

from infra.nats.asking import ask
from infra.nats.provision import provision
from shared.contracts import SERVICES
from shared.flow.provisioned import intakes
from shared.flow.streams import CLOSED, DAY, KEPT, SECOND
from tests.harness.servers import ROOT
from tests.harness.speaking import example
from tests.harness.system import until

NAME = "intel.document.flagged"
SHARED = {
    "name": "INTAKE",
    **KEPT,
    **CLOSED,
    "subjects": [f"crm.in.*.{service}.*.*" for service in SERVICES],
    "max_age": 7 * DAY,
    "max_bytes": 1024**3,
    "discard": "new",
    "max_msg_size": 64 * 1024,
    "duplicate_window": SECOND // 10,
    "allow_atomic": True,
}
"""As it was provisioned before (deny_delete, deny_purge, by limits)."""


def durable(service):
    config = {
        "durable_name": service,
        "name": service,
        "filter_subjects": [f"crm.in.*.{service}.*.*"],
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "ack_wait": 3 * SECOND,
        "max_ack_pending": 20_000,
        "max_deliver": -1,
    }
    return {"stream_name": "INTAKE", "config": config, "action": "create"}


async def report(country, number):
    """Publish as the version before did, with nothing of ours between; return the answer."""
    body = country.report(NAME, example(NAME), id=f"{country.country}-{number}", subject=f"doc-{number}")
    answer = await country.client.request(f"report.{NAME}", json.dumps(body).encode(), timeout=30)
    return json.loads(answer.data)


async def test_what_all_senders_shared_is_read_empty_and_takes_in_nothing_more(system):
    region = system.region
    nc, root = await region.connect("provisioner"), await region.connect(ROOT)
    for name in intakes():
        await ask(root, f"STREAM.DELETE.{name}")
    assert "error" not in await ask(root, "STREAM.CREATE.INTAKE", SHARED)
    for service in SERVICES:
        await ask(root, f"CONSUMER.DURABLE.CREATE.INTAKE.{service}", durable(service))
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    for number in range(3):
        assert (await report(gtm, number))["stream"] == (await report(mex, number))["stream"] == "INTAKE"
    intel = await region.connect("intel")
    old = await intel.jetstream().pull_subscribe_bind(durable="intel", stream="INTAKE", inbox_prefix=b"_INBOX_intel.")
    (held,) = await old.fetch(1, timeout=30)
    assert held.subject == "crm.in.GTM.intel.document.flagged"

    done = await provision(nc)
    assert "stream INTAKE takes in nothing more: each sender has its own" in done
    assert await provision(nc) == [], "once is enough"
    region.nats.stop()
    region.nats.start(region.accounts())
    assert (await report(await system.country("GTM"), 3))["stream"] == "INTAKE_GTM"

    system.start("intel")
    await system.ready()
    flagged = await system.recorded("intel", NAME, 7)
    assert {event.id for event in flagged} == {f"{c}-{n}" for c in ("GTM", "MEX") for n in range(3)} | {"GTM-3"}
    nc = await region.connect("provisioner")

    async def empty():
        info = await ask(nc, "CONSUMER.INFO.INTAKE.intel")
        return not info["num_pending"] and not info["num_ack_pending"]

    await until(empty, "what was shared to be read empty, also what a process of the version before had taken")


async def test_refusals_of_two_intakes_are_told_apart(system):
    """Each country's first message has sequence 1 in its own intake; both may come within one nanosecond's look."""
    system.start("intel")
    await system.ready()
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    for country in (gtm, mex):
        answer = await country.client.request(f"report.{NAME}", b"{", timeout=30)
        assert json.loads(answer.data)["seq"] == 1
    told = await system.recorded("intel", "intel.report.rejected", 2)
    assert {event.id.rsplit(":", 1)[0] for event in told} == {"refusal:GTM:1", "refusal:MEX:1"}
    assert {event.data.intake_sequence for event in told} == {1}
