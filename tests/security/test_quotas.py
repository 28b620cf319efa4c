"""What one sender may use up, and that nobody else notices: by effect, and what the sender is told."""

import asyncio
import itertools
import json
import time
from collections import Counter

import nats
import pytest

from infra.nats.asking import ask
from infra.nats.provision import provision
from shared.client import Full, TooMany, Unstored
from shared.flow import quotas
from shared.flow.streams import intake_of
from shared.service import ended
from tests.harness.servers import ROOT
from tests.harness.speaking import example
from tests.harness.system import until

NAME = "intel.document.flagged"
REPORT = f"report.{NAME}"


def narrowed(tmp_path, monkeypatch, text):
    """Have quotas that are the shipped ones with `text` behind them, here and in the services started from here."""
    file = tmp_path / "quotas.toml"
    file.write_text(quotas.OWN.read_text() + text)
    monkeypatch.setenv(quotas.VARIABLE, str(file))
    quotas._read.cache_clear()
    return file


@pytest.fixture(autouse=True)
def fresh_quotas():
    yield
    quotas._read.cache_clear()


async def raw(client, subject=REPORT, payload=b"{}", timeout=30, **headers):
    answer = await client.request(subject, payload, timeout=timeout, headers=headers or None)
    return json.loads(answer.data)


async def flagged(country, number):
    report = country.report(NAME, example(NAME), id=f"{country.country}-{number}", subject=f"doc-{number}")
    return await country.publish(report)


async def test_a_full_intake_stops_its_sender_only_who_is_told_so(system, tmp_path, monkeypatch):
    narrowed(tmp_path, monkeypatch, "[GTM]\nintake_messages = 3\n[HND]\nintake_mib = 1\n")
    await provision(await system.region.connect("provisioner"))
    system.start("intel")
    await system.ready()
    gtm, hnd, mex = [await system.country(name) for name in ("GTM", "HND", "MEX")]
    for number in range(3):
        await flagged(gtm, number)
    with pytest.raises(Full, match="maximum messages exceeded"):
        await flagged(gtm, 3)
    large = await system.region.connect("HND")
    told = [await raw(large, payload=b"x" * 60_000) for _ in range(20)]
    assert told[-1]["error"] == {"code": 503, "err_code": 10077, "description": "maximum bytes exceeded"}
    with pytest.raises(Full, match="maximum bytes exceeded"):
        await hnd.publish_all([hnd.report(NAME, example(NAME), subject="doc") for _ in range(200)])
    await flagged(mex, 0)
    assert {event.id for event in await system.recorded("intel", NAME, 4)} == {"GTM-0", "GTM-1", "GTM-2", "MEX-0"}
    own = await gtm.ask("intel", "quota")
    assert (own.intake_messages, own.held_messages, own.waiting) == (3, 3, 0)
    others = await mex.ask("intel", "quota")
    assert (others.intake_messages, others.held_messages) == (quotas.of("MEX").intake_messages, 1)


async def test_a_full_disk_quota_stops_nobody_else(system, nats_server):
    """The server's disk is so small that one sender's intake and all that follows from it would fill it."""
    region = system.region
    nc = await region.connect(ROOT)
    for name in [*(await nc.jetstream().streams_info())]:
        await ask(nc, f"STREAM.DELETE.{name.config.name}")
    nats_server.stop()
    nats_server.base["jetstream"]["max_file"] = 768 << 20
    nats_server._base = lambda: nats_server.base
    nats_server.start(region.accounts())
    nc = await region.connect("provisioner")
    done = await provision(nc)
    assert any("the server has no more room" in line for line in done)
    gtm = await region.connect("GTM")
    told = {}
    while "error" not in told:
        answers = await asyncio.gather(*(raw(gtm, payload=b"x" * 60_000, timeout=60) for _ in range(200)))
        told = answers[-1]
    assert told["error"]["err_code"] == 10077
    system.start("intel")
    await system.ready()
    mex = await system.country("MEX")
    await flagged(mex, 0)
    await system.recorded("intel", NAME, 1)

    async def copied():
        return (await ask(nc, "STREAM.INFO.INTEL"))["state"]["messages"] > 0

    await until(copied, "the log to be copied to its stream")


