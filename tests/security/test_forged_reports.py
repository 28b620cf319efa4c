"""Whoever runs the region forges a report of a country, each way; the country and `crm verify --signatures` find it."""

import asyncio
import json
import os
import subprocess
import sys

import asyncpg
import msgspec
import pytest
from nacl.signing import SigningKey

from infra import signing as keys
from infra.nats.asking import ask
from infra.recovery.signatures import checked, known
from infra.recovery.verify import compare
from shared import contracts
from shared.client import connect
from shared.client.own import forged
from shared.contracts import signing
from shared.contracts.signing import HEADER
from shared.record import signers
from shared.record.chain import GENESIS, chained
from shared.record.log import head, insert
from shared.run.database import session, turn
from tests.harness.servers import ROOT
from tests.harness.speaking import example, of_own
from tests.harness.system import ROOT as PROJECT
from tests.harness.system import until

FLAGGED, ADDED = "intel.document.flagged", "indicators.key.added"


@pytest.fixture
async def region_at_work(system, signing_keys):
    """Two services; Mexico, which must sign, and Guatemala, which always does, have each sent one signed report."""
    system.start("intel", "indicators", CRM_REFERENCE_WAIT_S="1")
    await system.ready()
    for country in ("MEX", "GTM"):
        async with client(system, country, signing_keys) as own:
            await keys.tell(own, signing_keys)
            await own.publish(flagged(own))
    await system.recorded("intel", FLAGGED, 2)
    return system


def client(system, country, folder):
    key = keys.key_file(folder, country)
    return connect(system.region.nats.url, system.region.seed(country), country, "test", key=key)


def flagged(own, **more):
    return own.report(FLAGGED, of_own(example(FLAGGED), own.country), subject="doc-1", **more)


async def verified(system, service="intel"):
    """(country, code) of each forgery that `crm verify --signatures` finds."""
    connection = await system.region.connect_database()
    try:
        found = await checked(connection, service, signers.policies(), await known(connection, signers.policies()))
    finally:
        await connection.close()
    return [(country, code) for _, country, _, code in found.findings]


async def found_by(system, country, folder):
    """What the country finds by its own check, with its own public keys."""
    own = {signing.public(signing.secret(folder / f"{country}{end}")) for end in (".pem", ".root.pem")}
    async with client(system, country, folder) as speaking:
        return [one.code async for one in forged(speaking, own, services=("intel", "indicators"))]


async def written(system, principal, service, event, signature=None):
    """Put an event at the end of a log as somebody who may write there, with a good hash."""
    address = system.region.database_url(None if principal == "owner" else principal)
    connection = await asyncpg.connect(address, server_settings=session(service))
    try:
        async with connection.transaction():
            await turn(connection, service)
            after = await head(connection)
            event = msgspec.structs.replace(event, sequence=after[0] + 1)
            signatures = {(event.id, event.source): signature} if signature else {}
            await insert(connection, service, after, [(event, msgspec.json.encode(event))], signatures=signatures)
    finally:
        await connection.close()


async def test_what_is_written_into_the_log_in_a_countrys_name_is_found(region_at_work, signing_keys):
    """By the database's owner and by the service's own role; the hash chain is good, so nothing else finds it."""
    system = region_at_work
    mex, gtm = sorted(await system.log("intel", FLAGGED), key=lambda event: event.country != "MEX")
    (row,) = await system.rows("intel", "select signature from log where id = $1", mex.id)
    assert (await verified(system), await found_by(system, "MEX", signing_keys)) == ([], [])
    assert await found_by(system, "GTM", signing_keys) == []

    def other(event, number, **changes):
        return msgspec.structs.replace(event, id=f"forged-{number}", correlationid=f"forged-{number}", **changes)

    thief = SigningKey.generate()
    own = other(mex, 3)
    sent = {
        name: value
        for name, value in msgspec.to_builtins(own).items()
        if name not in {"country", "recordedtime", "sequence", "traceparent"} and value
    }
    payload = msgspec.json.encode(sent)
    thieves = signing.verified({HEADER: signing.signed(payload, thief)}, payload)
    assert thieves is not None
    connection = await system.region.connect_database()
    await connection.execute(
        "insert into intel.signer values ('MEX', $1, '', '2003-01-01', null, null)", signing.public(thief)
    )
    await connection.close()
    await written(system, "owner", "intel", other(mex, 1))
    await written(system, "intel", "intel", other(mex, 2), row["signature"])
    await written(system, "intel", "intel", own, thieves.jws)
    await written(system, "owner", "intel", other(mex, 4, country="GTM"), row["signature"])
    await written(system, "owner", "intel", other(gtm, 5))
    found = [("MEX", code) for code in ("signature_required", "signature_differs", "key_unknown", "country_mismatch")]
    assert await verified(system) == found
    assert await found_by(system, "MEX", signing_keys) == ["signature_required", "signature_differs", "key_unknown"]
    assert await found_by(system, "GTM", signing_keys) == ["signature_required"]  # it may leave it out, and never does
    operator = await system.region.connect("operator")
    connection = await system.region.connect_database()
    try:
        whole = await compare(connection, operator, "intel")
    finally:
        await connection.close()
    assert whole.log_whole
    assert not whole.crooked


