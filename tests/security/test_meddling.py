"""Who may make or alter streams has power over words: what it does is found by every service, and told.

Each way is tried with the keys that there are, for its effect: whether a word of Mexico's comes to be.
"""

import base64
import json

import nats
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.nats import record
from infra.nats.provision import ProvisionError, all_differences, ask, deploy, provision, stream_config
from infra.nats.rights import DEPLOYER, OPERATOR, PROVISIONER
from shared.flow.meddling import Meddling, streams
from shared.flow.streams import MAILBOX, meddling, stream_configs
from tests.harness.system import until

FORGED = "crm.in.MEX.victims.witness.protected"


async def try_to(nc, question: str, body: dict) -> dict:
    """What the server answers; {} where it does not even listen."""
    try:
        return json.loads((await nc.request(f"$JS.API.{question}", json.dumps(body).encode(), timeout=0.5)).data)
    except nats.errors.Error:
        return {}


async def spoken(region, country: str = "MEX") -> int:
    return (await ask(await region.connect("root"), f"STREAM.INFO.INTAKE_{country}"))["state"]["last_seq"]


AGAIN = {"src": ">", "dest": FORGED}
RENAMED = [{"src": "crm.in.GTM.>", "dest": "crm.in.MEX.>"}]
WAYS = {
    "a stream that publishes again": {"no_ack": True, "subjects": ["$JS.API.EVIL.x"], "republish": AGAIN},
    "a stream with subjects of Mexico's": {"subjects": [FORGED]},
    "a source": {"sources": [{"name": "INTAKE_GTM", "subject_transforms": RENAMED}]},
    "a mirror": {"mirror": {"name": "INTAKE_GTM"}},
    "a transform": {"subjects": ["evil.>"], "subject_transform": {"src": "evil.>", "dest": "crm.in.MEX.>"}},
    "schedules": {"subjects": ["evil.>"], "allow_msg_schedules": True, "allow_msg_ttl": True},
}


@pytest.mark.parametrize("who", [OPERATOR, DEPLOYER, PROVISIONER])
async def test_nobody_makes_a_stream_of_its_own(region, who):
    nc = await region.connect(who)
    for what, config in WAYS.items():
        assert "did_create" not in await try_to(nc, "STREAM.CREATE.EVIL", {"name": "EVIL", **config}), what
    assert "EVIL" not in await streams(await region.connect("root"))


@pytest.mark.parametrize("who", [OPERATOR, DEPLOYER])
async def test_operator_and_deployer_alter_and_delete_no_stream(region, who):
    nc, before = await region.connect(who), await streams(await region.connect("root"))
    for name, config in before.items():
        for change in ({"republish": {"src": ">", "dest": FORGED}}, {"max_age": 1}, {"subjects": [FORGED]}):
            await try_to(nc, f"STREAM.UPDATE.{name}", {**config, **change})
        await try_to(nc, f"STREAM.DELETE.{name}", {})
    assert await streams(await region.connect("root")) == before


async def test_the_deployers_durables_deliver_into_nobodys_intake(region):
    """A push consumer delivers to a subject: here Mexico's."""
    nc, gtm = await region.connect(DEPLOYER), await region.connect("GTM")
    await gtm.jetstream().publish("report.victims.witness.protected", b"{}")
    for stream, name in (("INTAKE_GTM", "victims"), ("LEGAL", "training"), (MAILBOX, "GTM"), ("RECEIPTS", "victims")):
        config = {"durable_name": name, "deliver_subject": FORGED, "ack_policy": "none", "deliver_policy": "all"}
        for action in ("", "create", "update"):
            body = {"stream_name": stream, "config": config, "action": action}
            await try_to(nc, f"CONSUMER.DURABLE.CREATE.{stream}.{name}", body)
    assert await spoken(region) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"republish": {"src": "crm.bad.>", "dest": "crm.in.MEX.>"}},
        {"subject_transform": {"src": "crm.bad.>", "dest": "crm.in.MEX.>"}},
        {"sources": [{"name": "INTAKE_GTM"}]},
        {"allow_msg_schedules": True},
        {"no_ack": True},
    ],
    ids=str,
)
async def test_what_the_provisioner_could_do_is_found_by_every_service(region, change):
    hand, services = await region.connect(PROVISIONER), {}
    for service in ("intel", "indicators"):
        services[service] = Meddling(await region.connect(service), service)
        await services[service].look()
        assert services[service].faults() == []
    found = (await ask(hand, "STREAM.INFO.QUARANTINE"))["config"]
    answer = await try_to(hand, "STREAM.UPDATE.QUARANTINE", {**found, **change})
    if "error" in answer:
        refused = ({"sources": [{"name": "INTAKE_GTM"}]}, {"no_ack": True}, {"allow_msg_schedules": True})
        assert change in refused, "only these the server refuses by itself"
        return
    for watching in services.values():
        await watching.look()
        assert watching.faults()
        assert all("QUARANTINE" in fault for fault in watching.faults())
    assert any("QUARANTINE" in fault for fault in await all_differences(hand))
    await provision(hand)
    for watching in services.values():
        await watching.look()
        assert watching.faults() == []


async def test_a_strange_stream_is_found_whoever_made_it(region):
    made = await ask(await region.connect("root"), "STREAM.CREATE.EVIL", {"name": "EVIL", **WAYS["a transform"]})
    assert made["did_create"]
    watching = Meddling(await region.connect("legal"), "legal")
    await watching.look()
    assert watching.faults() == ["meddled with: stream EVIL is none of ours"]