async def test_questions_beyond_the_quota_are_told_to_wait_and_others_are_answered(system, tmp_path, monkeypatch):
    narrowed(tmp_path, monkeypatch, "[GTM]\nquestions_per_s = 10\n")
    system.start("intel")
    await system.ready()
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    question = json.dumps({"country": "HND"}).encode()
    answers = await asyncio.gather(*(raw(gtm.client, "ask.intel.contact", question) for _ in range(18)))
    refused = [answer["error"] for answer in answers if "error" in answer]
    assert refused, "all were answered at once, with a quota of ten a second"
    assert {error["code"] for error in refused} == {"too_many"}
    assert all(error["wait_s"] > 0 for error in refused)
    assert "answer" in await raw(mex.client, "ask.intel.contact", question)
    assert (await gtm.ask("intel", "contact", {"country": "HND"})).points == (), "the client waits as it is told"


async def test_who_goes_on_asking_is_not_listened_to_for_a_moment(system, tmp_path, monkeypatch):
    narrowed(tmp_path, monkeypatch, "[GTM]\nquestions_per_s = 5\n")
    system.start("intel")
    await system.ready()
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    question = json.dumps({"country": "HND"}).encode()

    async def shut_out():
        try:
            await raw(gtm.client, "ask.intel.contact", question)
        except nats.errors.NoRespondersError:
            return True
        return False

    await until(shut_out, "the server to answer in the service's place")
    assert "answer" in await raw(mex.client, "ask.intel.contact", question)

    async def heard_again():
        await asyncio.sleep(0.5)
        try:
            return "answer" in await raw(gtm.client, "ask.intel.contact", question)
        except nats.errors.NoRespondersError:
            return False

    await until(heard_again, "it to be listened to again")


async def test_hundreds_of_questions_at_once_are_answered_each_and_refuse_nobody(system):
    """Small answers count as what they are; so it is with wrong questions, and with a mailbox read at once."""
    system.start("intel")
    await system.ready()
    gtm, hnd = await system.region.connect("GTM"), await system.region.connect("HND")
    wrong = json.dumps({"after": 10**30}).encode()
    asked = [(gtm, wrong), (hnd, b"{}")] * 400
    answers = await asyncio.gather(*(raw(client, "ask.intel.mailbox", question) for client, question in asked))
    assert {answer.get("error", {}).get("code") for answer in answers[::2]} == {"invalid"}
    assert all("answer" in answer for answer in answers[1::2])


async def test_of_a_flood_the_server_delivers_no_more_than_may_be_answered_or_told(system):
    """Whatever the service's process does meanwhile: each subscription of it ends by itself."""
    system.start("intel")
    await system.ready()
    gtm, mex = await system.region.connect("GTM"), await system.country("MEX")
    answers = []

    async def answered(message):
        answers.append(json.loads(message.data).get("error", {}).get("code") if message.data else "no responders")

    inbox, most = gtm.new_inbox(), 20_000
    await gtm.subscribe(inbox, cb=answered)
    began = time.monotonic()
    for _ in range(most):
        await gtm.publish("ask.intel.mailbox", b"{}", reply=inbox)
    await until(lambda: len(answers) == most, "an answer to each")
    heard = most - answers.count("no responders")
    allowed = quotas.of("GTM").questions_per_s * (time.monotonic() - began + 2)  # a burst, and what time brings back
    assert heard < allowed < most, {answer: answers.count(answer) for answer in set(answers)}
    assert "too_many" in answers
    assert (await mex.ask("intel", "mailbox")).events == ()