async def test_what_is_changed_in_a_signed_report_is_found(region_at_work, signing_keys):
    """The owner of the database changes it and makes the hash chain anew."""
    system = region_at_work
    mex = next(event for event in await system.log("intel", FLAGGED) if event.country == "MEX")
    changed = msgspec.structs.replace(mex, data=msgspec.structs.replace(mex.data, issuing="GTM"))
    connection = await system.region.connect_database()
    try:
        payload = msgspec.json.encode(changed)
        await connection.execute("update intel.log set payload = $1 where position = $2", payload, mex.sequence)
        hashed = GENESIS
        for position, content in await connection.fetch("select position, payload from intel.log order by position"):
            hashed = chained(hashed, content)
            await connection.execute("update intel.log set hash = $1 where position = $2", hashed, position)
    finally:
        await connection.close()
    assert await verified(system) == [("MEX", "signature_differs")]
    assert await found_by(system, "MEX", signing_keys) == ["signature_differs"]
    region = system.region
    env = {**os.environ, "CRM_NATS_URL": region.nats.url, "CRM_DATABASE_URL": region.database_url()}
    env |= {"CRM_NATS_SEED": str(region.seed("operator"))}
    command = [sys.executable, "-m", "infra.cli", "verify", "--signatures", "--json", "indicators", "intel"]
    done = await asyncio.to_thread(subprocess.run, command, env=env, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    keys_, reports = json.loads(done.stdout)
    assert (keys_["signed"], keys_["forged"]) == (2, [])
    assert (reports["signed"], reports["not_signed"]) == (1, {})
    forgery = {"position": mex.sequence, "country": "MEX", "id": mex.id, "code": "signature_differs"}
    assert reports["forged"] == [forgery]


async def republished(system, country, payload, signature):
    """Bring a message into a country's intake as one who may make any stream, as the operator could."""
    root = await system.region.connect(ROOT)
    subject = f"$JS.API.EVIL{country}.x"
    again = {"src": subject, "dest": f"crm.in.{country}.{FLAGGED}"}
    body = {"name": f"EVIL{country}", "subjects": [subject], "no_ack": True, "republish": again}
    await ask(root, f"STREAM.CREATE.EVIL{country}", body)
    before = (await ask(root, f"STREAM.INFO.INTAKE_{country}"))["state"]["messages"]
    await root.publish(subject, payload, headers={HEADER: signature} if signature else None)
    await root.flush()

    async def arrived():
        return (await ask(root, f"STREAM.INFO.INTAKE_{country}"))["state"]["messages"] > before

    await until(arrived, f"the forgery in the intake of {country}")


async def test_what_is_put_into_an_intake_in_a_countrys_name_is_refused_or_found(region_at_work, signing_keys):
    system = region_at_work
    (row, *_) = await system.rows("intel", "select signature from log where country = 'MEX'")
    head_, _, tail = row["signature"].decode().split(".")
    async with client(system, "MEX", signing_keys) as mex, client(system, "GTM", signing_keys) as gtm:
        for signature in (None, f"{head_}..{tail}"):
            await republished(system, "MEX", msgspec.json.encode(flagged(mex)), signature)
        await republished(system, "GTM", msgspec.json.encode(flagged(gtm)), None)
    refused = await system.recorded("intel", "intel.report.rejected", 2)
    codes = [{problem.code for problem in event.data.problems} for event in refused]
    assert codes == [{"signature_required"}, {"signature_invalid"}]
    await system.recorded("intel", FLAGGED, 3)
    assert await verified(system) == []  # what Guatemala may leave out nobody else can miss
    assert await found_by(system, "GTM", signing_keys) == ["signature_required"]
    assert await found_by(system, "MEX", signing_keys) == []


@pytest.mark.parametrize("with_signature", [False, True], ids=["unsigned", "signed by the forger"])
async def test_a_key_that_only_a_service_told_of_signs_nothing(region_at_work, signing_keys, with_signature):
    """The service that records what is said of keys says so itself: no other believes it."""
    system = region_at_work
    told = next(event for event in await system.log("indicators", ADDED) if event.country == "MEX")
    thief = SigningKey.generate()
    data = msgspec.structs.replace(told.data, key=signing.public(thief))
    event = msgspec.structs.replace(told, id="forged", correlationid="forged", data=data)
    signature = None
    if with_signature:
        sent = {"specversion": "1.0", "id": "forged", "source": told.source, "type": told.type}
        sent |= {"time": told.time.isoformat(), "data": msgspec.to_builtins(data)}
        payload = msgspec.json.encode(sent)
        own = signing.verified({HEADER: signing.signed(payload, thief)}, payload)
        assert own is not None
        assert signing.agrees(event, payload)
        signature = own.jws
    await written(system, "indicators", "indicators", event, signature)
    position = (await system.rows("indicators", "select position from log where id = 'forged'"))[0]["position"]
    heard = "select from heard where stream = 'INDICATORS' and sequence = $1"
    await until(lambda: system.rows("intel", heard, position), "intel to hear of it")
    assert await system.rows("intel", "select from signer where key = $1", signing.public(thief)) == []
    async with client(system, "MEX", signing_keys) as mex:
        mex.key = thief
        await mex.publish(flagged(mex))
    (refused,) = await system.recorded("intel", "intel.report.rejected")
    assert {problem.code for problem in refused.data.problems} == {"key_unknown"}
    assert await verified(system, "indicators") == [("MEX", "root_required")]
    assert contracts.sender_of(event.source) == "MEX"
    assert await found_by(system, "MEX", signing_keys) == ["key_unknown" if with_signature else "signature_required"]