async def test_a_running_service_tells_it_and_goes_on(system):
    system.start("legal")
    await system.ready()
    root = await system.region.connect("root")
    await ask(root, "STREAM.CREATE.EVIL", {"name": "EVIL", "subjects": ["evil"]})
    await until(lambda: any("meddled" in line["event"] for line in system.output("legal")), "the service to tell it")


async def test_the_server_records_who_made_deleted_or_altered_streams(region):
    hand = await region.connect(PROVISIONER)
    await ask(hand, "STREAM.DELETE.INTEL")
    root = await region.connect("root")

    async def told() -> bool:
        answer = await ask(root, "STREAM.MSG.GET.CHANGES", {"last_by_subj": "$JS.EVENT.ADVISORY.STREAM.DELETED.INTEL"})
        return "message" in answer

    await until(told, "the deletion to be recorded")
    for question in ("STREAM.PURGE.CHANGES", "STREAM.DELETE.CHANGES", "STREAM.MSG.DELETE.CHANGES"):
        assert "success" not in await try_to(hand, question, {"seq": 1})


async def test_no_country_pushes_a_change_out_of_the_servers_record(region):
    """Of each batch that a sender begins and leaves the server tells, and CHANGES keeps that as well."""
    hand, root, gtm = await region.connect(PROVISIONER), await region.connect("root"), await region.connect("GTM")
    config = await stream_config(root, "CHANGES")
    await ask(root, "STREAM.UPDATE.CHANGES", {**config, "max_bytes": 500_000})
    await ask(hand, "STREAM.DELETE.INTEL")
    for number in range(3000):
        for sequence in (1, 3):
            batch = {"Nats-Batch-Id": str(number), "Nats-Batch-Sequence": str(sequence)}
            await gtm.publish("report.intel.a.b", b"", headers=batch)
    await gtm.flush()
    left = {"last_by_subj": "$JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.INTAKE_GTM"}

    async def last_left() -> bool:
        told = (await ask(root, "STREAM.MSG.GET.CHANGES", left)).get("message")
        return told is not None and json.loads(base64.b64decode(told["data"]))["batch"] == "2999"

    await until(last_left, "the server to tell of each batch")
    told = await ask(root, "STREAM.MSG.GET.CHANGES", {"last_by_subj": "$JS.EVENT.ADVISORY.STREAM.DELETED.INTEL"})
    assert "message" in told


async def test_no_country_pushes_out_what_was_refused_of_another(region):
    """Of 64 KiB each, 65,536 refusals fill QUARANTINE, which then forgets the oldest."""
    root, intel = await region.connect("root"), await region.connect("intel")
    config = await stream_config(root, "QUARANTINE")
    await ask(root, "STREAM.UPDATE.QUARANTINE", {**config, "max_bytes": 3_000_000})
    await intel.request("crm.bad.MEX.intel", b"of Mexico", timeout=10)
    for _ in range(6000):
        await intel.publish("crm.bad.GTM.intel", b"x" * 500)
    await intel.request("crm.bad.GTM.intel", b"the last", timeout=30)
    for country in ("GTM", "MEX"):
        assert "message" in await ask(root, "STREAM.MSG.GET.QUARANTINE", {"last_by_subj": f"crm.bad.{country}.intel"})


async def test_the_deployer_says_what_takes_a_hand(region):
    nc, hand = await region.connect(DEPLOYER), await region.connect(PROVISIONER)
    assert await deploy(nc) == []
    await ask(await region.connect("root"), "CONSUMER.DELETE.LEGAL.training")
    assert await deploy(nc) == ["made durable training on LEGAL"]
    await ask(hand, "STREAM.DELETE.INTEL")
    with pytest.raises(ProvisionError, match="stream INTEL is missing: that takes the provisioner's key, by hand"):
        await deploy(nc)


def test_the_signed_record_tells_a_change_and_a_gap(region_free_seed, tmp_path):
    file = tmp_path / "provisioned.jsonl"
    for done in (["made stream A"], ["made stream B"], ["changed stream A"]):
        record.add(file, region_free_seed, done)
    assert record.faults(file) == []
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], lines[1].replace("stream B", "stream C"), lines[2]]))
    assert record.faults(file) == ["line 2 is not as it was signed", "before line 3 a line is gone or changed"]
    file.write_text("\n".join([lines[0], lines[2]]))
    assert record.faults(file) == ["before line 2 a line is gone or changed"]


@pytest.fixture
def region_free_seed(tmp_path):
    from infra.nats.config import make_seed  # noqa: PLC0415

    make_seed(tmp_path / "hand.nk")
    return tmp_path / "hand.nk"


POWERS = ("republish", "mirror", "subject_transform", "no_ack")


@given(st.sampled_from(sorted(stream_configs())), st.sampled_from(POWERS))
def test_any_of_our_streams_that_meddles_is_told(name, key):
    wanted = stream_configs()
    assert meddling(wanted) == []
    bad = {**wanted[name], key: True if key == "no_ack" else {"src": ">", "dest": "crm.in.MEX.>"}}
    assert [fault.startswith(f"stream {name}: {key} is") for fault in meddling({**wanted, name: bad})] == [True]