async def test_connections_beyond_the_quota_are_refused_and_others_connect(region, tmp_path, monkeypatch):
    narrowed(tmp_path, monkeypatch, "[GTM]\nconnections = 3\nsubscriptions = 5\n")
    region.nats.stop()
    region.nats.start(region.accounts())
    own = [await region.connect("GTM", allow_reconnect=False, error_cb=_quiet) for _ in range(3)]
    with pytest.raises(nats.errors.Error, match="maximum account active connections exceeded"):
        await region.connect("GTM", allow_reconnect=False, error_cb=_quiet)
    mex = await region.connect("MEX")
    for number in range(6):
        await own[0].subscribe(f"_INBOX.x.{number}")
    await until(lambda: "subscriptions" in str(own[0].last_error), "the server to say that it is one too many")
    assert (await raw(mex))["stream"] == "INTAKE_MEX"


async def test_fifty_open_batches_of_one_stop_nobody_elses(region):
    gtm, mex = await region.connect("GTM"), await region.connect("MEX")
    most = quotas.region().open_batches
    numbers, found = itertools.count(), Counter()

    async def one_too_many():
        """Begin more at once than may be open: after ten seconds one lapses, and a slow machine has to try again."""
        names = [f"open-{next(numbers)}" for _ in range(most + 1)]
        answers = await asyncio.gather(*(gtm.request(REPORT, b"{}", headers=_batch(name, 1)) for name in names))
        found.update(json.loads(answer.data)["error"]["err_code"] if answer.data else "open" for answer in answers)
        return found[10210]

    await until(one_too_many, "a batch that may not be begun")
    assert found["open"] >= most
    assert set(found) == {"open", 10210}
    await mex.request(REPORT, b"{}", headers=_batch("mine", 1))
    assert (await raw(mex, **_batch("mine", 2), **{"Nats-Batch-Commit": "1"}))["count"] == 2


async def test_the_client_sends_one_by_one_where_no_batch_may_be_begun(system):
    gtm = await system.country("GTM")
    for number in range(quotas.region().open_batches):
        await gtm.client.request(REPORT, b"{}", headers=_batch(f"open-{number}", 1))
    stop = asyncio.create_task(_kept_open(gtm.client))
    try:
        last = await gtm.publish_all([gtm.report(NAME, example(NAME), subject="doc") for _ in range(3)])
    except TooMany:
        pytest.fail("it gave up")
    finally:
        await ended([stop], 30)
    assert last == 3


async def _kept_open(client):
    """Begin batches as fast as may be, so that a place that gets free is taken at once."""
    number = 1000
    while True:
        number += 1
        await client.request(REPORT, b"{}", headers=_batch(f"open-{number}", 1))


def _batch(name, number):
    return {"Nats-Batch-Id": name, "Nats-Batch-Sequence": str(number)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[GTX]\nweight = 2\n", "no sender is called GTX"),
        ("[GTM]\nweight = 0\n", r"\[GTM\]: Expected `int` >= 1 - at `\$\.weight`"),
        ("[GTM]\nwieght = 2\n", r"\[GTM\]: Object contains unknown field `wieght`"),
        ("[GTM\n", "quotas.toml: "),
    ],
)
def test_wrong_quotas_are_told_with_table_and_key(tmp_path, text, said):
    file = tmp_path / "quotas.toml"
    file.write_text(quotas.OWN.read_text() + text)
    with pytest.raises(quotas.QuotasError, match=said):
        quotas.parsed(file)


def test_a_sender_differs_only_where_its_table_says_so(tmp_path):
    file = tmp_path / "quotas.toml"
    file.write_text(quotas.OWN.read_text() + "[GTM]\nweight = 3\n")
    found, _ = quotas.parsed(file)
    assert found["GTM"].weight == 3
    assert found["GTM"].intake_mib == found["MEX"].intake_mib
    assert issubclass(Full, Unstored)
    assert intake_of("GTM") == "INTAKE_GTM"


async def _quiet(_):
    pass
